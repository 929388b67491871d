"""A cost view as rows: every line of its bills, and each bill's VAT, so that the amounts add up to the screen's."""

import datetime as dt
import enum
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.months import Month
from billing.statements.lines import Line
from billing.statements.queries import Bill, Book, bills_of


class RowKind(enum.StrEnum):
    """What a row is."""

    CHARGE = "charge"
    CREDIT = "credit"
    ADJUSTMENT = "adjustment"  # of a month invoiced before
    VAT = "vat"


class RowState(enum.StrEnum):
    """How sure a row is."""

    INVOICED = "invoiced"
    ESTIMATE = "estimate"  # the month runs, or waits for its invoice
    FORECAST = "forecast"  # the month is to come


@dataclass(frozen=True, slots=True)
class Row:
    """One row: whose, when, for what, how much. The VAT row of a bill has no service and no quantity.

    `amount` is in baht; before VAT, but for the row that is the VAT. Names come as (Thai, English).
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
    yield Row(
        RowKind.VAT,
        state,
        bill.month,
        bill.agency_id,
        bill.provider_id,
        bill.number,
        len(bill.lines) + 1,
        None,
        "",
        ("", ""),
        "",
        "",
        ("ภาษีมูลค่าเพิ่ม", "VAT"),
        None,
        ("", ""),
        bill.month.first,
        bill.month.last,
        bill.totals.vat,
        {"rate": str(bill.vat_rate)},
    )


def _kind(line: Line) -> RowKind:
    if "credit" in line.derivation:
        return RowKind.CREDIT
    return RowKind.ADJUSTMENT if "corrects" in line.derivation else RowKind.CHARGE
