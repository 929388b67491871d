"""Files of an incident: with the report and its messages for both sides, with internal notes for the desk alone."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from auth.errors import Invalid, NotFound, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import record, scoped
from services.files.models import KeptFile
from services.files.rules import Checked, FileRefused
from services.incidents.history import found, tell
from services.incidents.models import DeskFile, Incident, IncidentFile, InternalFile, InternalNote
from services.incidents.rules import may_remove_file, removal_needs_reason
from services.sections.queries import led_by
from services.sla.facts import FactKind

MOST_PER_INCIDENT = 50

# What hangs on a report (None), a message or a note, by its id.
Hanging = Mapping[uuid.UUID | None, Sequence[DeskFile]]


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
    carried = IncidentFile.filter(incident_id=incident.id, removed_at=None)
    return max(0, MOST_PER_INCIDENT - await carried.count())


async def attach_inside(
    incident: Incident, note: InternalNote, files: Sequence[Checked], *, by: Actor, now: dt.datetime
) -> None:
    """Hang files on an internal note; the agency's trail is told nothing of them."""
    for file in files:
        await InternalFile.create(**_columns(incident, file, by, now), note_id=note.id)


async def remove(incident_id: uuid.UUID, file_id: uuid.UUID, *, why: str = "", by: Actor, now: dt.datetime) -> None:
    """Remove a file for good: its bytes are gone, the page and the trail keep that it was there, and why it went.

    Whoever added it may until the incident is closed; the desk's people who work on the incident may at any time, and
    say why where it is not their own (Invalid). Refuses everybody else (NotPermitted), and a file that is not there or
    was removed before (NotFound). The agency's trail is told nothing of the desk's own files.
    """
    incident = await found(incident_id, by, lock=True)
    file = await _kept(incident, file_id, by)
    is_own = added_by(file, incident, by)
    leads = await led_by(by, now) if by.provider_id else frozenset()
    if not may_remove_file(by, incident.state, incident.whose, leads, is_own=is_own):
        raise NotPermitted("a file is removed by who added it, or by the desk")
    why = why.strip()
    if not why and removal_needs_reason(incident.state, is_own=is_own):
        raise Invalid({"why": "Say why."})
    gone = {"content": b"", "removed_at": now, "removed_by_name": by.name, "removed_why": why}
    await type(file).filter(id=file.id).update(**gone)
    about: dict[str, Any] = {"name": file.name, "sha256": file.sha256, "why": why}
    if isinstance(file, IncidentFile):
        await tell(incident, FactKind.FILE_REMOVED, by=by, now=now, note=why, recorded=about, name=file.name)
    else:
        record("incident.file_removed", at=now, subject=("incident", incident.id), **about)


def added_by(file: DeskFile, incident: Incident, by: Actor) -> bool:
    """Say whether a file is the actor's own; what came by mail or LINE is the requester's."""
    return by.person_id is not None and by.person_id == (file.added_by or incident.requester_id)


async def files_of(incident_id: uuid.UUID, by: Actor) -> Hanging:
    """Return an incident's files without their content, by what they hang on; the desk's own only for the desk.

    Those removed are among them, to say so.
    """
    hanging: defaultdict[uuid.UUID | None, list[DeskFile]] = defaultdict(list)
    for file in await scoped(IncidentFile).filter(incident_id=incident_id).only(*_LISTED, "message_id"):
        hanging[file.message_id].append(file)
    if sees_inside(by):
        for own in await scoped(InternalFile).filter(incident_id=incident_id).only(*_LISTED, "note_id"):
            hanging[own.note_id].append(own)
    return hanging


async def content_of(incident_id: uuid.UUID, file_id: uuid.UUID, *, by: Actor) -> KeptFile:
    """Return a file with its content; NotFound outside of reach, and for the desk's own to who is not of the desk."""
    return await _kept(await found(incident_id, by), file_id, by)


def sees_inside(by: Actor) -> bool:
    """Say whether the actor reads what the desk keeps for itself: never an agency's people."""
    return by.agency_id is None and by.may(Permission.INCIDENTS_READ)


_LISTED = ("id", "added_by", "removed_at", "removed_by_name", "removed_why", *KeptFile.LISTED)


async def _kept(incident: Incident, file_id: uuid.UUID, by: Actor) -> DeskFile:
    sought = {"id": file_id, "incident_id": incident.id, "removed_at": None}
    file: DeskFile | None = await scoped(IncidentFile).filter(**sought).first()
    if file is None and sees_inside(by):
        file = await scoped(InternalFile).filter(**sought).first()
    if file is None:
        raise NotFound("IncidentFile")
    return file


def _columns(incident: Incident, file: Checked, by: Actor, now: dt.datetime) -> dict[str, Any]:
    return file.columns() | {
        "agency_id": incident.agency_id,
        "provider_id": incident.provider_id,
        "incident_id": incident.id,
        "added_by": by.person_id,
        "added_by_name": by.name,
        "added_at": now,
    }
