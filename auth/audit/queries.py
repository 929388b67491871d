"""Reading and checking the audit trail."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from auth.audit.models import AuditHead, AuditRecord
from auth.audit.rules import GENESIS, Break, Link, follow

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class ChainReport:
    """One chain as found: its organisation, how many records, and where it first breaks."""

    chain_id: uuid.UUID
    length: int
    head: str
    broken: Break | None


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
        return Break(last.number + 1, f"the chain ends at {last.number}, its head says {head.length}")
    return None


async def _page(chain_id: uuid.UUID, after: int) -> list[AuditRecord]:
    return await AuditRecord.filter(chain_id=chain_id, number__gt=after).order_by("number").limit(_PAGE)
