"""Setting an agency's budget."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import record, rows, scoped
from billing.budgets.models import Budget
from billing.money import is_satang


async def set_budget(agency_id: uuid.UUID, fiscal_year: int, amount: Decimal, *, by: Actor, now: dt.datetime) -> Budget:
    """Set what an agency may spend in a fiscal year (Buddhist Era), in baht with VAT; refuses parts of a satang."""
    if amount < 0 or not is_satang(amount):
        raise Invalid({"amount": "Enter an amount in baht, with at most two decimals."})
    # Two at the same moment take turns: the second finds the first one's budget.
    await rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"budget/{agency_id}/{fiscal_year}")
    budget = await scoped(Budget).filter(agency_id=agency_id, fiscal_year=fiscal_year).select_for_update().first()
    before = budget.amount if budget else None
    budget = budget or Budget(agency_id=agency_id, fiscal_year=fiscal_year)
    budget.amount, budget.set_by, budget.set_at = amount, by.name, now
    await budget.save()
    record("budget.set", at=now, subject=("budget", fiscal_year), agency_id=agency_id, before=before, after=amount)
    return budget
