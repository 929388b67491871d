"""Asking to act for an organisation; all that somebody sees who belongs to none yet (seed B 3(6))."""

import uuid
from dataclasses import dataclass

from starlette.responses import Response

from auth.errors import Conflict, Invalid
from auth.organisations.models import Organisation
from auth.organisations.queries import LEAST_LETTERS, named
from auth.people.commands import ask_for_access
from auth.people.models import AccessRequest, AccessState
from auth.people.queries import access_asked_by
from auth.rules import ROLES_OF, OrganisationKind, Role, system
from auth.tenancy import unit_of_work
from portal import words
from portal.formats import thai_sort_key
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.refusals import in_words
from portal.visit import Visit

_LONGEST_NOTE = 500
_LONGEST_NAME = 100
_MOST = 10
# Raised below pages with these words.
REASONS = (lazy("You have this role there already."),)

STATES = {
    AccessState.PENDING: (lazy("Waiting for the administrator"), "info", "hourglass"),
    AccessState.GRANTED: (lazy("Granted"), "success", "circle-check"),
    AccessState.REFUSED: (lazy("Refused"), "danger", "circle-x"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish for access as its author sees it."""

    organisation: str
    role: str
    state: AccessState
    request: AccessRequest


async def show(visit: Visit) -> Response:
    """Show one's own requests for access and the form for another."""
    return await _page(visit)


async def ask(visit: Visit) -> Response:
    """Ask an organisation's administrator for a role; what is wrong shows the form again."""
    try:
        organisation_id, role, note = _wish(visit)
        await unit_of_work(
            system("access"), lambda: ask_for_access(_person(visit), organisation_id, role, note, now=visit.now)
        )
    except Invalid as refused:
        return await _page(visit, in_words(refused))
    except Conflict:
        return await _page(visit, {"organisation": _("You have asked this organisation already; wait for its answer.")})
    visit.flash(_("Your request was sent to the organisation's administrator."))
    return visit.redirect("access")


def _wish(visit: Visit) -> tuple[uuid.UUID, Role, str]:
    role, note = visit.form.get("role"), visit.form.get("note")
    organisation_id = visit.form.uuid("organisation")
    if role not in set(Role):
        raise Invalid({"role": "Choose one of the list."})
    if len(note) > _LONGEST_NOTE:
        raise Invalid({"note": "This text is too long."})
    return organisation_id, Role(role), note


async def _page(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    wanted, chosen = visit.query.get("q")[:_LONGEST_NAME], visit.form.get("organisation")

    async def read() -> tuple[list[Organisation], dict[uuid.UUID, Organisation], list[AccessRequest]]:
        requests = await access_asked_by(_person(visit))
        known = await Organisation.filter(id__in={each.organisation_id for each in requests} | _ids(chosen))
        return await named(wanted, most=_MOST + 1), {each.id: each for each in known}, requests

    found, known, requests = await unit_of_work(system("access"), read)
    is_english = visit.language == "en"
    names = {each.id: each.name_en if is_english else each.name_th for each in (*found, *known.values())}
    offered = {each.id for each in found[:_MOST]} | (_ids(chosen) & set(names))
    return visit.render(
        "access/show.html",
        status=422 if errors else 200,
        asked=[Asked(names[each.organisation_id], str(words.ROLES[each.role]), each.state, each) for each in requests],
        states=STATES,
        wanted=wanted,
        has_more=len(found) > _MOST,
        least=LEAST_LETTERS,
        organisations=sorted(((id_, names[id_]) for id_ in offered), key=lambda item: thai_sort_key(item[1])),
        roles=[
            (role.value, f"{words.ROLES[role]} ({words.KINDS[kind]})")
            for kind in OrganisationKind
            for role in ROLES_OF[kind]
        ],
        values=visit.form.values(),
        errors=errors or {},
    )


def _ids(text: str) -> set[uuid.UUID]:
    try:
        return {uuid.UUID(text)}
    except ValueError:
        return set()


def _person(visit: Visit) -> uuid.UUID:
    person_id = visit.by.person_id
    if person_id is None:
        raise TypeError("a session always belongs to a person")
    return person_id
