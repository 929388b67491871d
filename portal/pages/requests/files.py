"""Files that come with a request: added, fetched and removed; never shown in place."""

from urllib.parse import quote

from starlette.responses import Response

from auth.errors import NotFound
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.requests.page import attempt, shown
from portal.visit import Visit
from services.calendar.queries import official
from services.requests import attachments
from services.requests.files import LARGEST
from services.requests.models import Attachment
from services.requests.queries import whole

BODY_LIMIT = LARGEST + 64 * 1024  # one file with what a form puts around it

REASONS = (
    lazy("The file is empty."),
    lazy("The file is larger than 10 MB."),
    lazy("The file is damaged."),
    lazy("Files with macros cannot be attached."),
    lazy("Attach a PDF, an image (PNG, JPEG) or an Office file (DOCX, XLSX, PPTX)."),
    lazy("Ten files are the most one request can carry."),
)


async def attach(visit: Visit) -> Response:
    """Add a file to an open request; its content is checked, its name cleaned."""
    await whole(visit.params["id"], await official())  # to the provider, a draft does not exist
    given = visit.form.files("attachment")
    if not given:
        return await shown(visit, problem=_("Choose a file first."), status=422)
    await given[0].seek(0)  # the unit of work may run again
    name, content = given[0].filename or "", await given[0].read()
    doing = attachments.attach(visit.params["id"], name, content, by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The file was attached."))


async def fetch(visit: Visit) -> Response:
    """Send a file to be saved; browsers are told not to show it."""
    found = await _attachment(visit)
    disposition = f"attachment; filename*=UTF-8''{quote(found.name, safe='')}"
    headers = {"content-disposition": disposition, "content-security-policy": "sandbox; default-src 'none'"}
    return Response(found.content, media_type=found.media_type, headers=headers)


async def remove(visit: Visit) -> Response:
    """Take a file off an open request; who added it may."""
    found = await _attachment(visit)
    doing = attachments.remove(found.id, by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The file was removed."))


async def _attachment(visit: Visit) -> Attachment:
    await whole(visit.params["id"], await official())
    found = await attachments.content_of(visit.params["file"])
    if found.request_id != visit.params["id"]:
        raise NotFound("Attachment")
    return found
