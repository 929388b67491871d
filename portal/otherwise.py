"""A form made for one organisation and sent while acting for another: nothing is done, and nothing typed is lost.

The page shows what was sent and offers to act for that organisation again and send it, to the same address.
"""

from typing import Final

from starlette.responses import RedirectResponse, Response

from auth.rules import Seat, system
from auth.sessions.commands import switch
from auth.tenancy import unit_of_work
from portal import csrf, rendering
from portal.i18n import gettext as _
from portal.visit import Visit

FIELD: Final = "act_for"  # the organisation to act for again, sent with the form
# What is typed into a password field; it is never written into a page.
_SECRETS: Final = frozenset({"secret", "channel_secret", "access_token"})


def page(visit: Visit, made_for: Seat) -> Response:
    """Show what was sent for another organisation, as a form that can be sent for it after all."""
    visitor = visit.visitor
    secret = csrf.bound(visitor.session.csrf_secret, made_for.id) if visitor else ""
    files = [file.filename for name in visit.form.file_names() for file in visit.form.files(name)]
    left = _SECRETS | {csrf.FIELD, FIELD}
    said = [(name, text) for name in visit.form if name not in left for text in visit.form.all(name)]
    context = {
        "status": 409,
        "detail": None,
        "reference": visit.look.reference,
        "made_for": made_for,
        "acting_for": visit.by.seat,
        "said": said,
        "files": files,
        "secrets": any(visit.form.all(name) != [""] for name in visit.form if name in _SECRETS),
        "field": FIELD,
        "token_field": csrf.FIELD,
        "token": csrf.token(secret),
    }
    return rendering.render(visit.request, "errors/other_organisation.html", context, status=409)


async def act_for(visit: Visit, made_for: Seat) -> Response:
    """Act for the organisation a form was made for, and have the browser send it again as it is (307)."""
    if visit.visitor is None:
        raise TypeError("nobody acts without a session")
    session = visit.visitor.session
    await unit_of_work(system("account"), lambda: switch(session.id, made_for.id, by=visit.by, now=visit.wall))
    visit.flash(_("You act for %(organisation)s again.", organisation=made_for.name(visit.language)), "info")
    url = visit.request.url
    return RedirectResponse(f"{url.path}?{url.query}" if url.query else url.path, status_code=307)
