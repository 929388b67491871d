import datetime as dt
import uuid
from typing import Any

import pytest
from starlette.applications import Starlette

from auth.clients.rules import Scope
from auth.rules import system
from auth.tenancy import acting_as
from billing.months import bangkok_date
from billing.tariffs.models import PriceVersion
from services.catalogue.commands import set_offered, set_terms
from tests.cast import actor
from tests.portal.api.calling import Machine, machine
from tests.portal.pages.asking import ASKED_AT
from tests.portal.pages.shop import Shop, opened_shop


@pytest.fixture
async def shop(database: str) -> Shop:
    return await opened_shop(ASKED_AT)


@pytest.fixture
async def seller(app: Starlette, shop: Shop) -> Machine:
    return await machine(app, "admin", Scope.PRICES_WRITE, name="ระบบราคา")


def path(shop: Shop) -> str:
    return f"/api/v1/components/{shop.catalogue.components['VM', 'vcpu'].id}/prices"


def price(amount: str, effective_from: str = "2027-01-01", **given: Any) -> dict[str, Any]:
    return {"effective_from": effective_from, "tiers": [{"upto": None, "price": amount}]} | given


async def versions(shop: Shop) -> list[PriceVersion]:
    item = shop.catalogue.components["VM", "vcpu"].price_item_id
    async with acting_as(system("test")):
        return await PriceVersion.filter(price_item_id=item).order_by("number")


async def test_every_machine_reads_what_is_on_offer(app: Starlette, shop: Shop) -> None:
    reader = await machine(app, "agency-admin-a", Scope.REQUESTS_READ)
    answer = await reader.get("/api/v1/offerings")
    assert answer.status_code == 200
    assert answer.json()["on"] == "2026-12-04"
    offered = {each["code"]: each for each in answer.json()["offerings"]}
    [vcpu] = [each for each in offered["VM"]["components"] if each["code"] == "vcpu"]
    assert vcpu["ceiling"]["price"] == "0.7"
    assert vcpu["price"]["tiers"][-1]["upto"] is None
    assert vcpu["id"] == str(shop.catalogue.components["VM", "vcpu"].id)
    addons = {each["addon"]["code"] for each in offered["VM"]["components"] if each["addon"]}
    assert addons
    async with Machine(app) as stranger:
        assert (await stranger.get("/api/v1/offerings")).status_code == 401


async def test_what_can_be_ordered_when_is_told(app: Starlette, shop: Shop) -> None:
    manager, new_year = await actor("manager"), dt.date(2027, 1, 4)
    gone, later = shop.catalogue.components["VM", "hdd"], shop.catalogue.components["VM", "ssd"]
    async with acting_as(manager):
        await set_terms(
            shop.catalogue.offerings["VM"].id,
            {"is_open": False, "takes_waiting_list": True},
            new_year,
            by=manager,
            now=ASKED_AT,
        )
        await set_offered(gone.id, False, bangkok_date(ASKED_AT), by=manager, now=ASKED_AT)
        await set_offered(later.id, False, bangkok_date(ASKED_AT), by=manager, now=ASKED_AT)
        await set_offered(later.id, True, new_year, by=manager, now=ASKED_AT)
    reader = await machine(app, "agency-admin-a", Scope.REQUESTS_READ)
    offered = {each["code"]: each for each in (await reader.get("/api/v1/offerings")).json()["offerings"]}
    vm, parts = offered["VM"], {each["code"]: each for each in offered["VM"]["components"]}
    assert (vm["is_open"], vm["orders_from"], vm["orders_until"]) == (True, None, "2027-01-03")
    assert vm["takes_waiting_list"] is False
    assert "hdd" not in parts
    assert (parts["ssd"]["is_offered"], parts["ssd"]["orders_from"]) == (False, "2027-01-04")
    assert (parts["vcpu"]["is_offered"], parts["vcpu"]["orders_from"]) == (True, None)
    ours = await machine(app, "admin", Scope.PRICES_WRITE)
    everything = {each["code"]: each for each in (await ours.get("/api/v1/offerings")).json()["offerings"]}
    assert "hdd" in {each["code"] for each in everything["VM"]["components"]}


async def test_a_price_is_set_from_a_day_on(seller: Machine, shop: Shop) -> None:
    before = await versions(shop)
    made = await seller.call(path(shop), price("0.65"), idempotency_key="2027")
    assert (made.status_code, made.json()["number"]) == (201, before[-1].number + 1), made.text
    again = await seller.call(path(shop), price("0.65"), idempotency_key="2027")
    assert (again.status_code, again.json()) == (201, made.json())
    after = await versions(shop)
    assert (len(after), after[-1].made_by) == (len(before) + 1, "ระบบราคา")
    assert after[-1].effective_from == dt.date(2027, 1, 1)
    twice = await seller.call(path(shop), price("0.64"))
    assert (twice.status_code, set(twice.json()["fields"])) == (422, {"effective_from"})


async def test_a_price_above_its_ceiling_is_refused_by_name(seller: Machine, shop: Shop) -> None:
    refused = await seller.call(path(shop), price("0.71"))
    assert (refused.status_code, refused.json()["refusal"]) == (422, "AboveCeiling")
    assert (refused.json()["price"], refused.json()["ceiling"]) == ("0.71", "0.7")
    assert len(await versions(shop)) == 1


async def test_days_that_have_passed_need_a_scope_of_their_own_and_a_reason(
    app: Starlette, seller: Machine, shop: Shop
) -> None:
    past = price("0.65", "2026-11-01", reason="แก้ไขราคาที่ประกาศผิด")
    assert (await seller.call(path(shop), past)).status_code == 403
    trusted = await machine(app, "admin", Scope.PRICES_WRITE, Scope.PRICES_BACKDATE)
    without = await trusted.call(path(shop), price("0.65", "2026-11-01"))
    assert (without.status_code, set(without.json()["fields"])) == (422, {"reason"})
    assert (await trusted.call(path(shop), past)).status_code == 201


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (price("0.1234567"), "tiers[0].price"),
        (price("-1"), "tiers[0].price"),
        (price("NaN"), "tiers[0].price"),
        (price("1", tiers=[]), "tiers"),
        (price("1", tiers=[{"upto": "5", "price": "0.5"}]), "tiers[0].upto"),
        (price("1", tiers=[{"upto": None, "price": "0.5"}, {"upto": None, "price": "0.4"}]), "tiers[0].upto"),
        (price("1", tiers=[{"upto": None, "price": 0.5}]), "tiers[0].price"),
        (price("1", tiers=[{"upto": None, "price": "0.5", "vat": "7"}]), "tiers[0].vat"),
        (price("0.5", "2570-01-01"), "effective_from"),
        (price("0.5", by="me"), "by"),
    ],
)
async def test_what_is_no_price_is_said_by_field(seller: Machine, shop: Shop, body: Any, field: str) -> None:
    refused = await seller.call(path(shop), body)
    assert (refused.status_code, set(refused.json()["fields"])) == (422, {field})
    assert len(await versions(shop)) == 1


async def test_prices_are_set_by_the_provider_alone(app: Starlette, seller: Machine, shop: Shop) -> None:
    agency = await machine(app, "agency-admin-a", Scope.REQUESTS_READ, Scope.REQUESTS_WRITE)
    assert (await agency.call(path(shop), price("0.5"))).status_code == 403
    missing = await seller.call(f"/api/v1/components/{uuid.uuid4()}/prices", price("0.5"))
    assert (missing.status_code, missing.json()["refusal"]) == (404, "NotFound")
    assert len(await versions(shop)) == 1
