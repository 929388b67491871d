"""Giving something back on an invoice that is not issued yet; afterwards it takes a credit note."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Conflict, Invalid
from auth.rules import Actor
from auth.tenancy import one, record
from billing.credits.models import Credit, CreditKind
from billing.issuers import issuing_role
from billing.money import is_satang
from billing.months import Month
from billing.statements.queries import book_of, hold_month, is_issued
from billing.usage.models import BilledService

SHORTEST_REASON = 5


async def give(
    service_id: uuid.UUID,
    month: Month,
    kind: CreditKind,
    amount: Decimal,
    *,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> Credit:
    """Give an amount back on the month's invoice for a service; `amount` is positive, in baht before VAT.

    Refuses an amount above what the service comes to in that month, a reason left out (Invalid), and a month that is
    invoiced already (Conflict).
    """
    service = await one(BilledService, id=service_id)
    await hold_month(service.agency_id, service.provider_id, month)
    if await is_issued(service.agency_id, service.provider_id, month):
        raise Conflict(f"{month} is invoiced")
    if len(reason) < SHORTEST_REASON:
        raise Invalid({"reason": "Give the reason."})
    if amount <= 0 or not is_satang(amount):
        raise Invalid({"amount": "Give an amount above zero, with at most two decimals."})
    charge = (await book_of(service.agency_id, month, month)).service_charge(service_id, month)
    if amount > charge:
        raise Invalid({"amount": "This is more than the service comes to in this month."})
    credit = await Credit.create(
        agency_id=service.agency_id,
        provider_id=service.provider_id,
        service_id=service.id,
        month=month.first,
        kind=kind,
        amount=amount,
        reason=reason,
        given_by=by.name,
        given_as=issuing_role(by),
        given_at=now,
    )
    record(
        "credit.given",
        at=now,
        subject=("credit", credit.id),
        agency_id=service.agency_id,
        kind=kind,
        month=str(month),
        amount=amount,
        reason=reason,
    )
    return credit


async def withdraw(credit_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Credit:
    """Take a credit back before its month is invoiced; Conflict afterwards, or when it was taken back before."""
    found = await one(Credit, id=credit_id)
    await hold_month(found.agency_id, found.provider_id, Month.of(found.month))
    credit = await one(Credit, lock=True, id=credit_id)
    month = Month.of(credit.month)
    if credit.withdrawn_at is not None or await is_issued(credit.agency_id, credit.provider_id, month):
        raise Conflict("the credit stands on an invoice, or was withdrawn")
    credit.withdrawn_by, credit.withdrawn_at = by.name, now
    await credit.save(update_fields=["withdrawn_by", "withdrawn_at"])
    record("credit.withdrawn", at=now, subject=("credit", credit.id), agency_id=credit.agency_id, amount=credit.amount)
    return credit
