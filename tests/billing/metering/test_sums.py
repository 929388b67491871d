import asyncio
import datetime as dt
from decimal import Decimal
from typing import Any

from auth.rules import system
from auth.tenancy import acting_as, rows, unit_of_work
from billing.metering.commands import take
from billing.metering.corrections import void
from billing.metering.queries import hours_of
from billing.metering.storing import Origin
from billing.metering.sums import sum_up
from tests.billing.metering.test_corrections import NOW, event, finance
from tests.billing.metering.test_rating import DECEMBER, book, measured
from tests.billing.metering.world import World, at, hours


async def read(world: World) -> tuple[Any, ...]:
    """Return what a reader sees of December: its lines, and the hours of one meter."""
    async with acting_as(system("test")):
        by_hour = await hours_of(
            world.agency_id, world.service.id, world.components["energy"], DECEMBER.first, DECEMBER.last
        )
    return measured((await book(world)).lines(DECEMBER)), by_hour


async def unsummed() -> list[dt.date]:
    async with acting_as(system("test")):
        return [row["day"] for row in await rows("SELECT DISTINCT day FROM usage_unsummed ORDER BY day")]


async def test_what_is_read_is_the_same_before_and_after_the_sums_are_made(world: World) -> None:
    who = await finance()
    await world.take(
        world.reading(1, "900.5", starts_at=at(2026, 12, 1)),
        world.reading(2, "300", starts_at=at(2026, 12, 1, 0, 30)),
        world.reading(3, "7", starts_at=at(2026, 12, 9, 23, 59), ends_at=at(2026, 12, 10)),
        world.reading(4, "40", meter="traffic"),
    )
    before = await read(world)
    assert before[0] == [
        ("energy", Decimal("1207.5"), 1, 31, Decimal("5330.00")),
        ("traffic", Decimal(40), 1, 31, Decimal("4000.00")),
    ]
    assert [(hour.hour, hour.total, hour.high, hour.events) for hour in before[1]] == [
        (at(2026, 12, 1), Decimal("1200.5"), Decimal("900.5"), 2),
        (at(2026, 12, 9, 23), Decimal(7), Decimal(7), 1),
    ]
    assert await sum_up() == 3
    assert await read(world) == before
    assert (await unsummed(), await sum_up()) == ([], 0)

    # One day is summed, one is not, and one was summed before something came.
    await world.take(world.reading(5, "1", starts_at=at(2026, 12, 1, 5)), world.reading(6, "2", meter="traffic"))
    async with acting_as(who):
        await void(await event(world, "2"), "นับซ้ำ", by=who, now=NOW)
    assert await unsummed() == [dt.date(2026, 12, 1), dt.date(2026, 12, 10)]
    before = await read(world)
    assert before[0][0] == ("energy", Decimal("908.5"), 1, 31, Decimal("4088.25"))
    await sum_up()
    assert await read(world) == before


async def test_an_hour_of_which_all_is_voided_is_gone(world: World) -> None:
    who = await finance()
    await world.take(world.reading(1))
    await sum_up()
    async with acting_as(who):
        await void(await event(world, "1"), "x", by=who, now=NOW)
    assert (await read(world), (await sum_up()), await read(world)) == (([], []), 1, ([], []))


async def test_what_comes_while_others_sum_up_is_never_lost(world: World) -> None:
    async def send(number: int) -> None:
        reading = world.reading(number, "1", starts_at=at(2026, 12, 10, number % 3))
        await unit_of_work(world.provider, lambda: take([reading], Origin(), by=world.provider, now=at(2026, 12, 15)))

    await asyncio.gather(*(act for n in range(24) for act in ((send(n), sum_up()) if n % 3 == 0 else (send(n),))))
    lines, by_hour = await read(world)
    assert (lines[0][1], sum(hour.events for hour in by_hour)) == (Decimal(24), 24)
    assert [row[1:] for row in await hours(world.service.id)] == [(Decimal(8), Decimal(1), 8)] * 3
