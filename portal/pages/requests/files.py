"""Files that come with a request: added, fetched and removed; never shown in place."""

from starlette.responses import Response

from auth.errors import NotFound
from portal.files import ONE_FILE, given, to_be_saved
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.requests.page import attempt, shown
from portal.visit import Visit
from services.calendar.queries import official
from services.requests import attachments
from services.requests.models import Attachment
from services.requests.queries import whole

BODY_LIMIT = ONE_FILE
REASONS = (lazy("Ten files are the most one request can carry."),)


async def attach(visit: Visit) -> Response:
    """Add a file to an open request; its content is checked, its name cleaned."""
    await whole(visit.params["id"], await official())  # to the provider, a draft does not exist
    files = await given(visit.form)
    if not files:
        return await shown(visit, problem=_("Choose a file first."), status=422)
    doing = attachments.attach(visit.params["id"], files[0], by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The file was attached."))


async def fetch(visit: Visit) -> Response:
    """Send a file to be saved; browsers are told not to show it."""
    return to_be_saved(await _attachment(visit))


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
