"""The service catalogue: what is on offer, at which prices under which ceilings, and what is free (standard 5, 7.1)."""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Final

from starlette.responses import Response

from auth.errors import NotFound
from auth.rules import Permission
from billing.months import bangkok_date
from billing.tariffs.rules import Basis, Ceiling, Tier
from portal.formats import Language, amount_of, date_short, quantity
from portal.i18n import Lazy, gettext, lazy
from portal.visit import Visit
from services.catalogue.queries import OnOffer, Priced, offering, on_offer
from services.catalogue.rules import Family, Orders

FAMILIES: Final[dict[Family, Lazy]] = {
    Family.GOVERNMENT_INTERNET: lazy("Government internet"),
    Family.GOVERNMENT_INTRANET: lazy("Government intranet"),
    Family.AGENCY_INTRANET: lazy("Agency intranet"),
    Family.CLOUD: lazy("Cloud"),
    Family.DATA_CENTRE: lazy("Data centre"),
    Family.SECURITY: lazy("Security services"),
}
FAMILY_ICONS: Final[dict[Family, str]] = {
    Family.GOVERNMENT_INTERNET: "world",
    Family.GOVERNMENT_INTRANET: "affiliate",
    Family.AGENCY_INTRANET: "network",
    Family.CLOUD: "cloud",
    Family.DATA_CENTRE: "server-2",
    Family.SECURITY: "shield-check",
}
# What a price is for, by how its quantity is counted.
PER: Final[dict[Basis, Lazy]] = {
    Basis.DAILY: lazy("per month"),
    Basis.HOURLY: lazy("per hour"),
    Basis.METERED_SUM: lazy("as measured"),
    Basis.METERED_MAX: lazy("per month, by the highest use"),
    Basis.ONE_TIME: lazy("once"),
    Basis.PER_EVENT: lazy("each time"),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One tier in words, with its price."""

    range: str
    price: Decimal


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A component as its row in a table of prices."""

    name: str
    unit: str
    per: Lazy
    orders: Orders
    steps: tuple[Step, ...]
    next_steps: tuple[Step, ...]
    next_from: str
    ceiling: Ceiling | None
    free: str


async def index(visit: Visit) -> Response:
    """Show what is on offer by family, each with its prices; one family where the address names it."""
    offers = await on_offer(on=bangkok_date(visit.now))
    families = list(Family)
    chosen = visit.query.get("family")
    by_family = {
        family: [(offer, rows_of(offer.components, visit.language)) for offer in group]
        for family, group in groupby(
            sorted(offers, key=lambda offer: families.index(offer.offering.family)),
            key=lambda offer: offer.offering.family,
        )
        if chosen in {"", family.value}
    }
    return visit.render(
        "catalogue/index.html",
        by_family=by_family,
        families=FAMILIES,
        icons=FAMILY_ICONS,
        offered={offer.offering.family for offer in offers},
        chosen=chosen,
        on=bangkok_date(visit.now),
    )


async def show(visit: Visit) -> Response:
    """Show one offering with everything about it; 404 for a code nobody offers."""
    provider = visit.query.get("provider")
    try:
        provider_id = uuid.UUID(provider) if provider else None
    except ValueError:
        raise NotFound("Offering") from None
    offer = await offering(visit.params["code"], on=bangkok_date(visit.now), provider_id=provider_id)
    return visit.render(
        "catalogue/show.html",
        offer=offer,
        rows=rows_of(offer.components, visit.language),
        addons=rows_of([part for addon in offer.addons for part in addon.components], visit.language),
        family=FAMILIES[offer.offering.family],
        on=bangkok_date(visit.now),
        new_path=_new_path(visit, offer),
    )


def rows_of(components: Iterable[Priced], language: Language) -> list[PriceRow]:
    """Put components into words."""
    return [_row_of(priced, language) for priced in components]


def _row_of(priced: Priced, language: Language) -> PriceRow:
    component, pool, coming = priced.component, priced.component.pool, priced.next_price
    unit = component.unit_en if language == "en" else component.unit_th
    pool_unit = "" if pool is None else pool.unit_en if language == "en" else pool.unit_th
    return PriceRow(
        name=component.name_en if language == "en" else component.name_th,
        unit=unit,
        per=PER[component.price_item.basis],
        orders=priced.orders,
        steps=steps_of(priced.price.tiers) if priced.price else (),
        next_steps=steps_of(coming.tiers) if coming else (),
        next_from=date_short(coming.effective_from, language) if coming else "",
        ceiling=priced.ceiling,
        free="" if priced.free is None else amount_of(priced.free, pool_unit),
    )


def steps_of(tiers: Sequence[Tier]) -> tuple[Step, ...]:
    """Put graduated tiers into words: up to 100, over 100 to 500, over 500."""
    steps = []
    below = Decimal(0)
    for tier in tiers:
        if tier.upto is None:
            words = gettext("over %(below)s", below=quantity(below)) if below else gettext("any quantity")
        elif not below:
            words = gettext("up to %(upto)s", upto=quantity(tier.upto))
        else:
            words = gettext("over %(below)s to %(upto)s", below=quantity(below), upto=quantity(tier.upto))
        steps.append(Step(words, tier.price))
        below = tier.upto or below
    return tuple(steps)


def _new_path(visit: Visit, offer: OnOffer) -> str | None:
    """Return where to ask for this service; None for whom may not, and where it is closed for good."""
    if not (visit.by.may(Permission.REQUESTS_MAKE) and offer.orders.are_possible):
        return None
    return f"{visit.path('request_new')}?kind=new&offering={offer.offering.id}"
