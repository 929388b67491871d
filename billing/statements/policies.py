"""How a provider closes its months."""

import datetime as dt
import uuid
from typing import Any

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import record
from billing.statements.closing_rules import Policy
from billing.statements.models import BillingPolicy


async def policy_of(provider_id: uuid.UUID) -> Policy:
    """Return how a provider closes its months."""
    row = await BillingPolicy.get_or_none(provider_id=provider_id)
    return Policy(row.needs_review, row.due_days, row.note_share, row.note_amount) if row else Policy()


async def set_policy(provider_id: uuid.UUID, policy: Policy, *, by: Actor, now: dt.datetime) -> None:
    """Set how a provider closes its months; refuses (Invalid) days or shares that cannot be."""
    if not 0 <= policy.due_days <= 365:
        raise Invalid({"due_days": "Give a whole number of days, at most 365."})
    if not 0 <= policy.note_share < 10 or policy.note_amount < 0:
        raise Invalid({"note_share": "Give a share from 0 up."})
    facts: dict[str, Any] = {
        "needs_review": policy.needs_review,
        "due_days": policy.due_days,
        "note_share": policy.note_share,
        "note_amount": policy.note_amount,
    }
    await BillingPolicy.update_or_create(provider_id=provider_id, defaults={**facts, "set_by": by.name, "set_at": now})
    record("billing_policy.set", at=now, subject=("provider", provider_id), **facts)
