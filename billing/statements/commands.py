"""Issuing a month's invoices. An issued invoice is never changed; issuing again changes nothing."""

import datetime as dt
import uuid

from auth.errors import Conflict, Refusal
from auth.organisations.models import Organisation
from auth.rules import Actor
from auth.tenancy import record
from billing.documents.parties import parties_of
from billing.metering.adjustments import hold_marks, settle
from billing.months import Month, bangkok_date
from billing.numbers.commands import next_number
from billing.statements.closing_rules import digest
from billing.statements.lines import Line
from billing.statements.models import Statement, StatementLine
from billing.statements.policies import policy_of
from billing.statements.queries import Bill, book_of, hold_month

SERIES = "INV"


class MonthNotOver(Refusal):
    """An invoice is issued once its month is over."""


class StaleDraft(Conflict):
    """The draft has changed since it was reviewed."""


async def issue(
    agency_id: uuid.UUID,
    provider_id: uuid.UUID,
    month: Month,
    *,
    by: Actor,
    now: dt.datetime,
    reviewed: str | None = None,
) -> Bill:
    """Issue a provider's invoice to an agency for a month that is over, and return it.

    Issued before, alone or at the same moment by another, the invoice that stands is left as it is. `reviewed` is the
    digest of the draft somebody looked at; StaleDraft where the invoice would say anything else.
    """
    if now < month.ends_at:
        raise MonthNotOver(f"{month} is not over")
    # Two closes of the same month meet here: the second waits, and then finds the first one's invoice.
    await hold_month(agency_id, provider_id, month)
    await hold_marks(agency_id, provider_id)
    book = await book_of(agency_id, month, month)
    bill = book.estimate(provider_id, month)
    if (provider_id, month) in book.issued or not bill.lines:
        return bill
    if reviewed is not None and digest(bill.lines, bill.vat_rate, bill.withholding_rate) != reviewed:
        raise StaleDraft("the draft has changed since it was reviewed")
    provider, policy = await Organisation.get(id=provider_id), await policy_of(provider_id)
    given = await next_number(provider_id, SERIES, month.fiscal_year)
    statement = await Statement.create(
        agency_id=agency_id,
        provider_id=provider_id,
        number=f"{SERIES}-{provider.short_code}-{month.fiscal_year}-{given:05d}",
        fiscal_year=month.fiscal_year,
        month=month.first,
        subtotal=bill.totals.subtotal,
        vat_rate=bill.vat_rate,
        vat=bill.totals.vat,
        total=bill.totals.total,
        withholding_rate=bill.withholding_rate,
        withheld=bill.totals.withheld,
        net=bill.totals.net,
        issued_at=now,
        issued_by=by.name,
        parties=await parties_of(agency_id, provider_id),
        due_on=bangkok_date(now) + dt.timedelta(days=policy.due_days),
        payment_instructions=policy.payment_instructions,
    )
    await StatementLine.bulk_create([_stored(statement, place, line) for place, line in enumerate(bill.lines, 1)])
    dues = [due for due in book.dues if due.provider_id == provider_id and due.carried_in == month]
    await settle(agency_id, dues, statement.id, now)
    record(
        "statement.issued",
        at=now,
        subject=("statement", statement.id),
        agency_id=agency_id,
        number=statement.number,
        total=statement.total,
    )
    return bill


def _stored(statement: Statement, place: int, line: Line) -> StatementLine:
    return StatementLine(
        agency_id=statement.agency_id,
        provider_id=statement.provider_id,
        statement_id=statement.id,
        position=place,
        service_id=line.service_id,
        service_number=line.service_number,
        service_name_th=line.service_names[0],
        service_name_en=line.service_names[1],
        family=line.family,
        name_th=line.names[0],
        name_en=line.names[1],
        unit_th=line.units[0],
        unit_en=line.units[1],
        quantity=line.quantity,
        starts_on=line.starts_on,
        ends_on=line.ends_on,
        amount=line.amount,
        derivation=line.derivation,
    )
