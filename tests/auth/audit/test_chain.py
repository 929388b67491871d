"""The audit trail says when it was tampered with, and where."""

import datetime as dt
from collections.abc import AsyncIterator

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from auth.audit.models import AuditRecord
from auth.audit.queries import ChainReport, verify
from auth.rules import Actor, system
from auth.tenancy import acting_as, record
from portal.embedded_postgres import OWNER, SUPERUSER, Address
from tests.cast import actor

NOW = dt.datetime(2026, 12, 4, 8, 20, tzinfo=dt.UTC)
LENGTH = 5


@pytest.fixture
async def official(database: str) -> Actor:
    """Somebody with five records in their agency's chain."""
    who = await actor("official-a")
    for number in range(1, LENGTH + 1):
        async with acting_as(who):
            record("test.done", at=NOW + dt.timedelta(minutes=number), subject=("thing", number), amount=f"{number}.00")
    return who


@pytest.fixture
async def superuser(cluster: Address, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster.url(SUPERUSER, database))
    await connection.execute("SET session_replication_role = replica")  # the one way around append-only
    yield connection
    await connection.close()


async def report(official: Actor) -> ChainReport:
    assert official.seat is not None
    async with acting_as(system("verify")):
        [mine] = [chain async for chain in verify() if chain.chain_id == official.seat.id]
    return mine


async def test_an_untouched_chain_holds(official: Actor) -> None:
    found = await report(official)
    assert (found.length, found.broken) == (LENGTH, None)


@pytest.mark.parametrize(
    ("tampering", "number", "why"),
    [
        ('UPDATE audit_record SET detail = \'{"amount": "9.00"}\' WHERE number = 3', 3, "altered"),
        ("UPDATE audit_record SET actor = 'somebody else' WHERE number = 2", 2, "altered"),
        ("UPDATE audit_record SET at = at + interval '1 second' WHERE number = 5", 5, "altered"),
        ("UPDATE audit_record SET person_id = NULL WHERE number = 1", 1, "altered"),
        ("DELETE FROM audit_record WHERE number = 3", 3, "missing"),
        ("DELETE FROM audit_record WHERE number = 5", 5, "ends at 4"),
        ("UPDATE audit_record SET number = number + 10 WHERE number = 4", 4, "missing"),
        ("UPDATE audit_record SET hash = repeat('0', 64) WHERE number = 2", 2, "altered"),
        ("UPDATE audit_record SET previous = repeat('0', 64) WHERE number = 4", 4, "does not follow"),
        ("UPDATE audit_head SET length = 4", 5, "its head says 4"),
    ],
)
async def test_the_first_bad_record_is_named(
    official: Actor, superuser: asyncpg.Connection, tampering: str, number: int, why: str
) -> None:
    assert official.seat is not None
    clause = " AND " if " WHERE " in tampering else " WHERE "
    changed = await superuser.execute(f"{tampering}{clause}chain_id = '{official.seat.id}'")
    assert changed.endswith(" 1")
    broken = (await report(official)).broken
    assert broken is not None
    assert broken.number == number
    assert why in broken.why


@pytest.mark.parametrize("change", ["UPDATE audit_record SET actor = 'x'", "DELETE FROM audit_record"])
async def test_records_are_never_changed_not_even_by_their_owner(
    official: Actor, cluster: Address, database: str, change: str
) -> None:
    with pytest.raises(OperationalError, match="permission denied"):
        async with acting_as(system("test")) as unit:
            await unit.connection.execute_query(change)
    owner = await asyncpg.connect(cluster.url(OWNER, database))
    try:
        # The owner's policies hide the rows from a change; without them the trigger refuses it.
        assert (await owner.execute(change)).endswith(" 0")
        await owner.execute("ALTER TABLE audit_record NO FORCE ROW LEVEL SECURITY")
        with pytest.raises(asyncpg.RestrictViolationError, match="never changed"):
            await owner.execute(change)
    finally:
        await owner.close()


async def test_a_unit_that_fails_leaves_no_record(official: Actor) -> None:
    async def fail() -> None:
        async with acting_as(official):
            record("test.never", at=NOW)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with acting_as(system("test")):
        assert not await AuditRecord.filter(action="test.never").exists()
    assert (await report(official)).length == LENGTH
