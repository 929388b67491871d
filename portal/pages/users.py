"""Users and rights: who holds which role in one's own organisation, and who asks to (seed B 3(6)).

Granting and revoking act on the person's next request; both are kept in the audit trail.
"""

import uuid

from starlette.responses import Response

from auth.errors import Conflict, Invalid, NotFound
from auth.people.commands import decide_access, grant, revoke
from auth.people.queries import Member, access_asked_of, members_of
from auth.rules import ROLES_OF, Role
from portal import words
from portal.formats import thai_sort_key
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit

_LONGEST_NOTE = 500


async def show(visit: Visit) -> Response:
    """Show the organisation's people with their roles, and the requests for access that wait."""
    return await _page(visit)


async def grant_role(visit: Visit) -> Response:
    """Give a person known to the organisation one more role."""
    role = _role(visit.form.get("role"))
    await grant(visit.params["person"], role, by=visit.by, now=visit.now)
    visit.flash(_("%(role)s was granted.", role=words.ROLES[role]))
    return visit.redirect("users")


async def ask_revoke(visit: Visit) -> Response:
    """Ask once more before a role is taken away; NotFound for a role the person does not hold."""
    member, role = await _held(visit)
    return visit.render("users/revoke.html", member=member, role=role, role_name=words.ROLES[role])


async def revoke_role(visit: Visit) -> Response:
    """Take a role away; the organisation's last administrator stays."""
    role = _role(visit.params["role"], missing=True)
    try:
        await revoke(visit.params["person"], role, by=visit.by, now=visit.now)
    except Conflict:
        return await _page(visit, {"": _("The last administrator stays: grant the role to somebody else first.")}, 409)
    visit.flash(_("%(role)s was revoked; it no longer acts from the next request on.", role=words.ROLES[role]))
    return visit.redirect("users")


async def decide(visit: Visit) -> Response:
    """Grant or refuse a request for access."""
    try:
        grant_it, note = _decision(visit)
        await decide_access(visit.params["id"], grant_it=grant_it, note=note, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, in_words(refused))
    visit.flash(_("Access was granted.") if grant_it else _("Access was refused."))
    return visit.redirect("users")


def _decision(visit: Visit) -> tuple[bool, str]:
    decision, note = visit.form.get("decision"), visit.form.get("note")
    if decision not in {"grant", "refuse"}:
        raise Invalid({"": "Choose one of the list."})
    if len(note) > _LONGEST_NOTE:
        raise Invalid({"note": "This text is too long."})
    return decision == "grant", note


async def _page(visit: Visit, errors: dict[str, str] | None = None, status: int = 422) -> Response:
    members = await members_of(visit.seat.id)
    members.sort(key=lambda member: thai_sort_key(member.name))
    return visit.render(
        "users/show.html",
        status=status if errors else 200,
        members=members,
        asked=await access_asked_of(visit.seat.id),
        words=words.ROLES,
        roles=ROLES_OF[visit.seat.kind],
        errors=errors or {},
    )


async def _held(visit: Visit) -> tuple[Member, Role]:
    role = _role(visit.params["role"], missing=True)
    person: uuid.UUID = visit.params["person"]
    for member in await members_of(visit.seat.id):
        if member.person_id == person and role in member.roles:
            return member, role
    raise NotFound("Membership")


def _role(text: str, *, missing: bool = False) -> Role:
    try:
        return Role(text)
    except ValueError:
        raise (NotFound("Role") if missing else Invalid({"role": "Choose one of the list."})) from None
