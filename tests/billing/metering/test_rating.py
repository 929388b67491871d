import datetime as dt
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from billing.metering.events import events_of
from billing.metering.queries import hours_of, usages_of
from billing.months import Month
from billing.statements.commands import issue
from billing.statements.queries import Bill, Book, Line, bill_of, book_of, component_of
from billing.tariffs.commands import set_price
from billing.tariffs.queries import versions_of
from billing.tariffs.rules import Tier
from tests.billing.metering.world import World, at

NOVEMBER, DECEMBER = Month(2026, 11), Month(2026, 12)


async def book(world: World, since: Month = DECEMBER, until: Month = DECEMBER, *, as_invoiced: bool = False) -> Book:
    async with acting_as(system("test")):
        return await book_of(world.agency_id, since, until, as_invoiced=as_invoiced)


async def close(world: World, month: Month) -> Bill:
    async with acting_as(system("close")):
        await issue(world.agency_id, world.provider_id, month, by=system("close"), now=month.ends_at)
        bill = await bill_of(world.agency_id, world.provider_id, month)
    assert bill is not None
    return bill


def measured(lines: list[Line] | tuple[Line, ...]) -> list[tuple[str, Decimal, int, int, Decimal]]:
    return [
        (line.names[0], line.quantity, line.starts_on.day, line.ends_on.day, line.amount)
        for line in lines
        if line.names[0] != "rack"
    ]


async def test_a_month_is_billed_by_its_sum_its_high_and_its_count(world: World) -> None:
    await world.take(
        world.reading(1, "900", starts_at=at(2026, 12, 1)),
        world.reading(2, "300.5", starts_at=at(2026, 12, 14, 23)),
        world.reading(3, "80", meter="traffic", starts_at=at(2026, 12, 2)),
        world.reading(4, "95.25", meter="traffic", starts_at=at(2026, 12, 3)),
        world.reading(5, "1", meter="visit", starts_at=at(2026, 12, 3)),
        world.reading(6, "2", meter="visit", starts_at=at(2026, 12, 9)),
    )
    # 1,000 kWh at 4.50 and 200.5 at 4.00; the high of 95.25 for the whole month; three visits.
    assert measured((await book(world)).lines(DECEMBER)) == [
        ("energy", Decimal("1200.5"), 1, 31, Decimal("5302.00")),
        ("traffic", Decimal("95.25"), 1, 31, Decimal("9525.00")),
        ("visit", Decimal(3), 1, 31, Decimal("300.00")),
    ]


async def test_a_price_that_changes_within_the_month_splits_the_line_and_the_tiers_go_on(world: World) -> None:
    for meter in ("energy", "traffic"):
        async with acting_as(system("test")):
            tiers = (Tier(Decimal(1000), Decimal("5.00")), Tier(None, Decimal("3.00")))
            await set_price(world.items[meter], tiers, dt.date(2026, 12, 11), by=system("test"), now=at(2026, 12, 1))
    await world.take(
        world.reading(1, "900", starts_at=at(2026, 12, 10, 23)),
        world.reading(2, "300", starts_at=at(2026, 12, 11)),
        world.reading(3, "10", meter="traffic", starts_at=at(2026, 12, 10, 23)),
        world.reading(4, "20", meter="traffic", starts_at=at(2026, 12, 11)),
    )
    # 900 × 4.50; then 100 × 5.00 up to the thousandth and 200 × 3.00. Highs: 10 × 100 × 10/31 and 20 × 5 × 21/31.
    assert measured((await book(world)).lines(DECEMBER)) == [
        ("energy", Decimal(900), 1, 10, Decimal("4050.00")),
        ("energy", Decimal(300), 11, 31, Decimal("1100.00")),
        ("traffic", Decimal(10), 1, 10, Decimal("322.58")),
        ("traffic", Decimal(20), 11, 31, Decimal("67.74")),
    ]


async def test_a_high_is_charged_for_the_days_in_use(world: World) -> None:
    service = await world.add_service(since=at(2026, 12, 10, 14))
    await world.take(
        world.reading(1, "31", meter="traffic", subject=service.number, starts_at=at(2026, 12, 12)),
    )
    lines = [line for line in (await book(world)).lines(DECEMBER) if line.service_id == service.id]
    assert measured(lines) == [("traffic", Decimal(31), 10, 31, Decimal("2200.00"))]


async def test_the_events_say_what_the_sums_say(world: World) -> None:
    await world.take(*(world.reading(n, f"{n}.000001", starts_at=at(2026, 12, 1 + n % 14)) for n in range(50)))
    found = await book(world)
    async with acting_as(system("test")):
        versions = await versions_of([world.items["energy"].id])
        key = world.service.id, world.components["energy"]
        component = component_of(*key, world.items["energy"], versions[world.items["energy"].id])
        raw = await usages_of(world.agency_id, {key: component}, [DECEMBER], {}, by_event=True)
    assert [(usage.quantity, usage.first, usage.last) for usage in raw] == [
        (usage.quantity, usage.first, usage.last) for usage in found.usages
    ]


async def test_a_line_leads_to_its_hours_and_they_to_their_events(world: World) -> None:
    await world.take(world.reading(1, "1"), world.reading(2, "2", starts_at=at(2026, 12, 10, 9, 30)))
    [line] = [line for line in (await book(world)).lines(DECEMBER) if line.names[0] == "energy"]
    component = line.derivation["component"]
    async with acting_as(system("test")):
        hours = await hours_of(world.agency_id, line.service_id, component, line.starts_on, line.ends_on)
        assert [(each.hour, each.total, each.events) for each in hours] == [(at(2026, 12, 10, 9), Decimal(3), 2)]
        hour = hours[0].hour
        events = await events_of(world.agency_id, line.service_id, component, hour, hour + dt.timedelta(hours=1))
    assert [(event["event_id"], event["quantity"]) for event in events] == [("1", Decimal(1)), ("2", Decimal(2))]


async def test_late_usage_is_settled_by_the_next_invoice_and_points_at_the_one_it_corrects(world: World) -> None:
    await world.take(world.reading(1, "990", starts_at=at(2026, 11, 20)), now=at(2026, 11, 21))
    november = await close(world, NOVEMBER)
    assert measured(november.lines) == [("energy", Decimal(990), 1, 30, Decimal("4455.00"))]

    await world.take(world.reading(2, "20", starts_at=at(2026, 11, 30, 22)), now=at(2026, 12, 2))
    [running] = measured((await book(world)).lines(DECEMBER))
    assert running == ("energy", Decimal(20), 1, 30, Decimal("85.00"))  # 10 × 4.50 and 10 × 4.00

    december = await close(world, DECEMBER)
    [line] = [line for line in december.lines if "corrects" in line.derivation]
    assert (line.amount, line.starts_on) == (Decimal("85.00"), dt.date(2026, 11, 1))
    assert line.derivation["corrects"]["number"] == november.number
    january = await close(world, DECEMBER.next)
    assert not measured(january.lines)

    await world.take(world.reading(3, "5", starts_at=at(2026, 11, 30, 23)), now=at(2027, 1, 2, 1))
    [again] = measured((await book(world, Month(2027, 2), Month(2027, 2))).lines(Month(2027, 2)))
    assert again == ("energy", Decimal(5), 1, 30, Decimal("20.00"))  # beyond the 20 that are settled


async def test_an_invoice_is_recomputed_as_it_was_whatever_came_later(world: World) -> None:
    await world.take(world.reading(1, "990", starts_at=at(2026, 11, 20)), now=at(2026, 11, 21))
    november = await close(world, NOVEMBER)
    await world.take(world.reading(2, "20", starts_at=at(2026, 11, 30, 22)), now=at(2026, 12, 2))
    checked = (await book(world, NOVEMBER, NOVEMBER, as_invoiced=True)).estimate(world.provider_id, NOVEMBER)
    assert [line.amount for line in checked.lines] == [line.amount for line in november.lines]
    assert checked.totals == november.totals


@pytest.mark.parametrize("services", [1, 12])
async def test_a_book_is_read_in_the_same_number_of_queries(
    world: World, services: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(services - 1):
        await world.add_service()
    await world.take(*(world.reading(n, subject=each.number) for n, each in enumerate(world.services)))
    async with acting_as(system("test")) as unit:
        asked: list[str] = []
        connection = unit.connection
        for name in ("execute_query", "execute_query_dict"):
            real = getattr(connection, name)

            async def counted(*given: object, real: object = real) -> object:
                asked.append(str(given[0]))
                return await real(*given)  # type: ignore[operator]

            monkeypatch.setattr(connection, name, counted)
        await book_of(world.agency_id, NOVEMBER, DECEMBER)
    assert len(asked) <= 10
    assert len({text for text in asked if "usage_day" in text}) == 1
