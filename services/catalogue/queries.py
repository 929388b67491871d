"""What is on offer: each service with its components, add-ons, prices, ceilings and what is free (standard 5, 7.1)."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tortoise.queryset import QuerySet

from auth.errors import NotFound
from auth.tenancy import current
from billing.tariffs.queries import ceilings_of_all, versions_of
from billing.tariffs.rules import Ceiling, NoPrice, PriceVersion, version_on
from services.catalogue.models import Addon, Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.rules import Bounds, Orders, bounds_for, coming, in_force, orders_on, takes_orders


@dataclass(frozen=True, slots=True)
class Priced:
    """A component with bounds, price and ceiling in force on a day, what is announced next, and what is free now."""

    component: Component
    orders: Orders
    bounds: Bounds
    price: PriceVersion | None
    next_price: PriceVersion | None
    ceiling: Ceiling | None

    @property
    def free(self) -> Decimal | None:
        """How much can still be given, in the pool's unit; None where nothing limits it."""
        return self.component.pool.free if self.component.pool else None


@dataclass(frozen=True, slots=True)
class OfferedAddon:
    """An add-on with its priced components."""

    addon: Addon
    components: tuple[Priced, ...]


@dataclass(frozen=True, slots=True)
class OnOffer:
    """An offering with its terms in force on a day and those announced next, its priced components and add-ons."""

    offering: Offering
    orders: Orders
    terms: OfferingTerms
    next_terms: OfferingTerms | None
    components: tuple[Priced, ...]
    addons: tuple[OfferedAddon, ...]


async def on_offer(*, on: dt.date) -> list[OnOffer]:
    """Return what is on offer on a day, by position and code; six queries however much there is.

    Agencies see what can be ordered or is announced to be, a provider all of its own, who oversees all of everybody's.
    """
    offerings = await _of_the_unit().order_by("position", "code")
    terms = await terms_of(offering.id for offering in offerings)
    if _shows_all():
        return await _with_components(offerings, terms, on)
    possible = [offering for offering in offerings if orders_on(terms[offering.id], on).are_possible]
    return await _with_components(possible, terms, on)


async def offering(code: str, *, on: dt.date, provider_id: uuid.UUID | None = None) -> OnOffer:
    """Return one offering by its code, a provider's where several offer the same; NotFound where there is none.

    One closed to new orders is found as well: a service in use may lead to it.
    """
    rows = Offering.filter(code=code).select_related("provider").order_by("position")
    if provider_id:
        rows = rows.filter(provider_id=provider_id)
    elif own := current().actor.provider_id:
        rows = rows.filter(provider_id=own)
    found = await rows
    if not found:
        raise NotFound("Offering")
    terms = await terms_of(each.id for each in found)
    open_first = sorted(found, key=lambda each: not takes_orders(terms[each.id], on))
    return (await _with_components(open_first[:1], terms, on))[0]


async def possible_to_order(*, on: dt.date) -> list[tuple[Offering, OfferingTerms, Orders]]:
    """Return the offerings that can be ordered or are announced to be, with their terms, by position and code."""
    offerings = await Offering.all().order_by("position", "code")
    terms = await terms_of(offering.id for offering in offerings)
    found = [(each, in_force(terms[each.id], on), orders_on(terms[each.id], on)) for each in offerings]
    return [each for each in found if each[2].are_possible]


async def addons_of(offering_id: uuid.UUID) -> list[Addon]:
    """Return an offering's add-ons, by position; also those of which nothing is ordered yet."""
    return await Addon.filter(offering_id=offering_id).order_by("position")


async def terms_of(offering_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[OfferingTerms, ...]]:
    """Return each offering's terms by the day from which they apply, the oldest first, in one query."""
    found: dict[uuid.UUID, list[OfferingTerms]] = {id_: [] for id_ in offering_ids}
    for row in await OfferingTerms.filter(offering_id__in=list(found)).order_by("effective_from", "number"):
        found[row.offering_id].append(row)
    return {id_: tuple(versions) for id_, versions in found.items()}


async def terms_on(offering_id: uuid.UUID, on: dt.date) -> OfferingTerms:
    """Return what is promised of an offering on a day."""
    return in_force((await terms_of([offering_id]))[offering_id], on)


async def is_open_on(offering_id: uuid.UUID, on: dt.date) -> bool:
    """Return whether an offering takes new orders that take effect on a day."""
    return takes_orders((await terms_of([offering_id]))[offering_id], on)


def next_promise(versions: Sequence[OfferingTerms], after: dt.date) -> OfferingTerms | None:
    """Return the terms that next promise something else after a day, None where none are announced."""
    now = in_force(versions, after)
    return coming(versions, after, lambda terms: terms.promise != now.promise)


async def bounds_of(component_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[ComponentBounds, ...]]:
    """Return each component's bounds by the day from which they apply, the oldest first, in one query."""
    found: dict[uuid.UUID, list[ComponentBounds]] = {id_: [] for id_ in component_ids}
    for row in await ComponentBounds.filter(component_id__in=list(found)).order_by("effective_from", "number"):
        found[row.component_id].append(row)
    return {id_: tuple(versions) for id_, versions in found.items()}


async def bounds_on(component_ids: Iterable[uuid.UUID], on: dt.date) -> dict[uuid.UUID, Bounds]:
    """Return in which quantities components can be ordered for a day, in one query."""
    versions = await bounds_of(component_ids)
    return {id_: bounds_for(each, on) for id_, each in versions.items()}


def _of_the_unit() -> QuerySet[Offering]:
    rows, actor = Offering.all().select_related("provider"), current().actor
    return rows.filter(provider_id=actor.provider_id) if actor.provider_id and not actor.oversees else rows


def _shows_all() -> bool:
    """Whether the unit's actor sees what cannot be ordered as well: the provider's own, and who oversees."""
    actor = current().actor
    return actor.oversees or actor.provider_id is not None


async def _with_components(
    offerings: list[Offering], terms: Mapping[uuid.UUID, tuple[OfferingTerms, ...]], on: dt.date
) -> list[OnOffer]:
    components = (
        await Component.filter(offering_id__in=[offering.id for offering in offerings])
        .select_related("price_item", "addon", "pool")
        .order_by("position", "code")
    )
    items = {component.price_item_id for component in components}
    versions, ceilings = await versions_of(items), await ceilings_of_all(items)
    bounds = await bounds_of(component.id for component in components)
    shows_all = _shows_all()
    own: dict[uuid.UUID, list[Priced]] = {offering.id: [] for offering in offerings}
    addons: dict[uuid.UUID, dict[uuid.UUID, tuple[Addon, list[Priced]]]] = {offering.id: {} for offering in offerings}
    for component in components:
        priced = _priced(
            component,
            bounds[component.id],
            versions[component.price_item_id],
            ceilings[component.price_item_id],
            on,
        )
        if not (priced.orders.are_possible or shows_all):
            continue
        if component.addon_id and component.addon:
            of_offering = addons[component.offering_id]
            of_offering.setdefault(component.addon_id, (component.addon, []))[1].append(priced)
        else:
            own[component.offering_id].append(priced)
    return [
        OnOffer(
            offering,
            orders_on(terms[offering.id], on),
            in_force(terms[offering.id], on),
            next_promise(terms[offering.id], on),
            tuple(own[offering.id]),
            tuple(
                OfferedAddon(addon, tuple(parts))
                for addon, parts in sorted(addons[offering.id].values(), key=lambda pair: pair[0].position)
            ),
        )
        for offering in offerings
    ]


def _priced(
    component: Component,
    bounds: tuple[ComponentBounds, ...],
    versions: tuple[PriceVersion, ...],
    ceilings: tuple[Ceiling, ...],
    on: dt.date,
) -> Priced:
    try:
        price = version_on(on, versions)
    except NoPrice:
        price = None
    later = [version for version in versions if version.effective_from > on]
    limits = [ceiling for ceiling in ceilings if ceiling.effective_from <= on]
    return Priced(
        component,
        orders_on(bounds, on),
        bounds_for(bounds, on),
        price,
        later[0] if later else None,
        limits[-1] if limits else None,
    )
