"""The timeline of a request: appended with the move it tells of."""

import datetime as dt
from typing import Any

from auth.errors import NotPermitted
from auth.rules import Actor
from auth.tenancy import record
from services.requests.models import RequestEvent, ServiceRequest
from services.requests.rules import NEEDS, Action, after


async def tell(
    request: ServiceRequest,
    what: str,
    *,
    by: Actor,
    now: dt.datetime,
    action: Action | None = None,
    note: str = "",
    **detail: Any,
) -> RequestEvent:
    """Append one line to a request's timeline, and to the audit trail; the request must be locked."""
    count = await RequestEvent.filter(agency_id=request.agency_id, request_id=request.id).count()
    record(
        f"request.{what}",
        at=now,
        subject=("request", request.id),
        agency_id=request.agency_id,
        number=request.number,
        state=request.state,
        **detail,
    )
    return await RequestEvent.create(
        agency_id=request.agency_id,
        provider_id=request.provider_id,
        request_id=request.id,
        number=count + 1,
        at=now,
        by_id=by.person_id,
        by_name=by.name,
        by_organisation_th=by.seat.name_th if by.seat else "",
        by_organisation_en=by.seat.name_en if by.seat else "",
        what=what,
        action=action,
        state=request.state,
        note=note,
        detail=detail,
    )


async def move(
    request: ServiceRequest, action: Action, *, by: Actor, now: dt.datetime, note: str = "", **detail: Any
) -> None:
    """Take a locked request through one transition, saved and told in the same breath.

    Refuses an actor without the move's permission (NotPermitted) and a state it does not start from
    (WrongState).
    """
    needed = NEEDS[action]
    if needed is not None and not by.may(needed):
        raise NotPermitted(f"{action} needs {needed}")
    request.state = after(request.state, action)
    request.changed_at = now
    await request.save()
    await tell(request, action.value, by=by, now=now, action=action, note=note, **detail)
