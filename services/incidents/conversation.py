"""What is said about an incident: messages both sides read, and what the desk notes for itself."""

import datetime as dt
import uuid
from collections.abc import Sequence

from auth.errors import Invalid
from auth.rules import Actor, system
from auth.tenancy import record, scoped
from services.channels.answering import pass_on
from services.files.rules import Checked, Given, checked
from services.incidents.files import attach, attach_inside, room_for, sees_inside
from services.incidents.history import advance, found, grasp, side_of
from services.incidents.models import Incident, IncidentMessage, InternalNote, WorkEntry
from services.incidents.news import spread
from services.incidents.rules import Action, Channel, Side, State, after

_LONGEST = 20_000  # signs


async def say(
    incident_id: uuid.UUID,
    text: str,
    *,
    files: Sequence[Given] = (),
    channel: Channel = Channel.PORTAL,
    external_id: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> IncidentMessage:
    """Send a message, with its files, that the other side reads; the requester's answer ends a waiting.

    Refuses a closed incident (WrongState), an empty message (Invalid), a file of another kind (FileRefused), and who
    has no part in it (NotPermitted).
    """
    kept = [checked(file) for file in files]
    incident = await grasp(incident_id, Action.SAY, by=by, now=now)
    after(incident.state, Action.SAY)
    message = await speak(incident, text, channel=channel, external_id=external_id, by=by, now=now)
    await attach(incident, kept, message_id=message.id, by=by, now=now)
    if by.agency_id and incident.state is State.WAITING:
        await advance(incident, Action.RESUME, by=by, now=now)
    return message


async def hear(
    incident_id: uuid.UUID,
    text: str,
    *,
    name: str,
    channel: Channel,
    external_id: str,
    files: Sequence[Checked] = (),
    by: Actor | None = None,
    now: dt.datetime,
) -> IncidentMessage | None:
    """Take in the requester's message that came by mail or LINE; None when that very message is known already.

    Run as the system, or by the help-desk that sorts it. A closed incident still keeps the message, and the desk
    answers. Files that are too many are left out: the message itself is heard.
    """
    speaker = system(name)
    incident = await found(incident_id, by or speaker, lock=True)
    if await IncidentMessage.filter(provider_id=incident.provider_id, external_id=external_id).exists():
        return None
    message = await speak(
        incident, text, side=Side.REQUESTER, channel=channel, external_id=external_id, by=speaker, now=now
    )
    await attach(incident, files[: await room_for(incident)], message_id=message.id, by=speaker, now=now)
    if incident.state is State.WAITING:
        await advance(incident, Action.RESUME, by=speaker, now=now)
    return message


async def speak(
    incident: Incident,
    text: str,
    *,
    side: Side | None = None,
    channel: Channel = Channel.PORTAL,
    external_id: str | None = None,
    by: Actor,
    now: dt.datetime,
) -> IncidentMessage:
    """Store a message about a locked incident; refuses an empty one. The desk's goes out by mail or LINE too."""
    side = side or side_of(by)
    message = await IncidentMessage.create(
        agency_id=incident.agency_id,
        provider_id=incident.provider_id,
        incident_id=incident.id,
        at=now,
        by_id=by.person_id,
        by_name=by.name,
        side=side,
        channel=channel,
        text=_text(text),
        external_id=external_id,
    )
    incident.changed_at = now
    await incident.save(update_fields=["changed_at"])
    record("incident.message", at=now, subject=("incident", incident.id), agency_id=incident.agency_id)
    await spread(incident, "message", str(message.id), side=side, by=by, now=now)
    if side is Side.DESK:
        await pass_on(incident, message.text, now=now)
    return message


async def note(
    incident_id: uuid.UUID, text: str, *, files: Sequence[Given] = (), by: Actor, now: dt.datetime
) -> InternalNote:
    """Note something for the desk alone, with its files; the database lets no agency read it."""
    kept = [checked(file) for file in files]
    incident = await grasp(incident_id, Action.NOTE, by=by, now=now)
    noted = await jot(incident, text, by=by, now=now)
    await attach_inside(incident, noted, kept, by=by, now=now)
    return noted


async def jot(incident: Incident, text: str, *, by: Actor, now: dt.datetime) -> InternalNote:
    """Store an internal note about a locked incident; refuses an empty one."""
    record("incident.noted", at=now, subject=("incident", incident.id))
    return await InternalNote.create(
        agency_id=incident.agency_id,
        provider_id=incident.provider_id,
        incident_id=incident.id,
        at=now,
        by_id=by.person_id,
        by_name=by.name,
        text=_text(text),
    )


async def log_work(
    incident_id: uuid.UUID,
    text: str,
    *,
    minutes: int = 0,
    parts: str = "",
    vendor: str = "",
    by: Actor,
    now: dt.datetime,
) -> WorkEntry:
    """Record work done: what, how many minutes, with which parts or vendor; the desk's own (seed B 3(4))."""
    incident = await grasp(incident_id, Action.NOTE, by=by, now=now)
    if not 0 <= minutes <= 24 * 60:
        raise Invalid({"minutes": "Give the minutes of one day at most."})
    record("incident.worked", at=now, subject=("incident", incident.id), minutes=minutes)
    return await WorkEntry.create(
        agency_id=incident.agency_id,
        provider_id=incident.provider_id,
        incident_id=incident.id,
        at=now,
        by_id=by.person_id,
        by_name=by.name,
        text=_text(text),
        minutes=minutes,
        parts=parts.strip(),
        vendor=vendor.strip(),
    )


async def notes_of(incident_id: uuid.UUID, by: Actor) -> tuple[list[InternalNote], list[WorkEntry]]:
    """Return the desk's own notes and work log of an incident; nothing for an agency's people."""
    if not sees_inside(by):
        return [], []
    notes = await scoped(InternalNote).filter(incident_id=incident_id).order_by("at", "id")
    return notes, await scoped(WorkEntry).filter(incident_id=incident_id).order_by("at", "id")


def _text(text: str) -> str:
    text = text.strip()
    if not text:
        raise Invalid({"text": "Write something."})
    if len(text) > _LONGEST:
        raise Invalid({"text": "This is too long."})
    return text
