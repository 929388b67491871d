"""The agency's profile: names, codes, address, channels, and whom to reach for what (standard 7.5.1).

The agency's own people keep it up to date, each change in the audit trail; the provider and those who oversee read it.
"""

import uuid
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid, NotFound
from auth.organisations import commands
from auth.organisations.models import Coordinator, Organisation, Purpose
from auth.organisations.queries import agencies, coordinators_of, organisation
from auth.rules import OrganisationKind, Permission
from portal import words
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit

PURPOSES: Final[dict[Purpose, tuple[Lazy, str]]] = {
    Purpose.GENERAL: (lazy("General"), "user"),
    Purpose.TECHNICAL: (lazy("Technical"), "tool"),
    Purpose.FINANCE: (lazy("Finance and payment"), "cash"),
    Purpose.SECURITY: (lazy("Information security"), "shield-check"),
    Purpose.AROUND_THE_CLOCK: (lazy("At any hour"), "clock"),
}
LABELS: Final[dict[str, Lazy]] = {
    "name_th": lazy("Name in Thai"),
    "name_en": lazy("Name in English"),
    "tax_id": lazy("Taxpayer number"),
    "branch_code": lazy("Branch code"),
    "address_th": lazy("Address in Thai"),
    "address_en": lazy("Address in English"),
    "phone": lazy("Telephone"),
    "email": lazy("E-mail"),
}
CONTACT_LABELS: Final[dict[str, Lazy]] = {
    "purpose": lazy("To be reached for"),
    "name": lazy("Name"),
    "position": lazy("Position"),
    "phone": lazy("Telephone"),
    "email": lazy("E-mail"),
    "line_id": lazy("LINE ID"),
}
# Raised below pages with these words.
REASONS: Final = (
    lazy("Give a name."),
    lazy("Give at least one way to reach them."),
    lazy("This is not an e-mail address."),
    lazy("A tax number has 13 digits."),
    lazy("A branch code has 5 digits."),
)


async def show(visit: Visit) -> Response:
    """Show the profile of one's own organisation."""
    return await _profile(visit, visit.seat.id)


async def agencies_page(visit: Visit) -> Response:
    """List the agencies there are, for the provider and those who oversee; to an agency there are no others."""
    if visit.by.agency_id is not None:
        raise NotFound("Organisation")
    return visit.render("profile/agencies.html", agencies=await agencies())


async def show_agency(visit: Visit) -> Response:
    """Show an agency's profile; to another agency it does not exist."""
    return await _profile(visit, visit.params["id"])


async def edit(visit: Visit) -> Response:
    """Show the form of the profile."""
    own = await organisation(visit.seat.id)
    return visit.render("profile/edit.html", values=_values(own), errors={}, labels=LABELS)


async def save(visit: Visit) -> Response:
    """Change names, codes, address and channels; what was refused stands beside its field, nothing typed is lost."""
    typed = visit.form.values()
    try:
        await commands.edit_profile(typed, by=visit.by, now=visit.now)
    except Invalid as refused:
        kept = _values(await organisation(visit.seat.id)) | typed
        return visit.render("profile/edit.html", status=422, values=kept, errors=in_words(refused), labels=LABELS)
    visit.flash(_("The profile was saved."))
    return visit.redirect("agency")


async def allow_asker(visit: Visit) -> Response:
    """Decide whether the one who asked may also confirm."""
    allowed = visit.form.get("allowed") == "yes"
    await commands.allow_asker_to_confirm(allowed, by=visit.by, now=visit.now)
    visit.flash(
        _("The one who asked may now also confirm.") if allowed else _("The one who asked may no longer confirm.")
    )
    return visit.redirect("agency")


async def new_coordinator(visit: Visit) -> Response:
    """Show the form for one more coordinator."""
    return _coordinator_form(visit, None, {"purpose": visit.query.get("purpose")}, {})


async def add_coordinator(visit: Visit) -> Response:
    """Add a coordinator."""
    typed = visit.form.values()
    try:
        await commands.add_coordinator(_purpose(typed), typed, by=visit.by, now=visit.now)
    except Invalid as refused:
        return _coordinator_form(visit, None, typed, in_words(refused), status=422)
    visit.flash(_("The coordinator was added."))
    return visit.redirect("agency")


async def coordinator(visit: Visit) -> Response:
    """Show the form of one coordinator; NotFound for another organisation's."""
    found = await _own_coordinator(visit)
    values = {name: str(getattr(found, name)) for name in CONTACT_LABELS}
    return _coordinator_form(visit, found.id, values, {})


async def save_coordinator(visit: Visit) -> Response:
    """Change how somebody is reached, or for what."""
    found, typed = await _own_coordinator(visit), visit.form.values()
    try:
        await commands.edit_coordinator(found.id, _purpose(typed), typed, by=visit.by, now=visit.now)
    except Invalid as refused:
        return _coordinator_form(visit, found.id, typed, in_words(refused), status=422)
    visit.flash(_("The coordinator was saved."))
    return visit.redirect("agency")


async def end_coordinator(visit: Visit) -> Response:
    """Take somebody off the list."""
    await commands.end_coordinator(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The coordinator was taken off the list."))
    return visit.redirect("agency")


async def _profile(visit: Visit, organisation_id: uuid.UUID) -> Response:
    shown = await organisation(organisation_id)
    if visit.by.agency_id not in {None, shown.id}:
        raise NotFound("Organisation")
    own = shown.id == visit.seat.id
    return visit.render(
        "profile/show.html",
        organisation=shown,
        kind=words.KINDS[shown.kind],
        coordinators=await _by_purpose(shown),
        purposes=PURPOSES,
        own=own,
        may_edit=own and visit.by.may(Permission.AGENCY_EDIT),
        may_decide=own and shown.kind is OrganisationKind.AGENCY and visit.by.may(Permission.USERS_GRANT),
        sees_agencies=visit.by.agency_id is None,
    )


async def _by_purpose(shown: Organisation) -> dict[Purpose, list[Coordinator]]:
    found = await coordinators_of(shown.id)
    return {purpose: [each for each in found if each.purpose is purpose] for purpose in PURPOSES}


async def _own_coordinator(visit: Visit) -> Coordinator:
    for each in await coordinators_of(visit.seat.id):
        if each.id == visit.params["id"]:
            return each
    raise NotFound("Coordinator")


def _coordinator_form(
    visit: Visit, coordinator_id: uuid.UUID | None, values: Mapping[str, str], errors: dict[str, str], status: int = 200
) -> Response:
    return visit.render(
        "profile/coordinator.html",
        status=status,
        coordinator_id=coordinator_id,
        values={name: values.get(name, "") for name in CONTACT_LABELS},
        errors=errors,
        labels=CONTACT_LABELS,
        purposes=[(purpose.value, label) for purpose, (label, _icon) in PURPOSES.items()],
    )


def _purpose(typed: Mapping[str, str]) -> Purpose:
    try:
        return Purpose(typed.get("purpose", ""))
    except ValueError:
        raise Invalid({"purpose": "Choose one of the list."}) from None


def _values(shown: Organisation) -> dict[str, str]:
    return {name: str(getattr(shown, name)) for name in LABELS}
