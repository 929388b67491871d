"""How a provider closes its months."""

import datetime as dt
import uuid
from typing import Any

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import record
from billing.statements.closing_rules import Policy
from billing.statements.models import BillingPolicy
from billing.words import is_printable

LONGEST_INSTRUCTIONS, MOST_LINES = 500, 10


async def policy_of(provider_id: uuid.UUID) -> Policy:
    """Return how a provider closes its months."""
    row = await BillingPolicy.get_or_none(provider_id=provider_id)
    if row is None:
        return Policy()
    return Policy(row.needs_review, row.due_days, row.note_share, row.note_amount, row.payment_instructions)


async def set_policy(provider_id: uuid.UUID, policy: Policy, *, by: Actor, now: dt.datetime) -> None:
    """Set how a provider closes its months, and what its invoices say of how to pay them.

    Refuses (Invalid) days or shares that cannot be, and instructions too long for a sheet or not to be printed on one.
    """
    if not 0 <= policy.due_days <= 365:
        raise Invalid({"due_days": "Give a whole number of days, at most 365."})
    if not 0 <= policy.note_share < 10 or policy.note_amount < 0:
        raise Invalid({"note_share": "Give a share from 0 up."})
    instructions = tidy(policy.payment_instructions)
    if wrong := _faults_of_instructions(instructions):
        raise Invalid({"payment_instructions": wrong})
    facts: dict[str, Any] = {
        "needs_review": policy.needs_review,
        "due_days": policy.due_days,
        "note_share": policy.note_share,
        "note_amount": policy.note_amount,
        "payment_instructions": instructions,
    }
    await BillingPolicy.update_or_create(provider_id=provider_id, defaults={**facts, "set_by": by.name, "set_at": now})
    record("billing_policy.set", at=now, subject=("provider", provider_id), **facts)


def tidy(text: str) -> str:
    """Return lines without blanks around them and without empty ones between, a single space for any blanks."""
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _faults_of_instructions(text: str) -> str | None:
    lines = text.split("\n")
    if len(text) > LONGEST_INSTRUCTIONS or len(lines) > MOST_LINES:
        return "Give at most 500 characters in at most 10 lines."
    if not all(map(is_printable, lines)):
        return "This holds a sign that cannot be printed."
    return None
