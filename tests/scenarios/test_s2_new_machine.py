"""S2: a new machine, a pool that runs short, a special holiday, and an add-on cancelled alone."""

import datetime as dt
from decimal import Decimal

import pytest
from tortoise.exceptions import IntegrityError

from auth.tenancy import acting_as, unit_of_work
from billing.money import totals
from billing.months import Month
from billing.statements.queries import book_of
from billing.tariffs.commands import set_price
from billing.tariffs.models import PriceVersion
from billing.tariffs.rules import AboveCeiling, Tier, tiers_to_json
from portal.duties import catch_up
from services.calendar import commands as calendar
from services.calendar.queries import official
from services.capacity.rules import OverCapacity
from services.requests import commands as requests
from services.requests.queries import asks_of, price_of, shortfalls_of, whole
from services.requests.rules import Kind, State
from services.subscriptions.models import SubscriptionState
from services.subscriptions.queries import subscription
from tests.stage import Stage, at

MACHINE = {"vcpu": "4", "ram": "16", "ssd": "200", "backup": "200"}


async def due(stage: Stage, request_id: object) -> dt.datetime | None:
    async with acting_as(stage.cast["official-a"]):
        return (await whole(request_id, await official())).review_due_at  # type: ignore[arg-type]


async def test_a_new_machine(stage: Stage) -> None:
    # 1. Six vCPU are free: eight are too many, four can be had.
    await stage.leave_free("VM", "vcpu", "6")
    asked = at("2026-12-30", "13:40")
    request = await stage.draft("a", Kind.NEW, "VM", MACHINE | {"vcpu": "8"}, "2027-01-06", now=asked)
    async with acting_as(stage.cast["official-a"]):
        [short] = await shortfalls_of(await asks_of(await stage.request(request.id)))
    assert (short.asked, short.available, short.short_by) == (8, 6, 2)
    with pytest.raises(OverCapacity) as refused:
        await stage.as_("official-a", requests.submit, request.id, now=asked)
    assert refused.value.shortfalls[0].available == 6
    await stage.as_(
        "official-a",
        requests.edit,
        request.id,
        asked=stage.catalogue.quantities("VM", MACHINE),
        effective_on=dt.date(2027, 1, 6),
        justification="ระบบใหม่",
        label="ระบบงานใหม่",
        now=asked,
    )
    async with acting_as(stage.cast["official-a"]):
        price = await price_of(await stage.request(request.id))
    assert (price.before, price.after) == (Decimal("0.00"), Decimal("5017.60"))
    assert price.difference_with_vat == Decimal("5368.83")

    # 2. The review's due time follows the calendar as it stands.
    await stage.as_("official-a", requests.submit, request.id, now=at("2026-12-30", "14:00"))
    assert await due(stage, request.id) == at("2027-01-04", "14:00")
    special = dt.date(2027, 1, 4)
    await stage.as_("manager", calendar.declare, special, "วันหยุดราชการเพิ่มเป็นกรณีพิเศษ", now=at("2026-12-30", "15:00"))
    assert await due(stage, request.id) == at("2027-01-05", "14:00")
    await stage.as_("manager", calendar.withdraw, special, now=at("2026-12-31", "10:00"))
    assert await due(stage, request.id) == at("2027-01-04", "14:00")

    # 3. Confirmed Tuesday 09:00, due Wednesday 09:00, delivered Wednesday 08:00.
    quote = await stage.review(request.id, accepted=at("2027-01-04", "09:00"), quoted=at("2027-01-04", "11:00"))
    assert quote.document["monthly"]["after"] == "5017.60"
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=at("2027-01-05", "09:00"))
    async with acting_as(stage.cast["technician"]):
        work = (await whole(request.id, await official())).work
    assert work is not None
    assert work.due_at == at("2027-01-06", "09:00")
    await stage.deliver(request.id, now=at("2027-01-06", "08:00"))
    machine = (await stage.request(request.id)).subscription_id
    assert machine is not None

    # 4. The add-on ends with 20 January; the machine stays.
    cancel = await stage.as_(
        "official-a",
        requests.draft,
        stage.agency("a"),
        Kind.CANCEL_ADDON,
        subscription_id=machine,
        asked=stage.catalogue.quantities("VM", {"backup": "0"}),
        effective_on=dt.date(2027, 1, 20),
        justification="สำรองข้อมูลเองแล้ว",
        now=at("2027-01-12", "09:00"),
    )
    await stage.as_("official-a", requests.submit, cancel.id, now=at("2027-01-12", "09:05"))
    quote = await stage.review(cancel.id, accepted=at("2027-01-12", "10:00"), quoted=at("2027-01-12", "11:00"))
    await stage.as_("approver-a", requests.confirm, cancel.id, quote.sha256, now=at("2027-01-13", "09:00"))
    await stage.deliver(cancel.id, now=at("2027-01-14", "09:00"))
    async with acting_as(stage.cast["official-a"]):
        still = await subscription(machine, at=at("2027-01-25"))
        assert still.subscription.state is SubscriptionState.ACTIVE
        assert [part.component.code for part in still.parts] == ["vcpu", "ram", "ssd"]
        assert [part.component.code for part in (await subscription(machine, at=at("2027-01-20"))).addon_parts] == [
            "backup"
        ]

        # 5. January: 616 hours of the machine, 26 days of SSD, 15 days of backup.
        month = Month(2027, 1)
        book = await book_of(stage.agency("a"), month, month)
        lines = [line for line in book.lines(month) if line.service_id == machine]
    assert [str(line.amount) for line in lines] == ["1355.20", "1971.20", "536.77", "174.19"]
    assert lines[0].derivation["hours"] == "616"
    assert sum(line.amount for line in lines) == Decimal("4037.36")
    alone = totals([line.amount for line in lines], Decimal("0.07"), Decimal("0.01"))
    assert (alone.vat, alone.total, alone.withheld, alone.net) == (
        Decimal("282.62"),
        Decimal("4319.98"),
        Decimal("40.37"),
        Decimal("4279.61"),
    )


async def test_a_price_above_its_ceiling(stage: Stage) -> None:
    # 6. Refused by the command, and by the database whatever the command says.
    item = stage.component("VM", "vcpu").price_item
    above = (Tier(None, Decimal("0.71")),)
    with pytest.raises(AboveCeiling):
        await stage.as_("manager", set_price, item, above, dt.date(2027, 2, 1), now=at("2027-01-10"))
    manager = stage.cast["manager"]

    async def behind_the_command() -> None:
        await PriceVersion.create(
            provider_id=stage.provider,
            price_item_id=item.id,
            number=9,
            effective_from=dt.date(2027, 2, 1),
            tiers=tiers_to_json(above),
            made_by="x",
            made_at=at("2027-01-10"),
        )

    with pytest.raises(IntegrityError, match="price above its ceiling"):
        await unit_of_work(manager, behind_the_command)
    at_the_ceiling = (Tier(None, Decimal("0.70")),)
    version = await stage.as_("manager", set_price, item, at_the_ceiling, dt.date(2027, 2, 1), now=at("2027-01-10"))
    assert version.number == 2


async def test_cancelling_the_machine_gives_its_capacity_back_after_its_last_day(stage: Stage) -> None:
    await stage.leave_free("VM", "vcpu", "6")
    request = await stage.draft("b", Kind.CANCEL, "VM", {}, "2027-01-20", now=at("2027-01-12"))
    await stage.as_("official-b", requests.submit, request.id, now=at("2027-01-12"))
    quote = await stage.review(request.id, accepted=at("2027-01-12"), quoted=at("2027-01-12", "10:00"))
    await stage.as_("approver-b", requests.confirm, request.id, quote.sha256, now=at("2027-01-13"))
    await stage.deliver(request.id, now=at("2027-01-14"))
    assert (await stage.request(request.id)).state is State.COMPLETED
    assert (await stage.free("VM", "vcpu")) == 6
    await catch_up(at("2027-01-20", "23:59"), since=at("2027-01-14"))
    assert (await stage.free("VM", "vcpu")) == 6
    await catch_up(at("2027-01-21", "00:00"))
    assert (await stage.free("VM", "vcpu")) == 14
    async with acting_as(stage.cast["official-b"]):
        ended = await subscription(stage.services["b", "VM"].id, at=at("2027-01-21"))
    assert ended.subscription.state is SubscriptionState.ENDED
    assert ended.parts == ()
