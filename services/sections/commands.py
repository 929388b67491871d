"""Keeping the sections: who is in them, who heads them, who is away."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.people.models import Membership
from auth.rules import Actor, Permission
from auth.tenancy import one, record
from services.sections.models import Absence, Position, Section, SectionMember
from services.sections.queries import led_by, places_of


async def seat(
    section_id: uuid.UUID, person_id: uuid.UUID, position: Position, *, by: Actor, now: dt.datetime
) -> SectionMember:
    """Give a member of the provider a place in a section.

    The administrator and the manager seat anybody, a head the technicians of the own section. Refuses who
    is no member (NotFound) and a place held already (Conflict).
    """
    _of_the_desk(by)
    section = await one(Section, id=section_id)
    await _may_seat(section, position, by, now)
    held = (
        await Membership.filter(organisation_id=section.provider_id, person_id=person_id, revoked_at=None)
        .select_related("person")
        .first()
    )
    if held is None:
        raise NotFound("Person")
    if any(place.section_id == section_id for place in await places_of(person_id, now)):
        raise Conflict("this person is in the section already")
    member = await SectionMember.create(
        provider_id=section.provider_id,
        section_id=section_id,
        person_id=person_id,
        name=held.person.name,
        position=position,
        since=now,
    )
    record("section.seated", at=now, subject=("section", section_id), person=person_id, position=position)
    return member


async def unseat(member_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> SectionMember:
    """End somebody's place in a section."""
    _of_the_desk(by)
    member = await one(SectionMember, lock=True, id=member_id)
    await _may_seat(await one(Section, id=member.section_id), member.position, by, now)
    if member.until is not None:
        raise Conflict("this place has ended already")
    member.until = now
    await member.save(update_fields=["until"])
    record("section.unseated", at=now, subject=("section", member.section_id), person=member.person_id)
    return member


async def be_away(
    person_id: uuid.UUID, first_day: dt.date, last_day: dt.date, *, note: str = "", by: Actor, now: dt.datetime
) -> Absence:
    """Note that somebody is away; oneself, or the head for people of the own section."""
    if last_day < first_day:
        raise Invalid({"last_day": "The last day is before the first."})
    if by.provider_id is None:
        raise NotPermitted("absence is noted at the desk")
    places = await places_of(person_id, now)
    if not places:
        raise NotFound("Person")
    is_head = by.may(Permission.INCIDENTS_ASSIGN) and await led_by(by, now) & {place.section_id for place in places}
    if by.person_id != person_id and not is_head:
        raise NotPermitted("absence is noted by oneself or by the head of the section")
    record("section.absence", at=now, subject=("person", person_id), first=first_day, last=last_day)
    return await Absence.create(
        provider_id=by.provider_id, person_id=person_id, first_day=first_day, last_day=last_day, note=note
    )


def _of_the_desk(by: Actor) -> None:
    if by.provider_id is None and not by.is_system:
        raise NotPermitted("sections are the provider's")


async def _may_seat(section: Section, position: Position, by: Actor, now: dt.datetime) -> None:
    if by.is_system or by.may(Permission.USERS_GRANT) or (by.provider_id and by.may(Permission.DESK_OVERVIEW)):
        return
    is_head = by.may(Permission.INCIDENTS_ASSIGN) and section.id in await led_by(by, now)
    if not is_head or position is not Position.TECHNICIAN:
        raise NotPermitted("places are given by the administrator, a technician's by the head of the section")
