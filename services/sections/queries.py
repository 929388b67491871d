"""Who is in which section, and for which sections somebody may speak."""

import datetime as dt
import uuid

from tortoise.expressions import Q

from auth.errors import NotFound
from auth.rules import Actor
from auth.tenancy import scoped
from services.sections.models import Absence, Position, Section, SectionMember

_LEADS = (Position.HEAD, Position.DELEGATE)


async def sections_of(provider_id: uuid.UUID) -> list[Section]:
    """Return a provider's sections, in their order."""
    return await Section.filter(provider_id=provider_id).order_by("position", "code")


async def section_by_code(provider_id: uuid.UUID, code: str) -> Section:
    """Return the section of that code; NotFound where there is none."""
    found = await Section.get_or_none(provider_id=provider_id, code=code)
    if found is None:
        raise NotFound("Section")
    return found


async def places_of(person_id: uuid.UUID | None, now: dt.datetime) -> list[SectionMember]:
    """Return the places a person holds now in the sections of the actor's provider."""
    if person_id is None:
        return []
    return await scoped(SectionMember).filter(_held(now), person_id=person_id)


async def led_by(by: Actor, now: dt.datetime) -> frozenset[uuid.UUID]:
    """Return the sections the actor heads or stands in for."""
    return frozenset(place.section_id for place in await places_of(by.person_id, now) if place.position in _LEADS)


async def staff_of(section_id: uuid.UUID, now: dt.datetime) -> list[SectionMember]:
    """Return who is in a section now, the head first, then by name."""
    staff = await scoped(SectionMember).filter(_held(now), section_id=section_id)
    order = list(Position)
    return sorted(staff, key=lambda member: (order.index(member.position), member.name))


async def leads_of(section_id: uuid.UUID, now: dt.datetime) -> list[uuid.UUID]:
    """Return the people who head a section or stand in for its head."""
    return [member.person_id for member in await staff_of(section_id, now) if member.position in _LEADS]


async def away_on(people: list[uuid.UUID], day: dt.date) -> dict[uuid.UUID, Absence]:
    """Return who of these people is away on a day."""
    absences = await scoped(Absence).filter(person_id__in=people, first_day__lte=day, last_day__gte=day)
    return {absence.person_id: absence for absence in absences}


def _held(now: dt.datetime) -> Q:
    return Q(since__lte=now) & (Q(until=None) | Q(until__gt=now))
