"""What follows an invoice: receipts of payments and their cancellations, and notes. Nothing issued is ever edited."""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import one, record, scoped
from billing.documents.models import Document, Kind
from billing.documents.parties import parties_of
from billing.money import is_satang, satang
from billing.months import Month
from billing.numbers.commands import next_number
from billing.payments.rules import note_vat
from billing.statements.models import Statement, StatementLine
from billing.statements.queries import hold_month
from billing.words import thai_month

SERIES = {Kind.RECEIPT: "RC", Kind.CREDIT_NOTE: "CN", Kind.DEBIT_NOTE: "DN", Kind.CANCELLATION: "CX"}
SHORTEST_REASON, LONGEST_REASON = 5, 500


class Correction(NamedTuple):
    """A line of a note: what it is for, how much before VAT, and of which service; None of the whole invoice."""

    name_th: str
    name_en: str
    amount: Decimal
    service_id: uuid.UUID | None = None

    @property
    def kept(self) -> dict[str, str]:
        """The line as its document keeps it."""
        of_service = {"service_id": str(self.service_id)} if self.service_id else {}
        return {"name_th": self.name_th, "name_en": self.name_en, "amount": str(self.amount), **of_service}


async def correct(
    statement_id: uuid.UUID, kind: Kind, lines: Sequence[Correction], *, reason: str, by: Actor, now: dt.datetime
) -> Document:
    """Issue a credit or debit note on an invoice; VAT is at the invoice's rate.

    Refuses (Invalid) a note without a reason or lines, amounts that are not positive, a service that is not on the
    invoice, and a credit note for more than is left of the invoice after earlier notes.
    """
    if kind not in {Kind.CREDIT_NOTE, Kind.DEBIT_NOTE}:
        raise ValueError("a receipt and its cancellation follow a payment")
    statement = await one(Statement, id=statement_id)
    await hold_month(statement.agency_id, statement.provider_id, Month.of(statement.month))
    if wrong := faults_of_reason(reason):
        raise Invalid(wrong)
    if not lines or any(line.amount <= 0 or not is_satang(line.amount) for line in lines):
        raise Invalid({"amount": "Give an amount above zero, with at most two decimals."})
    if named := {line.service_id for line in lines if line.service_id}:
        billed = await scoped(StatementLine).filter(agency_id=statement.agency_id, statement_id=statement.id)
        if named - {line.service_id for line in billed}:
            raise Invalid({"service": "Choose one of the list."})
    left = await _left_of(statement)
    subtotal = sum((line.amount for line in lines), Decimal("0.00"))
    vat = satang(subtotal * statement.vat_rate)
    if kind is Kind.CREDIT_NOTE:
        if subtotal > left.subtotal:
            raise Invalid({"amount": "This is more than is left of the invoice."})
        vat = note_vat(subtotal, statement.vat_rate, left.subtotal, left.vat)
    note = await _issue(
        statement,
        kind,
        lines,
        subtotal=subtotal,
        vat=vat,
        withheld=Decimal("0.00"),
        reason=reason,
        after=left.kept,
        by=by,
        now=now,
    )
    record(
        "note.issued",
        at=now,
        subject=("document", note.id),
        agency_id=note.agency_id,
        number=note.number,
        invoice=statement.number,
        total=note.total,
        reason=reason,
    )
    return note


async def give_receipt(
    statement: Statement,
    payment_id: uuid.UUID,
    *,
    gross: Decimal,
    vat: Decimal,
    withheld: Decimal,
    by: Actor,
    now: dt.datetime,
) -> Document:
    """Issue the receipt of a payment that is being recorded; `gross` is with VAT and the tax withheld."""
    month = thai_month(statement.month)
    line = Correction(
        f"ค่าบริการประจำเดือน{month} ตามใบแจ้งหนี้เลขที่ {statement.number}",
        f"Services of {statement.month:%B %Y}, invoice {statement.number}",
        gross - vat,
    )
    return await _issue(
        statement,
        Kind.RECEIPT,
        [line],
        subtotal=gross - vat,
        vat=vat,
        withheld=withheld,
        payment_id=payment_id,
        by=by,
        now=now,
    )


async def cancel_receipt(
    statement: Statement, receipt: Document, *, reason: str, by: Actor, now: dt.datetime
) -> Document:
    """Issue the cancellation of the receipt of a payment that is being reversed; the receipt stays as it is."""
    return await _issue(
        statement,
        Kind.CANCELLATION,
        [Correction(line["name_th"], line["name_en"], Decimal(line["amount"])) for line in receipt.lines],
        subtotal=receipt.subtotal,
        vat=receipt.vat,
        withheld=receipt.withheld,
        reason=reason,
        payment_id=receipt.payment_id,
        by=by,
        now=now,
    )


def faults_of_reason(reason: str, field: str = "reason") -> dict[str, str]:
    """Return what is wrong with the reason of what is never changed afterwards, by the field it was typed into."""
    if len(reason) < SHORTEST_REASON:
        return {field: "Give the reason."}
    return {field: "This text is too long."} if len(reason) > LONGEST_REASON else {}


async def number_after(statement: Statement, series: str, now: dt.datetime) -> tuple[str, int]:
    """Give the next number of a series to what follows an invoice; return it and its fiscal year."""
    year = Month.of(now).fiscal_year
    given = await next_number(statement.provider_id, series, year)
    # The invoice's number begins with its series and its provider's short code.
    short_code = statement.number.split("-", 1)[1].rsplit("-", 2)[0]
    return f"{series}-{short_code}-{year}-{given:05d}", year


class _Left(NamedTuple):
    """What is left of an invoice before VAT, and of its VAT, after its notes."""

    subtotal: Decimal
    vat: Decimal
    notes: list[Document]

    @property
    def kept(self) -> dict[str, Any] | None:
        """What the next note keeps of it; None where it is the first."""
        if not self.notes:
            return None
        named = [
            {"kind": each.kind.value, "number": each.number, "issued_at": each.issued_at.isoformat()}
            for each in self.notes
        ]
        return {"subtotal": str(self.subtotal), "notes": named}


async def _left_of(statement: Statement) -> _Left:
    subtotal, vat = statement.subtotal, statement.vat
    notes = await scoped(Document).filter(statement_id=statement.id, payment_id=None).order_by("issued_at", "number")
    for note in notes:
        sign = -1 if note.kind is Kind.CREDIT_NOTE else 1
        subtotal, vat = subtotal + sign * note.subtotal, vat + sign * note.vat
    return _Left(subtotal, vat, notes)


async def _issue(
    statement: Statement,
    kind: Kind,
    lines: Sequence[Correction],
    *,
    subtotal: Decimal,
    vat: Decimal,
    withheld: Decimal,
    reason: str = "",
    after: dict[str, Any] | None = None,
    payment_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> Document:
    number, year = await number_after(statement, SERIES[kind], now)
    return await Document.create(
        agency_id=statement.agency_id,
        provider_id=statement.provider_id,
        statement_id=statement.id,
        payment_id=payment_id,
        kind=kind,
        number=number,
        fiscal_year=year,
        reason=reason,
        lines=[line.kept for line in lines],
        after=after,
        subtotal=subtotal,
        vat_rate=statement.vat_rate,
        vat=vat,
        total=subtotal + vat,
        withheld=withheld,
        net=subtotal + vat - withheld,
        parties=await parties_of(statement.agency_id, statement.provider_id),
        issued_at=now,
        issued_by=by.name,
    )
