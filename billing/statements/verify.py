"""Checking what was issued against what it was made of: services, usage, prices, credits, payments."""

import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from auth.tenancy import rows
from billing.credits.models import Credit
from billing.documents.models import Document, Kind
from billing.metering.retention import kept_from
from billing.money import exactly, totals
from billing.months import Month
from billing.payments.rules import Account, receipt_vat
from billing.statements.lines import Line, credit_of, line_of
from billing.statements.models import Statement, StatementLine
from billing.statements.queries import Book, book_of

_ADJUSTED = """
    SELECT statement_id, service_id, sum(amount) AS amount FROM adjustment
    WHERE agency_id = $1 GROUP BY statement_id, service_id
"""
# What was settled later of months whose single events are not kept any more.
_SETTLED = """
    SELECT l.service_id, l.component_id, l.month, coalesce(sum(a.amount), 0) AS amount
    FROM (SELECT DISTINCT service_id, component_id, month FROM late_usage WHERE agency_id = $1 AND month < $2) l
    LEFT JOIN adjustment a ON a.agency_id = $1 AND a.service_id = l.service_id AND a.component_id = l.component_id
        AND a.month = l.month
    GROUP BY l.service_id, l.component_id, l.month
"""
# Invoices of months for which a price was set afterwards: what was billed by then stays as it is.
_REPRICED = """
    SELECT id FROM statement s WHERE agency_id = $1 AND EXISTS (
        SELECT FROM price_version v WHERE v.provider_id = s.provider_id AND v.made_at > s.issued_at
            AND v.effective_from < s.month + interval '1 month'
    )
"""
# What was given back, and what of it was reversed.
_REFUNDED = """
    SELECT statement_id, id, amount FROM refund WHERE agency_id = $1
    UNION ALL
    SELECT f.statement_id, r.id, -f.amount
    FROM refund_reversal r JOIN refund f ON f.agency_id = r.agency_id AND f.id = r.refund_id
    WHERE r.agency_id = $1
"""
# Every number from 1 to the last given, once: what is missing and what stands twice.
_NUMBERS = """
    SELECT c.owner_id, c.series, c.fiscal_year, g.given
    FROM counter c CROSS JOIN LATERAL generate_series(1, c.last_given) AS g(given)
    WHERE c.series IN ('INV', 'RC', 'CN', 'DN', 'CX', 'RF', 'RX') AND NOT EXISTS (
        SELECT FROM (
            SELECT provider_id, fiscal_year, number FROM statement
            UNION ALL SELECT provider_id, fiscal_year, number FROM document
            UNION ALL SELECT provider_id, fiscal_year, number FROM refund
            UNION ALL SELECT provider_id, fiscal_year, number FROM refund_reversal
        ) n
        WHERE n.provider_id = c.owner_id AND n.fiscal_year = c.fiscal_year
            AND split_part(n.number, '-', 1) = c.series
            AND regexp_replace(n.number, '^.*-', '')::bigint = g.given
    )
    ORDER BY 1, 2, 3, 4
"""
# Payments and their papers that say different things.
_PAYMENTS = """
    SELECT coalesce(d.number, p.reference) AS number, CASE
        WHEN d.number IS NULL THEN 'the payment has no receipt'
        WHEN d.total <> p.received + p.withheld OR d.withheld <> p.withheld THEN
            'says ' || d.total || ', paid were ' || p.received + p.withheld
        WHEN r.id IS NULL THEN 'is cancelled, but its payment stands'
        WHEN c.id IS NULL THEN 'its payment is reversed, but nothing cancels it'
        ELSE 'is cancelled by ' || c.total || ', not by ' || d.total END AS what
    FROM payment p
    LEFT JOIN document d ON d.agency_id = p.agency_id AND d.payment_id = p.id AND d.kind = 'receipt'
    LEFT JOIN document c ON c.agency_id = p.agency_id AND c.payment_id = p.id AND c.kind = 'cancellation'
    LEFT JOIN payment_reversal r ON r.agency_id = p.agency_id AND r.payment_id = p.id
    WHERE p.agency_id = $1 AND (
        d.number IS NULL OR d.total <> p.received + p.withheld OR d.withheld <> p.withheld
        OR (r.id IS NULL) <> (c.id IS NULL) OR (c.total, c.vat) <> (d.total, d.vat))
    ORDER BY p.recorded_at, p.id
"""


Part = tuple[uuid.UUID, str]
"""A service and its component."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something issued that does not follow from what it was made of."""

    number: str
    what: str


@dataclass(frozen=True, slots=True)
class StatementReport:
    """How many invoices an agency has, how many of them were checked against sums by day alone, and what differs."""

    agency_id: uuid.UUID
    statements: int
    from_sums: int
    differences: tuple[Difference, ...]


async def verify() -> AsyncIterator[StatementReport]:
    """Recompute every issued invoice and yield what is found, agency by agency; run as the system.

    Each month is rated anew from what was set aside and from the very events, without what came after its invoice, at
    the prices that were known when it was issued; then lines, credits, sums and taxes are compared, what was settled
    of it later with what came later, and payments with their papers.

    Of a month whose single events are not kept any more, the sums by day are rated instead. They hold what came after
    the invoice too: where something did, the invoice and what settled it later must come to the same together.
    """
    for row in await rows("SELECT DISTINCT agency_id FROM statement ORDER BY 1"):
        yield await _agency(row["agency_id"])


async def missing_numbers() -> list[Difference]:
    """Return the numbers of invoices and of what follows them that were given and stand nowhere."""
    return [
        Difference(f"{row['series']}-…-{row['fiscal_year']}-{row['given']:05d}", "the number is missing")
        for row in await rows(_NUMBERS)
    ]


async def _agency(agency_id: uuid.UUID) -> StatementReport:
    statements = await Statement.filter(agency_id=agency_id).order_by("month", "number")
    months = [Month.of(each.month) for each in statements]
    book = await book_of(agency_id, min(months), max(months), as_invoiced=True)
    adjusted: dict[uuid.UUID, dict[uuid.UUID, Decimal]] = defaultdict(dict)
    for row in await rows(_ADJUSTED, agency_id):
        adjusted[row["statement_id"]][row["service_id"]] = row["amount"]
    since = await kept_from()
    settled: dict[Month, dict[Part, Decimal]] = defaultdict(dict)
    for row in await rows(_SETTLED, agency_id, since.first) if since else ():
        settled[Month.of(row["month"])][row["service_id"], str(row["component_id"])] = row["amount"]
    repriced = {row["id"] for row in await rows(_REPRICED, agency_id)}
    stands = await Credit.filter(agency_id=agency_id, withdrawn_at=None)
    found: list[Difference] = []
    for statement in statements:
        lines = await StatementLine.filter(agency_id=agency_id, statement_id=statement.id).order_by("position")
        credits_ = [credit_of(each, book.services) for each in _credits_on(statement, stands)]
        rates = book
        if statement.id in repriced:
            month = Month.of(statement.month)
            rates = await book_of(agency_id, month, month, as_invoiced=True, known_at=statement.issued_at)
        rated, later = _rated(rates, statement), settled[Month.of(statement.month)]
        found += _taxed(book, statement)
        found += _together(statement, lines, rated, later)
        found += _compare(
            statement,
            lines,
            [line for line in rated if _part(line) not in later],
            credits_,
            adjusted[statement.id],
            later,
        )
    found += _settled_wrongly(book)
    documents = await Document.filter(agency_id=agency_id).order_by("id")  # as they were made
    found += _notes_after_notes(documents, {each.id: each.subtotal for each in statements})
    for document in documents:
        parts = sum((Decimal(line["amount"]) for line in document.lines), Decimal("0.00"))
        if parts != document.subtotal or document.subtotal + document.vat != document.total:
            found.append(Difference(document.number, f"lines add up to {parts}, the subtotal says {document.subtotal}"))
    refunds = await rows(_REFUNDED, agency_id)
    for statement in statements:
        own = [each for each in documents if each.statement_id == statement.id]
        found += _receipted(statement, own, [each for each in refunds if each["statement_id"] == statement.id])
    found += [Difference(row["number"], row["what"]) for row in await rows(_PAYMENTS, agency_id)]
    from_sums = [month for month in months if since and month < since]
    return StatementReport(agency_id, len(statements), len(from_sums), tuple(found))


def _taxed(book: Book, statement: Statement) -> list[Difference]:
    """Compare an invoice's rates with those in force on its month's last day; none is ever set for a day before."""
    last = Month.of(statement.month).last
    due = {
        "vat_rate": book.taxes.vat_on(last),
        "withholding_rate": book.taxes.withholding_on(last, statement.provider_id),
    }
    return [
        Difference(statement.number, f"{name} is {kept.normalize():f}, in force was {right.normalize():f}")
        for name, right in due.items()
        if (kept := getattr(statement, name)) != right
    ]


def _settled_wrongly(book: Book) -> list[Difference]:
    """Return the months that, with what was settled after their invoice, do not come to what their usage does."""
    return [
        Difference(
            due.corrects_number,
            f"{book.services[due.service_id].number}, {due.month}: with what was settled later"
            f" {due.amount_so_far}, due is {due.amount_now}",
        )
        for due in book.dues
        if due.amount
    ]


def _receipted(
    statement: Statement, documents: Iterable[Document], refunds: Sequence[dict[str, Any]]
) -> list[Difference]:
    """Compare the VAT of an invoice's receipts, as they followed each other, with its share of what was paid.

    They followed as their ids do, which are given while the month is held: one that waited for another bears the
    earlier moment, at which it was asked for.
    """
    account, found = Account(statement.total, statement.vat), []
    for each in documents:
        match each.kind:
            case Kind.RECEIPT:
                before = (row["amount"] for row in refunds if row["id"] < each.id)
                due = receipt_vat(replace(account, refunded=sum(before, Decimal("0.00"))), each.total)
                if each.vat != due:
                    found.append(Difference(each.number, f"bears VAT of {each.vat}, due is {due}"))
                account = _with(account, received=each.total, receipted_vat=each.vat)
            case Kind.CANCELLATION:
                account = _with(account, received=-each.total, receipted_vat=-each.vat)
            case Kind.CREDIT_NOTE:
                account = _with(account, credited=each.total, credited_vat=each.vat)
            case Kind.DEBIT_NOTE:
                account = _with(account, debited=each.total, debited_vat=each.vat)
    return found


def _with(account: Account, **more: Decimal) -> Account:
    return replace(account, **{name: getattr(account, name) + amount for name, amount in more.items()})


def _notes_after_notes(documents: Iterable[Document], subtotals: Mapping[uuid.UUID, Decimal]) -> list[Difference]:
    """Compare what notes say that earlier ones left, and which those were, with the notes as they were made."""
    left, earlier, found = dict(subtotals), defaultdict[uuid.UUID, set[str]](set), []
    for note in documents:
        if note.kind not in {Kind.CREDIT_NOTE, Kind.DEBIT_NOTE}:
            continue
        before, known = left[note.statement_id], earlier[note.statement_id]
        if note.after and Decimal(note.after["subtotal"]) != before:
            found.append(Difference(note.number, f"corrects {note.after['subtotal']}, earlier notes left {before}"))
        if note.after and {each["number"] for each in note.after["notes"]} != known:
            found.append(Difference(note.number, f"names other notes than were before it: {', '.join(sorted(known))}"))
        left[note.statement_id] += note.subtotal if note.kind is Kind.DEBIT_NOTE else -note.subtotal
        known.add(note.number)
    return found


def _credits_on(statement: Statement, stands: Iterable[Credit]) -> list[Credit]:
    return [each for each in stands if each.provider_id == statement.provider_id and each.month == statement.month]


def _rated(book: Book, statement: Statement) -> list[Line]:
    lines = (line_of(charge, book.services, book.items) for charge in book.charges(Month.of(statement.month)))
    return [line for line in lines if book.services[line.service_id].provider_id == statement.provider_id]


def _compare(
    statement: Statement,
    lines: Sequence[StatementLine],
    rated: Sequence[Line],
    given: Sequence[Line],
    adjusted: Mapping[uuid.UUID, Decimal],
    apart: Container[Part] = (),
) -> list[Difference]:
    plain = [line for line in lines if "corrects" not in line.derivation and _part(line) not in apart]
    stored = Counter(_key(line) for line in plain)
    due = Counter(_key(line) for line in [*rated, *given])
    settled: dict[uuid.UUID, Decimal] = defaultdict(Decimal)
    for line in lines:
        if "corrects" in line.derivation:
            settled[line.service_id] += line.amount
    found = [
        *(f"charged, but not due: {_said(key)}" for key in sorted(stored - due)),
        *(f"due, but not charged: {_said(key)}" for key in sorted(due - stored)),
        *(
            f"settles {settled[service_id]} of earlier months, not {adjusted.get(service_id, 0)}"
            for service_id in {*settled, *adjusted}
            if settled[service_id] != adjusted.get(service_id, 0)
        ),
    ]
    sums = totals([line.amount for line in lines], statement.vat_rate, statement.withholding_rate)
    for name in ("subtotal", "vat", "total", "withheld", "net"):
        kept, right = getattr(statement, name), getattr(sums, name)
        if kept != right:
            found.append(f"{name} is {kept}, its lines come to {right}")
    return [Difference(statement.number, what) for what in found]


def _part(line: StatementLine | Line) -> Part:
    return line.service_id, str(line.derivation.get("component"))


def _together(
    statement: Statement, lines: Sequence[StatementLine], rated: Sequence[Line], later: Mapping[Part, Decimal]
) -> list[Difference]:
    """Compare what parts of an invoice and their later settlements come to together with what is due."""
    found = []
    for part, amount in later.items():
        own = (line.amount for line in lines if _part(line) == part and "corrects" not in line.derivation)
        charged = sum(own, amount)
        due = sum((line.amount for line in rated if _part(line) == part), Decimal("0.00"))
        if charged != due:
            found.append(f"{part[0]}, {part[1]}: with what was settled later {charged}, due is {due}")
    return [Difference(statement.number, what) for what in found]


Key = tuple[str, str, str, str, Decimal, Decimal]


def _key(line: StatementLine | Line) -> Key:
    name = line.derivation.get("component") or line.derivation["credit"]["id"]
    with exactly():
        quantity = line.quantity.normalize()
    return (
        line.service_number,
        str(name),
        line.starts_on.isoformat(),
        line.ends_on.isoformat(),
        quantity,
        line.amount,
    )


def _said(key: Key) -> str:
    number, _, first, last, quantity, amount = key
    return f"{number}, {first} to {last}, {quantity:f} for {amount}"
