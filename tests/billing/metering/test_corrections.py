import asyncio
import dataclasses
from decimal import Decimal
from typing import Any

import pytest

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.fields import new_id
from auth.rules import Actor, system
from auth.tenancy import acting_as, rows, unit_of_work
from billing.metering.commands import take
from billing.metering.corrections import replace, void
from billing.metering.events import events_of
from billing.metering.storing import Origin
from billing.months import Month
from billing.statements.queries import book_of
from tests.billing.metering.test_rating import DECEMBER, NOVEMBER, book, close, measured
from tests.billing.metering.world import World, at, hours
from tests.cast import actor

NOW = at(2026, 12, 20)


async def event(world: World, event_id: str) -> dict[str, Any]:
    async with acting_as(system("test")):
        [found] = await rows("SELECT * FROM usage_event WHERE event_id = $1", event_id)
    return found


async def finance() -> Actor:
    return await actor("provider-finance")


async def test_a_void_and_a_replacement_change_the_estimate_and_leave_the_event(world: World) -> None:
    who = await finance()
    await world.take(world.reading(1, "10"), world.reading(2, "40"), world.reading(3, "5"))
    async with acting_as(who):
        await void(await event(world, "2"), "มิเตอร์เสีย", by=who, now=NOW)
        await replace(await event(world, "3"), "7.5", "อ่านผิด", by=who, now=NOW)
    assert await hours(world.service.id) == [(at(2026, 12, 10, 9), Decimal("17.5"), Decimal(10), 2)]
    assert measured((await book(world)).lines(DECEMBER)) == [("energy", Decimal("17.5"), 1, 31, Decimal("78.75"))]
    async with acting_as(who):
        stored = await events_of(
            world.agency_id, world.service.id, world.components["energy"], at(2026, 12, 1), at(2027, 1, 1)
        )
    assert [(each["quantity"], each["corrections"], each["counts_for"]) for each in stored] == sorted(
        [(Decimal(10), None, None), (Decimal(40), 1, None), (Decimal(5), 1, Decimal("7.5"))],
        key=lambda each: [row["quantity"] for row in stored].index(each[0]),
    )


async def test_the_latest_correction_holds_and_what_changes_nothing_is_refused(world: World) -> None:
    who = await finance()
    await world.take(world.reading(1, "10"))
    async with acting_as(who):
        await void(await event(world, "1"), "x", by=who, now=NOW)
        await replace(await event(world, "1"), 4, "x", by=who, now=NOW)
        await replace(await event(world, "1"), 10, "as it was", by=who, now=NOW)
    with pytest.raises(Conflict):
        async with acting_as(who):
            await replace(await event(world, "1"), "10.0", "x", by=who, now=NOW)
    assert await hours(world.service.id) == [(at(2026, 12, 10, 9), Decimal(10), Decimal(10), 1)]


@pytest.mark.parametrize(
    ("quantity", "reason", "field"),
    [("-1", "x", "quantity"), (1.5, "x", "quantity"), ("1.0000001", "x", "quantity"), ("1", " ", "reason")],
)
async def test_a_correction_is_a_quantity_with_a_reason(
    world: World, quantity: object, reason: str, field: str
) -> None:
    who = await finance()
    await world.take(world.reading(1))
    with pytest.raises(Invalid) as refused:
        async with acting_as(who):
            await replace(await event(world, "1"), quantity, reason, by=who, now=NOW)
    assert set(refused.value.fields) == {field}


async def test_nobody_else_corrects(world: World) -> None:
    await world.take(world.reading(1))
    who, mine = await finance(), await event(world, "1")
    assert who.seat is not None
    stranger = dataclasses.replace(who, seat=dataclasses.replace(who.seat, id=new_id()))
    with pytest.raises(NotFound):
        async with acting_as(stranger):
            await void(mine, "x", by=stranger, now=NOW)
    official = await actor("official-a")
    with pytest.raises(NotPermitted):
        async with acting_as(official):
            await void(mine, "x", by=official, now=NOW)


async def test_a_correction_after_the_invoice_is_settled_by_the_next(world: World) -> None:
    who = await finance()
    await world.take(
        world.reading(1, "1100", starts_at=at(2026, 11, 20)),
        world.reading(2, "50", starts_at=at(2026, 11, 21)),
        now=at(2026, 11, 22),
    )
    november = await close(world, NOVEMBER)
    assert measured(november.lines) == [("energy", Decimal(1150), 1, 30, Decimal("5100.00"))]
    async with acting_as(who):
        await void(await event(world, "1"), "นับซ้ำ", by=who, now=at(2026, 12, 5))
    # 50 × 4.50 is due for November; 5,100.00 was charged.
    december = await close(world, DECEMBER)
    assert measured(december.lines) == [("energy", Decimal(-1100), 1, 30, Decimal("-4875.00"))]
    async with acting_as(system("test")):
        [kept] = await rows("SELECT month, corrects_id, statement_id, amount FROM adjustment")
        checked = await book_of(world.agency_id, NOVEMBER, NOVEMBER, as_invoiced=True)
    assert kept == {
        "month": NOVEMBER.first,
        "corrects_id": november.statement_id,
        "statement_id": december.statement_id,
        "amount": Decimal("-4875.00"),
    }
    assert checked.estimate(world.provider_id, NOVEMBER).totals == november.totals
    assert not measured((await close(world, Month(2027, 1))).lines)


async def test_a_correction_and_readings_of_the_same_hour_at_once_lose_nothing(world: World) -> None:
    who = await finance()
    await world.take(*(world.reading(n, "1") for n in range(20)))
    stored = [await event(world, str(n)) for n in range(10)]

    async def correct(number: int) -> None:
        await unit_of_work(who, lambda: void(stored[number], "x", by=who, now=NOW))

    async def send(number: int) -> None:
        reading = world.reading(100 + number, "1")
        await unit_of_work(world.provider, lambda: take([reading], Origin(), by=world.provider, now=at(2026, 12, 15)))

    await asyncio.gather(*(act(n) for n in range(10) for act in (correct, send)))
    assert await hours(world.service.id) == [(at(2026, 12, 10, 9), Decimal(20), Decimal(1), 20)]
