"""Files that come with a request: added by either side while it is open, never changed, never shown in place."""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.errors import Conflict, NotFound, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, rows, scoped
from services.files.rules import FileRefused, Given, checked
from services.requests.events import tell
from services.requests.models import Attachment, ServiceRequest
from services.requests.rules import OPEN

MOST_PER_REQUEST = 10


@dataclass(frozen=True, slots=True)
class Listed:
    """An attachment without its content."""

    id: uuid.UUID
    name: str
    media_type: str
    size: int
    added_by: uuid.UUID
    added_by_name: str
    added_at: dt.datetime


async def attach(request_id: uuid.UUID, given: Given, *, by: Actor, now: dt.datetime) -> Attachment:
    """Add a file to an open request; its kind is told from its content, its name is cleaned (FileRefused)."""
    request = await _open(request_id, by)
    file = checked(given)
    kept = scoped(Attachment).filter(request_id=request_id, removed_at=None)
    if await kept.count() >= MOST_PER_REQUEST:
        raise FileRefused("Ten files are the most one request can carry.")
    added = await Attachment.create(
        agency_id=request.agency_id,
        provider_id=request.provider_id,
        request_id=request_id,
        **file.columns(),
        added_by=by.person_id,
        added_by_name=by.name,
        added_at=now,
    )
    await tell(request, "attached", by=by, now=now, name=added.name, sha256=added.sha256)
    return added


async def remove(attachment_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Take a file off an open request; the timeline keeps that it was there."""
    attachment = await scoped(Attachment).filter(id=attachment_id, removed_at=None).first()
    if attachment is None:
        raise NotFound("Attachment")
    request = await _open(attachment.request_id, by)
    if attachment.added_by != by.person_id:
        raise NotPermitted("a file is removed by who added it")
    await scoped(Attachment).filter(id=attachment_id).update(removed_at=now)
    await tell(request, "detached", by=by, now=now, name=attachment.name)


async def attachments_of(request_id: uuid.UUID) -> list[Listed]:
    """Return a request's files without their content, in the order they came."""
    found = await rows(
        "SELECT id, name, media_type, size, added_by, added_by_name, added_at FROM attachment"
        " WHERE request_id = $1 AND removed_at IS NULL ORDER BY added_at",
        request_id,
    )
    return [Listed(**row) for row in found]


async def content_of(attachment_id: uuid.UUID) -> Attachment:
    """Return a file with its content; NotFound for another agency's and for a removed one."""
    return await one(Attachment, id=attachment_id, removed_at=None)


async def _open(request_id: uuid.UUID, by: Actor) -> ServiceRequest:
    if not (by.may(Permission.REQUESTS_MAKE) or by.may(Permission.REQUESTS_REVIEW)):
        raise NotPermitted("files are added by the two sides")
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.state not in OPEN:
        raise Conflict("this request is closed")
    return request
