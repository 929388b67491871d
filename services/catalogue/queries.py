"""What is on offer: each service with its components, add-ons, prices, ceilings and what is free (standard 5, 7.1)."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tortoise.queryset import QuerySet

from auth.errors import NotFound
from auth.tenancy import current
from billing.tariffs.queries import ceilings_of_all, versions_of
from billing.tariffs.rules import Ceiling, NoPrice, PriceVersion, version_on
from services.catalogue.models import Addon, Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.rules import Bounds, coming, in_force


@dataclass(frozen=True, slots=True)
class Priced:
    """A component with bounds, price and ceiling in force on a day, the price announced next, and what is free now."""

    component: Component
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
    terms: OfferingTerms
    next_terms: OfferingTerms | None
    components: tuple[Priced, ...]
    addons: tuple[OfferedAddon, ...]


async def on_offer(*, on: dt.date) -> list[OnOffer]:
    """Return what is on offer on a day, by position and code; six queries however much there is.

    Agencies see what is open to orders, a provider all of its own, who oversees all of everybody's.
    """
    return await _with_components(await _visible().order_by("position", "code"), on)


async def offering(code: str, *, on: dt.date, provider_id: uuid.UUID | None = None) -> OnOffer:
    """Return one offering by its code, a provider's where several offer the same; NotFound where there is none.

    One closed to new orders is found as well: a service in use may lead to it.
    """
    rows = Offering.filter(code=code).select_related("provider").order_by("-is_open", "position")
    if provider_id:
        rows = rows.filter(provider_id=provider_id)
    elif own := current().actor.provider_id:
        rows = rows.filter(provider_id=own)
    found = await rows.first()
    if found is None:
        raise NotFound("Offering")
    return (await _with_components([found], on))[0]


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


async def bounds_of(component_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[ComponentBounds, ...]]:
    """Return each component's bounds by the day from which they apply, the oldest first, in one query."""
    found: dict[uuid.UUID, list[ComponentBounds]] = {id_: [] for id_ in component_ids}
    for row in await ComponentBounds.filter(component_id__in=list(found)).order_by("effective_from", "number"):
        found[row.component_id].append(row)
    return {id_: tuple(versions) for id_, versions in found.items()}


async def bounds_on(component_ids: Iterable[uuid.UUID], on: dt.date) -> dict[uuid.UUID, Bounds]:
    """Return in which quantities components can be ordered for a day, in one query."""
    versions = await bounds_of(component_ids)
    return {id_: in_force(each, on).rule for id_, each in versions.items()}


def _visible() -> QuerySet[Offering]:
    rows = Offering.all().select_related("provider")
    actor = current().actor
    if actor.oversees:
        return rows
    return rows.filter(provider_id=actor.provider_id) if actor.provider_id else rows.filter(is_open=True)


async def _with_components(offerings: list[Offering], on: dt.date) -> list[OnOffer]:
    components = (
        await Component.filter(offering_id__in=[offering.id for offering in offerings])
        .select_related("price_item", "addon", "pool")
        .order_by("position", "code")
    )
    items = {component.price_item_id for component in components}
    versions, ceilings = await versions_of(items), await ceilings_of_all(items)
    terms = await terms_of(offering.id for offering in offerings)
    bounds = await bounds_on([component.id for component in components], on)
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
        if component.addon_id and component.addon:
            of_offering = addons[component.offering_id]
            of_offering.setdefault(component.addon_id, (component.addon, []))[1].append(priced)
        else:
            own[component.offering_id].append(priced)
    return [
        OnOffer(
            offering,
            in_force(terms[offering.id], on),
            coming(terms[offering.id], on),
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
    bounds: Bounds,
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
    return Priced(component, bounds, price, later[0] if later else None, limits[-1] if limits else None)
