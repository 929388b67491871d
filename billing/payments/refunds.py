"""Giving back what was paid beyond what is owed, which happens where a credit note follows the payment.

A refund recorded wrongly is reversed; neither is ever changed. Each has a number of its own, without gaps.
"""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotFound
from auth.rules import Actor
from auth.tenancy import one, record, scoped
from billing.documents.commands import faults_of_reason, number_after
from billing.issuers import issuing_role
from billing.money import is_satang
from billing.months import Month, bangkok_date
from billing.payments.models import LONGEST_REFERENCE, Refund, RefundReversal
from billing.payments.queries import invoice_of
from billing.statements.models import Statement
from billing.statements.queries import hold_month

SERIES, REVERSED = "RF", "RX"


async def record_refund(
    statement_id: uuid.UUID,
    amount: Decimal,
    *,
    refunded_on: dt.date,
    reference: str,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> Refund:
    """Record money given back to an agency, in baht.

    Refuses (Invalid) more than is overpaid of the invoice, nothing at all, a day to come or before the invoice, and a
    refund without its reference or reason. Two at once wait for one another.
    """
    statement = await one(Statement, id=statement_id)
    await hold_month(statement.agency_id, statement.provider_id, Month.of(statement.month))
    invoice = await invoice_of(statement_id)
    if invoice is None:
        raise NotFound("Statement")
    wrong = {}
    if amount <= 0 or not is_satang(amount):
        wrong["refund"] = "Give an amount above zero, with at most two decimals."
    elif amount > invoice.account.overpaid:
        wrong["refund"] = "This is more than is overpaid of the invoice."
    if not invoice.issued_on <= refunded_on <= bangkok_date(now):
        wrong["refunded_on"] = "Give a day from the invoice's to today."
    if not reference:
        wrong["refund_reference"] = "Give the reference of the refund."
    elif len(reference) > LONGEST_REFERENCE:
        wrong["refund_reference"] = "This text is too long."
    wrong |= faults_of_reason(reason, "refund_reason")
    if wrong:
        raise Invalid(wrong)
    role = issuing_role(by)
    number, year = await number_after(statement, SERIES, now)
    refund = await Refund.create(
        agency_id=statement.agency_id,
        provider_id=statement.provider_id,
        statement_id=statement.id,
        number=number,
        fiscal_year=year,
        refunded_on=refunded_on,
        reference=reference,
        reason=reason,
        amount=amount,
        recorded_by=by.name,
        recorded_as=role,
        recorded_at=now,
    )
    record(
        "refund.recorded",
        at=now,
        subject=("refund", refund.id),
        agency_id=statement.agency_id,
        number=number,
        invoice=statement.number,
        amount=amount,
        reference=reference,
        reason=reason,
    )
    return refund


async def reverse_refund(refund_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime) -> RefundReversal:
    """Reverse a refund that was recorded wrongly; what it gave back is overpaid again.

    Refuses one reversed before (Conflict) and no reason (Invalid).
    """
    refund = await one(Refund, id=refund_id)
    statement = await one(Statement, id=refund.statement_id)
    await hold_month(statement.agency_id, statement.provider_id, Month.of(statement.month))
    if await scoped(RefundReversal).filter(agency_id=refund.agency_id, refund_id=refund.id).exists():
        raise Conflict("the refund was reversed before")
    if wrong := faults_of_reason(reason):
        raise Invalid(wrong)
    role = issuing_role(by)
    number, year = await number_after(statement, REVERSED, now)
    reversal = await RefundReversal.create(
        agency_id=refund.agency_id,
        provider_id=refund.provider_id,
        refund_id=refund.id,
        number=number,
        fiscal_year=year,
        reason=reason,
        reversed_by=by.name,
        reversed_as=role,
        reversed_at=now,
    )
    record(
        "refund.reversed",
        at=now,
        subject=("refund", refund.id),
        agency_id=refund.agency_id,
        number=number,
        refund=refund.number,
        invoice=statement.number,
        amount=refund.amount,
        reason=reason,
    )
    return reversal
