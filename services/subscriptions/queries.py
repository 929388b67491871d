"""Services in use: what they are made of now, since when and until when (standard 7.5.2)."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from tortoise.expressions import F, Q

from auth.tenancy import one, scoped
from billing.months import bangkok_date
from billing.statements.charges import MICROSECOND
from billing.statements.queries import component_of
from billing.statements.rules import Charge, Item, monthly_price
from billing.tariffs.queries import versions_of
from billing.tariffs.rules import versions_between
from billing.usage.models import Allocation
from services.catalogue.models import Component, OfferingTerms
from services.catalogue.queries import next_promise, terms_of
from services.catalogue.rules import in_force
from services.subscriptions.models import Subscription, SubscriptionState


@dataclass(frozen=True, slots=True)
class Part:
    """One component of a service in use: how much of it, since when, until when, and its price for a month."""

    component: Component
    quantity: Decimal
    since: dt.datetime
    until: dt.datetime | None
    price: Charge


@dataclass(frozen=True, slots=True)
class InUse:
    """A service in use with its parts, what they cost for a whole month before VAT, and what is promised of it."""

    subscription: Subscription
    parts: tuple[Part, ...]
    terms: OfferingTerms
    next_terms: OfferingTerms | None

    @property
    def monthly(self) -> Decimal:
        """What a whole month costs, add-ons included, before VAT; hours are those of a 31-day month."""
        return sum((part.price.amount for part in self.parts), Decimal("0.00"))

    @property
    def own_parts(self) -> tuple[Part, ...]:
        """The parts that are the service itself."""
        return tuple(part for part in self.parts if part.component.addon_id is None)

    @property
    def addon_parts(self) -> tuple[Part, ...]:
        """The parts that are add-ons."""
        return tuple(part for part in self.parts if part.component.addon_id is not None)


async def in_use(*, at: dt.datetime, agency_id: uuid.UUID | None = None, ended: bool = False) -> list[InUse]:
    """Return the services within reach as they are at a moment, by number; five queries however many."""
    subscriptions = scoped(Subscription).select_related("offering").order_by("number")
    if agency_id:
        subscriptions = subscriptions.filter(agency_id=agency_id)
    if not ended:
        subscriptions = subscriptions.filter(state=SubscriptionState.ACTIVE)
    return await _with_parts(await subscriptions, at)


async def subscription(subscription_id: uuid.UUID, *, at: dt.datetime) -> InUse:
    """Return one service within reach as it is at a moment; NotFound for another agency's."""
    found = await one(Subscription, id=subscription_id)
    await found.fetch_related("offering")
    return (await _with_parts([found], at))[0]


async def history_of(subscription_id: uuid.UUID) -> list[Allocation]:
    """Return every quantity a service ever had, the latest first."""
    rows = scoped(Allocation).filter(service_id=subscription_id).select_related("price_item")
    return [row for row in await rows.order_by("-starts_at") if row.ends_at != row.starts_at]


@dataclass(frozen=True, slots=True)
class Spell:
    """A time in which a component of a service had one quantity at one price, both days included.

    `last` is None while it lasts; `price` is for a whole month, None of what is counted once.
    """

    component: Component
    quantity: Decimal
    first: dt.date
    last: dt.date | None
    price: Charge | None
    origin: str


async def spells_of(subscription_id: uuid.UUID, *, on: dt.date) -> list[Spell]:
    """Return a service's quantities and their prices from the beginning up to what is set for later, latest first.

    A change of the quantity or of the price begins a new one; prices announced for after `on` are left out. Three
    queries.
    """
    allocations = await history_of(subscription_id)
    rows = await Component.filter(id__in={row.component_id for row in allocations}).select_related("addon")
    components = {component.id: component for component in rows}
    versions = await versions_of({row.price_item_id for row in allocations})
    spells: list[Spell] = []
    for row in allocations:
        prices = versions[row.price_item_id]
        priced = component_of(row.service_id, row.component_id, row.price_item, prices)
        first = bangkok_date(row.starts_at)
        ends = None if row.ends_at is None else max(first, bangkok_date(row.ends_at - MICROSECOND))
        for start, end, _ in versions_between(first, ends or max(first, on), prices):
            last = None if ends is None and end == max(first, on) else end
            charges = monthly_price([Item(priced, row.quantity)], on=start)
            component = components[row.component_id]
            spells.append(Spell(component, row.quantity, start, last, charges[0] if charges else None, row.origin))
    return sorted(spells, key=lambda spell: (spell.first, -spell.component.position), reverse=True)


async def quantities_at(subscription_id: uuid.UUID, at: dt.datetime) -> dict[uuid.UUID, Decimal]:
    """Return how much of each component is set aside for a service at a moment."""
    rows = await scoped(Allocation).filter(_running(at), service_id=subscription_id)
    return {row.component_id: row.quantity for row in rows}


async def planned_after(subscription_id: uuid.UUID, at: dt.datetime) -> dt.datetime | None:
    """Return when the next quantity already agreed for a service comes into force after a moment, if any does."""
    later = scoped(Allocation).filter(Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), starts_at__gt=at)
    found = await later.filter(service_id=subscription_id).order_by("starts_at").first()
    return found.starts_at if found else None


async def quantities_planned(subscription_id: uuid.UUID, now: dt.datetime) -> dict[uuid.UUID, Decimal]:
    """Return how much of each component there will be once everything agreed is in force."""
    latest = (
        await scoped(Allocation).filter(service_id=subscription_id, starts_at__gt=now).order_by("-starts_at").first()
    )
    return await quantities_at(subscription_id, latest.starts_at if latest else now)


async def _with_parts(subscriptions: list[Subscription], at: dt.datetime) -> list[InUse]:
    ids = [subscription.id for subscription in subscriptions]
    rows = await scoped(Allocation).filter(_running(at), service_id__in=ids)
    components = {
        component.id: component
        for component in await Component.filter(id__in={row.component_id for row in rows}).select_related(
            "price_item", "addon"
        )
    }
    versions = await versions_of({component.price_item_id for component in components.values()})
    parts: dict[uuid.UUID, list[Part]] = {id_: [] for id_ in ids}
    for row in rows:
        component = components[row.component_id]
        priced = component_of(row.service_id, component.id, component.price_item, versions[component.price_item_id])
        for price in monthly_price([Item(priced, row.quantity)], on=bangkok_date(at)):
            parts[row.service_id].append(Part(component, row.quantity, row.starts_at, row.ends_at, price))
    for found in parts.values():
        found.sort(key=lambda part: (part.component.addon_id is not None, part.component.position))
    terms = await terms_of(subscription.offering_id for subscription in subscriptions)
    on = bangkok_date(at)
    return [
        InUse(
            subscription,
            tuple(parts[subscription.id]),
            in_force(terms[subscription.offering_id], on),
            next_promise(terms[subscription.offering_id], on),
        )
        for subscription in subscriptions
    ]


def _running(at: dt.datetime) -> Q:
    return Q(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at)
