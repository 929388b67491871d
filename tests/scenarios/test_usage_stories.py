"""Usage over the edges of months and after their invoices, every figure worked out by hand beside it.

A rack of ten units at 100.00 a month, 1,000.00 in all; energy at 4.50 up to 1,000 kWh a month and 4.00 above.
"""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

from auth.fields import new_id
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.credits.commands import give
from billing.credits.models import CreditKind
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.metering.commands import name_meters
from billing.metering.corrections import replace, void
from billing.metering.models import Meter
from billing.metering.rules import BadReadings
from billing.months import Month
from billing.statements.closing import draft_of, waiting_for_review
from billing.statements.closing_rules import Policy
from billing.statements.policies import set_policy
from billing.statements.queries import Bill, bill_of
from billing.statements.rules import rate_month
from billing.statements.verify import Difference, verify
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.rules import Basis, Tier
from billing.usage.commands import Quantity, allocate
from portal.duties import close_month
from portal.embedded_postgres import Address
from tests.billing.closing.test_verify import tampered
from tests.billing.metering.world import World, at, found
from tests.billing.priced import SOC, allocated
from tests.cast import actor
from tests.conftest import database
from tests.scenarios.accounts import baht, closed, nothing_differs

__all__ = ["database"]
D = Decimal


@pytest.fixture
async def world(database: str) -> World:
    return await found()


async def closed_in(world: World, month: Month) -> Bill:
    return await closed(world.agency_id, world.provider_id, month)


async def event(event_id: str) -> dict[str, Any]:
    async with acting_as(system("test")):
        [stored] = await rows("SELECT * FROM usage_event WHERE event_id = $1", event_id)
    return stored


def energy(bill: Bill) -> list[tuple[Decimal, Decimal]]:
    return [(line.quantity, line.amount) for line in bill.lines if line.names[0] == "energy"]


async def test_late_events_voids_after_issue_and_credits_over_four_months(world: World) -> None:
    finance = await actor("provider-finance")
    november, december, january, february = (Month(*m) for m in ((2026, 11), (2026, 12), (2027, 1), (2027, 2)))
    await world.take(
        world.reading("n1", "900", starts_at=at(2026, 11, 10)),
        world.reading("n2", "50", starts_at=at(2026, 11, 20)),
        now=at(2026, 11, 21),
    )
    # 950 × 4.50 = 4,275.00
    assert energy(await closed_in(world, november)) == [(D(950), D("4275.00"))]
    # Ten days late, 100 kWh of November: 1,000 × 4.50 + 50 × 4.00 = 4,700.00 are due, 425.00 more.
    await world.take(world.reading("n3", "100", starts_at=at(2026, 11, 30, 22)), now=at(2026, 12, 10))
    await world.take(world.reading("d1", "300", starts_at=at(2026, 12, 5)), now=at(2026, 12, 10))
    # A credit before issue, in the hand of whom gives it: 200.00.
    async with acting_as(finance):
        await give(
            world.service.id,
            december,
            CreditKind.GOODWILL,
            D("200.00"),
            reason="ชดเชยความล่าช้า",
            by=finance,
            now=at(2026, 12, 20),
        )
    bill = await closed_in(world, december)
    # 300 × 4.50 = 1,350.00 of December's own.
    assert energy(bill) == [(D(300), D("1350.00")), (D(100), D("425.00"))]
    # 1,000 + 1,350 + 425 − 200 = 2,575.00; no tax is set in this world.
    assert bill.totals.total == D("2575.00")
    # After issue: 900 kWh of November were another meter's, and December's 300 were read as 30 too many.
    async with acting_as(finance):
        await void(await event("n1"), "มิเตอร์ผิดตัว", by=finance, now=at(2027, 1, 8))
        await replace(await event("d1"), "270", "อ่านผิด", by=finance, now=at(2027, 1, 8))
    bill = await closed_in(world, january)
    # November: 150 × 4.50 = 675.00 are due of 4,700.00, −4,025.00.
    # December: 270 × 4.50 = 1,215.00 of 1,350.00, −135.00.
    assert energy(bill) == [(D(-900), D("-4025.00")), (D(-30), D("-135.00"))]
    assert bill.totals.total == D("-3160.00")
    # The void was itself a mistake; taken back after January's invoice it is settled by February's.
    async with acting_as(finance):
        await replace(await event("n1"), "900", "มิเตอร์ถูกต้อง", by=finance, now=at(2027, 2, 3))
    bill = await closed_in(world, february)
    assert energy(bill) == [(D(900), D("4025.00"))]
    pointed = [line.derivation["corrects"]["number"] for line in bill.lines if "corrects" in line.derivation]
    assert pointed == ["INV-P01-2570-00001"]
    # And a credit note for what was too much all the same.
    assert bill.statement_id is not None
    async with acting_as(finance):
        line = Correction("ส่วนลด", "Discount", D("25.00"))
        await correct(bill.statement_id, Kind.CREDIT_NOTE, [line], reason="ส่วนลดพิเศษ", by=finance, now=at(2027, 3, 2))
    books = await nothing_differs(world.provider_id)
    # Four racks, November's 4,700.00 and December's 1,215.00 of energy, less 200.00 and 25.00: 9,690.00. January's
    # invoice gives back 3,160.00, so the others are owed 12,850.00.
    assert (books["RECEIVABLE"], books["REFUNDABLE"]) == baht("12,850.00", "-3,160.00")
    assert books["REVENUE"] == -(4 * D(1000) + D(4700) + D(1215) - D(200))


async def test_what_was_settled_later_is_recomputed_from_its_events_too(
    world: World, cluster: Address, database: str
) -> None:
    finance = await actor("provider-finance")
    await world.take(world.reading("n1", "900", starts_at=at(2026, 11, 10)), now=at(2026, 11, 11))
    await closed_in(world, Month(2026, 11))
    await world.take(world.reading("n2", "60", starts_at=at(2026, 11, 30, 22)), now=at(2026, 12, 10))
    async with acting_as(finance):
        await replace(await event("n1"), "800", "อ่านผิด", by=finance, now=at(2026, 12, 11))
    # 860 instead of 900 kWh at 4.50.
    assert energy(await closed_in(world, Month(2026, 12))) == [(D(-40), D("-180.00"))]
    await nothing_differs(world.provider_id)
    for change, back in (
        ("usage_event SET quantity = 61 WHERE event_id = 'n2'", "usage_event SET quantity = 60 WHERE event_id = 'n2'"),
        ("usage_correction SET quantity = 799", "usage_correction SET quantity = 800"),
        ("adjustment SET amount = amount - 1", "adjustment SET amount = amount + 1"),
    ):
        await tampered(cluster, database, f"UPDATE {change}")
        found = await differences()
        assert ("INV-P01-2570-00001", True) in {(each.number, "2026-11" in each.what) for each in found}, change
        await tampered(cluster, database, f"UPDATE {back}")
    # A price set afterwards for those days changes nothing that was billed by then.
    async with acting_as(system("test")):
        tiers = (Tier(None, D("3.00")),)
        for code in ("energy", "rack"):
            await set_price(world.items[code], tiers, dt.date(2026, 11, 20), by=finance, now=at(2027, 1, 5))
    await nothing_differs(world.provider_id)
    # Nor does it where one kWh more comes to light of them: it is 4.50, and nothing else.
    async with acting_as(finance):
        await replace(await event("n2"), "61", "อ่านผิด", by=finance, now=at(2027, 1, 6))
    assert energy(await closed_in(world, Month(2027, 1))) == [(D(1), D("4.50"))]
    await nothing_differs(world.provider_id)


async def left_after_december(world: World, *, needs_review: bool) -> tuple[Month, Month]:
    """Let the agency use nothing any more from January on, December invoiced; return the two months after it."""
    finance = await actor("provider-finance")
    async with acting_as(system("test")):
        await set_policy(world.provider_id, Policy(needs_review=needs_review), by=finance, now=at(2026, 11, 1))
        nothing = Quantity(world.components["rack"], world.items["rack"], D(0))
        await allocate(world.service.id, [nothing], at(2027, 1, 1), origin="ยกเลิก")
    await world.take(world.reading("d1", "100", starts_at=at(2026, 12, 5)), now=at(2026, 12, 6))
    await closed_in(world, Month(2026, 12))
    january, february = Month(2027, 1), Month(2027, 2)
    await close_month(january, january.ends_at)
    return january, february


@pytest.mark.parametrize("needs_review", [False, True])
async def test_what_comes_after_a_last_invoice_is_settled_though_nothing_is_in_use(
    world: World, needs_review: bool
) -> None:
    january, february = await left_after_december(world, needs_review=needs_review)
    # 20 kWh of the last days at 4.50, thirty-three days late.
    await world.take(world.reading("d2", "20", starts_at=at(2026, 12, 31, 8)), now=at(2027, 2, 2))
    await close_month(february, february.ends_at)
    async with acting_as(system("test")):
        waiting = await waiting_for_review(february)
        bill = await bill_of(world.agency_id, world.provider_id, january)
    if needs_review:
        since_december = {month: many for month, many in waiting[world.provider_id].items() if month >= january}
        assert (bill, since_december) == (None, {january: 1})
        return
    assert bill is not None
    assert (waiting, energy(bill), bill.totals.subtotal) == ({}, [(D(20), D("90.00"))], D("90.00"))
    await close_month(february, february.ends_at)
    await nothing_differs(world.provider_id)


async def test_what_had_no_price_when_its_month_was_invoiced_has_the_one_it_was_given_since(world: World) -> None:
    finance = await actor("provider-finance")
    async with acting_as(system("test")):
        item = await add_item(
            world.provider_id, "CO-water", names=("น้ำ", "water"), units=("ลบ.ม.", "m³"), basis=Basis.METERED_SUM
        )
        await name_meters(world.provider_id, "CO", {"water": (new_id(), item)})
        await set_price(item, (Tier(None, D(20)),), dt.date(2026, 12, 1), by=finance, now=at(2026, 11, 20))
    await closed_in(world, Month(2026, 11))
    async with acting_as(system("test")):
        await set_price(item, (Tier(None, D(18)),), dt.date(2026, 11, 1), by=finance, now=at(2026, 12, 3))
    reading = world.reading("w1", "5", starts_at=at(2026, 11, 20), meter="water")
    await world.take(reading, now=at(2026, 12, 4))
    december = await closed_in(world, Month(2026, 12))
    assert [(line.names[1], line.amount) for line in december.lines if "corrects" in line.derivation] == [
        ("water", D("90.00"))
    ]
    await nothing_differs(world.provider_id)


async def test_what_came_late_and_costs_nothing_makes_no_draft(world: World) -> None:
    january, february = await left_after_december(world, needs_review=True)
    await world.take(world.reading("d2", "0", starts_at=at(2026, 12, 31, 8)), now=at(2027, 2, 2))
    await close_month(february, february.ends_at)
    async with acting_as(system("test")):
        waiting = (await waiting_for_review(february))[world.provider_id]
        assert await draft_of(world.agency_id, world.provider_id, january) is None
    assert [month for month in waiting if month >= january] == []


async def differences() -> list[Difference]:
    async with acting_as(system("verify")):
        return [each async for report in verify() for each in report.differences]


EDGES = {
    "a month's": ("2026-11-30", Month(2026, 11), Month(2026, 12)),
    "a year's": ("2026-12-31", Month(2026, 12), Month(2027, 1)),
    "a leap day's": ("2028-02-29", Month(2028, 2), Month(2028, 3)),
    "a fiscal year's": ("2027-09-30", Month(2027, 9), Month(2027, 10)),
}


@pytest.mark.parametrize("edge", EDGES)
def test_a_day_begins_at_seventeen_hours_of_utc(edge: str) -> None:
    day, before, after = EDGES[edge]
    last = dt.datetime.fromisoformat(f"{day}T16:59:59.999+00:00")
    first = dt.datetime.fromisoformat(f"{day}T17:00:00+00:00")
    # 800 EPS are 14,800.00 a month. From a millisecond before midnight on, the month's last day is paid whole …
    [one_day] = rate_month([allocated(SOC, 800, last)], before)
    assert one_day.amount == {30: D("493.33"), 31: D("477.42"), 29: D("510.34")}[before.days]  # 14,800 ÷ its days
    [whole] = rate_month([allocated(SOC, 800, last)], after)
    assert (whole.days, whole.amount) == (after.days, D("14800.00"))
    # … from midnight on, nothing of it; and what ends then has all of the month before and nothing after.
    assert rate_month([allocated(SOC, 800, first)], before) == []
    ended = [allocated(SOC, 800, dt.datetime(2025, 10, 1, tzinfo=dt.UTC), first)]
    assert [charge.amount for charge in rate_month(ended, before)] == [D("14800.00")]
    assert rate_month(ended, after) == []


async def test_events_on_both_sides_of_the_edge_are_billed_in_their_own_month(world: World) -> None:
    now = at(2028, 3, 2)
    for number, (day, _, _) in enumerate(EDGES.values()):
        last = dt.datetime.fromisoformat(f"{day}T16:59:59.999+00:00")
        first = dt.datetime.fromisoformat(f"{day}T17:00:00+00:00")
        await world.take(
            world.reading(f"{number} last", "10", starts_at=last, ends_at=first),
            world.reading(f"{number} first", "1", starts_at=first, ends_at=first + dt.timedelta(hours=1)),
            now=now,
            latest=None,
            reason="ข้อมูลย้อนหลัง",
        )
    due = {month: [] for edge in EDGES.values() for month in edge[1:]}  # type: ignore[var-annotated]
    for _, before, after in EDGES.values():
        due[before].append(D(10))
        due[after].append(D(1))
    for month in sorted(due):
        quantity = sum(due[month])
        # Below 1,000 kWh: 4.50 each.
        assert energy(await closed_in(world, month)) == [(quantity, quantity * D("4.50"))], month
    assert due[Month(2026, 12)] == [D(1), D(10)]
    # Bangkok's 1 October is the fiscal year's first day.
    await nothing_differs(world.provider_id)


async def test_the_high_of_an_addon_is_charged_for_the_days_it_was_in_use(world: World) -> None:
    addon = new_id()
    async with acting_as(system("test")):
        await Meter.filter(code="traffic").update(addon_id=addon)
        for amount, since in ((D(1), at(2026, 12, 16)), (D(0), at(2026, 12, 26))):
            ordered = Quantity(world.components["visit"], world.items["visit"], amount, addon_id=addon)
            await allocate(world.service.id, [ordered], since, origin="บริการเสริม")
    await world.take(
        world.reading("t1", "31", meter="traffic", starts_at=at(2026, 12, 20)),
        world.reading("t2", "12", meter="traffic", starts_at=at(2026, 12, 25, 23)),
        now=at(2026, 12, 28),
    )
    with pytest.raises(BadReadings):
        await world.take(world.reading("t3", "50", meter="traffic", starts_at=at(2026, 12, 26)), now=at(2026, 12, 28))
    bill = await closed_in(world, Month(2026, 12))
    # The rack was in use all month; the add-on for ten days: 31 × 100.00 × 10 ÷ 31.
    [line] = [line for line in bill.lines if line.names[0] == "traffic"]
    assert (line.starts_on.day, line.ends_on.day, line.amount) == (16, 25, D("1000.00"))
    await nothing_differs(world.provider_id)
