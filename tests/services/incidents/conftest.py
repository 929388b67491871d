import pytest

from tests.services.incidents.desk import Desk, staffed


@pytest.fixture
async def desk(database: str) -> Desk:
    """The desk with its people, on a database of the test's own."""
    return await staffed()
