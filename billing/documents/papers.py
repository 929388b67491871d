"""A document as its reader sees it: the figures of the invoice or note, and every word around them. Pure."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NamedTuple

from billing.documents.models import Document, Kind
from billing.money import Totals
from billing.months import Month, bangkok_date
from billing.payments.models import Payment
from billing.statements.lines import Line
from billing.statements.models import Statement
from billing.words import plain_quantity, thai_day, thai_day_short, thai_month


@dataclass(frozen=True, slots=True)
class Title:
    """A kind of document: its code in the e-Tax standard, and its names."""

    code: str
    thai: str
    english: str


TITLES: Final = {
    None: Title("380", "ใบแจ้งหนี้", "Invoice"),
    Kind.RECEIPT: Title("T03", "ใบเสร็จรับเงิน/ใบกำกับภาษี", "Receipt/Tax invoice"),
    Kind.CREDIT_NOTE: Title("81", "ใบลดหนี้", "Credit note"),
    Kind.DEBIT_NOTE: Title("80", "ใบเพิ่มหนี้", "Debit note"),
    Kind.CANCELLATION: Title("T07", "ใบแจ้งยกเลิก", "Cancellation note"),
}
# What is listed with the documents and is none of the e-Tax standard: it has a number and no sheet.
REFUND: Final = Title("", "การคืนเงินที่ชำระเกิน", "Refund of an overpayment")
REFUND_REVERSAL: Final = Title("", "การกลับรายการคืนเงิน", "Reversal of a refund")
MEANS: Final = {"transfer": "โอนเงิน", "gfmis": "จ่ายตรงผ่านระบบ New GFMIS Thai", "cheque": "เช็ค", "cash": "เงินสด"}


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys; `tax_id` has thirteen digits, `branch` five (the head office is 00000)."""

    name: str
    name_en: str
    tax_id: str
    branch: str
    address: str
    phone: str
    email: str


@dataclass(frozen=True, slots=True)
class PaperLine:
    """A line: what it is for, for when, how much of what, and its amount in baht before VAT."""

    name: str
    period: str
    quantity: Decimal
    unit: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Section:
    """Lines that belong to one service; a note's lines belong to none, and then the heading is empty."""

    heading: str
    lines: tuple[PaperLine, ...]


class Referred(NamedTuple):
    """An earlier document: its code in the standard, its number and its moment."""

    code: str
    number: str
    issued_at: dt.datetime

    @property
    def said(self) -> str:
        """How the sheet names it."""
        return f"{self.number} ลงวันที่ {thai_day(bangkok_date(self.issued_at))}"


@dataclass(frozen=True, slots=True)
class Corrected:
    """What a note corrects, in baht before VAT: what the invoice says, what earlier notes made of it, what is right.

    Section 86/10 of the Revenue Code asks for the value on the invoice, the right value, and the difference.
    """

    invoice: Referred
    original: Decimal
    before: Decimal
    right: Decimal
    notes: tuple[Referred, ...] = ()


@dataclass(frozen=True, slots=True)
class Paper:
    """A document ready to be drawn: in Thai, figures untouched."""

    id: uuid.UUID
    title: Title
    number: str
    issued_at: dt.datetime
    seller: Party
    buyer: Party
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    totals: Totals
    vat_rate: Decimal
    withholding_rate: Decimal | None
    reason: str = ""
    due_on: dt.date | None = None
    corrects: Corrected | None = None
    cancels: Referred | None = None  # the receipt
    payment_instructions: str = ""

    @property
    def issued_on(self) -> dt.date:
        """Its day in Bangkok."""
        return bangkok_date(self.issued_at)

    @property
    def lines(self) -> tuple[PaperLine, ...]:
        """All its lines."""
        return tuple(line for section in self.sections for line in section.lines)


def invoice_paper(statement: Statement, lines: Sequence[Line], parties: dict[str, dict[str, Any]]) -> Paper:
    """Lay out an issued invoice; `parties` stand for those it kept none of itself."""
    named = statement.parties or parties
    by_service: dict[str, list[PaperLine]] = {}
    for line in lines:
        by_service.setdefault(f"{line.service_names[0]} ({line.service_number})", []).append(_paper_line(line))
    return Paper(
        id=statement.id,
        title=TITLES[None],
        number=statement.number,
        issued_at=statement.issued_at,
        seller=_party(named["seller"]),
        buyer=_party(named["buyer"]),
        facts=(
            ("ค่าบริการประจำเดือน", thai_month(statement.month)),
            *((("ครบกำหนดชำระ", thai_day(statement.due_on)),) if statement.due_on else ()),
        ),
        sections=tuple(Section(heading, tuple(own)) for heading, own in by_service.items()),
        totals=Totals(statement.subtotal, statement.vat, statement.total, statement.withheld, statement.net),
        vat_rate=statement.vat_rate,
        withholding_rate=statement.withholding_rate or None,
        due_on=statement.due_on,
        payment_instructions=statement.payment_instructions,
    )


def document_paper(
    document: Document, statement: Statement, payment: Payment | None, cancelled: Document | None = None
) -> Paper:
    """Lay out a receipt, the cancellation of one (`cancelled`), or a note on an invoice."""
    invoice = Referred(TITLES[None].code, statement.number, statement.issued_at)
    cancels = Referred(TITLES[cancelled.kind].code, cancelled.number, cancelled.issued_at) if cancelled else None
    corrects = corrected(document, invoice, statement.subtotal)
    facts = [("อ้างถึงใบแจ้งหนี้", invoice.said)]
    if cancels is not None:
        facts.insert(0, ("ยกเลิกเอกสาร", cancels.said))
    if corrects is not None:
        facts += [("แก้ไขต่อจาก", note.said) for note in corrects.notes]
    if payment is not None:
        facts += [
            ("วันที่ชำระเงิน", thai_day(payment.paid_on)),
            ("ชำระโดย", f"{MEANS[payment.means.value]} {payment.reference}"),
        ]
        if payment.withheld and payment.certificate_date:
            facts.append(
                (
                    "หนังสือรับรองการหักภาษี",
                    f"{payment.certificate_number} ลงวันที่ {thai_day(payment.certificate_date)}",
                )
            )
    lines = tuple(
        PaperLine(line["name_th"], "", Decimal(1), "รายการ", Decimal(line["amount"])) for line in document.lines
    )
    return Paper(
        id=document.id,
        title=TITLES[document.kind],
        number=document.number,
        issued_at=document.issued_at,
        seller=_party(document.parties["seller"]),
        buyer=_party(document.parties["buyer"]),
        facts=tuple(facts),
        sections=(Section("", lines),),
        totals=Totals(document.subtotal, document.vat, document.total, document.withheld, document.net),
        vat_rate=document.vat_rate,
        withholding_rate=None,
        reason=document.reason,
        corrects=corrects,
        cancels=cancels,
    )


def corrected(document: Document, invoice: Referred, original: Decimal) -> Corrected | None:
    """Return what a note corrects, `original` being the invoice's subtotal; None for what is no note."""
    if document.kind not in {Kind.CREDIT_NOTE, Kind.DEBIT_NOTE}:
        return None
    kept = document.after or {"subtotal": original, "notes": []}
    before = Decimal(kept["subtotal"])
    right = before + (document.subtotal if document.kind is Kind.DEBIT_NOTE else -document.subtotal)
    notes = (
        Referred(TITLES[Kind(note["kind"])].code, note["number"], dt.datetime.fromisoformat(note["issued_at"]))
        for note in kept["notes"]
    )
    return Corrected(invoice, original, before, right, tuple(notes))


def _paper_line(line: Line) -> PaperLine:
    name, kept = line.names[0], line.derivation
    if "corrects" in kept:
        settled = kept["corrects"]
        name += f" (ปรับปรุงใบแจ้งหนี้ {settled['number']} เดือน{thai_month(Month.parse(settled['month']).first)})"
    elif "credit" in kept:
        name += f": {kept['credit']['reason']}"
    elif kept.get("days") and kept["days"] != kept["days_in_month"]:
        name += f" ({kept['days']}/{kept['days_in_month']} วัน)"
    elif kept.get("hours"):
        name += f" ({plain_quantity(Decimal(kept['hours']).quantize(Decimal('0.01')))} ชั่วโมง)"
    period = f"{thai_day_short(line.starts_on)} – {thai_day_short(line.ends_on)}"
    return PaperLine(name, period, line.quantity, line.units[0], line.amount)


def _party(named: dict[str, Any]) -> Party:
    return Party(
        named.get("name_th", ""),
        named.get("name_en", ""),
        named.get("tax_id", ""),
        named.get("branch_code") or "00000",
        named.get("address_th", ""),
        named.get("phone", ""),
        named.get("email", ""),
    )
