"""Sorting what arrived and belongs to nobody yet: to an agency's incident, new or known, or away."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record, scoped
from services.channels.answering import answer
from services.channels.models import Arrival, ArrivalFile
from services.channels.rules import ArrivalState, Kind
from services.files.rules import Checked, Given
from services.incidents.conversation import hear
from services.incidents.intake import CallerSaid, Wish, log
from services.incidents.models import Incident, IncidentFile
from services.incidents.queries import by_number
from services.incidents.rules import Channel

_LONGEST = 20_000


async def open_incident(
    arrival_id: uuid.UUID, *, agency_id: uuid.UUID, name: str, title: str, by: Actor, now: dt.datetime
) -> Incident:
    """Open an incident from what arrived, for a caller the help-desk names; the sender gets its number.

    The clock starts when it was received. Refuses who logs no calls (NotPermitted), what was sorted meanwhile
    (Conflict), and what an incident cannot be without (Invalid).
    """
    arrival = await _to_sort(arrival_id, by)
    is_line = arrival.channel is Channel.LINE
    caller = CallerSaid(
        agency_id,
        name,
        email="" if is_line else arrival.sender,
        line_user_id=arrival.sender if is_line else "",
    )
    incident = await log(
        Wish(title, description=arrival.text[:_LONGEST]),
        caller,
        channel=arrival.channel,
        contacted_at=min(arrival.received_at, now),
        files=[Given(file.name, file.content) for file in await _files(arrival)],
        by=by,
        now=now,
    )
    await _let_go(arrival, incident)
    await _settle(arrival, incident, None, by, now)
    await answer(
        arrival.provider_id,
        Kind.RECEIVED,
        arrival.channel,
        arrival.sender,
        incident=incident,
        in_reply_to="" if is_line else arrival.external_id,
        now=now,
    )
    return incident


async def add_to(arrival_id: uuid.UUID, number: str, *, by: Actor, now: dt.datetime) -> Incident:
    """Add what arrived to a known incident as the requester's message; refuses (Invalid) a number there is not."""
    arrival = await _to_sort(arrival_id, by)
    incident = await by_number(number, by=by)
    if incident is None:
        raise Invalid({"number": "There is no incident of this number."})
    message = await hear(
        incident.id,
        arrival.text[:_LONGEST] or arrival.title,
        name=f"{arrival.sender_name} <{arrival.sender}>"[:200] if arrival.sender_name else arrival.sender[:200],
        channel=arrival.channel,
        external_id=arrival.external_id,
        files=await _files(arrival),
        by=by,
        now=now,
    )
    await _let_go(arrival, incident)
    await _settle(arrival, incident, message.id if message else None, by, now)
    return incident


async def dismiss(arrival_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Arrival:
    """Put away what needs no answer; it is kept, and can be taken back."""
    arrival = await _to_sort(arrival_id, by)
    facts = {"state": ArrivalState.DISMISSED, "settled_by_name": by.name, "settled_at": now}
    await arrival.update_from_dict(facts).save()
    record("arrival.dismissed", at=now, subject=("arrival", arrival.id))
    return arrival


async def take_back(arrival_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Arrival:
    """Put what was dismissed, or a machine's answer, back among what waits."""
    arrival = await _to_sort(arrival_id, by)
    facts = {"state": ArrivalState.WAITING, "settled_by_name": "", "settled_at": None}
    await arrival.update_from_dict(facts).save()
    record("arrival.taken_back", at=now, subject=("arrival", arrival.id))
    return arrival


async def _to_sort(arrival_id: uuid.UUID, by: Actor) -> Arrival:
    if not by.may(Permission.INCIDENTS_LOG):
        raise NotPermitted("what arrives is sorted by the help-desk")
    arrival = await one(Arrival, lock=True, id=arrival_id)
    if arrival.state is ArrivalState.TAKEN:
        raise Conflict("this was put on an incident meanwhile")
    return arrival


async def _files(arrival: Arrival) -> list[Checked]:
    files = await scoped(ArrivalFile).filter(arrival_id=arrival.id).order_by("added_at", "id")
    return [Checked(file.name, file.media_type, file.size, file.sha256, file.content) for file in files]


async def _let_go(arrival: Arrival, incident: Incident) -> None:
    """Keep each file once: those the incident has now, and can be removed from, are no longer the arrival's.

    One removed from the incident before is not there: where it was left out now, the arrival's is all there is.
    """
    taken = await IncidentFile.filter(incident_id=incident.id, removed_at=None).values_list("sha256", flat=True)
    await scoped(ArrivalFile).filter(arrival_id=arrival.id, sha256__in=list(taken)).delete()


async def _settle(
    arrival: Arrival, incident: Incident, message_id: uuid.UUID | None, by: Actor, now: dt.datetime
) -> None:
    facts = {
        "state": ArrivalState.TAKEN,
        "incident_id": incident.id,
        "message_id": message_id,
        "opened": message_id is None,
        "settled_by_name": by.name,
        "settled_at": now,
    }
    await arrival.update_from_dict(facts).save()
    record("arrival.sorted", at=now, subject=("arrival", arrival.id), agency_id=incident.agency_id)
