"""What is on offer: each service with its components, add-ons, prices, ceilings and what is free (standard 5, 7.1)."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from tortoise.queryset import QuerySet

from auth.errors import NotFound
from auth.tenancy import current
from billing.tariffs.queries import ceilings_of_all, versions_of
from billing.tariffs.rules import Ceiling, NoPrice, PriceVersion, version_on
from services.catalogue.models import Addon, Component, Offering


@dataclass(frozen=True, slots=True)
class Priced:
    """A component with the price and ceiling in force on a day, the price announced next, and what is free now."""

    component: Component
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
    """An offering with its priced components and add-ons."""

    offering: Offering
    components: tuple[Priced, ...]
    addons: tuple[OfferedAddon, ...]


async def on_offer(*, on: dt.date) -> list[OnOffer]:
    """Return what is on offer on a day, by position and code; four queries however much there is.

    Agencies see what is open to orders, a provider all of its own.
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


def _visible() -> QuerySet[Offering]:
    rows = Offering.all().select_related("provider")
    own = current().actor.provider_id
    return rows.filter(provider_id=own) if own else rows.filter(is_open=True)


async def _with_components(offerings: list[Offering], on: dt.date) -> list[OnOffer]:
    components = (
        await Component.filter(offering_id__in=[offering.id for offering in offerings])
        .select_related("price_item", "addon", "pool")
        .order_by("position", "code")
    )
    items = {component.price_item_id for component in components}
    versions, ceilings = await versions_of(items), await ceilings_of_all(items)
    own: dict[uuid.UUID, list[Priced]] = {offering.id: [] for offering in offerings}
    addons: dict[uuid.UUID, dict[uuid.UUID, tuple[Addon, list[Priced]]]] = {offering.id: {} for offering in offerings}
    for component in components:
        priced = _priced(component, versions[component.price_item_id], ceilings[component.price_item_id], on)
        if component.addon_id and component.addon:
            of_offering = addons[component.offering_id]
            of_offering.setdefault(component.addon_id, (component.addon, []))[1].append(priced)
        else:
            own[component.offering_id].append(priced)
    return [
        OnOffer(
            offering,
            tuple(own[offering.id]),
            tuple(
                OfferedAddon(addon, tuple(parts))
                for addon, parts in sorted(addons[offering.id].values(), key=lambda pair: pair[0].position)
            ),
        )
        for offering in offerings
    ]


def _priced(
    component: Component, versions: tuple[PriceVersion, ...], ceilings: tuple[Ceiling, ...], on: dt.date
) -> Priced:
    try:
        price = version_on(on, versions)
    except NoPrice:
        price = None
    coming = [version for version in versions if version.effective_from > on]
    in_force = [ceiling for ceiling in ceilings if ceiling.effective_from <= on]
    return Priced(component, price, coming[0] if coming else None, in_force[-1] if in_force else None)
