"""How long a month's close of many agencies takes: rated from roll-ups, lines and invoices written, durably.

    python bench/close.py [agencies]

Every agency has three services of seven meters and one allocated component, each price changing mid-month. One close
of a quarter of the agencies, then of all: the second shows whether memory grows with their number. What was written is
priced once more from the roll-ups by other code, to the satang, and closing again must write nothing.
"""

import asyncio
import datetime as dt
import sys
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from auth.fields import new_id
from auth.rules import system
from auth.tenancy import acting_as, rows
from bench.metered import CHANGE, MONTH, NOW, World, found, megabytes, processor_seconds, server
from billing.statements.closing_rules import Policy
from billing.statements.policies import set_policy
from billing.statements.verify import missing_numbers
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.rules import Basis, Tier
from portal import database
from portal.duties import close_month
from portal.embedded_postgres import OWNER, Running

LIMIT = 60.0  # seconds for 1,000 agencies
SERVICES_EACH = 3
ZERO = Decimal(0)
TIERS = ((100, "0.5512"), (1000, "0.4731"), (10000, "0.4023"), (None, "0.3517"))  # as bench/metered.py sets them
RACK = (Decimal("8.53"), Decimal("9.07"))  # a month, before the change and after

_DAYS = """
    INSERT INTO usage_day (agency_id, provider_id, service_id, component_id, day, total, high, events)
    SELECT s.agency_id, s.provider_id, s.id, $1::uuid, d::date,
        (abs(hashtext(s.id::text || $1::text || d)) % 900000)::numeric / 1000, 37.5, 24
    FROM billed_service s CROSS JOIN generate_series($2::date, $3::date, '1 day') AS d
"""
_SUMS = """
    SELECT service_id, component_id, day >= $1 AS late, sum(total) AS total, max(high) AS high, count(*) AS days
    FROM usage_day GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_ALLOCATED = """
    INSERT INTO allocation (id, agency_id, provider_id, service_id, component_id, price_item_id, quantity,
        starts_at, origin)
    SELECT gen_random_uuid(), s.agency_id, s.provider_id, s.id, $1, $2, 12, $3, 'bench' FROM billed_service s
    RETURNING 1 AS one
"""


class Closed(NamedTuple):
    """What a close of so many agencies took: by the clock, of a processor, in megabytes; and how much it wrote."""

    agencies: int
    seconds: float
    busy: float
    lines: int
    memory: float


def main(agencies: int) -> int:
    """Close a small month and a large one; 1 where the limit is missed or a figure is wrong."""
    for some in (max(agencies // 4, 1), agencies):
        with server() as running:
            closed = asyncio.run(_close(running, some))
        print(
            f"{some} agencies: {closed.seconds:.1f} s, of a processor {closed.busy:.1f} s;"
            f" {closed.lines / closed.seconds:,.0f} lines/s; peak memory {closed.memory:.0f} MB",
            flush=True,
        )
    within = LIMIT * agencies / 1000
    print(f"{'reached' if closed.seconds < within else 'missed'}: {closed.seconds:.1f} of at most {within:.0f} s")
    return 0 if closed.seconds < within else 1


async def _close(running: Running, agencies: int) -> Closed:
    await database.migrate(running.url(OWNER))
    await database.connect(running.url())
    try:
        world = await found(agencies * SERVICES_EACH, agencies)
        await _used(world)
        began, before = perf_counter(), processor_seconds(running)
        failed = await close_month(MONTH, NOW)
        seconds, busy, memory = perf_counter() - began, processor_seconds(running) - before, megabytes()
        assert not failed
        return Closed(agencies, seconds, busy, await _checked(world, agencies), memory)
    finally:
        await database.disconnect()


async def _used(world: World) -> None:
    assert world.provider.seat is not None
    async with acting_as(world.provider):
        await set_policy(world.provider.seat.id, Policy(needs_review=False), by=world.provider, now=NOW)
    async with acting_as(system("bench")):
        for component in world.components:
            await rows(_DAYS, component, MONTH.first, MONTH.last)
        rack = await add_item(world.provider.seat.id, "rack", names=("r", "r"), units=("u", "u"), basis=Basis.DAILY)
        for since, price in ((dt.date(2025, 1, 1), RACK[0]), (CHANGE, RACK[1])):
            await set_price(rack, [Tier(None, price)], since, by=system("bench"), now=NOW)
        await rows(_ALLOCATED, new_id(), rack.id, MONTH.previous.starts_at)


async def _checked(world: World, agencies: int) -> int:
    """Return how many lines were written, once every amount was found anew and a second close wrote nothing."""
    before = await _written()
    await close_month(MONTH, NOW)
    assert await _written() == before
    assert before[0] == agencies
    async with acting_as(system("bench")):
        summed = await rows(_SUMS, CHANGE)
        assert await missing_numbers() == []
    counted: dict[tuple[object, object], Decimal] = {}
    amount = Decimal(0)
    for row in summed:
        if row["component_id"] == world.components[-1]:
            amount += _satang(_priced(row["high"], ZERO, row["late"]) * row["days"] / MONTH.days)
            continue
        known = counted.setdefault((row["service_id"], row["component_id"]), ZERO)
        amount += _satang(_priced(row["total"], known, row["late"]))
        counted[row["service_id"], row["component_id"]] = known + row["total"]
    allocated = agencies * SERVICES_EACH * sum(_satang(12 * price * 15 / MONTH.days) for price in RACK)
    assert before[2] == amount + allocated, (before, amount, allocated)
    return before[1]


def _priced(quantity: Decimal, after: Decimal, late: bool) -> Decimal:
    """Price a quantity tier by tier, after what was counted before it."""
    price, low = ZERO, ZERO
    for upto, each in TIERS:
        high = Decimal(upto) if upto else after + quantity
        part = min(high, after + quantity) - max(low, after)
        price += max(part, ZERO) * (Decimal(each) + (Decimal("0.0103") if late else ZERO))
        low = high
    return price


def _satang(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


async def _written() -> tuple[int, int, Decimal]:
    async with acting_as(system("bench")):
        [row] = await rows(
            "SELECT (SELECT count(*) FROM statement) AS statements, count(*) AS lines, sum(amount) AS amount"
            " FROM statement_line"
        )
    return row["statements"], row["lines"], row["amount"]


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
