"""How fast a month of usage is rated, against one bare GROUP BY over the same events, in one run.

    python bench/rating.py [events]

Hourly events of seven meters, four tiers, each price changing mid-month. Rated from the events and from the sums that
were kept as the events came; both must give the same satang, line by line, before anything is timed.
"""

import asyncio
import datetime as dt
import sys
from collections import defaultdict
from collections.abc import Awaitable
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg

from auth.rules import system
from auth.tenancy import acting_as, rows
from bench.intake import family
from bench.metered import METERS, MONTH, Spent, World, found, megabytes, processor_seconds, server
from billing.metering.queries import usages_of
from billing.statements.charges import Charge, Usage
from billing.statements.queries import component_of
from billing.statements.rules import Component, rate_month
from billing.tariffs.queries import versions_of
from portal import database
from portal.embedded_postgres import OWNER, SUPERUSER, Running
from portal.lifeline import settle

T = TypeVar("T")

FROM_EVENTS, FROM_SUMS = 0.5, 4
ROUNDS = 3

HOURS = MONTH.days * 24
AGENCIES = 1
_GROUP = "SELECT service_id, component_id, sum(quantity) AS total FROM usage_event GROUP BY service_id, component_id"
# Written past the portal, as the table's owner may not either: only the sums must be those the portal would keep. A day
# at a time, as events come: no statement holds more than a day of them, and the index grows at its end.
_FILL = """
    INSERT INTO usage_event
    SELECT s.agency_id, s.provider_id, s.id, m.component_id, gen_random_uuid(), w.hour, w.hour + interval '1 hour',
        w.hour, false, round((random() * 50)::numeric, 6), '/bench', w.hour::text
    FROM generate_series($1::timestamptz, $2::timestamptz - interval '1 hour', interval '1 hour') AS w(hour)
    CROSS JOIN billed_service s CROSS JOIN meter m
"""
_SUM = """
    INSERT INTO usage_day
    SELECT agency_id, provider_id, service_id, component_id, $1::timestamptz AT TIME ZONE interval '7 hours',
        sum(quantity), max(quantity), count(*)
    FROM usage_event WHERE starts_at >= $1 AND starts_at < $2 GROUP BY agency_id, provider_id, service_id, component_id
"""


def main(events: int) -> int:
    with server() as running:
        return asyncio.run(measure(running, events))


async def measure(running: Running, events: int) -> int:
    await database.migrate(running.url(OWNER))
    await database.connect(running.url())
    services = max(AGENCIES, events // (METERS * HOURS))
    world = await found(services, AGENCIES)
    async with acting_as(system("bench")):
        await rows("SELECT usage_partition($1)", MONTH.first)
    began = perf_counter()
    await fill(running)
    count = services * METERS * HOURS
    print(f"{count:,} events written and summed up in {perf_counter() - began:.0f} s", flush=True)

    settle()  # as the portal's own processes do
    took: dict[str, list[Spent]] = {"GROUP BY alone": [], "from events": [], "from sums": []}
    for _ in range(ROUNDS):  # in turn, so that whatever else runs here meets each
        await timed(running, took["GROUP BY alone"], group(running))
        raw = await timed(running, took["from events"], rated(world, by_event=True))
        kept = await timed(running, took["from sums"], rated(world, by_event=False))
        if wrong := differing(raw, kept, 2 * services * METERS):
            print(wrong)
            return 1
    largest = max(megabytes(pid) for pid in family(running.pid))
    await database.disconnect()
    total = sum((charge.amount for charge in kept), Decimal(0))
    print(f"{count:,} events, {len(kept):,} lines of {total:,.2f} baht: the same satang from events and from sums")
    for name, each in took.items():
        fastest, rounds = min(each).seconds, ", ".join(f"{spent.seconds:.2f} ({spent.busy:.2f})" for spent in each)
        print(f"{name:16}{count / fastest / 1e6:8.2f} M events/s; seconds (of a processor): {rounds}")
    grouped, by_event, by_sums = (min(each).seconds for each in took.values())
    busy = [min(spent.busy for spent in each) for each in took.values()]
    print(f"by processor time {busy[0] / busy[1]:.2f} × GROUP BY and {busy[1] / busy[2]:.1f} × from events")
    print(f"peak memory of the rating process {megabytes():.0f} MB, of the largest of the database {largest:.0f} MB")
    first, second = grouped / by_event, by_event / by_sums
    print(f"{'reached' if first >= FROM_EVENTS else 'missed'}: {first:.2f} of at least {FROM_EVENTS} × GROUP BY")
    print(f"{'reached' if second >= FROM_SUMS else 'missed'}: {second:.1f} of at least {FROM_SUMS} × from events")
    return 0 if first >= FROM_EVENTS and second >= FROM_SUMS else 1


async def fill(running: Running) -> None:
    connection = await asyncpg.connect(running.url(SUPERUSER))
    await connection.execute("SET synchronous_commit = off")
    for day in range(MONTH.days):
        opens = MONTH.starts_at + dt.timedelta(days=day)
        await connection.execute(_FILL, opens, opens + dt.timedelta(days=1))
        await connection.execute(_SUM, opens, opens + dt.timedelta(days=1))
    await connection.execute("VACUUM ANALYZE usage_event, usage_day")
    await connection.execute("CHECKPOINT")  # or they would still be written while they are rated
    await connection.close()


async def group(running: Running) -> None:
    connection = await asyncpg.connect(running.url(SUPERUSER))
    await connection.execute(_GROUP)
    await connection.close()


def differing(raw: list[Charge], kept: list[Charge], lines: int) -> str | None:
    """Say where the lines rated from events and from sums are not the same, to the last digit."""
    of_events, of_sums = (
        {(charge.component.id, charge.first): (charge.quantity, charge.amount) for charge in charges}
        for charges in (raw, kept)
    )
    if of_events == of_sums and len(raw) == len(kept) == len(of_sums) == lines:
        return None
    named = [line for line in of_events if of_events[line] != of_sums.get(line)]
    return f"{len(raw)} and {len(kept)} lines of {lines}, {len(named)} differ: {named[:3]}"


async def rated(world: World, *, by_event: bool) -> list[Charge]:
    """Rate the month of every agency, its services and meters read as the portal reads them."""
    async with acting_as(system("bench")):
        versions = await versions_of([item.id for item in world.items])
        items = {item.id: item for item in world.items}
        meters = await rows("SELECT component_id, price_item_id FROM meter ORDER BY code")
        services = defaultdict(list)
        for row in await rows("SELECT agency_id, id FROM billed_service ORDER BY number"):
            services[row["agency_id"]].append(row["id"])
        charges: list[Charge] = []
        for agency_id, mine in services.items():
            components: dict[tuple[object, object], Component] = {}
            for service in mine:
                for meter in meters:
                    component_id, item_id = meter["component_id"], meter["price_item_id"]
                    components[service, component_id] = component_of(
                        service, component_id, items[item_id], versions[item_id], len(components)
                    )
            usages: list[Usage] = await usages_of(agency_id, components, [MONTH], {}, by_event=by_event)  # type: ignore[arg-type]
            charges += rate_month((), MONTH, usages)
    return charges


async def timed(running: Running, taken: list[Spent], work: Awaitable[T]) -> T:
    began, busy = perf_counter(), processor_seconds(running)
    result = await work
    taken.append(Spent(perf_counter() - began, processor_seconds(running) - busy))
    return result


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
