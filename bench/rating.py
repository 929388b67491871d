"""How fast a month of usage is rated, against one bare GROUP BY over the same events, in one run.

    python bench/rating.py [events]

Hourly events of seven meters, four tiers, each price changing mid-month. Rated from the events and from the sums that
were kept as the events came; both must give the same satang, line by line, before anything is timed.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg

from auth.rules import system
from auth.tenancy import acting_as, rows
from bench.metered import METERS, MONTH, World, found, megabytes, server
from billing.metering.queries import usages_of
from billing.statements.charges import Usage
from billing.statements.queries import component_of
from billing.statements.rules import Component, rate_month
from billing.tariffs.queries import versions_of
from portal import database
from portal.embedded_postgres import OWNER, SUPERUSER, Running

FROM_EVENTS, FROM_SUMS = 0.5, 4
HOURS = MONTH.days * 24
AGENCIES = 1
_GROUP = "SELECT service_id, component_id, sum(quantity) AS total FROM usage_event GROUP BY service_id, component_id"
# Written past the portal, as the table's owner may not either: only the sums must be those the portal would keep.
_FILL = """
    INSERT INTO usage_event
    SELECT s.agency_id, s.provider_id, s.id, m.component_id, gen_random_uuid(), w.hour, w.hour + interval '1 hour',
        w.hour, false, round((random() * 50)::numeric, 6), '/bench', w.hour::text
    FROM billed_service s CROSS JOIN meter m
    CROSS JOIN generate_series($1::timestamptz, $2::timestamptz - interval '1 hour', interval '1 hour') AS w(hour)
"""
_SUM = """
    INSERT INTO usage_day
    SELECT agency_id, provider_id, service_id, component_id, (starts_at AT TIME ZONE interval '7 hours')::date AS day,
        sum(quantity), max(quantity), count(*)
    FROM usage_event GROUP BY agency_id, provider_id, service_id, component_id, day
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
    await fill(running)
    count = services * METERS * HOURS

    grouped = await best(lambda: group(running))
    by_event, raw = await timed(lambda: rated(world, by_event=True))
    by_sums, kept = await timed(lambda: rated(world, by_event=False))
    by_event = min(by_event, await best(lambda: rated(world, by_event=True)))
    by_sums = min(by_sums, await best(lambda: rated(world, by_event=False)))
    await database.disconnect()
    if raw != kept or len(kept) != 2 * services * METERS:
        differing = [line for line in raw if raw[line] != kept.get(line)]
        print(f"{len(raw)} and {len(kept)} lines, {len(differing)} differ: {differing[:3]}")
        return 1
    total = sum(kept.values(), Decimal(0))
    print(f"{count:,} events, {len(kept):,} lines of {total:,.2f} baht: the same satang from events and from sums")
    print(f"{'GROUP BY alone':16}{grouped:8.2f} s {count / grouped / 1e6:8.2f} M events/s")
    for name, taken in (("from events", by_event), ("from sums", by_sums)):
        print(f"{name:16}{taken:8.2f} s {count / taken / 1e6:8.2f} M events/s")
    print(f"peak memory of the rating process {megabytes():.0f} MB")
    first, second = grouped / by_event, by_event / by_sums
    print(f"{'reached' if first >= FROM_EVENTS else 'missed'}: {first:.2f} of at least {FROM_EVENTS} × GROUP BY")
    print(f"{'reached' if second >= FROM_SUMS else 'missed'}: {second:.1f} of at least {FROM_SUMS} × from events")
    return 0 if first >= FROM_EVENTS and second >= FROM_SUMS else 1


async def fill(running: Running) -> None:
    connection = await asyncpg.connect(running.url(SUPERUSER))
    await connection.execute("SET synchronous_commit = off")
    await connection.execute(_FILL, MONTH.starts_at, MONTH.ends_at)
    await connection.execute(_SUM)
    await connection.execute("VACUUM ANALYZE usage_event, usage_day")
    await connection.close()


async def group(running: Running) -> None:
    connection = await asyncpg.connect(running.url(SUPERUSER))
    await connection.execute(_GROUP)
    await connection.close()


async def rated(world: World, *, by_event: bool) -> dict[tuple[str, str], Decimal]:
    """Rate the month of every agency; return each line's amount by its component and first day."""
    async with acting_as(system("bench")):
        versions = await versions_of([item.id for item in world.items])
        services = defaultdict(list)
        for agency_id, service_id, _ in world.services:
            services[agency_id].append(service_id)
        lines: dict[tuple[str, str], Decimal] = {}
        for agency_id, mine in services.items():
            components: dict[tuple[object, object], Component] = {
                (service, component): component_of(service, component, item, versions[item.id])
                for service in mine
                for component, item in zip(world.components, world.items, strict=True)
            }
            usages: list[Usage] = await usages_of(agency_id, components, [MONTH], {}, by_event=by_event)  # type: ignore[arg-type]
            for charge in rate_month((), MONTH, usages):
                lines[str(charge.component.id), str(charge.first)] = charge.amount
    return lines


async def timed(
    work: Callable[[], Awaitable[dict[tuple[str, str], Decimal]]],
) -> tuple[float, dict[tuple[str, str], Decimal]]:
    began = perf_counter()
    result = await work()
    return perf_counter() - began, result


async def best(work: Callable[[], Awaitable[object]], rounds: int = 2) -> float:
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        await work()
        taken.append(perf_counter() - began)
    return min(taken)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000))
