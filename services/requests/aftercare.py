"""After completion: saying that it is not right, and taking a cancellation back."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid
from auth.rules import Actor
from auth.tenancy import one, scoped
from services.calendar.queries import official
from services.capacity import commands as capacity
from services.requests.asking import own
from services.requests.events import move, tell
from services.requests.models import RequestItem, ServiceRequest, WorkOrder, WorkStep
from services.requests.pricing import takes_effect
from services.requests.rules import CORRECTION, DISPUTE_WITHIN_WORKING_DAYS, Action, Kind, State, after
from services.subscriptions import commands as subscriptions

WORKING_DAY_MINUTES = 480


async def dispute_delivery(request_id: uuid.UUID, note: str, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Say within five working days that what was delivered is not right: its work order is open again."""
    if not note.strip():
        raise Invalid({"note": "Say what is not right."})
    request = await own(request_id, by)
    after(request.state, Action.REOPEN)
    order = await one(WorkOrder, lock=True, request_id=request_id)
    calendar = await official()
    until = calendar.add_minutes(request.changed_at, DISPUTE_WITHIN_WORKING_DAYS * WORKING_DAY_MINUTES)
    if now > until:
        raise Conflict("the time to dispute this delivery has passed")
    await move(request, Action.REOPEN, by=by, now=now, note=note.strip())
    count = await scoped(WorkStep).filter(work_order_id=order.id).count()
    await WorkStep.create(
        agency_id=order.agency_id,
        provider_id=order.provider_id,
        work_order_id=order.id,
        position=count + 1,
        name_th=CORRECTION[0],
        name_en=CORRECTION[1],
    )
    return request


async def undo_cancellation(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a completed cancellation back until its last day is over; everything goes on as it was."""
    request = await own(request_id, by)
    if request.kind not in {Kind.CANCEL, Kind.CANCEL_ADDON} or request.state is not State.COMPLETED:
        raise Conflict("only a completed cancellation can be taken back")
    at = takes_effect(request.kind, request.effective_on)
    if request.undone_at or now >= at or request.subscription_id is None:
        raise Conflict("this cancellation can no longer be taken back")
    items = await scoped(RequestItem).filter(request_id=request_id)
    await subscriptions.keep(request.subscription_id, [item.component_id for item in items], at, now=now)
    await capacity.keep(request_id)
    request.undone_at = now
    await request.save(update_fields=["undone_at"])
    await tell(request, "undone", by=by, now=now)
    return request
