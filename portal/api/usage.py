"""Usage as machines report it: CloudEvents in, a count of what was stored out; and corrections of it."""

import datetime as dt
from email.message import Message

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from auth.clients.rules import Scope
from auth.errors import Invalid, NotFound
from auth.tenancy import unit_of_work
from billing.metering.commands import Receipt, faults_in, take
from billing.metering.corrections import replace, void
from billing.metering.events import Sought, find
from billing.metering.models import UsageCorrection
from billing.metering.rules import FIRST, LAST, BadReadings
from billing.metering.storing import Origin
from portal.api.bodies import NotReadable, number, plain, read
from portal.api.cloudevents import BATCH, BINARY, STRUCTURED, Parsed, parse
from portal.api.machines import Call, for_machines, json_response

BODY_LIMIT = 8 * 1024 * 1024
_INSTANT = dt.timedelta(microseconds=1)


@for_machines(Scope.USAGE_WRITE)
async def take_usage(call: Call) -> Response:
    """Store the events of a request, all or none.

    200 with the counts of stored events and duplicates; 422 with every bad event and its fields; 409 where an
    identity is known with other content; 400 for what is no JSON; 415 for another media type.
    """
    parsed = await _parsed(call)
    now = call.visit.now

    async def work() -> Receipt:
        if parsed.faults:
            order = list(parsed.readings)
            more = await faults_in([parsed.readings[index] for index in order], by=call.by, now=now)
            raise BadReadings(parsed.faults | {order[place]: why for place, why in more.items()})
        origin = Origin(client_id=call.machine.client_id)
        return await take(list(parsed.readings.values()), origin, by=call.by, now=now)

    receipt = await unit_of_work(call.by, work)
    return json_response({"stored": receipt.stored, "duplicates": receipt.duplicates})


class Correction(msgspec.Struct, forbid_unknown_fields=True):
    """A correction as it is sent: the event by the identity it came under and its start; null voids it."""

    source: str
    id: str
    start: dt.datetime
    quantity: str | None
    reason: str


@for_machines(Scope.USAGE_CORRECT)
async def correct_usage(call: Call) -> Response:
    """Void an event or replace its quantity, with a reason.

    200 with what it counts for and whether the next invoice settles it; 404 for no such event, or one not kept any
    more; 409 where it counts for that already; 422 with the fields that cannot be.
    """
    asked = await read(call, Correction)
    if asked.start.tzinfo is None:
        raise Invalid({"start": "Give the time with its zone."})
    if not FIRST <= asked.start < LAST:
        raise NotFound("usage event")
    instant = Sought(asked.start, asked.start + _INSTANT, source=asked.source, event_id=asked.id)

    async def work() -> UsageCorrection:
        found, _ = await find(call.machine.seat.id, instant, most=1)
        if not found:
            raise NotFound("usage event")
        now = call.visit.now
        if asked.quantity is None:
            return await void(found[0], asked.reason, by=call.by, now=now)
        return await replace(found[0], number(asked.quantity, "quantity"), asked.reason, by=call.by, now=now)

    made = await unit_of_work(call.by, work)
    return json_response(
        {
            "correction": made.number,
            "counts_for": None if made.quantity is None else plain(made.quantity),
            "settled_by_next_invoice": made.is_late,
        }
    )


async def _parsed(call: Call) -> Parsed:
    headers = call.request.headers
    said = Message()
    said["content-type"] = headers.get("content-type", "")
    media_type, charset = said.get_content_type(), said.get_content_charset("utf-8")
    if media_type not in {STRUCTURED, BATCH, BINARY} or charset != "utf-8":
        raise HTTPException(415, f"Send {STRUCTURED}, {BATCH}, or {BINARY} with ce- headers, in UTF-8.")
    if "content-encoding" in headers:
        raise HTTPException(415, "Send the body as it is, not compressed.")
    names = [name.lower() for name, _ in headers.items()]
    if any(names.count(name) > 1 for name in names if name.startswith("ce-")):
        raise HTTPException(400, "An attribute was sent twice.")
    try:
        return parse(await call.request.body(), media_type, headers)
    except NotReadable as error:
        raise HTTPException(400, f"The body cannot be read: {error}") from None
