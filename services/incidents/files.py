"""Files of an incident: with the report and its messages for both sides, with internal notes for the desk alone."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from auth.errors import NotFound
from auth.rules import Actor, Permission
from auth.tenancy import record, scoped
from services.files.models import KeptFile
from services.files.rules import Checked, FileRefused
from services.incidents.history import found
from services.incidents.models import Incident, IncidentFile, InternalFile, InternalNote

MOST_PER_INCIDENT = 50

# What hangs on a report (None), a message or a note, by its id.
Hanging = Mapping[uuid.UUID | None, Sequence[KeptFile]]


async def attach(
    incident: Incident, files: Sequence[Checked], *, message_id: uuid.UUID | None = None, by: Actor, now: dt.datetime
) -> None:
    """Hang files on a locked incident's report, or on one of its messages; refuses (FileRefused) beyond fifty."""
    if not files:
        return
    if len(files) > await room_for(incident):
        raise FileRefused("Fifty files are the most one incident can carry.")
    for file in files:
        await IncidentFile.create(**_columns(incident, file, by, now), message_id=message_id)
    record(
        "incident.attached",
        at=now,
        subject=("incident", incident.id),
        agency_id=incident.agency_id,
        files={file.name: file.sha256 for file in files},
    )


async def room_for(incident: Incident) -> int:
    """Return how many files an incident can still carry."""
    return max(0, MOST_PER_INCIDENT - await IncidentFile.filter(incident_id=incident.id).count())


async def attach_inside(
    incident: Incident, note: InternalNote, files: Sequence[Checked], *, by: Actor, now: dt.datetime
) -> None:
    """Hang files on an internal note; the agency's trail is told nothing of them."""
    for file in files:
        await InternalFile.create(**_columns(incident, file, by, now), note_id=note.id)


async def files_of(incident_id: uuid.UUID, by: Actor) -> Hanging:
    """Return an incident's files without their content, by what they hang on; the desk's own only for the desk."""
    hanging: defaultdict[uuid.UUID | None, list[KeptFile]] = defaultdict(list)
    for file in await scoped(IncidentFile).filter(incident_id=incident_id).only(*_LISTED, "message_id"):
        hanging[file.message_id].append(file)
    if sees_inside(by):
        for own in await scoped(InternalFile).filter(incident_id=incident_id).only(*_LISTED, "note_id"):
            hanging[own.note_id].append(own)
    return hanging


async def content_of(incident_id: uuid.UUID, file_id: uuid.UUID, *, by: Actor) -> KeptFile:
    """Return a file with its content; NotFound outside of reach, and for the desk's own to who is not of the desk."""
    incident = await found(incident_id, by)
    sought = {"id": file_id, "incident_id": incident.id}
    file: KeptFile | None = await scoped(IncidentFile).filter(**sought).first()
    if file is None and sees_inside(by):
        file = await scoped(InternalFile).filter(**sought).first()
    if file is None:
        raise NotFound("IncidentFile")
    return file


def sees_inside(by: Actor) -> bool:
    """Say whether the actor reads what the desk keeps for itself: never an agency's people."""
    return by.agency_id is None and by.may(Permission.INCIDENTS_READ)


_LISTED = ("id", *KeptFile.LISTED)


def _columns(incident: Incident, file: Checked, by: Actor, now: dt.datetime) -> dict[str, Any]:
    return file.columns() | {
        "agency_id": incident.agency_id,
        "provider_id": incident.provider_id,
        "incident_id": incident.id,
        "added_by": by.person_id,
        "added_by_name": by.name,
        "added_at": now,
    }
