"""What the staff register holds, and how people stand by it."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from auth.tenancy import scoped
from services.staff.models import StaffRecord
from services.staff.rules import Clearance, NotAssignable, clearance


async def records_of(people: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[StaffRecord]]:
    """Return what stands in the register of each of these people, the latest first; nothing struck out."""
    found: dict[uuid.UUID, list[StaffRecord]] = {person: [] for person in people}
    for record in await scoped(StaffRecord).filter(person_id__in=list(people), struck_at=None).order_by("-held_from"):
        found[record.person_id].append(record)
    return found


async def clearances(people: Sequence[uuid.UUID], day: dt.date) -> Mapping[uuid.UUID, Clearance]:
    """Return how each of these people stands on a day; one query."""
    return {person: clearance(held, day) for person, held in (await records_of(people)).items()}


async def require_clearance(person_id: uuid.UUID, day: dt.date) -> None:
    """Refuse (NotAssignable) work for who lacks a certificate, the record check or the NDA on a day (standard 9)."""
    if not (await clearances([person_id], day))[person_id].is_whole:
        raise NotAssignable("a certificate, the record check or the NDA is missing or has lapsed")
