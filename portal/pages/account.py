"""One's own account: sessions, organisation, language."""

import uuid
from typing import Any

from starlette.exceptions import HTTPException
from starlette.responses import Response

from auth.errors import NotFound
from auth.rules import system
from auth.sessions.commands import end, end_all, switch
from auth.sessions.queries import sessions_of
from auth.tenancy import unit_of_work
from portal import cookies, words
from portal.i18n import LANGUAGES
from portal.i18n import gettext as _
from portal.pages.signing import leave
from portal.visit import Visit
from services.channels.linking import give_code, links_of, unlink
from services.channels.queries import offered


async def show(visit: Visit) -> Response:
    """Show who one is here, in which roles, and where one is signed in."""
    person_id = visit.by.person_id or uuid.UUID(int=0)
    return await _page(visit, person_id)


async def line_code(visit: Visit) -> Response:
    """Show a code that links a LINE account to oneself, this one time."""
    person_id = visit.by.person_id or uuid.UUID(int=0)
    code = await unit_of_work(system("account"), lambda: give_code(person_id, wall=visit.wall))
    return await _page(visit, person_id, code=code)


async def line_unlink(visit: Visit) -> Response:
    """Unlink one's LINE accounts."""
    person_id = visit.by.person_id or uuid.UUID(int=0)
    await unit_of_work(system("account"), lambda: unlink(person_id, by=visit.by, now=visit.now))
    visit.flash(_("Your LINE account is unlinked."))
    return visit.redirect("account")


async def _page(visit: Visit, person_id: uuid.UUID, *, code: str = "") -> Response:
    async def work() -> dict[str, Any]:
        accounts = {each: known.line for each, known in (await offered()).items() if known.line}
        return {
            "sessions": await sessions_of(person_id, now=visit.wall),
            "line_accounts": list(accounts.values()) if visit.by.agency_id else [],
            "linked": [(accounts.get(each.provider_id, "LINE"), each.linked_at) for each in await links_of(person_id)],
        }

    found = await unit_of_work(system("account"), work)
    return visit.render(
        "account/show.html",
        roles=[words.ROLES[role] for role in sorted(visit.by.roles)],
        own=visit.by.session_id,
        device=device,
        code=code,
        **found,
    )


async def end_session(visit: Visit) -> Response:
    """End another of one's own sessions; NotFound for anybody else's."""
    person_id = visit.by.person_id or uuid.UUID(int=0)

    async def work() -> None:
        mine = await sessions_of(person_id, now=visit.wall)
        if visit.params["id"] not in {session.id for session in mine}:
            raise NotFound("Session")
        await end(visit.params["id"], by=visit.by, now=visit.wall)

    await unit_of_work(system("account"), work)
    visit.flash(_("That device is signed out."))
    return visit.redirect("account")


async def leave_everywhere(visit: Visit) -> Response:
    """End all of one's sessions, this one too."""
    person_id = visit.by.person_id or uuid.UUID(int=0)
    id_token = visit.visitor.session.id_token if visit.visitor else ""
    await unit_of_work(system("account"), lambda: end_all(person_id, by=visit.by, now=visit.wall))
    return await leave(visit, id_token=id_token)


async def switch_organisation(visit: Visit) -> Response:
    """Act for another of one's own organisations; NotFound for any other."""
    if visit.visitor is None:
        raise NotFound("Session")
    session = visit.visitor.session
    organisation_id = visit.form.uuid("organisation")
    await unit_of_work(system("account"), lambda: switch(session.id, organisation_id, by=visit.by, now=visit.wall))
    return visit.redirect("home")


async def language(visit: Visit) -> Response:
    """Remember the language chosen and go back to the page; 404 for a language there is not, on nobody's record."""
    code = visit.params["code"]
    if code not in LANGUAGES:
        raise HTTPException(404)  # no denial: anybody could fill the audit trail with it
    response = visit.redirect_to(visit.next_path())
    cookies.remember_language(response, visit.request, code)
    return response


def device(user_agent: str) -> str:
    """Name a browser and its system as plainly as the header tells; its whole text means little to people."""
    browsers = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"),
        ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
    )  # fmt: skip
    known: tuple[tuple[tuple[str, str], ...], ...] = (browsers, systems)
    found = [next((name for sign, name in signs if sign in user_agent), "") for signs in known]
    return " · ".join(filter(None, found)) or _("Unknown device")
