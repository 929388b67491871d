"""Objecting to a line of an issued invoice, talking about it, and how it ends.

Each command returns the event it left, so that whoever calls can tell the other side.
"""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import Actor
from auth.tenancy import one, record, rows, scoped
from billing.disputes.models import Dispute, DisputeEvent
from billing.disputes.rules import SIDES, Move, Side, State, after
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.statements.models import StatementLine

SHORTEST_REASON = 5
LONGEST_TEXT = 4000


async def open_dispute(
    statement_id: uuid.UUID, position: int, reason: str, *, by: Actor, now: dt.datetime
) -> DisputeEvent:
    """Object to the line at a position of an issued invoice, saying why.

    Refuses a reason left out (Invalid), a line that is not within reach (NotFound), and one with an open dispute
    (Conflict).
    """
    _require(by, Move.OPEN)
    line = await scoped(StatementLine).filter(statement_id=statement_id, position=position).first()
    if line is None:
        raise NotFound("StatementLine")
    text = _text(reason, "reason")
    # Two at the same moment take turns: the second finds the first one's.
    await rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"dispute/{line.id}")
    if await scoped(Dispute).filter(line_id=line.id, state=State.OPEN).exists():
        raise Conflict("the line is disputed already")
    dispute = await Dispute.create(
        agency_id=line.agency_id,
        provider_id=line.provider_id,
        statement_id=statement_id,
        line_id=line.id,
        opened_at=now,
        opened_by_name=by.name,
        changed_at=now,
    )
    return await _append(dispute, Move.OPEN, text, by=by, now=now)


async def say(dispute_id: uuid.UUID, message: str, *, by: Actor, now: dt.datetime) -> DisputeEvent:
    """Write to the other side; refuses an empty message (Invalid) and a dispute that is over (DisputeOver)."""
    return await _move(dispute_id, Move.MESSAGE, _text(message, "message", shortest=1), by=by, now=now)


async def withdraw(dispute_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> DisputeEvent:
    """Take an agency's own dispute back; refuses one that is over (DisputeOver)."""
    return await _move(dispute_id, Move.WITHDRAW, "", by=by, now=now)


async def explain(dispute_id: uuid.UUID, explanation: str, *, by: Actor, now: dt.datetime) -> DisputeEvent:
    """End a dispute with why the line stands; refuses no explanation (Invalid) and what is over (DisputeOver)."""
    return await _move(dispute_id, Move.EXPLAIN, _text(explanation, "text"), by=by, now=now)


async def credit(
    dispute_id: uuid.UUID, amount: Decimal, explanation: str, *, by: Actor, now: dt.datetime
) -> DisputeEvent:
    """End a dispute with a credit note on its line; `amount` is in baht before VAT.

    Refuses what a credit note refuses (Invalid), more than the line came to (Invalid), and what is over (DisputeOver).
    """
    _require(by, Move.CREDIT)
    text = _text(explanation, "text")
    dispute = await one(Dispute, lock=True, id=dispute_id)
    after(dispute.state, Move.CREDIT)
    line = await one(StatementLine, id=dispute.line_id)
    if amount > line.amount:
        raise Invalid({"amount": "This is more than the line came to."})
    names = (f"{line.service_name_th} – {line.name_th}", f"{line.service_name_en} – {line.name_en}")
    corrected = Correction(*names, amount, line.service_id)
    note = await correct(dispute.statement_id, Kind.CREDIT_NOTE, [corrected], reason=text, by=by, now=now)
    return await _move(dispute_id, Move.CREDIT, text, by=by, now=now, credit_note_id=note.id)


async def _move(
    dispute_id: uuid.UUID,
    move: Move,
    text: str,
    *,
    by: Actor,
    now: dt.datetime,
    credit_note_id: uuid.UUID | None = None,
) -> DisputeEvent:
    _require(by, move)
    dispute = await one(Dispute, lock=True, id=dispute_id)
    dispute.state, dispute.changed_at = after(dispute.state, move), now
    dispute.credit_note_id = credit_note_id
    await dispute.save(update_fields=["state", "changed_at", "credit_note_id"])
    return await _append(dispute, move, text, by=by, now=now)


async def _append(dispute: Dispute, move: Move, text: str, *, by: Actor, now: dt.datetime) -> DisputeEvent:
    assert by.person_id is not None  # noqa: S101 - _require has seen to it
    event = await DisputeEvent.create(
        agency_id=dispute.agency_id,
        provider_id=dispute.provider_id,
        dispute_id=dispute.id,
        move=move,
        text=text,
        by_id=by.person_id,
        by_name=by.name,
        of_agency=by.agency_id is not None,
        at=now,
    )
    record(f"dispute.{move}", at=now, subject=("dispute", dispute.id), agency_id=dispute.agency_id)
    return event


def _require(by: Actor, move: Move) -> None:
    side = Side.AGENCY if by.agency_id else Side.PROVIDER if by.provider_id else None
    if side not in SIDES[move] or by.person_id is None:
        raise NotPermitted(f"{move} is not for this side")


def _text(text: str, field: str, *, shortest: int = SHORTEST_REASON) -> str:
    text = text.strip()
    if len(text) < shortest:
        raise Invalid({field: "Say why."})
    if len(text) > LONGEST_TEXT:
        raise Invalid({field: "This is too long."})
    return text
