"""Usage of an add-on is taken from its delivery to its last day, as requests bring and end it."""

import datetime as dt
from decimal import Decimal
from typing import Any

from auth.rules import Actor, Seat, system
from auth.tenancy import acting_as
from billing.metering.commands import faults_in, take
from billing.metering.rules import Reading
from billing.metering.storing import Origin
from billing.months import Month
from billing.tariffs.commands import set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import Basis, Tier
from billing.usage.models import Allocation, BilledService
from services.catalogue import commands as catalogue
from services.catalogue.rules import Bounds
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.scenarios.accounts import closed, nothing_differs
from tests.stage import Stage, at

NOW = at("2027-01-20")
NOT_THEN = {"data.start": "the add-on was not in use then"}


def _machine(stage: Stage) -> Actor:
    seat = stage.cast["reviewer"].seat
    assert seat
    return Actor("machine", seat=Seat(seat.id, seat.kind, seat.code, seat.name_th, seat.name_en))


async def _readings(stage: Stage, meter: str, *days: str) -> list[Reading]:
    """Return what was counted of agency ก.'s SOC at noon of each of the days."""
    async with acting_as(system("test")):
        service = await BilledService.get(agency_id=stage.agency("a"), offering_code="SC")
    return [Reading("/soc", day, service.number, meter, "1.5", at(day, "12:00"), at(day, "12:00")) for day in days]


async def _faults(stage: Stage, meter: str, *days: str) -> dict[int, dict[str, str]]:
    readings, by = await _readings(stage, meter, *days), _machine(stage)
    async with acting_as(by):
        return await faults_in(readings, by=by, now=NOW, latest=dt.timedelta(days=90))


async def _through(stage: Stage, kind: Kind, amounts: dict[str, str], day: str, now: dt.datetime) -> None:
    request = await stage.draft("a", kind, "SC", amounts, day, now=now)
    await stage.as_("official-a", requests.submit, request.id, now=now)
    quote = await stage.review(request.id, accepted=now, quoted=now)
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=now)
    await stage.deliver(request.id, now=now)


async def test_usage_is_taken_from_the_delivery_of_an_addon_to_its_last_day(stage: Stage) -> None:
    assert await _faults(stage, "hunting", "2026-12-22") == {0: NOT_THEN}
    await _through(stage, Kind.NEW_ADDON, {"hunting": "2"}, "2026-12-21", at("2026-12-08"))
    await _through(stage, Kind.CANCEL_ADDON, {"hunting": "0"}, "2027-01-10", at("2026-12-22"))
    days = "2026-12-20", "2026-12-21", "2027-01-10", "2027-01-11"
    assert await _faults(stage, "hunting", *days) == {0: NOT_THEN, 3: NOT_THEN}
    by = _machine(stage)
    async with acting_as(by):
        taken = await take(await _readings(stage, "hunting", "2026-12-22"), Origin(), by=by, now=NOW)
    assert taken.stored == 1
    bill = await closed(stage.agency("a"), stage.provider, Month(2026, 12))
    # What was ordered of it costs nothing by itself: 1.5 days at 12,000.00.
    hunted = [line.amount for line in bill.lines if line.names[1] == "Threat hunting"]
    assert hunted == [Decimal("18000.00")]
    await nothing_differs(stage.provider)


async def test_what_came_into_the_catalogue_after_the_service_is_measured_once_it_is_ordered(stage: Stage) -> None:
    now, offering = at("2026-12-08"), stage.catalogue.offerings["SC"]
    addon: Any = await stage.as_(
        "manager", catalogue.add_addon, offering.id, "forensics", ("พิสูจน์หลักฐาน", "Forensics"), now=now
    )
    for code, basis in (("standby", Basis.DAILY), ("case", Basis.PER_EVENT)):
        added: Any = await stage.as_(
            "manager",
            catalogue.add_component,
            offering.id,
            code,
            names=(code, code),
            units=("กรณี", "case"),
            basis=basis,
            bounds=Bounds(Decimal(1), None, Decimal(1)),
            addon_id=addon.id,
            now=now,
        )
        stage.catalogue.components["SC", code] = added  # type: ignore[index]
        async with acting_as(system("test")):
            item = await PriceItem.get(id=added.price_item_id)
            await set_price(item, (Tier(None, Decimal(100)),), dt.date(2026, 12, 8), by=system("test"), now=now)
    assert await _faults(stage, "case", "2026-12-22") == {0: {"data.meter": "is not measured for this service"}}
    # Only the standing fee is ordered: how many cases there will be nobody knows.
    await _through(stage, Kind.NEW_ADDON, {"standby": "1"}, "2026-12-21", now)
    assert await _faults(stage, "case", "2026-12-20", "2026-12-21") == {0: NOT_THEN}
    async with acting_as(system("test")):
        assert {each.addon_id for each in await Allocation.filter(component_id=added.id)} == set()
