"""A cost view as rows: every line of its bills and of the notes on them, and the VAT of each.

So the amounts add up to the screen's.
"""

import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from billing.months import Month
from billing.statements.facts import Noted
from billing.statements.lines import Line
from billing.statements.queries import Bill, Book, bills_of

VAT_NAMES = ("ภาษีมูลค่าเพิ่ม", "VAT")


class RowKind(enum.StrEnum):
    """What a row is."""

    CHARGE = "charge"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"  # of a month invoiced before
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"
    VAT = "vat"


class RowState(enum.StrEnum):
    """How sure a row is."""

    INVOICED = "invoiced"
    ESTIMATE = "estimate"  # the month runs, or waits for its invoice
    FORECAST = "forecast"  # the month is to come


@dataclass(frozen=True, slots=True)
class Row:
    """One row: whose, when, for what, how much. The VAT row of a bill has no service and no quantity.

    `amount` is in baht; before VAT, but for the row that is the VAT. Names come as (Thai, English). A row of a note
    names the invoice that the note corrects, is of its month, and keeps the note itself in `derivation`.
    """

    kind: RowKind
    state: RowState
    month: Month
    agency_id: uuid.UUID
    provider_id: uuid.UUID
    invoice: str | None
    position: int
    service_id: uuid.UUID | None
    service_number: str
    service_names: tuple[str, str]
    family: str
    cost_centre: str
    names: tuple[str, str]
    quantity: Decimal | None
    units: tuple[str, str]
    first: dt.date
    last: dt.date
    amount: Decimal
    derivation: Mapping[str, Any]


async def rows_of(book: Book, months: Iterable[Month], current: Month) -> AsyncIterator[Row]:
    """Yield the rows of a book's months, month by month, as the pages of costs show them.

    The book must cover the months; `current` tells an estimate from a forecast.
    """
    for month in months:
        for bill in await bills_of(book, month):
            for row in _rows(bill, book, current):
                yield row
            for note in book.notes_on(month):
                if note.statement_id == bill.statement_id:
                    for row in _rows_of_note(note, bill, book):
                        yield row


def _rows(bill: Bill, book: Book, current: Month) -> Iterable[Row]:
    state = RowState.INVOICED if bill.number else RowState.FORECAST if bill.month > current else RowState.ESTIMATE
    for position, line in enumerate(bill.lines, 1):
        yield Row(
            _kind(line),
            state,
            bill.month,
            bill.agency_id,
            bill.provider_id,
            bill.number,
            position,
            line.service_id,
            line.service_number,
            line.service_names,
            line.family,
            book.services[line.service_id].cost_centre,
            line.names,
            line.quantity,
            line.units,
            line.starts_on,
            line.ends_on,
            line.amount,
            line.derivation,
        )
    vat, rate = bill.totals.vat, {"rate": str(bill.vat_rate)}
    yield _without_service(RowKind.VAT, state, bill, len(bill.lines) + 1, VAT_NAMES, vat, rate)


def _rows_of_note(note: Noted, bill: Bill, book: Book) -> Iterable[Row]:
    kept = {"note": {"kind": note.kind.value, "number": note.number, "reason": note.reason}}
    for position, line in enumerate(note.lines, 1):
        row = _without_service(
            RowKind(note.kind.value), RowState.INVOICED, bill, position, _of(note, line.names), line.amount, kept
        )
        service = book.services[line.service_id] if line.service_id else None
        yield (
            row
            if service is None
            else replace(
                row,
                service_id=service.id,
                service_number=service.number,
                service_names=(service.name_th, service.name_en),
                family=service.family,
                cost_centre=service.cost_centre,
            )
        )
    rate = {"rate": str(bill.vat_rate)}
    vat = _of(note, VAT_NAMES)
    yield _without_service(RowKind.VAT, RowState.INVOICED, bill, len(note.lines) + 1, vat, note.vat, rate | kept)


def _of(note: Noted, names: tuple[str, str]) -> tuple[str, str]:
    return f"{note.number} · {names[0]}", f"{note.number} · {names[1]}"


def _without_service(
    kind: RowKind,
    state: RowState,
    bill: Bill,
    position: int,
    names: tuple[str, str],
    amount: Decimal,
    derivation: Mapping[str, Any],
) -> Row:
    return Row(
        kind,
        state,
        bill.month,
        bill.agency_id,
        bill.provider_id,
        bill.number,
        position,
        None,
        "",
        ("", ""),
        "",
        "",
        names,
        None,
        ("", ""),
        bill.month.first,
        bill.month.last,
        amount,
        derivation,
    )


def _kind(line: Line) -> RowKind:
    if "credit" in line.derivation:
        return RowKind.CREDIT
    return RowKind.ADJUSTMENT if "corrects" in line.derivation else RowKind.CHARGE
