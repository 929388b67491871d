"""Reading requests: lists, one with all that belongs to it, its price, and what it would do to a budget."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tortoise.queryset import QuerySet

from auth.errors import NotFound
from auth.tenancy import current, scoped
from billing.budgets.queries import YearView, budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.months import bangkok_date
from billing.statements.facts import Service
from billing.statements.queries import Book, book_of
from billing.tariffs.queries import versions_of
from billing.tariffs.rules import NoPrice
from services.calendar.rules import Calendar
from services.capacity.models import Pool
from services.capacity.rules import Shortfall
from services.catalogue.models import Offering, OfferingTerms
from services.catalogue.queries import terms_on
from services.requests.documents import quote_document
from services.requests.models import Check, Quote, RequestEvent, RequestItem, ServiceRequest, WorkOrder, WorkStep
from services.requests.pricing import Ask, Price, price, takes_effect
from services.requests.rules import REVIEW_WITHIN_WORKING_MINUTES, Action, CheckKind, Kind, State
from services.subscriptions.models import Subscription

WORKING_DAY_MINUTES = 480
_FIRST_DAY = dt.date(2000, 1, 1)  # long before there was anything to price


@dataclass(frozen=True, slots=True)
class Work:
    """A work order with its steps, when it is due, and how far it is."""

    order: WorkOrder
    steps: tuple[WorkStep, ...]
    due_at: dt.datetime

    @property
    def percent(self) -> int:
        """How much of it is done, by steps."""
        return 100 * len([step for step in self.steps if step.done_at]) // len(self.steps)


@dataclass(frozen=True, slots=True)
class Whole:
    """A request with everything that belongs to it."""

    request: ServiceRequest
    subscription: Subscription | None
    items: tuple[RequestItem, ...]
    checks: Mapping[CheckKind, Check]
    quotes: tuple[Quote, ...]
    work: Work | None
    events: tuple[RequestEvent, ...]
    review_due_at: dt.datetime | None

    @property
    def quote(self) -> Quote | None:
        """The quote that stands."""
        return next((quote for quote in self.quotes if quote.id == self.request.quote_id), None)


@dataclass(frozen=True, slots=True)
class Demand:
    """How much more of a pool is asked, beside what it has."""

    pool: Pool
    asked: Decimal

    @property
    def short_by(self) -> Decimal:
        """By how much more is asked than is free; zero when it can be given."""
        return max(self.asked - self.pool.free, Decimal(0))


@dataclass(frozen=True, slots=True)
class Effect:
    """What a request does to an agency's fiscal year: as it is, and as it would be; for the agency's eyes."""

    before: YearView
    after: YearView


async def whole(request_id: uuid.UUID, calendar: Calendar) -> Whole:
    """Return a request within reach with all that belongs to it; a constant number of queries."""
    request = await visible().filter(id=request_id).select_related("offering").first()
    if request is None:
        raise NotFound("ServiceRequest")
    subscription = (
        await scoped(Subscription).filter(id=request.subscription_id).first() if request.subscription_id else None
    )
    order = await scoped(WorkOrder).filter(request_id=request_id).first()
    return Whole(
        request,
        subscription,
        await items_of(request),
        await checks_of(request),
        tuple(await scoped(Quote).filter(request_id=request_id).order_by("-number")),
        await _work(order, calendar) if order else None,
        tuple(await scoped(RequestEvent).filter(request_id=request_id).order_by("number")),
        review_due(request, calendar),
    )


async def work_state(request_id: uuid.UUID) -> dict[str, object]:
    """Return how far a request's work is: its state, percent done, and the next step's position or None."""
    request = await scoped(ServiceRequest).get(id=request_id)
    order = await scoped(WorkOrder).get(request_id=request_id)
    steps = await scoped(WorkStep).filter(work_order_id=order.id).order_by("position")
    done = len([step for step in steps if step.done_at])
    following = next((step.position for step in steps if step.done_at is None), None)
    return {"state": request.state.value, "percent": 100 * done // len(steps), "next_step": following}


def visible() -> QuerySet[ServiceRequest]:
    """Return the requests within reach; to everybody but the agency, one never submitted does not exist."""
    actor, found = current().actor, scoped(ServiceRequest)
    return found if actor.agency_id or actor.is_system else found.filter(submitted_at__not_isnull=True)


def review_due(request: ServiceRequest, calendar: Calendar) -> dt.datetime | None:
    """Return when the provider's answer is due: one working day from submission; None before."""
    if request.submitted_at is None:
        return None
    return calendar.add_minutes(request.submitted_at, REVIEW_WITHIN_WORKING_MINUTES)


def work_due(order: WorkOrder, calendar: Calendar) -> dt.datetime:
    """Return when a work order is due: its lead time, in working days, from confirmation."""
    return calendar.add_minutes(order.confirmed_at, order.lead_working_days * WORKING_DAY_MINUTES)


async def items_of(request: ServiceRequest) -> tuple[RequestItem, ...]:
    """Return a request's items with component, price item and pool, add-ons last."""
    items = (
        await scoped(RequestItem)
        .filter(request_id=request.id)
        .select_related("component__price_item", "component__pool", "component__addon")
    )
    return tuple(sorted(items, key=lambda item: (item.component.addon_id is not None, item.component.position)))


async def checks_of(request: ServiceRequest) -> dict[CheckKind, Check]:
    """Return the latest check of each kind that counts.

    Under review these are the ones made since it came there: after a correction, or after a quote that no longer
    held, the three are made anew.
    """
    made = scoped(Check).filter(request_id=request.id).order_by("at", "id")
    if request.state is State.UNDER_REVIEW:
        came = (Action.ACCEPT, Action.VOID)
        came_here = scoped(RequestEvent).filter(request_id=request.id, action__in=came).order_by("-number")
        # By their time-ordered ids: business time may stand still.
        made = made.filter(id__gt=(await came_here.first().values_list("id", flat=True)))
    return {check.kind: check for check in await made}


async def askers_of(request: ServiceRequest) -> frozenset[uuid.UUID]:
    """Return who asked: the one who drafted a request, and whoever submitted it, perhaps changed."""
    submitted = scoped(RequestEvent).filter(request_id=request.id, action=Action.SUBMIT, by_id__not_isnull=True)
    return frozenset({request.asked_by, *await submitted.values_list("by_id", flat=True)})  # type: ignore[arg-type]


async def asks_of(request: ServiceRequest) -> list[Ask]:
    """Return what a request asks, by the confirmed quantity where the provider gave one."""
    return [
        Ask(item.component, item.before, item.asked if item.confirmed is None else item.confirmed)
        for item in await items_of(request)
    ]


def pool_deltas(asks: Sequence[Ask]) -> dict[uuid.UUID, Decimal]:
    """Return by how much the asks raise (or, negative, lower) what each pool has in use."""
    deltas: dict[uuid.UUID, Decimal] = {}
    for ask in asks:
        pool_id = ask.component.pool_id
        if pool_id is not None:
            deltas[pool_id] = deltas.get(pool_id, Decimal(0)) + ask.after - ask.before
    return {pool_id: delta for pool_id, delta in deltas.items() if delta}


async def demands_of(asks: Sequence[Ask]) -> tuple[Demand, ...]:
    """Return what is asked more of each pool, beside what is free of it now."""
    wanted = {pool_id: delta for pool_id, delta in pool_deltas(asks).items() if delta > 0}
    return tuple(Demand(pool, wanted[pool.id]) for pool in await Pool.filter(id__in=list(wanted)).order_by("code"))


async def shortfalls_of(asks: Sequence[Ask]) -> tuple[Shortfall, ...]:
    """Return what is asked above what is free now, pool by pool (annex ก 1.3); empty when all can be given."""
    return tuple(
        Shortfall(demand.pool.id, (demand.pool.name_th, demand.pool.name_en), demand.asked, demand.pool.free)
        for demand in await demands_of(asks)
        if demand.short_by
    )


async def price_request(
    agency_id: uuid.UUID,
    service: Service | uuid.UUID,
    kind: Kind,
    asks: Sequence[Ask],
    effective_on: dt.date,
    *,
    today: dt.date | None = None,
) -> tuple[Book, Price]:
    """Price a request against the agency's book, as far as the actor sees it.

    `service` is the one in use, or for a new one what it would be. The book covers the fiscal year of the
    effective date, and today's where that is asked for. Refuses a day before the year 2000 (NoPrice).
    """
    if effective_on < _FIRST_DAY:
        raise NoPrice(f"nothing had a price on {effective_on}")
    year = FiscalYear.of(bangkok_date(takes_effect(kind, effective_on)))
    first = min(year, FiscalYear.of(today)) if today else year
    items = [ask.component.price_item for ask in asks]
    book = await book_of(agency_id, first.months[0], year.months[-1], and_items=items)
    if isinstance(service, Service):
        book = book.with_service(service)
        service_id = service.id
    else:
        service_id = service
    versions = await versions_of({item.id for item in items})
    return book, price(book, service_id, kind, asks, versions, effective_on)


async def price_of(request: ServiceRequest) -> Price:
    """Price a stored request as far as the actor sees the agency's book."""
    service: Service | uuid.UUID
    if request.subscription_id:
        service = request.subscription_id
    else:
        offering = await request.offering
        service = prospective(request.id, request.agency_id, offering, request.label)
    _, priced = await price_request(
        request.agency_id, service, request.kind, await asks_of(request), request.effective_on
    )
    return priced


def lead_days_of(kind: Kind, terms: OfferingTerms) -> int:
    """Return the working days the provider needs once a request is confirmed."""
    return terms.lead_working_days if kind is Kind.NEW else terms.change_lead_working_days


async def data_kept_days(found: Whole) -> int:
    """Return how long data is kept after the last day: as quoted, else as it applies on that day."""
    if found.quote and "terms" in found.quote.document:
        return int(found.quote.document["terms"]["data_kept_days"])
    return (await terms_on(found.request.offering_id, found.request.effective_on)).data_kept_days


async def document_of(request: ServiceRequest, *, number: int, valid_until: dt.datetime, note: str) -> dict[str, Any]:
    """Return the quote's document of a request as prices, terms and the service stand now."""
    terms = await terms_on(request.offering_id, request.effective_on)
    return quote_document(
        request,
        await price_of(request),
        terms,
        number=number,
        valid_until=valid_until,
        lead_working_days=lead_days_of(request.kind, terms),
        note=note,
    )


def prospective(service_id: uuid.UUID, agency_id: uuid.UUID, offering: Offering, label: str) -> Service:
    """Return a service as billing would know it, stored nowhere: what a new one is priced as."""
    return Service(
        id=service_id,
        agency_id=agency_id,
        provider_id=offering.provider_id,
        number="",
        offering_code=offering.code,
        family=offering.family,
        name_th=label,
        name_en=label,
        cost_centre="",
    )


async def effect_on_budget(
    agency_id: uuid.UUID, book: Book, priced: Price, committed: Decimal = Decimal("0.00")
) -> Effect:
    """Return the agency's fiscal year without and with a request: the budget warning of a quote.

    `committed` is what other requests, confirmed and not delivered yet, add to that year (`year_of`).
    """
    year = year_of(priced)
    budget = await budget_of(agency_id, year)
    return Effect(year_view(book, year, budget, committed), year_view(priced.book, year, budget, committed))


def year_of(priced: Price) -> FiscalYear:
    """Return the fiscal year that a request's first month falls in."""
    return FiscalYear(priced.month.fiscal_year)


async def _work(order: WorkOrder, calendar: Calendar) -> Work:
    steps = await scoped(WorkStep).filter(work_order_id=order.id).order_by("position")
    return Work(order, tuple(steps), work_due(order, calendar))
