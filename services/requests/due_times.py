"""What a change of the official calendar does to what is still open: due times are computed, so they move with it."""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.tenancy import scoped
from services.calendar.rules import Calendar
from services.requests.models import ServiceRequest, WorkOrder
from services.requests.queries import review_due, visible, work_due
from services.requests.rules import State

_REVIEWED = (State.SUBMITTED, State.UNDER_REVIEW)


@dataclass(frozen=True, slots=True)
class Moved:
    """A request whose answer or delivery is due at another time by another calendar."""

    request_id: uuid.UUID
    number: str
    before: dt.datetime
    after: dt.datetime


async def moved_by(before: Calendar, after: Calendar) -> list[Moved]:
    """Return the open requests within reach whose due time differs between two calendars, by number; two queries."""
    moved = []
    for request in await visible().filter(state__in=_REVIEWED):
        due = review_due(request, before), review_due(request, after)
        if due[0] and due[1] and due[0] != due[1]:
            moved.append(Moved(request.id, request.number, due[0], due[1]))
    orders = {order.request_id: order for order in await scoped(WorkOrder).filter(delivered_at=None)}
    for request in await scoped(ServiceRequest).filter(id__in=list(orders)):
        order = orders[request.id]
        was, will_be = work_due(order, before), work_due(order, after)
        if was != will_be:
            moved.append(Moved(request.id, request.number, was, will_be))
    return sorted(moved, key=lambda each: each.number)
