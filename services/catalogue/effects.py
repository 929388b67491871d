"""What a new price touches: the services in use that pay it, and what it makes of their amounts."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from auth.tenancy import one, rows
from billing.months import midnight
from billing.tariffs import models
from billing.tariffs.queries import versions_of
from billing.tariffs.rules import NoPrice, Tier, graduated, version_on
from services.catalogue.models import Component


@dataclass(frozen=True, slots=True)
class PriceHistory:
    """A component with every price it had and will have, the newest first, and its ceilings, the newest first."""

    component: Component
    versions: tuple[models.PriceVersion, ...]
    ceilings: tuple[models.Ceiling, ...]


@dataclass(frozen=True, slots=True)
class Touched:
    """A service in use that pays a price: how much it has, and what that comes to before and after, unrounded."""

    service_id: uuid.UUID
    number: str
    label: str
    agency_th: str
    agency_en: str
    quantity: Decimal
    before: Decimal | None
    after: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """What a price from a day on touches: services in use, and open quotes that may no longer hold."""

    services: tuple[Touched, ...]
    agencies: int
    quotes: tuple[str, ...]


async def price_history(component_id: uuid.UUID) -> PriceHistory:
    """Return a component of the actor's own with its prices and ceilings; NotFound for another provider's."""
    component = await one(Component, id=component_id)
    await component.fetch_related("price_item", "pool", "addon", "offering")
    versions = await models.PriceVersion.filter(price_item_id=component.price_item_id).order_by(
        "-effective_from", "-number"
    )
    ceilings = await models.Ceiling.filter(price_item_id=component.price_item_id).order_by("-effective_from")
    return PriceHistory(component, tuple(versions), tuple(ceilings))


async def effect_of(component: Component, tiers: Sequence[Tier], effective_from: dt.date) -> Effect:
    """Return what a price would touch, before it is set: by whatever shares the component's price item."""
    versions = (await versions_of([component.price_item_id]))[component.price_item_id]
    try:
        before = version_on(effective_from, versions).tiers
    except NoPrice:
        before = None
    found = await rows(
        "SELECT s.id AS service_id, s.number, s.label, o.name_th AS agency_th, o.name_en AS agency_en,"
        " a.agency_id, sum(a.quantity) AS quantity"
        " FROM allocation a JOIN subscription s ON s.agency_id = a.agency_id AND s.id = a.service_id"
        " JOIN organisation o ON o.id = a.agency_id"
        " WHERE a.price_item_id = $1 AND (a.ends_at IS NULL OR a.ends_at > $2) AND a.quantity > 0"
        " AND a.starts_at = (SELECT max(l.starts_at) FROM allocation l WHERE l.agency_id = a.agency_id"
        "   AND l.service_id = a.service_id AND l.component_id = a.component_id)"
        " GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY s.number",
        component.price_item_id,
        midnight(effective_from),
    )
    quotes = await rows(
        "SELECT DISTINCT r.number FROM service_request r"
        " JOIN request_item i ON i.agency_id = r.agency_id AND i.request_id = r.id"
        " JOIN component c ON c.id = i.component_id"
        " WHERE r.state = 'awaiting_confirmation' AND c.price_item_id = $1 AND r.effective_on >= $2 ORDER BY 1",
        component.price_item_id,
        effective_from,
    )
    services = tuple(
        Touched(
            **{name: row[name] for name in ("service_id", "number", "label", "agency_th", "agency_en", "quantity")},
            before=graduated(row["quantity"], before) if before else None,
            after=graduated(row["quantity"], tiers),
        )
        for row in found
    )
    return Effect(services, len({row["agency_id"] for row in found}), tuple(row["number"] for row in quotes))
