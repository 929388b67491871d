"""Editing what is on offer: offerings and what is ordered of them; terms, bounds and prices, each from a day on."""

import dataclasses
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
from services.catalogue.models import Addon, Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.queries import bounds_of, terms_of
from services.catalogue.rules import Bounds, Family, in_force

# What changes at once, and what is promised from a day on.
EDITABLE = ("name_th", "name_en", "takes_waiting_list", "is_open")
PROMISED = (
    "summary_th",
    "summary_en",
    "availability_pct",
    "exclusions_th",
    "exclusions_en",
    "lead_working_days",
    "change_lead_working_days",
    "data_kept_days",
)


async def add_offering(code: str, family: Family, facts: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> Offering:
    """Add a service to the actor's own catalogue, of exactly one family (standard 5); its terms apply from today."""
    provider_id = _catalogue_of(by)
    if await Offering.filter(provider_id=provider_id, code=code).exists():
        raise Invalid({"code": "This code is taken."})
    if faults := _naming_faults(Offering, code, facts) | _promise_faults(facts):
        raise Invalid(faults)
    offering = await Offering.create(provider_id=provider_id, code=code, family=family, **_only(EDITABLE, facts))
    await OfferingTerms.create(
        provider_id=provider_id,
        offering_id=offering.id,
        number=1,
        effective_from=bangkok_date(now),
        made_by=by.name,
        made_at=now,
        **_only(PROMISED, facts),
    )
    record("offering.added", at=now, subject=("offering", offering.id), code=code, family=family)
    return offering


async def edit_offering(offering_id: uuid.UUID, facts: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> Offering:
    """Change an offering's names and what it takes orders for, at once; the audit trail keeps what each was and is."""
    _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    changed = {name: value for name, value in _only(EDITABLE, facts).items() if getattr(offering, name) != value}
    names = {"name_th": offering.name_th, "name_en": offering.name_en}
    if faults := _naming_faults(Offering, offering.code, names | changed):
        raise Invalid(faults)
    if changed:
        before = {name: getattr(offering, name) for name in changed}
        await offering.update_from_dict(changed).save(update_fields=list(changed))
        record("offering.edited", at=now, subject=("offering", offering_id), before=before, after=changed)
    return offering


async def set_terms(
    offering_id: uuid.UUID,
    facts: Mapping[str, Any],
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> OfferingTerms:
    """Set what is promised of an offering from a day on: level, lead times, exclusions, description (standard 10).

    `facts` names all of `PROMISED`. Refuses terms that say nothing new (Invalid), and a day that has passed unless a
    manager gives a reason.
    """
    provider_id = _catalogue_of(by)
    if faults := _promise_faults(facts):
        raise Invalid(faults)
    offering = await one(Offering, lock=True, id=offering_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    known = (await terms_of([offering.id]))[offering.id]
    before, after = in_force(known, effective_from), _only(PROMISED, facts)
    changed = {name: value for name, value in after.items() if getattr(before, name) != value}
    if not changed:
        raise Invalid({"effective_from": "This is what applies from that day already."})
    made = await OfferingTerms.create(
        provider_id=provider_id,
        offering_id=offering.id,
        number=len(known) + 1,
        effective_from=effective_from,
        reason=reason.strip(),
        made_by=by.name,
        made_at=now,
        **after,
    )
    record(
        "terms.set",
        at=now,
        subject=("offering", offering.id),
        number=made.number,
        effective_from=effective_from,
        before={name: getattr(before, name) for name in changed},
        after=changed,
    )
    return made


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
    bounds: Bounds,
    addon_id: uuid.UUID | None = None,
    pool_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> Component:
    """Add something that is ordered of an offering or its add-on, with a price item of its own, still unpriced."""
    provider_id = _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    words = {"name_th": names[0], "name_en": names[1], "unit_th": units[0], "unit_en": units[1]}
    faults = _naming_faults(Component, code, words) | _bounds_faults(bounds)
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
        position=await Component.filter(offering_id=offering_id).count() + 1,
    )
    await _bound(component, 1, bounds, bangkok_date(now), "", by=by, now=now)
    record("component.added", at=now, subject=("component", component.id), code=code)
    return component


async def set_bounds(
    component_id: uuid.UUID,
    bounds: Bounds,
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> ComponentBounds:
    """Set the quantities a component can be ordered in for days from one on; what is in use already stays.

    Refuses what applies from that day already (Invalid), and a day that has passed unless a manager gives a reason.
    """
    _catalogue_of(by)
    if faults := _bounds_faults(bounds):
        raise Invalid(faults)
    component = await one(Component, lock=True, id=component_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    known = (await bounds_of([component_id]))[component_id]
    before = in_force(known, effective_from).rule
    if before == bounds:
        raise Invalid({"effective_from": "This is what applies from that day already."})
    made = await _bound(component, len(known) + 1, bounds, effective_from, reason.strip(), by=by, now=now)
    record(
        "bounds.set",
        at=now,
        subject=("component", component_id),
        number=made.number,
        effective_from=effective_from,
        before=dataclasses.asdict(before),
        after=dataclasses.asdict(bounds),
    )
    return made


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
    _agree_to_day(effective_from, reason, by=by, now=now)
    item = await PriceItem.filter(id=component.price_item_id).select_for_update().get()
    return await tariffs.set_price(item, tiers, effective_from, reason=reason.strip(), by=by, now=now)


def _catalogue_of(by: Actor) -> uuid.UUID:
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("the catalogue is edited by the provider's staff")
    return by.provider_id


def _agree_to_day(effective_from: dt.date, reason: str, *, by: Actor, now: dt.datetime) -> None:
    """Refuse a day that has passed, except from a manager who says why."""
    if effective_from >= bangkok_date(now):
        return
    if not by.may(Permission.PRICES_BACKDATE):
        raise NotPermitted("only a manager changes the catalogue for days that have passed")
    if not reason.strip():
        raise Invalid({"reason": "Say why this is set for days that have passed."})


async def _bound(
    component: Component,
    number: int,
    bounds: Bounds,
    effective_from: dt.date,
    reason: str,
    *,
    by: Actor,
    now: dt.datetime,
) -> ComponentBounds:
    return await ComponentBounds.create(
        provider_id=component.provider_id,
        component_id=component.id,
        number=number,
        effective_from=effective_from,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        step=bounds.step,
        reason=reason,
        made_by=by.name,
        made_at=now,
    )


def _only(names: Sequence[str], facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: facts[name] for name in names if name in facts}


def _promise_faults(facts: Mapping[str, Any]) -> dict[str, str]:
    faults = {
        name: "Enter a whole number of days, zero or more."
        for name in ("lead_working_days", "change_lead_working_days", "data_kept_days")
        if int(facts.get(name, 0)) < 0
    }
    if not 0 < Decimal(facts.get("availability_pct", Decimal(1))) <= 100:
        faults["availability_pct"] = "Enter a percentage up to 100."
    return faults


def _naming_faults(model: type[Model], code: str, words: Mapping[str, Any]) -> dict[str, str]:
    faults = too_long(model, {"code": code, **words})
    if not code.strip():
        faults["code"] = "Give it a code."
    faults |= {name: "Give it a name." for name in ("name_th", "name_en") if not str(words.get(name, "")).strip()}
    faults |= {name: "Give it a unit." for name in ("unit_th", "unit_en") if name in words and not words[name].strip()}
    return faults


def _bounds_faults(bounds: Bounds) -> dict[str, str]:
    faults = {}
    if bounds.minimum <= 0:
        faults["minimum"] = "Enter a number above zero."
    if bounds.step <= 0:
        faults["step"] = "Enter a number above zero."
    if bounds.maximum is not None and bounds.maximum < bounds.minimum:
        faults["maximum"] = "The most must not be less than the least."
    return faults
