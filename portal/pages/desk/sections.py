"""The sections of a provider's desk: who heads them, stands in, works in them (seed B 3(3), 3(4), 3(6))."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Conflict, Invalid, NotPermitted
from auth.people.queries import members_of
from auth.rules import Permission, Role
from portal.formats import thai_sort_key
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.refusals import in_words
from portal.visit import Visit
from services.sections.commands import seat, unseat
from services.sections.models import Position, SectionMember
from services.sections.queries import led_by, sections_of, staff_of
from services.sla.commands import load_table

POSITIONS: Final[Mapping[Position, Lazy]] = {
    Position.HEAD: lazy("Head of the section"),
    Position.DELEGATE: lazy("Delegate of the head"),
    Position.TECHNICIAN: lazy("Technician"),
}
_WORKING: Final = frozenset({Role.SECTION_HEAD, Role.TECHNICIAN})


async def sections(visit: Visit) -> Response:
    """Show the sections with their people, and to whom it is theirs the forms to give and end places."""
    return await _shown(visit, {})


async def give_place(visit: Visit) -> Response:
    """Give somebody a place in a section; a head gives the technicians' of the own one, the others all."""
    try:
        section_id, person_id, position = _chosen(visit)
        async with in_transaction():
            member = await seat(section_id, person_id, position, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _shown(visit, in_words(refused), status=422)
    except Conflict:
        return await _shown(visit, {"person": _("This person is in the section already.")}, status=409)
    visit.flash(_("%(name)s has a place in the section now.", name=member.name))
    return visit.redirect("sections")


async def end_place(visit: Visit) -> Response:
    """End somebody's place; what is assigned to them stays so until the head gives it to somebody else."""
    if visit.form.get("sure") != "yes":
        return await _shown(visit, {"sure": _("Tick that you are sure.")}, status=422)
    member = await unseat(visit.params["member"], by=visit.by, now=visit.now)
    visit.flash(_("%(name)s is no longer in the section.", name=member.name))
    return visit.redirect("sections")


async def take_agreement(visit: Visit) -> Response:
    """Give a provider that has none yet the sections and the service level agreement of the seed, to be edited."""
    if visit.by.provider_id is None:
        raise NotPermitted("an agreement is a provider's")
    rows = await load_table(visit.by.provider_id, by=visit.by, now=visit.now)
    visit.flash(_("The agreement was taken over with %(num)s rows; the heads edit their own.", num=len(rows)))
    return visit.redirect("sections")


def _chosen(visit: Visit) -> tuple[UUID, UUID, Position]:
    position = visit.form.get("position")
    if position not in set(Position):
        raise Invalid({"position": "Choose one of the list."})
    return visit.form.uuid("section"), visit.form.uuid("person"), Position(position)


async def _shown(visit: Visit, errors: Mapping[str, str], status: int = 200) -> Response:
    if visit.by.provider_id is None:
        raise NotPermitted("sections are the provider's")
    by, provider_id = visit.by, visit.by.provider_id
    gives_all = by.may(Permission.USERS_GRANT) or by.may(Permission.DESK_OVERVIEW)
    leads = await led_by(by, visit.now)
    found = await sections_of(provider_id)
    staff = {each.id: await staff_of(each.id, visit.now) for each in found}
    people = [each for each in await members_of(provider_id) if _WORKING.intersection(each.roles)]

    def may_end(member: SectionMember) -> bool:
        return gives_all or (member.section_id in leads and member.position is Position.TECHNICIAN)

    mine = [each for each in found if gives_all or each.id in leads]
    positions = POSITIONS if gives_all else {Position.TECHNICIAN: POSITIONS[Position.TECHNICIAN]}
    return visit.render(
        "desk/sections.html",
        status=status,
        errors=errors,
        values=visit.form.values(),
        sections=found,
        staff=staff,
        mine=[(each.id, wording.name(each, visit.language)) for each in mine],
        people=[(each.person_id, each.name) for each in sorted(people, key=lambda each: thai_sort_key(each.name))],
        positions=[(each.value, str(words)) for each, words in positions.items()],
        position_words=POSITIONS,
        may_end=may_end,
        may_take=by.may(Permission.DESK_OVERVIEW),
        name=lambda thing: wording.name(thing, visit.language),
    )
