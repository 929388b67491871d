"""The timeline of a request: appended with the move it tells of."""

import datetime as dt
from typing import Any

from auth.errors import NotPermitted
from auth.rules import Actor
from auth.tenancy import record
from services.notifications.commands import notify
from services.requests.models import RequestEvent, ServiceRequest
from services.requests.rules import CONCERNS, NEEDS, OF_AGENCY, PERMISSIONS, Action, Audience, after


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
    event = await RequestEvent.create(
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
    await _spread(request, event, by)
    return event


async def _spread(request: ServiceRequest, event: RequestEvent, by: Actor) -> None:
    """Tell whom an event concerns, other than the one who did it; the provider nothing of what was never submitted."""
    other_side = Audience.REVIEWERS if by.agency_id else Audience.ASKER
    for concerned in CONCERNS.get(event.what, ()):
        audience = other_side if concerned is Audience.OTHER_SIDE else concerned
        if request.submitted_at is None and audience not in OF_AGENCY:
            continue
        organisation_id = request.agency_id if audience in OF_AGENCY else request.provider_id
        person_id = request.asked_by if audience is Audience.ASKER else None
        if person_id is not None and person_id == by.person_id:
            continue
        await notify(
            organisation_id,
            f"request.{event.what}",
            identity=f"request/{request.id}/{event.number}/{audience}",
            subject=("request", request.id),
            permission=PERMISSIONS.get(audience),
            person_id=person_id,
            now=event.at,
            number=request.number,
            label=request.label,
        )


async def move(
    request: ServiceRequest, action: Action, *, by: Actor, now: dt.datetime, note: str = "", **detail: Any
) -> None:
    """Take a locked request through one transition, saved and told in the same breath.

    Refuses an actor without the move's permission (NotPermitted) and a state it does not start from
    (WrongState).
    """
    needed = NEEDS[action]
    if not (by.is_system if needed is None else by.may(needed)):
        raise NotPermitted(f"{action} needs {needed or 'the portal itself'}")
    request.state = after(request.state, action)
    request.changed_at = now
    await request.save()
    await tell(request, action.value, by=by, now=now, action=action, note=note, **detail)
