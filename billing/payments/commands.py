"""Recording what was paid; each payment gets its receipt, which is the tax invoice (the tax point is payment).

A payment recorded wrongly is reversed, its receipt cancelled by a note of its own; neither is ever changed.
"""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotFound
from auth.rules import Actor
from auth.tenancy import one, record, scoped
from billing.documents.commands import cancel_receipt, faults_of_reason, give_receipt
from billing.documents.models import Document
from billing.documents.queries import receipt_of
from billing.issuers import issuing_role
from billing.money import is_satang
from billing.months import Month, bangkok_date
from billing.payments.models import LONGEST_CERTIFICATE, LONGEST_REFERENCE, Means, Payment, Reversal
from billing.payments.queries import invoice_of, reversals_of
from billing.payments.rules import receipt_vat
from billing.statements.models import Statement
from billing.statements.queries import hold_month


async def record_payment(
    statement_id: uuid.UUID,
    *,
    paid_on: dt.date,
    means: Means,
    reference: str,
    received: Decimal,
    withheld: Decimal,
    certificate_number: str = "",
    certificate_date: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
) -> tuple[Payment, Document]:
    """Record money received for an invoice and the tax withheld from it, in baht, and issue the receipt.

    Part of what is owed may be paid. Refuses (Invalid) more than is open, nothing at all, a day to come or before the
    invoice, a payment without its reference or recorded already, and withheld tax without its certificate, or with one
    of a day to come.
    """
    statement = await one(Statement, id=statement_id)
    await hold_month(statement.agency_id, statement.provider_id, Month.of(statement.month))
    invoice = await invoice_of(statement_id)
    if invoice is None:
        raise NotFound("Statement")
    wrong = _wrong_amounts(received, withheld, invoice.account.open)
    if not bangkok_date(statement.issued_at) <= paid_on <= bangkok_date(now):
        wrong["paid_on"] = "Give a day from the invoice's to today."
    if not reference:
        wrong["reference"] = "Give the reference of the payment."
    elif len(reference) > LONGEST_REFERENCE:
        wrong["reference"] = "This text is too long."
    if withheld > 0 and not (certificate_number and certificate_date):
        wrong["certificate_number"] = "Give the number and the date of the withholding-tax certificate."
    elif len(certificate_number) > LONGEST_CERTIFICATE:
        wrong["certificate_number"] = "This text is too long."
    elif certificate_date and certificate_date > bangkok_date(now):
        wrong["certificate_date"] = "Give a day that is not to come."
    if not wrong and await _is_recorded(statement_id, paid_on, reference, received):
        wrong["reference"] = "This payment is recorded already. Another one has a reference of its own."
    if wrong:
        raise Invalid(wrong)
    payment = await Payment.create(
        agency_id=statement.agency_id,
        provider_id=statement.provider_id,
        statement_id=statement.id,
        paid_on=paid_on,
        means=means,
        reference=reference,
        received=received,
        withheld=withheld,
        certificate_number=certificate_number,
        certificate_date=certificate_date,
        recorded_by=by.name,
        recorded_at=now,
    )
    vat = receipt_vat(invoice.account, received + withheld)
    receipt = await give_receipt(
        statement, payment.id, gross=received + withheld, vat=vat, withheld=withheld, by=by, now=now
    )
    record(
        "payment.recorded",
        at=now,
        subject=("payment", payment.id),
        agency_id=statement.agency_id,
        invoice=statement.number,
        receipt=receipt.number,
        received=received,
        withheld=withheld,
    )
    return payment, receipt


async def reverse_payment(
    payment_id: uuid.UUID, *, reason: str, by: Actor, now: dt.datetime
) -> tuple[Reversal, Document]:
    """Reverse a payment that was recorded wrongly, and issue the cancellation of its receipt.

    What it settled is open again. Refuses one reversed before (Conflict) and no reason (Invalid).
    """
    payment = await one(Payment, id=payment_id)
    statement = await one(Statement, id=payment.statement_id)
    await hold_month(statement.agency_id, statement.provider_id, Month.of(statement.month))
    if await scoped(Reversal).filter(agency_id=payment.agency_id, payment_id=payment.id).exists():
        raise Conflict("the payment was reversed before")
    if wrong := faults_of_reason(reason):
        raise Invalid(wrong)
    receipt = await receipt_of(payment.id)
    reversal = await Reversal.create(
        agency_id=payment.agency_id,
        provider_id=payment.provider_id,
        payment_id=payment.id,
        reason=reason,
        reversed_by=by.name,
        reversed_as=issuing_role(by),
        reversed_at=now,
    )
    note = await cancel_receipt(statement, receipt, reason=reason, by=by, now=now)
    record(
        "payment.reversed",
        at=now,
        subject=("payment", payment.id),
        agency_id=payment.agency_id,
        invoice=statement.number,
        receipt=receipt.number,
        cancellation=note.number,
        received=payment.received,
        withheld=payment.withheld,
        reason=reason,
    )
    return reversal, note


async def _is_recorded(statement_id: uuid.UUID, paid_on: dt.date, reference: str, received: Decimal) -> bool:
    """Say whether the same payment stands already, as two people may record it from the same statement of account."""
    alike = await scoped(Payment).filter(
        statement_id=statement_id, paid_on=paid_on, reference=reference, received=received
    )
    return len(alike) > len(await reversals_of(alike))


def _wrong_amounts(received: Decimal, withheld: Decimal, left: Decimal) -> dict[str, str]:
    wrong = {}
    for name, amount in (("received", received), ("withheld", withheld)):
        if amount < 0 or not is_satang(amount):
            wrong[name] = "Give an amount from zero up, with at most two decimals."
    if not wrong and not received + withheld:
        wrong["received"] = "Give an amount above zero, with at most two decimals."
    elif not wrong and received + withheld > left:
        wrong["received"] = "This is more than is open of the invoice."
    return wrong
