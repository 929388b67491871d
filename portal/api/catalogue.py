"""The catalogue as machines read it, and prices as a provider's own system sets them (standard 5, 7.1)."""

import datetime as dt
import functools
from typing import Any

import msgspec
import structlog
from starlette.responses import Response

from auth.clients.rules import Scope
from auth.errors import Invalid
from auth.rules import system
from auth.tenancy import current, unit_of_work
from billing.months import bangkok_date
from billing.tariffs.rules import BadTiers, Ceiling, PriceVersion, Tier, checked_tiers, tiers_to_json
from portal.api.bodies import number, plain, read
from portal.api.machines import Call, for_machines, json_response
from portal.api.once import Made, once
from services.catalogue import commands
from services.catalogue.models import Addon
from services.catalogue.queries import OnOffer, Priced, on_offer
from services.requests.commands import void_stale

log = structlog.get_logger("portal.api")

_MOST_TIERS = 20
_LONGEST_REASON = 1000
_YEARS = range(2000, 2401)  # a year beyond is one of the Buddhist era


class TierSaid(msgspec.Struct, forbid_unknown_fields=True):
    """The price of one unit in baht without VAT, up to and including a quantity; null is without end."""

    upto: str | None
    price: str


class NewPrice(msgspec.Struct, forbid_unknown_fields=True):
    """A component's price from 00:00 Bangkok of a day on; `reason` where that day has passed."""

    effective_from: dt.date
    tiers: list[TierSaid]
    reason: str = ""


@for_machines(None)
async def list_offerings(call: Call) -> Response:
    """Answer what is on offer today or announced: terms, prices, ceilings, what is free; to a provider all of its own.

    `orders_from` and `orders_until` are effective dates: the first, where that is still to come, and the last, where
    it is announced.
    """
    today = bangkok_date(call.visit.now)

    async def work() -> list[dict[str, Any]]:
        return [_offering(each) for each in await on_offer(on=today)]

    return json_response({"on": today, "offerings": await unit_of_work(call.by, work)})


@for_machines(Scope.PRICES_WRITE)
async def set_price(call: Call) -> Response:
    """Set a component's price from a day on, and void the quotes it contradicts.

    201 with the version; 422 above the ceiling (AboveCeiling) or by field; 403 for a day that has passed, unless the
    token may set prices for such days too; 404 for another provider's component.
    """
    said = await read(call, NewPrice)
    tiers = _tiers(said)
    now = call.visit.now

    async def work() -> Made:
        version = await commands.set_price(
            call.visit.params["id"], tiers, said.effective_from, reason=said.reason, by=call.by, now=now
        )
        current().after_commit.append(functools.partial(_void_stale, now))
        made = {
            "component": call.visit.params["id"],
            "number": version.number,
            "effective_from": version.effective_from,
            "tiers": version.tiers,
            "reason": version.reason,
        }
        return Made(made, 201)

    return await once(call, said, work)


async def _void_stale(now: dt.datetime) -> None:
    """Void at once the quotes the new price contradicts; confirming one would find out as well."""
    try:
        voided = await unit_of_work(system("quotes"), functools.partial(void_stale, now=now))
        log.info("quotes voided", count=voided)
    except Exception:  # the price stands, and no stale quote can be confirmed anyhow
        log.exception("voiding stale quotes failed")


def _tiers(said: NewPrice) -> tuple[Tier, ...]:
    if said.effective_from.year not in _YEARS:
        raise Invalid({"effective_from": "Give the year by the Gregorian calendar."})
    if len(said.reason) > _LONGEST_REASON:
        raise Invalid({"reason": "This text is too long."})
    if len(said.tiers) > _MOST_TIERS:
        raise Invalid({"tiers": "These are too many tiers."})
    try:
        return checked_tiers(
            [
                Tier(
                    None if tier.upto is None else number(tier.upto, f"tiers[{place}].upto"),
                    number(tier.price, f"tiers[{place}].price"),
                )
                for place, tier in enumerate(said.tiers)
            ]
        )
    except BadTiers as refused:
        raise Invalid({refused.field: refused.reason}) from None


def _offering(each: OnOffer) -> dict[str, Any]:
    offering = each.offering
    return {
        "id": offering.id,
        "code": offering.code,
        "provider": offering.provider.code,
        "family": offering.family,
        "name_th": offering.name_th,
        "name_en": offering.name_en,
        "is_open": each.orders.are_taken,
        "orders_from": each.orders.first_day,
        "orders_until": each.orders.last_day,
        "availability_pct": plain(each.terms.availability_pct),
        "lead_working_days": each.terms.lead_working_days,
        "change_lead_working_days": each.terms.change_lead_working_days,
        "takes_waiting_list": each.terms.takes_waiting_list,
        "components": [_component(part, None) for part in each.components]
        + [_component(part, addon.addon) for addon in each.addons for part in addon.components],
    }


def _component(priced: Priced, addon: Addon | None) -> dict[str, Any]:
    component = priced.component
    return {
        "id": component.id,
        "code": component.code,
        "addon": addon and {"code": addon.code, "name_th": addon.name_th, "name_en": addon.name_en},
        "name_th": component.name_th,
        "name_en": component.name_en,
        "unit_th": component.unit_th,
        "unit_en": component.unit_en,
        "basis": component.price_item.basis,
        "is_offered": priced.orders.are_taken,
        "orders_from": priced.orders.first_day,
        "orders_until": priced.orders.last_day,
        "minimum": plain(priced.bounds.minimum),
        "maximum": None if priced.bounds.maximum is None else plain(priced.bounds.maximum),
        "step": plain(priced.bounds.step),
        "free": None if priced.free is None else plain(priced.free),
        "price": _price(priced.price),
        "next_price": _price(priced.next_price),
        "ceiling": _ceiling(priced.ceiling),
    }


def _price(version: PriceVersion | None) -> dict[str, Any] | None:
    if version is None:
        return None
    return {
        "number": version.number,
        "effective_from": version.effective_from,
        "tiers": tiers_to_json(version.tiers),
    }


def _ceiling(ceiling: Ceiling | None) -> dict[str, Any] | None:
    if ceiling is None:
        return None
    return {
        "effective_from": ceiling.effective_from,
        "price": plain(ceiling.price),
        "includes_vat": ceiling.includes_vat,
    }
