import pytest

from tests.billing.metering.world import World, found


@pytest.fixture
async def world(database: str) -> World:
    """A provider with a measured offering, and one service of agency ก."""
    return await found()
