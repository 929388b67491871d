"""Editing what is on offer: offerings, what is ordered of them, add-ons, and prices with their effective dates."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from tortoise.models import Model

from auth.errors import Invalid, NotPermitted
from auth.fields import too_long
from auth.rules import Actor, Permission
from auth.tenancy import one, record, scoped
from billing.months import bangkok_date
from billing.tariffs import commands as tariffs
from billing.tariffs.models import PriceItem, PriceVersion
from billing.tariffs.rules import Basis, Tier
from services.capacity.models import Pool
from services.catalogue.models import Addon, Component, Offering
from services.catalogue.rules import Family

EDITABLE = (
    "name_th",
    "name_en",
    "summary_th",
    "summary_en",
    "availability_pct",
    "exclusions_th",
    "exclusions_en",
    "lead_working_days",
    "change_lead_working_days",
    "takes_waiting_list",
    "data_kept_days",
    "is_open",
)


async def add_offering(code: str, family: Family, facts: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> Offering:
    """Add a service to the actor's own catalogue, of exactly one family (standard 5)."""
    provider_id = _catalogue_of(by)
    if await Offering.filter(provider_id=provider_id, code=code).exists():
        raise Invalid({"code": "This code is taken."})
    _complete(code, facts)
    offering = await Offering.create(provider_id=provider_id, code=code, family=family, **_only_editable(facts))
    record("offering.added", at=now, subject=("offering", offering.id), code=code, family=family)
    return offering


async def edit_offering(offering_id: uuid.UUID, facts: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> Offering:
    """Change an offering's facts; the audit trail keeps what each was and is."""
    _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    changed = {name: value for name, value in _only_editable(facts).items() if getattr(offering, name) != value}
    _complete(offering.code, {"name_th": offering.name_th, "name_en": offering.name_en} | changed)
    if changed:
        before = {name: getattr(offering, name) for name in changed}
        await offering.update_from_dict(changed).save(update_fields=list(changed))
        record("offering.edited", at=now, subject=("offering", offering_id), before=before, after=changed)
    return offering


async def add_addon(offering_id: uuid.UUID, code: str, names: tuple[str, str], *, by: Actor, now: dt.datetime) -> Addon:
    """Add an extra to an offering; names come as (Thai, English)."""
    provider_id = _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    faults = _naming_faults(Addon, code, {"name_th": names[0], "name_en": names[1]})
    if await Addon.filter(offering_id=offering_id, code=code).exists():
        faults["code"] = "This code is taken."
    if faults:
        raise Invalid(faults)
    place = await Addon.filter(offering_id=offering_id).count() + 1
    addon = await Addon.create(
        provider_id=provider_id, offering_id=offering.id, code=code, name_th=names[0], name_en=names[1], position=place
    )
    record("addon.added", at=now, subject=("addon", addon.id), code=code)
    return addon


async def add_component(
    offering_id: uuid.UUID,
    code: str,
    *,
    names: tuple[str, str],
    units: tuple[str, str],
    basis: Basis,
    minimum: Decimal,
    maximum: Decimal | None,
    step: Decimal,
    addon_id: uuid.UUID | None = None,
    pool_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> Component:
    """Add something that is ordered of an offering or its add-on, with a price item of its own, still unpriced."""
    provider_id = _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    words = {"name_th": names[0], "name_en": names[1], "unit_th": units[0], "unit_en": units[1]}
    faults = _naming_faults(Component, code, words) | _bounds_faults(minimum, maximum, step)
    faults |= too_long(PriceItem, {"code": f"{offering.code}.{code}"})
    if addon_id and not await scoped(Addon).filter(id=addon_id, offering_id=offering_id).exists():
        faults["addon"] = "Choose one of the list."
    if pool_id and not await scoped(Pool).filter(id=pool_id).exists():
        faults["pool"] = "Choose one of the list."
    if await Component.filter(offering_id=offering_id, code=code).exists():
        faults["code"] = "This code is taken."
    if faults:
        raise Invalid(faults)
    item = await tariffs.add_item(provider_id, f"{offering.code}.{code}", names=names, units=units, basis=basis)
    component = await Component.create(
        provider_id=provider_id,
        offering_id=offering_id,
        addon_id=addon_id,
        price_item_id=item.id,
        pool_id=pool_id,
        code=code,
        name_th=names[0],
        name_en=names[1],
        unit_th=units[0],
        unit_en=units[1],
        minimum=minimum,
        maximum=maximum,
        step=step,
        position=await Component.filter(offering_id=offering_id).count() + 1,
    )
    record("component.added", at=now, subject=("component", component.id), code=code)
    return component


async def edit_bounds(
    component_id: uuid.UUID,
    *,
    minimum: Decimal,
    maximum: Decimal | None,
    step: Decimal,
    by: Actor,
    now: dt.datetime,
) -> Component:
    """Change the quantities a component can be ordered in; what is in use already stays."""
    _catalogue_of(by)
    if faults := _bounds_faults(minimum, maximum, step):
        raise Invalid(faults)
    component = await one(Component, lock=True, id=component_id)
    before = {"minimum": component.minimum, "maximum": component.maximum, "step": component.step}
    after = {"minimum": minimum, "maximum": maximum, "step": step}
    await component.update_from_dict(after).save(update_fields=list(after))
    record("component.edited", at=now, subject=("component", component_id), before=before, after=after)
    return component


async def set_price(
    component_id: uuid.UUID,
    tiers: Sequence[Tier],
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> PriceVersion:
    """Set a component's price from a day on (standard 7.1).

    Refuses a price above its ceiling (AboveCeiling), and a day that has passed unless a manager gives a
    reason: what was billed by then stays as it is.
    """
    _catalogue_of(by)
    component = await one(Component, id=component_id)
    if effective_from < bangkok_date(now):
        if not by.may(Permission.PRICES_BACKDATE):
            raise NotPermitted("only a manager sets a price for days that have passed")
        if not reason.strip():
            raise Invalid({"reason": "Say why the price is set for days that have passed."})
    item = await PriceItem.filter(id=component.price_item_id).select_for_update().get()
    return await tariffs.set_price(item, tiers, effective_from, reason=reason.strip(), by=by, now=now)


def _catalogue_of(by: Actor) -> uuid.UUID:
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("the catalogue is edited by the provider's staff")
    return by.provider_id


def _only_editable(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in EDITABLE if name in facts}


def _complete(code: str, facts: Mapping[str, Any]) -> None:
    faults = _naming_faults(Offering, code, facts)
    if not 0 < Decimal(facts.get("availability_pct", Decimal(1))) <= 100:
        faults["availability_pct"] = "Enter a percentage up to 100."
    faults |= {
        name: "Enter a whole number of days, zero or more."
        for name in ("lead_working_days", "change_lead_working_days", "data_kept_days")
        if int(facts.get(name, 0)) < 0
    }
    if faults:
        raise Invalid(faults)


def _naming_faults(model: type[Model], code: str, words: Mapping[str, Any]) -> dict[str, str]:
    faults = too_long(model, {"code": code, **words})
    if not code.strip():
        faults["code"] = "Give it a code."
    faults |= {name: "Give it a name." for name in ("name_th", "name_en") if not str(words.get(name, "")).strip()}
    faults |= {name: "Give it a unit." for name in ("unit_th", "unit_en") if name in words and not words[name].strip()}
    return faults


def _bounds_faults(minimum: Decimal, maximum: Decimal | None, step: Decimal) -> dict[str, str]:
    faults = {}
    if minimum <= 0:
        faults["minimum"] = "Enter a number above zero."
    if step <= 0:
        faults["step"] = "Enter a number above zero."
    if maximum is not None and maximum < minimum:
        faults["maximum"] = "The most must not be less than the least."
    return faults
