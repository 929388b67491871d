"""Recording what was paid; each payment gets its receipt, which is the tax invoice (the tax point is payment)."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Invalid, NotFound
from auth.rules import Actor
from auth.tenancy import one, record
from billing.documents.commands import give_receipt
from billing.documents.models import Document
from billing.money import is_satang
from billing.months import Month, bangkok_date
from billing.payments.models import Means, Payment
from billing.payments.queries import invoice_of
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
    invoice, a payment without its reference, and withheld tax without its certificate.
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
    if withheld > 0 and not (certificate_number and certificate_date):
        wrong["certificate_number"] = "Give the number and the date of the withholding-tax certificate."
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
