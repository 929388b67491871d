"""Reading and checking the audit trail."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from auth.audit.models import AuditHead, AuditRecord
from auth.audit.rules import GENESIS, Break, Link, follow
from auth.rules import Actor

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ChainReport:
    """One chain as found: its organisation, how many records, and where it first breaks."""

    chain_id: uuid.UUID
    length: int
    head: str
    broken: Break | None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which records are wanted: within two moments, by a person, of an action; None asks for all."""

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    actor: str | None = None
    action: str | None = None


async def trail(by: Actor, sought: Sought, *, page: int, per_page: int) -> tuple[list[AuditRecord], int]:
    """Return one page of the records within reach, the latest first, and how many there are in all.

    An organisation reads its own chain and its own people's acts elsewhere; those who oversee read everything.
    """
    records = _within_reach(by)
    if sought.since is not None:
        records = records.filter(at__gte=sought.since)
    if sought.until is not None:
        records = records.filter(at__lt=sought.until)
    if sought.actor is not None:
        records = records.filter(actor__icontains=sought.actor)
    if sought.action is not None:
        records = records.filter(action=sought.action)
    found = await records.order_by("-at", "-number").offset((page - 1) * per_page).limit(per_page)
    return found, await records.count()


async def actions_in_reach(by: Actor) -> list[str]:
    """Return the actions that occur in the records within reach."""
    found = await _within_reach(by).distinct().values_list("action", flat=True)
    return sorted(str(action) for action in found)


def _within_reach(by: Actor) -> QuerySet[AuditRecord]:
    if by.oversees or by.is_system:
        return AuditRecord.all()
    seat_id = by.seat.id if by.seat else None
    return AuditRecord.filter(Q(chain_id=seat_id) | Q(organisation_id=seat_id))


async def verify() -> AsyncIterator[ChainReport]:
    """Check every chain, record by record, and yield what is found; run as the system."""
    for head in await AuditHead.all().order_by("chain_id"):
        yield ChainReport(head.chain_id, head.length, head.hash, await _first_break(head))


async def _first_break(head: AuditHead) -> Break | None:
    last = Link(0, GENESIS)
    while page := await _page(head.chain_id, last.number):
        for record in page:
            link = follow(last, record)
            if isinstance(link, Break):
                return link
            last = link
    if (last.number, last.hash) != (head.length, head.hash):
        return Break(min(last.number, head.length) + 1, f"the chain ends at {last.number}, its head says {head.length}")
    return None


async def _page(chain_id: uuid.UUID, after: int) -> list[AuditRecord]:
    return await AuditRecord.filter(chain_id=chain_id, number__gt=after).order_by("number").limit(_PAGE)
