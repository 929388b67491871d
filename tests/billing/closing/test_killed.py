"""An issuer that is killed outright gives its number back; the next one takes it."""

import asyncio
import sys

import asyncpg

from auth.rules import system
from auth.tenancy import acting_as
from billing.months import Month
from billing.statements.commands import issue
from billing.statements.models import Statement
from billing.statements.verify import missing_numbers
from portal.embedded_postgres import SUPERUSER, Address
from tests.stage import Stage

MONTHS = [Month(2026, 10), Month(2026, 11), Month(2026, 12)]
CLOSING = system("month end")


async def test_an_issuer_killed_after_it_took_a_number_leaves_no_gap(
    stage: Stage, cluster: Address, database: str
) -> None:
    gate = await asyncpg.connect(cluster.url(SUPERUSER, database))
    watch = await asyncpg.connect(cluster.url(SUPERUSER, database))
    try:
        # Lines cannot be written for now: each issuer has its number, and its invoice, and waits.
        await gate.execute("BEGIN; LOCK TABLE statement_line IN EXCLUSIVE MODE")
        issuer = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.billing.closing.issuer",
            cluster.url(database=database),
            str(stage.agency("a")),
            str(stage.provider),
            str(MONTHS[0]),
        )
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
        async with asyncio.timeout(60):
            while not await watch.fetchval(waiting, database):
                assert issuer.returncode is None, "the issuer ended before it could be killed"
                await asyncio.sleep(0.05)
        issuer.kill()
        assert await issuer.wait() == -9
    finally:
        await gate.execute("ROLLBACK")
        await gate.close()
        await watch.close()

    async def close(letter: str, month: Month) -> None:
        async with acting_as(CLOSING):
            await issue(stage.agency(letter), stage.provider, month, by=CLOSING, now=month.ends_at)

    async with acting_as(CLOSING):
        assert await Statement.all().count() == 0
    # Eight at once, some of them for the same month.
    await asyncio.gather(
        *(close(letter, month) for letter in "ab" for month in MONTHS), *(close("a", m) for m in MONTHS[:2])
    )
    async with acting_as(CLOSING):
        numbers = sorted(each.number for each in await Statement.all())
        assert await missing_numbers() == []
    assert numbers == [f"INV-P01-2570-{n:05d}" for n in range(1, 7)]
