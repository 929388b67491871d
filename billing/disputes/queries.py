"""Disputes within reach, with the invoice and the line each is about."""

import uuid
from dataclasses import dataclass

from auth.tenancy import one, scoped
from billing.disputes.models import Dispute, DisputeEvent
from billing.disputes.rules import State
from billing.documents.models import Document
from billing.statements.models import Statement, StatementLine

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Disputed:
    """A dispute with its invoice and its line."""

    dispute: Dispute
    statement: Statement
    line: StatementLine


@dataclass(frozen=True, slots=True)
class WholeDispute:
    """A dispute with all that belongs to it; `credit_note` is the one it ended with."""

    dispute: Dispute
    statement: Statement
    line: StatementLine
    events: tuple[DisputeEvent, ...]
    credit_note: Document | None


async def dispute_of(dispute_id: uuid.UUID) -> WholeDispute:
    """Return a dispute with what was said, oldest first; NotFound for another agency's too."""
    dispute = await one(Dispute, id=dispute_id)
    events = await scoped(DisputeEvent).filter(dispute_id=dispute_id).order_by("at", "id")
    note = await one(Document, id=dispute.credit_note_id) if dispute.credit_note_id else None
    statement = await one(Statement, id=dispute.statement_id)
    return WholeDispute(dispute, statement, await one(StatementLine, id=dispute.line_id), tuple(events), note)


async def disputes_within_reach() -> list[Disputed]:
    """Return the disputes an actor may see, the open ones first, then the latest changed; three queries."""
    found = await scoped(Dispute).order_by("-changed_at", "-id").limit(MOST_LISTED)
    statements = {s.id: s for s in await scoped(Statement).filter(id__in=[each.statement_id for each in found])}
    lines = {s.id: s for s in await scoped(StatementLine).filter(id__in=[each.line_id for each in found])}
    known = [Disputed(each, statements[each.statement_id], lines[each.line_id]) for each in found]
    return sorted(known, key=lambda each: each.dispute.state is not State.OPEN)


async def open_disputes() -> int:
    """Return how many disputes within reach wait for their outcome."""
    return await scoped(Dispute).filter(state=State.OPEN).count()


async def disputes_by_line(statement_ids: list[uuid.UUID]) -> dict[tuple[uuid.UUID, int], Dispute]:
    """Return the latest dispute of each disputed line, by invoice and the line's position; two queries."""
    found = await scoped(Dispute).filter(statement_id__in=statement_ids).order_by("opened_at")
    lines = {s.id: s for s in await scoped(StatementLine).filter(id__in=[each.line_id for each in found])}
    return {(each.statement_id, lines[each.line_id].position): each for each in found}


async def line_at(statement_id: uuid.UUID, position: int) -> tuple[Statement, StatementLine]:
    """Return an invoice and its line at a position; NotFound for what is not within reach."""
    return await one(Statement, id=statement_id), await one(StatementLine, statement_id=statement_id, position=position)
