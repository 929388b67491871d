"""An agency's lines over many months, issued and estimated, in a constant number of queries."""

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from auth.tenancy import rows
from billing.explorer.rules import Entry, Nature
from billing.months import Month
from billing.statements.facts import Noted, NoteLine
from billing.statements.lines import NOTE_NAMES, WHOLE_INVOICE, Line
from billing.statements.queries import Book
from billing.tariffs.rules import Basis


async def entries_of(book: Book, months: Iterable[Month]) -> list[Entry]:
    """Return the lines of months that the book covers: of the invoices where there are, else as the book rates them.

    Those of the notes on the invoices come with them. One query, however many months. Cost centres are those of today,
    also for months gone by.
    """
    wanted = list(months)
    issued = {statement.id: month for (_, month), statement in book.issued.items() if month in wanted}
    found = [_issued(row, issued[row["statement_id"]], book) for row in await _lines(book.agency_id, list(issued))]
    for month in wanted:
        found += [_noted(note, line, month, book) for note in book.notes_on(month) for line in note.lines]
        waiting = {each.provider_id for each in book.services.values() if (each.provider_id, month) not in book.issued}
        if waiting:
            found += [
                _estimated(line, month, book)
                for line in book.lines(month)
                if book.services[line.service_id].provider_id in waiting
            ]
    return found


async def _lines(agency_id: uuid.UUID, statement_ids: list[uuid.UUID]) -> list[dict[str, Any]]:
    # Only what adding up needs of how each amount came about; the whole of it is many times the line.
    return await rows(
        "SELECT statement_id, service_id, service_name_th, service_name_en, family, name_th, name_en, quantity,"
        " starts_on, ends_on, amount, derivation->>'component' AS component,"
        " (derivation->>'price_version')::int AS price_version, derivation ? 'corrects' AS corrects,"
        " derivation ? 'credit' AS credits, derivation->>'basis' AS basis"
        " FROM statement_line WHERE agency_id = $1 AND statement_id = ANY($2) ORDER BY statement_id, position",
        agency_id,
        statement_ids,
    )


def _issued(row: dict[str, Any], month: Month, book: Book) -> Entry:
    return Entry(
        month,
        row["service_id"],
        (row["service_name_th"], row["service_name_en"]),
        row["family"],
        book.services[row["service_id"]].cost_centre,
        (row["name_th"], row["name_en"]),
        row["component"] or "",
        _nature(corrects=row["corrects"], credits_=row["credits"]),
        row["quantity"],
        row["starts_on"],
        row["ends_on"],
        row["price_version"],
        row["amount"],
        invoiced=True,
        basis=_basis(row["basis"]),
    )


def _estimated(line: Line, month: Month, book: Book) -> Entry:
    kept = line.derivation
    return Entry(
        month,
        line.service_id,
        line.service_names,
        line.family,
        book.services[line.service_id].cost_centre,
        line.names,
        kept.get("component", ""),
        _nature(corrects="corrects" in kept, credits_="credit" in kept),
        line.quantity,
        line.starts_on,
        line.ends_on,
        kept.get("price_version"),
        line.amount,
        basis=_basis(kept.get("basis")),
    )


def _noted(note: Noted, line: NoteLine, month: Month, book: Book) -> Entry:
    service = book.services[line.service_id] if line.service_id else None
    return Entry(
        month,
        line.service_id,
        (service.name_th, service.name_en) if service else WHOLE_INVOICE,
        service.family if service else "",
        service.cost_centre if service else "",
        NOTE_NAMES[note.kind],
        "",
        Nature(note.kind.value),
        Decimal(1),
        month.first,
        month.last,
        None,
        line.amount,
        invoiced=True,
        note=note.number,
    )


def _basis(name: str | None) -> Basis | None:
    return Basis(name) if name else None


def _nature(*, corrects: bool, credits_: bool) -> Nature:
    return Nature.CORRECTION if corrects else Nature.CREDIT if credits_ else Nature.CHARGE
