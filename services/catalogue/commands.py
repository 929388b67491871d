"""Editing what is on offer: offerings and what is ordered of them; all that is promised of them from a day on."""

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
from billing.tariffs.models import Ceiling, PriceItem, PriceVersion
from billing.tariffs.rules import Basis, Tier
from services.capacity.models import Pool
from services.catalogue.models import PROMISES, Addon, Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.queries import bounds_of, terms_of
from services.catalogue.rules import Bounds, Family, announced, bounds_for, in_force, takes_orders

# Labels are put right at once; what an offering takes orders for, and what is promised of it, apply from a day on.
LABELS = ("name_th", "name_en")
ORDERS = ("is_open", "takes_waiting_list")
TERMS = PROMISES + ORDERS


async def add_offering(
    code: str,
    family: Family,
    facts: Mapping[str, Any],
    *,
    effective_from: dt.date | None = None,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> Offering:
    """Add a service to the actor's own catalogue, of exactly one family (standard 5).

    Its terms apply from a day on, else from today; before that day it takes no orders. Refuses a day that has passed
    unless a manager gives a reason.
    """
    provider_id = _catalogue_of(by)
    first_day = effective_from or bangkok_date(now)
    _agree_to_day(first_day, reason, by=by, now=now)
    if await Offering.filter(provider_id=provider_id, code=code).exists():
        raise Invalid({"code": "This code is taken."})
    if faults := _naming_faults(Offering, code, facts) | _promise_faults(facts):
        raise Invalid(faults)
    offering = await Offering.create(provider_id=provider_id, code=code, family=family, **_only(LABELS, facts))
    await OfferingTerms.create(
        provider_id=provider_id,
        offering_id=offering.id,
        number=1,
        effective_from=first_day,
        reason=reason.strip(),
        made_by=by.name,
        made_at=now,
        **_only(TERMS, facts),
    )
    record("offering.added", at=now, subject=("offering", offering.id), code=code, family=family)
    return offering


async def edit_offering(offering_id: uuid.UUID, facts: Mapping[str, Any], *, by: Actor, now: dt.datetime) -> Offering:
    """Put an offering's names right, at once; the audit trail keeps what each was and is."""
    _catalogue_of(by)
    offering = await one(Offering, lock=True, id=offering_id)
    changed = {name: value for name, value in _only(LABELS, facts).items() if getattr(offering, name) != value}
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
    """Set terms of an offering from a day on: level, lead times, exclusions, whether it takes orders (standard 10).

    `facts` names any of `TERMS`; the rest stays as it is on that day. Refuses terms that say nothing new (Invalid),
    and a day that has passed unless a manager gives a reason. Whether orders are taken goes on into what is announced
    for later days, up to where that was announced to change.
    """
    provider_id = _catalogue_of(by)
    if faults := _promise_faults(facts):
        raise Invalid(faults)
    offering = await one(Offering, lock=True, id=offering_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    known = (await terms_of([offering.id]))[offering.id]
    before = _terms_on(known, effective_from)
    changed = {name: value for name, value in _only(TERMS, facts).items() if before[name] != value}
    if not changed:
        raise Invalid({"effective_from": "This is what applies from that day already."})
    changes = [(effective_from, before, changed)]
    lasting = _only(ORDERS, changed)
    for later in announced(known, effective_from):
        said = _terms_on(known, later.effective_from)
        lasting = {name: value for name, value in lasting.items() if said[name] == before[name]}
        if lasting:
            changes.append((later.effective_from, said, lasting))
    made = [
        await OfferingTerms.create(
            provider_id=provider_id,
            offering_id=offering.id,
            number=number,
            effective_from=day,
            reason=reason.strip(),
            made_by=by.name,
            made_at=now,
            **(said | other),
        )
        for number, (day, said, other) in enumerate(changes, len(known) + 1)
    ]
    for terms, (day, said, other) in zip(made, changes, strict=True):
        record(
            "terms.set",
            at=now,
            subject=("offering", offering.id),
            number=terms.number,
            effective_from=day,
            before=_only(tuple(other), said),
            after=other,
        )
    return made[0]


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
    effective_from: dt.date | None = None,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> Component:
    """Add something that is ordered of an offering or its add-on, with a price item of its own, still unpriced.

    It is offered from a day on, else from today. Refuses a day that has passed unless a manager gives a reason.
    """
    provider_id = _catalogue_of(by)
    first_day = effective_from or bangkok_date(now)
    _agree_to_day(first_day, reason, by=by, now=now)
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
    await _bound(component, 1, bounds, first_day, reason, by=by, now=now)
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

    Whether it is offered stays as it is on that day (`set_offered`). Refuses what applies from that day already
    (Invalid), and a day that has passed unless a manager gives a reason.
    """
    _catalogue_of(by)
    if faults := _bounds_faults(bounds):
        raise Invalid(faults)
    component = await one(Component, lock=True, id=component_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    known = (await bounds_of([component_id]))[component_id]
    before = bounds_for(known, effective_from)
    after = dataclasses.replace(bounds, is_offered=before.is_offered)
    if before == after:
        raise Invalid({"effective_from": "This is what applies from that day already."})
    made = await _bound(component, len(known) + 1, after, effective_from, reason, by=by, now=now)
    _record_bounds(made, before, now)
    return made


async def set_offered(
    component_id: uuid.UUID,
    is_offered: bool,
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> None:
    """Offer a component from a day on, or no longer; who has it can keep it, lower it and cancel it.

    Goes on into quantities announced for later days, up to where that was announced to change. Refuses what applies
    from that day already (Invalid), and a day that has passed unless a manager gives a reason.
    """
    _catalogue_of(by)
    component = await one(Component, lock=True, id=component_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    if not await _offer(component, is_offered, effective_from, reason, by=by, now=now):
        raise Invalid({"effective_from": "This is what applies from that day already."})


async def set_addon_offered(
    addon_id: uuid.UUID,
    is_offered: bool,
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> None:
    """Offer all that is ordered of an add-on from a day on, or none of it any longer; as `set_offered` does."""
    _catalogue_of(by)
    addon = await one(Addon, id=addon_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    parts = await scoped(Component).filter(addon_id=addon.id).order_by("id").select_for_update()
    new = [await _offer(part, is_offered, effective_from, reason, by=by, now=now) for part in parts]
    if not any(new):
        raise Invalid({"effective_from": "This is what applies from that day already."})


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


async def set_ceiling(
    component_id: uuid.UUID,
    amount: Decimal,
    effective_from: dt.date,
    *,
    includes_vat: bool = False,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> Ceiling:
    """Record the ceiling price of a component from a day on (standard 7.1).

    Refuses one below a price in force then (AboveCeiling), and a day that has passed unless a manager gives a reason.
    """
    _catalogue_of(by)
    component = await one(Component, id=component_id)
    _agree_to_day(effective_from, reason, by=by, now=now)
    item = await PriceItem.filter(id=component.price_item_id).select_for_update().get()
    return await tariffs.set_ceiling(
        item, amount, effective_from, includes_vat=includes_vat, reason=reason.strip(), by=by, now=now
    )


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


async def _offer(
    component: Component, is_offered: bool, effective_from: dt.date, reason: str, *, by: Actor, now: dt.datetime
) -> bool:
    """Offer a locked component from a day on or no longer; False where that is so already."""
    known = (await bounds_of([component.id]))[component.id]
    if takes_orders(known, effective_from) is is_offered:
        return False
    days = [effective_from]
    for later in announced(known, effective_from):
        if later.is_offered is is_offered:
            break
        days.append(later.effective_from)
    for number, day in enumerate(days, len(known) + 1):
        before = bounds_for(known, day)
        after = dataclasses.replace(before, is_offered=is_offered)
        _record_bounds(await _bound(component, number, after, day, reason, by=by, now=now), before, now)
    return True


def _record_bounds(made: ComponentBounds, before: Bounds, now: dt.datetime) -> None:
    record(
        "bounds.set",
        at=now,
        subject=("component", made.component_id),
        number=made.number,
        effective_from=made.effective_from,
        before=dataclasses.asdict(before),
        after=dataclasses.asdict(made.rule),
    )


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
        is_offered=bounds.is_offered,
        reason=reason.strip(),
        made_by=by.name,
        made_at=now,
    )


def _terms_on(known: Sequence[OfferingTerms], on: dt.date) -> dict[str, Any]:
    """Return the terms of a day by name; before the first an offering takes no orders."""
    found = in_force(known, on)
    return {name: getattr(found, name) for name in TERMS} | {"is_open": takes_orders(known, on)}


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
