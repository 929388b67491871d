"""Who may confirm what, until when, and what becomes of a quote that no longer holds (annex ก 1.7)."""

import datetime as dt
import uuid
from dataclasses import replace
from decimal import Decimal

import pytest

from auth.errors import Conflict, SameHands
from auth.organisations.models import Organisation
from auth.rules import system
from auth.tenancy import acting_as
from billing.months import Month
from billing.statements.queries import component_of
from billing.statements.rules import Usage
from billing.tariffs.commands import set_price
from billing.tariffs.queries import versions_of
from billing.tariffs.rules import Tier
from services.requests import commands as requests
from services.requests.models import Quote, ServiceRequest, WorkOrder
from services.requests.pricing import Ask, price
from services.requests.queries import price_request
from services.requests.rules import CheckKind, ChecksMissing, Kind, StaleQuote, State
from tests.stage import Stage, at

NOW = at("2026-12-08", "10:05")


async def quoted(stage: Stage, asker: str = "official-a") -> tuple[ServiceRequest, Quote]:
    request = await stage.as_(
        asker,
        requests.draft,
        stage.agency("a"),
        Kind.CHANGE,
        subscription_id=stage.services["a", "GI"].id,
        asked=stage.catalogue.quantities("GI", {"bandwidth": "500"}),
        effective_on=dt.date(2026, 12, 16),
        justification="จำเป็นต้องใช้",
        now=NOW,
    )
    await stage.as_(asker, requests.submit, request.id, now=NOW)
    return request, await stage.review(request.id, accepted=NOW, quoted=NOW)


async def orders(request_id: uuid.UUID) -> int:
    async with acting_as(system("test")):
        return await WorkOrder.filter(request_id=request_id).count()


async def test_who_asked_confirms_only_where_the_agency_allows_it(stage: Stage) -> None:
    request, quote = await quoted(stage, "approver-a")
    with pytest.raises(SameHands):
        await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    assert await orders(request.id) == 0
    async with acting_as(system("test")):
        await Organisation.filter(id=stage.agency("a")).update(asker_may_confirm=True)
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    assert await orders(request.id) == 1


async def test_only_the_very_quote_that_stands_is_confirmed_and_only_in_time(stage: Stage) -> None:
    request, quote = await quoted(stage)
    # After Tue 8 Dec, without the 10th: 9, 11, 14–18, 21–25, 28–30 Dec are fifteen; at closing.
    assert quote.valid_until == at("2026-12-30", "16:00")
    wrong = quote.sha256[:-1] + ("0" if quote.sha256[-1] != "0" else "1")
    late = quote.valid_until + dt.timedelta(microseconds=1)
    for sha256, now in ((wrong, NOW), ("", NOW), (quote.sha256, late)):
        with pytest.raises(StaleQuote):
            await stage.as_("approver-a", requests.confirm, request.id, sha256, now=now)
    assert await orders(request.id) == 0
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=quote.valid_until)
    assert await orders(request.id) == 1


@pytest.mark.parametrize("found_by", ["confirmation", "sweep"])
async def test_a_quote_whose_price_changed_goes_back_to_the_reviewer(stage: Stage, found_by: str) -> None:
    free = await stage.free("GI", "bandwidth")
    request, quote = await quoted(stage)
    assert await stage.free("GI", "bandwidth") == free - 300
    item = stage.component("GI", "bandwidth").price_item
    await stage.as_("manager", set_price, item, (Tier(None, Decimal("60.00")),), dt.date(2026, 12, 10), now=NOW)
    if found_by == "confirmation":
        outcome = await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
        assert isinstance(outcome, requests.Voided)
    else:
        async with acting_as(system("quotes")):
            assert await requests.void_stale(now=NOW) == 1
    assert (await stage.request(request.id)).state is State.UNDER_REVIEW
    assert await orders(request.id) == 0
    assert await stage.free("GI", "bandwidth") == free
    # It is checked anew before it is quoted anew, at the new price.
    with pytest.raises(ChecksMissing):
        await stage.as_("reviewer", requests.quote, request.id, now=NOW)
    for kind in CheckKind:
        await stage.as_("reviewer", requests.check, request.id, kind, True, now=NOW + dt.timedelta(minutes=1))
    again = await stage.as_("reviewer", requests.quote, request.id, now=NOW + dt.timedelta(minutes=2))
    assert again.number == 2
    assert again.document["monthly"]["after"] == "30000.00"
    with pytest.raises(StaleQuote):
        await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW + dt.timedelta(minutes=3))


async def test_a_quote_that_holds_is_left_alone(stage: Stage) -> None:
    request, _ = await quoted(stage)
    async with acting_as(system("quotes")):
        assert await requests.void_stale(now=NOW + dt.timedelta(days=3)) == 0
    assert (await stage.request(request.id)).state is State.AWAITING_CONFIRMATION


async def test_a_quote_expires_when_its_time_is_over_and_not_before(stage: Stage) -> None:
    request, quote = await quoted(stage)
    portal = system("deadlines")
    with pytest.raises(Conflict):
        async with acting_as(portal):
            await requests.expire(request.id, by=portal, now=quote.valid_until)
    async with acting_as(portal):
        await requests.expire(request.id, by=portal, now=quote.valid_until + dt.timedelta(microseconds=1))
    assert (await stage.request(request.id)).state is State.EXPIRED


async def test_what_is_measured_meanwhile_changes_the_month_and_not_the_quote(stage: Stage) -> None:
    service, rack, power = (
        stage.services["b", "CO"].id,
        stage.component("CO", "rack-unit"),
        stage.component("CO", "power"),
    )
    ask = Ask(rack, Decimal(10), Decimal(14))
    async with acting_as(stage.cast["reviewer"]):
        book, quoted_at = await price_request(stage.agency("b"), service, Kind.CHANGE, [ask], dt.date(2026, 12, 16))
        versions = await versions_of([rack.price_item_id, power.price_item_id])
    meter = component_of(service, power.id, power.price_item, versions[power.price_item_id])
    used = replace(
        book,
        items=book.items | {power.price_item_id: power.price_item},
        usages=(Usage(meter, Decimal(1200), dt.date(2026, 12, 1), dt.date(2026, 12, 7)),),
    )
    later = price(used, service, Kind.CHANGE, [ask], versions, dt.date(2026, 12, 16))
    assert (later.first_month, later.rest_of_year) == (quoted_at.first_month, quoted_at.rest_of_year)
    # 1,200 kWh at 6.50 are in the month all the same.
    december = Month(2026, 12)
    assert later.book.service_charge(service, december) == quoted_at.first_month + Decimal("7800.00")
