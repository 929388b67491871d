"""Single events that are kept no longer: what may go, what stays, and that invoices can be checked all the same."""

import asyncio
import datetime as dt
from decimal import Decimal

import pytest

from auth.errors import NotFound
from auth.rules import system
from auth.tenancy import acting_as, rows, unit_of_work
from billing.metering.commands import faults_in, take
from billing.metering.corrections import void
from billing.metering.queries import hours_of
from billing.metering.retention import kept_from, let_go, next_to_go
from billing.metering.rules import BadReadings, oldest_kept
from billing.metering.storing import Origin
from billing.months import Month
from billing.statements.queries import bill_of
from billing.statements.verify import StatementReport, verify
from portal.keeping import let_usage_go
from tests.billing.metering.test_corrections import event, finance
from tests.billing.metering.test_rating import DECEMBER, NOVEMBER, close
from tests.billing.metering.world import World, at

JANUARY = Month(2027, 1)
LATER = at(2027, 4, 20)


async def kept() -> tuple[int, Month | None]:
    async with acting_as(system("test")):
        [counted] = await rows("SELECT count(*) AS many FROM usage_event")
        return counted["many"], await kept_from()


async def checked() -> StatementReport:
    async with acting_as(system("test")):
        [report] = [each async for each in verify()]
    return report


async def november_and_december(world: World) -> None:
    """Lay down two months: the first is invoiced, then one event is voided and one comes late."""
    await world.take(
        world.reading(1, "1100", starts_at=at(2026, 11, 20)),
        world.reading(2, "50", starts_at=at(2026, 11, 21)),
        world.reading(3, "7", meter="visit", starts_at=at(2026, 11, 21)),
        now=at(2026, 11, 22),
    )
    await close(world, NOVEMBER)
    who = await finance()
    async with acting_as(who):
        await void(await event(world, "1"), "นับซ้ำ", by=who, now=at(2026, 12, 5))
    await world.take(world.reading(4, "8", starts_at=at(2026, 11, 30)), now=at(2026, 12, 6))
    await world.take(world.reading(5, "30"))


def test_a_month_is_kept_longer_than_anything_may_be_late() -> None:
    assert oldest_kept(3, at(2027, 4, 20)) == JANUARY
    assert oldest_kept(3, at(2027, 3, 31, 23, 59)) == DECEMBER
    for months in range(3, 13):
        month = oldest_kept(months, at(2027, 4, 1)).previous
        assert month.ends_at + dt.timedelta(days=35) < at(2027, 4, 1)
    with pytest.raises(ValueError, match="3 months"):
        oldest_kept(2, LATER)


async def test_what_something_still_needs_stays_and_goes_once_it_is_settled(world: World) -> None:
    await november_and_december(world)
    assert await let_usage_go(0, LATER) == []
    # What came after the invoice is still to be settled; then December is not invoiced.
    for needed, month in (("settlement", NOVEMBER),):
        async with acting_as(system("test")):
            assert await next_to_go(3, LATER) == month
            assert await let_go(month, now=LATER) == needed
    assert await let_usage_go(3, LATER) == []
    december = await close(world, DECEMBER)
    assert [str(line.amount) for line in december.lines if "corrects" in line.derivation] == ["-4839.00"]
    before = await checked()
    assert (before.from_sums, before.differences) == (0, ())
    assert await let_usage_go(3, at(2027, 3, 31)) == [NOVEMBER]
    assert await let_usage_go(3, at(2027, 3, 31)) == []
    assert await kept() == (1, DECEMBER)
    assert await let_usage_go(3, LATER) == [DECEMBER]
    assert await kept() == (0, JANUARY)
    # Hours, invoices and their check remain, and the check still notices.
    async with acting_as(system("test")):
        hours = await hours_of(
            world.agency_id, world.service.id, world.components["energy"], NOVEMBER.first, NOVEMBER.last
        )
        assert [hour.total for hour in hours] == [Decimal(50), Decimal(8)]
        assert await bill_of(world.agency_id, world.provider_id, NOVEMBER)
    after = await checked()
    assert (after.statements, after.from_sums, after.differences) == (2, 2, ())


@pytest.mark.parametrize(
    ("meter", "total", "said"),
    [("energy", "59", "with what was settled later"), ("visit", "8", "not due")],
)
async def test_sums_that_were_tampered_with_are_noticed(world: World, meter: str, total: str, said: str) -> None:
    await november_and_december(world)
    await close(world, DECEMBER)
    await let_usage_go(3, LATER)
    async with acting_as(system("test")):
        await rows(
            "UPDATE usage_day SET total = $1::numeric WHERE component_id = $2 AND day = ("
            " SELECT max(day) FROM usage_day WHERE component_id = $2 AND day < '2026-12-01')",
            Decimal(total),
            world.components[meter],
        )
    differences = (await checked()).differences
    assert differences
    assert any(said in each.what for each in differences)


async def test_a_month_is_summed_up_before_its_events_go(world: World) -> None:
    await november_and_december(world)
    await close(world, DECEMBER)
    with pytest.raises(Exception, match="not summed up yet"):
        async with acting_as(system("test")):
            await let_go(NOVEMBER, now=LATER)
    assert await let_usage_go(3, LATER) == [NOVEMBER, DECEMBER]


async def test_nothing_of_a_month_that_went_is_taken_or_corrected(world: World) -> None:
    await november_and_december(world)
    old = await event(world, "2")
    await close(world, DECEMBER)
    await let_usage_go(3, LATER)
    late = world.reading("new", starts_at=at(2026, 11, 3))
    with pytest.raises(BadReadings) as refused:
        await world.take(late, now=LATER, latest=None, reason="มิเตอร์ขัดข้อง")
    assert "not kept" in refused.value.events[0]["data.start"]
    async with acting_as(world.provider):
        assert list(await faults_in([late], by=world.provider, now=LATER, latest=None)) == [0]
    who = await finance()
    with pytest.raises(NotFound):
        async with acting_as(who):
            await void(old, "x", by=who, now=LATER)
    # A repeat of what was stored once is still known.
    assert (
        await world.take(world.reading(2, "50", starts_at=at(2026, 11, 21)), now=LATER, latest=None, reason="ส่งซ้ำ")
    ).duplicates == 1


async def test_what_comes_at_the_same_time_is_waited_for_and_keeps_its_month(world: World) -> None:
    await november_and_december(world)
    await close(world, DECEMBER)
    stored, go_on = asyncio.Event(), asyncio.Event()

    async def store() -> None:
        async with acting_as(world.provider):
            reading = world.reading("late", starts_at=at(2026, 11, 3))
            await take([reading], Origin(reason="มิเตอร์ขัดข้อง"), by=world.provider, now=LATER, latest=None)
            stored.set()
            await go_on.wait()

    async def go() -> str:
        await stored.wait()
        going = asyncio.create_task(unit_of_work(system("test"), lambda: let_go(NOVEMBER, now=LATER)))
        await asyncio.sleep(0)
        go_on.set()
        return await going

    _, needed = await asyncio.gather(store(), go())
    assert needed == "settlement"
    assert (await kept())[1] is None


async def test_only_the_portal_itself_lets_usage_go_and_never_early(world: World) -> None:
    await november_and_december(world)
    who = await finance()
    with pytest.raises(Exception, match="only the portal itself"):
        async with acting_as(who):
            await let_go(NOVEMBER, now=LATER)
    with pytest.raises(Exception, match="may still come"):
        async with acting_as(system("test")):
            await let_go(DECEMBER, now=at(2027, 1, 20))
