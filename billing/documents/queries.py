"""Documents within reach, and each as a sheet."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from tortoise.expressions import Subquery

from auth.tenancy import one, scoped
from billing.documents.models import Document, Kind
from billing.documents.papers import REFUND, REFUND_REVERSAL, TITLES, Paper, Title, document_paper, invoice_paper
from billing.documents.parties import parties_of
from billing.months import Month
from billing.payments.models import Payment, Refund, RefundReversal
from billing.statements.models import Statement
from billing.statements.queries import bill_of


@dataclass(frozen=True, slots=True)
class Listed:
    """A document in a list: an invoice, or what followed one; a refund and its reversal have no sheet.

    `because` is the reference and the reason of those two.
    """

    id: uuid.UUID
    title: Title
    number: str
    issued_at: dt.datetime
    total: Decimal
    month: dt.date
    invoice_number: str
    agency_id: uuid.UUID
    provider_id: uuid.UUID
    is_cancelled: bool = False
    because: str = ""

    @property
    def has_sheet(self) -> bool:
        """Whether there is a PDF and e-Tax data of it."""
        return bool(self.title.code)


async def documents_of(agency_id: uuid.UUID | None = None, most: int = 500) -> list[Listed]:
    """Return an agency's documents, or all within reach, the latest first, in six queries."""
    which = {} if agency_id is None else {"agency_id": agency_id}
    invoices = await scoped(Statement).filter(**which).order_by("-issued_at", "-number").limit(most)
    followed = await scoped(Document).filter(**which).order_by("-issued_at", "-number").limit(most)
    known = {each.id: each for each in invoices}
    known |= {each.id: each for each in await scoped(Statement).filter(id__in=[each.statement_id for each in followed])}
    found = [_listed(each.id, TITLES[None], each, each) for each in invoices]
    cancelled = cancelled_receipts(followed)
    found += [
        _listed(each.id, TITLES[each.kind], each, known[each.statement_id], is_cancelled=each.id in cancelled)
        for each in followed
    ]
    found += await _refunds(which, most)
    return sorted(found, key=lambda each: (each.issued_at, each.number), reverse=True)[:most]


async def notes_of(statement_id: uuid.UUID) -> list[Document]:
    """Return what followed an invoice, oldest first."""
    return await scoped(Document).filter(statement_id=statement_id).order_by("issued_at", "number")


async def notes_between(agency_id: uuid.UUID, since: Month, until: Month) -> list[Document]:
    """Return the credit and debit notes on an agency's invoices of some months, both included, oldest first."""
    invoices = scoped(Statement).filter(agency_id=agency_id, month__gte=since.first, month__lte=until.first)
    found = scoped(Document).filter(agency_id=agency_id, kind__in=[Kind.CREDIT_NOTE, Kind.DEBIT_NOTE])
    return await found.filter(statement_id__in=Subquery(invoices.values("id"))).order_by("issued_at", "number")


def net_of(notes: Iterable[Document]) -> Decimal:
    """Return by how much notes change what is owed, with VAT; below zero where they take more back than they add."""
    return sum((each.total if each.kind is Kind.DEBIT_NOTE else -each.total for each in notes), Decimal("0.00"))


async def receipt_of(payment_id: uuid.UUID) -> Document:
    """Return the receipt of a payment; NotFound for what is not within reach."""
    return await one(Document, payment_id=payment_id, kind=Kind.RECEIPT)


def cancelled_receipts(documents: Collection[Document]) -> set[uuid.UUID]:
    """Return the ids of those receipts among documents that a cancellation among them cancels."""
    cancelled = {each.payment_id for each in documents if each.kind is Kind.CANCELLATION}
    return {each.id for each in documents if each.kind is Kind.RECEIPT and each.payment_id in cancelled}


async def paper_of(document_id: uuid.UUID) -> Paper:
    """Return an invoice, receipt, cancellation or note as a sheet; NotFound for what is not within reach."""
    document = await scoped(Document).filter(id=document_id).first()
    if document is not None:
        statement = await one(Statement, id=document.statement_id)
        payment = await one(Payment, id=document.payment_id) if document.payment_id else None
        is_cancellation = document.kind is Kind.CANCELLATION
        cancelled = await receipt_of(document.payment_id) if is_cancellation and document.payment_id else None
        return document_paper(document, statement, payment, cancelled)
    statement = await one(Statement, id=document_id)
    bill = await bill_of(statement.agency_id, statement.provider_id, Month.of(statement.month))
    parties = statement.parties or await parties_of(statement.agency_id, statement.provider_id)
    return invoice_paper(statement, bill.lines if bill else (), parties)


async def _refunds(which: dict[str, uuid.UUID], most: int) -> list[Listed]:
    refunds = await scoped(Refund).filter(**which).order_by("-recorded_at", "-number").limit(most)
    reversals = {
        each.refund_id: each for each in await scoped(RefundReversal).filter(refund_id__in=[r.id for r in refunds])
    }
    invoices = {each.id: each for each in await scoped(Statement).filter(id__in=[r.statement_id for r in refunds])}
    found = []
    for refund in refunds:
        invoice, reversal = invoices[refund.statement_id], reversals.get(refund.id)
        common = refund.amount, invoice.month, invoice.number, refund.agency_id, refund.provider_id
        said = f"{refund.reference} · {refund.reason}"
        found.append(
            Listed(refund.id, REFUND, refund.number, refund.recorded_at, *common, reversal is not None, because=said)
        )
        if reversal:
            said = f"{refund.number} · {reversal.reason}"
            found.append(
                Listed(reversal.id, REFUND_REVERSAL, reversal.number, reversal.reversed_at, *common, because=said)
            )
    return found


def _listed(
    id_: uuid.UUID, title: Title, document: Statement | Document, invoice: Statement, *, is_cancelled: bool = False
) -> Listed:
    return Listed(
        id_,
        title,
        document.number,
        document.issued_at,
        document.total,
        invoice.month,
        invoice.number,
        document.agency_id,
        document.provider_id,
        is_cancelled,
    )
