"""Setting an agency's budget."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import record, rows, scoped
from billing.budgets.models import Budget
from billing.money import is_satang


async def set_budget(
    agency_id: uuid.UUID, fiscal_year: int, amount: Decimal, *, cost_centre: str = "", by: Actor, now: dt.datetime
) -> Budget:
    """Set what an agency, or one of its cost centres, may spend in a fiscal year (Buddhist Era), in baht with VAT.

    Refuses parts of a satang and amounts below zero (Invalid).
    """
    if amount < 0 or not is_satang(amount):
        raise Invalid({"amount": "Enter an amount in baht, with at most two decimals."})
    # Two at the same moment take turns: the second finds the first one's budget.
    await rows(
        "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"budget/{agency_id}/{fiscal_year}/{cost_centre}"
    )
    which = {"agency_id": agency_id, "fiscal_year": fiscal_year, "cost_centre": cost_centre}
    budget = await scoped(Budget).filter(**which).select_for_update().first()
    before = budget.amount if budget else None
    budget = budget or Budget(**which)
    budget.amount, budget.set_by, budget.set_at = amount, by.name, now
    await budget.save()
    record(
        "budget.set",
        at=now,
        subject=("budget", fiscal_year),
        agency_id=agency_id,
        cost_centre=cost_centre,
        before=before,
        after=amount,
    )
    return budget
