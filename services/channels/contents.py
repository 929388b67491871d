"""Files that LINE keeps for a while, put where the message went that they came with."""

import datetime as dt
import uuid

from auth.rules import system
from auth.tenancy import one, scoped
from services.channels.models import Arrival, ArrivalFile
from services.files.rules import Checked
from services.incidents.conversation import speak
from services.incidents.files import attach
from services.incidents.models import Incident, IncidentFile, IncidentMessage
from services.incidents.rules import Channel, Side


async def add_file(arrival_id: uuid.UUID, file: Checked, *, now: dt.datetime) -> None:
    """Put a file with the message it came with, or with what waits to be sorted; once, however often it is brought."""
    arrival = await one(Arrival, lock=True, id=arrival_id)
    if arrival.incident_id is None:
        if not await ArrivalFile.filter(arrival_id=arrival.id, sha256=file.sha256).exists():
            facts = {"provider_id": arrival.provider_id, "arrival_id": arrival.id}
            await ArrivalFile.create(**file.columns(), **facts, added_by_name=_name(arrival), added_at=now)
        return
    incident = await one(Incident, lock=True, id=arrival.incident_id)
    there = {"incident_id": incident.id, "message_id": arrival.message_id, "sha256": file.sha256}
    if not await IncidentFile.filter(**there).exists():
        by = system(await _speaker(arrival, incident))
        await attach(incident, [file], message_id=arrival.message_id, by=by, now=now)


async def leave_out(arrival_id: uuid.UUID, text: str, *, now: dt.datetime) -> None:
    """Say with a message that its file could not be taken, for both sides to know."""
    arrival = await one(Arrival, lock=True, id=arrival_id)
    if arrival.incident_id is None:
        await scoped(Arrival).filter(id=arrival.id).update(text=f"{arrival.text}\n{text}")
        return
    incident = await one(Incident, lock=True, id=arrival.incident_id)
    by = system(await _speaker(arrival, incident))
    await speak(incident, text, side=Side.REQUESTER, channel=Channel.LINE, by=by, now=now)


async def _speaker(arrival: Arrival, incident: Incident) -> str:
    message = await IncidentMessage.get_or_none(id=arrival.message_id) if arrival.message_id else None
    return message.by_name if message else incident.requester_name


def _name(arrival: Arrival) -> str:
    return arrival.sender_name or arrival.sender
