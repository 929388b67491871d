"""A chain rewritten whole, hashes and head and all, is found out by what was kept outside the database."""

import datetime as dt
from pathlib import Path

import asyncpg

from auth.audit.models import AuditRecord
from auth.audit.queries import ChainReport, verify
from auth.audit.rules import GENESIS, digest
from auth.rules import system
from auth.tenancy import acting_as, record
from portal import anchors
from portal.embedded_postgres import SUPERUSER, Address

NOW = dt.datetime(2026, 12, 4, 8, tzinfo=dt.UTC)


async def _chains() -> list[ChainReport]:
    async with acting_as(system("verify")):
        return [chain async for chain in verify()]


async def _write(count: int) -> None:
    async with acting_as(system("tests")):
        for number in range(count):
            record("test.done", at=NOW, number=number)


async def _rewrite(url: str) -> None:
    """Forge the portal's own chain from its first record on, so that it holds again by itself."""
    async with acting_as(system("tests")):
        [chain] = [chain async for chain in verify() if chain.length]
        records = await AuditRecord.filter(chain_id=chain.chain_id).order_by("number")
    connection = await asyncpg.connect(url)
    await connection.execute("SET session_replication_role = replica")  # the triggers that refuse are off
    previous = GENESIS
    for each in records:
        each.actor, each.previous = "somebody else", previous
        each.hash = previous = digest(each)
        await connection.execute(
            "UPDATE audit_record SET actor = $2, previous = $3, hash = $4 WHERE id = $1",
            each.id,
            each.actor,
            each.previous,
            each.hash,
        )
    await connection.execute("UPDATE audit_head SET hash = $2 WHERE chain_id = $1", chain.chain_id, previous)
    await connection.close()


async def test_a_forged_chain_holds_by_itself_and_not_against_its_anchor(
    database: str, cluster: Address, tmp_path: Path
) -> None:
    await _write(3)
    anchors.keep(tmp_path, await _chains())
    await _write(2)
    async with acting_as(system("verify")):
        assert await anchors.first_moved(tmp_path) is None

    await _rewrite(cluster.url(SUPERUSER, database))

    assert all(chain.broken is None for chain in await _chains())
    async with acting_as(system("verify")):
        moved = await anchors.first_moved(tmp_path)
    assert moved is not None
    assert moved.number in {chain.number for chain in anchors.kept(tmp_path)}


async def test_nothing_kept_is_nothing_to_compare(database: str, tmp_path: Path) -> None:
    async with acting_as(system("verify")):
        assert await anchors.first_moved(tmp_path / "nowhere") is None
