"""A draft waits for its review where there is one: of what is only measured too, and not of what was charged once."""

from decimal import Decimal

from auth.fields import new_id
from auth.rules import system
from auth.tenancy import acting_as
from billing.metering.sums import sum_up
from billing.months import Month
from billing.statements.closing import draft_of, waiting_for_review
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.rules import Basis, Tier
from billing.usage.commands import Quantity, allocate, open_service
from tests.billing.metering.world import SINCE, World, at
from tests.cast import organisation

OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


async def test_a_draft_of_what_is_only_measured_waits(world: World) -> None:
    home = await organisation("agency-b")
    async with acting_as(system("world")):
        service = await open_service(
            new_id(), home.id, world.provider_id, number="CO-B-1", offering_code="CO", family="cloud", names=("ก", "B")
        )
    await world.take(world.reading("b1", "20", subject="CO-B-1", starts_at=at(2026, 11, 30, 9)), now=at(2026, 12, 1))
    await sum_up()
    async with acting_as(system("test")):
        draft = await draft_of(home.id, world.provider_id, NOVEMBER)
        waiting = (await waiting_for_review(NOVEMBER))[world.provider_id]
    assert draft is not None
    assert draft.bill.lines[0].service_id == service.id
    assert (waiting[OCTOBER], waiting[NOVEMBER]) == (1, 2)


async def test_what_was_charged_once_makes_no_draft_of_later_months(world: World) -> None:
    home = await organisation("agency-b")
    async with acting_as(system("world")):
        item = await add_item(
            world.provider_id, "MOVE", names=("ย้าย", "Move"), units=("ครั้ง", "time"), basis=Basis.ONE_TIME
        )
        await set_price(item, (Tier(None, Decimal(500)),), SINCE, by=system("world"), now=at(2025, 1, 1))
        service = await open_service(
            new_id(), home.id, world.provider_id, number="MV-B-1", offering_code="MV", family="cloud", names=("ย", "M")
        )
        await allocate(service.id, [Quantity(new_id(), item, Decimal(1))], at(2026, 10, 5), origin="test")
    async with acting_as(system("test")):
        drafts = [await draft_of(home.id, world.provider_id, month) for month in (OCTOBER, NOVEMBER)]
        waiting = (await waiting_for_review(NOVEMBER))[world.provider_id]
    assert [draft is not None for draft in drafts] == [True, False]
    assert (waiting[OCTOBER], waiting[NOVEMBER]) == (2, 1)
