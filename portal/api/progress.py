"""Progress of work orders, as providers' own systems report it (annex ก 1.8)."""

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from auth.clients.rules import Scope
from auth.rules import Actor, Role
from auth.tenancy import one, unit_of_work
from portal.api.machines import Call, for_machines, json_response
from services.requests import commands
from services.requests.models import WorkOrder
from services.requests.queries import work_state

_LONGEST_NOTE = 4000
_ACTIONS = ("start", "step", "fail", "note")
_MEDIA_TYPE = "application/json"


class Report(msgspec.Struct, forbid_unknown_fields=True):
    """What a system says: `start`; `step` done or `fail`, with the step's `position` from 1; or a `note` in words."""

    action: str
    position: int = 0
    note: str = ""


@for_machines(Scope.WORK_WRITE)
async def take_progress(call: Call) -> Response:
    """Move a work order on as its provider's system reports, and answer how far it is.

    200 with state, percent and the next step's position (null when all are done); 404 for another provider's order;
    409 for a report out of turn, as when it is sent twice; 422 for a report that lacks something; 400 for what is no
    JSON; 415 for another media type.
    """
    report = await _report(call)
    # The machine does a technician's work, within its provider's reach.
    by = Actor(name=call.machine.name, seat=call.machine.seat, roles=frozenset({Role.TECHNICIAN}))
    now = call.visit.now

    async def work() -> dict[str, object]:
        order = await one(WorkOrder, id=call.visit.params["id"])
        request_id = order.request_id
        match report.action:
            case "start":
                await commands.start(request_id, by=by, now=now)
            case "step":
                await commands.finish_step(request_id, report.position, note=report.note, by=by, now=now)
            case "fail":
                await commands.fail_step(request_id, report.position, note=report.note, by=by, now=now)
            case _:
                await commands.note_progress(request_id, report.note, by=by, now=now)
        return await work_state(request_id)

    return json_response(await unit_of_work(by, work))


async def _report(call: Call) -> Report:
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != _MEDIA_TYPE:
        raise HTTPException(415, f"Send {_MEDIA_TYPE}.")
    try:
        report = msgspec.json.decode(await call.request.body(), type=Report)
    except msgspec.ValidationError as error:
        raise HTTPException(422, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, f"The body cannot be read: {error}") from None
    if report.action not in _ACTIONS:
        raise HTTPException(422, f"action must be one of {', '.join(_ACTIONS)}")
    if report.action in {"step", "fail"} and report.position < 1:
        raise HTTPException(422, "position must be the step's number, from 1")
    if len(report.note) > _LONGEST_NOTE or "\0" in report.note:
        raise HTTPException(422, f"note must be text of at most {_LONGEST_NOTE} characters")
    return report
