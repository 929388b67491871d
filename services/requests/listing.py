"""Requests as lists and queues: who has the next move, and by when. A constant number of queries, however many rows."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from tortoise.expressions import Case, Q, When
from tortoise.functions import Count
from tortoise.queryset import QuerySet

from auth.organisations.models import Organisation
from auth.tenancy import scoped
from services.calendar.rules import Calendar
from services.requests.models import Quote, ServiceRequest, WorkOrder, WorkStep
from services.requests.queries import Work, review_due, visible, work_due
from services.requests.rules import State

PAGE_SIZE = 25
MOST_WORK = 500  # undelivered work orders shown at once; sorted here because a due time is computed


@dataclass(frozen=True, slots=True)
class Row:
    """A request in a list: for whom, by when the next move is due, and how far the work is, in percent."""

    request: ServiceRequest
    agency: Organisation
    due_at: dt.datetime | None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the rows that were asked for, and how many there are in all."""

    rows: tuple[Row, ...]
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; at least one."""
        return max(1, -(-self.total // PAGE_SIZE))


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A work order in the queue, with the request it fulfils."""

    request: ServiceRequest
    agency: Organisation
    work: Work


async def counts() -> dict[State, int]:
    """Return how many requests within reach stand in each state; states without any are left out."""
    counted = await visible().annotate(many=Count("id")).group_by("state").values("state", "many")
    return {State(row["state"]): row["many"] for row in counted}


async def listed(
    calendar: Calendar,
    states: Collection[State],
    *,
    text: str = "",
    first: Collection[State] = (),
    by_due: bool = False,
    page: int = 1,
) -> Page:
    """Return a page of requests in these states, the latest moved first.

    `text` is looked for in number, label and offering; requests in the states of `first` come first; `by_due`
    puts the longest submitted first, which is the order in which reviews fall due.
    """
    found = visible().filter(state__in=list(states))
    for word in text.split():
        found = found.filter(
            Q(
                Q(number__icontains=word),
                Q(label__icontains=word),
                Q(offering__name_th__icontains=word),
                Q(offering__name_en__icontains=word),
                join_type=Q.OR,
            )
        )
    total = await found.count()
    order = ["submitted_at", "number"] if by_due else ["-changed_at", "-number"]
    if first:
        found = found.annotate(turn=Case(When(state__in=list(first), then="0"), default="1"))
        order.insert(0, "turn")
    some = await found.select_related("offering").order_by(*order).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE)
    return Page(tuple(await _rows(some, calendar)), total)


async def work_queue(calendar: Calendar) -> list[WorkRow]:
    """Return the work orders not delivered yet, what is due next first."""
    undelivered = scoped(WorkOrder).filter(delivered_at=None).order_by("confirmed_at")
    return await _work_rows(undelivered.limit(MOST_WORK), calendar)


async def work_delivered(calendar: Calendar, most: int = 10) -> list[WorkRow]:
    """Return the work orders delivered last, the latest first."""
    found = scoped(WorkOrder).filter(delivered_at__not_isnull=True).order_by("-delivered_at").limit(most)
    rows = await _work_rows(found, calendar)
    return sorted(rows, key=lambda row: row.work.order.delivered_at or row.work.due_at, reverse=True)


async def _work_rows(found: QuerySet[WorkOrder], calendar: Calendar) -> list[WorkRow]:
    works = await _works(await found, calendar)
    requests = await scoped(ServiceRequest).filter(id__in=list(works)).select_related("offering")
    agencies = await _organisations(request.agency_id for request in requests)
    rows = [WorkRow(request, agencies[request.agency_id], works[request.id]) for request in requests]
    return sorted(rows, key=lambda row: (row.work.due_at, row.request.number))


async def _rows(requests: list[ServiceRequest], calendar: Calendar) -> list[Row]:
    agencies = await _organisations(request.agency_id for request in requests)
    quotes = await scoped(Quote).filter(id__in=[request.quote_id for request in requests if request.quote_id])
    orders = await scoped(WorkOrder).filter(request_id__in=[request.id for request in requests])
    works = await _works(orders, calendar)
    valid_until = {quote.id: quote.valid_until for quote in quotes}
    rows = []
    for request in requests:
        work = works.get(request.id)
        due_at: dt.datetime | None = None
        if request.state in {State.SUBMITTED, State.UNDER_REVIEW}:
            due_at = review_due(request, calendar)
        elif request.state is State.AWAITING_CONFIRMATION and request.quote_id:
            due_at = valid_until[request.quote_id]
        elif request.state in {State.CONFIRMED, State.IN_PROGRESS} and work:
            due_at = work.due_at
        rows.append(Row(request, agencies[request.agency_id], due_at, work.percent if work else None))
    return rows


async def _works(orders: list[WorkOrder], calendar: Calendar) -> dict[uuid.UUID, Work]:
    """Return each order's work by the id of its request."""
    steps: dict[uuid.UUID, list[WorkStep]] = {order.id: [] for order in orders}
    for step in await scoped(WorkStep).filter(work_order_id__in=list(steps)).order_by("position"):
        steps[step.work_order_id].append(step)
    return {order.request_id: Work(order, tuple(steps[order.id]), work_due(order, calendar)) for order in orders}


async def _organisations(ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Organisation]:
    return {found.id: found for found in await Organisation.filter(id__in=set(ids))}
