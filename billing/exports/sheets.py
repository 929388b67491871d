"""Rows as CSV, XLSX and JSON, written one by one: memory stays the same however many there are."""

import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import IO, Final

import xlsxwriter

from billing.documents.models import Kind
from billing.exports.rows import Row, RowKind, RowState
from billing.months import BUDDHIST_ERA
from billing.statements.lines import NOTE_NAMES

Names = Mapping[uuid.UUID, str]
Cell = str | Decimal | dt.date | None

HEADINGS: Final = {
    "th": (
        "ปีงบประมาณ", "เดือน", "สถานะ", "ผู้ให้บริการ", "เลขที่ใบแจ้งหนี้", "ประเภทรายการ", "เลขที่บริการ", "บริการ",
        "รหัสศูนย์ต้นทุน", "รายการ", "ปริมาณการใช้งาน", "หน่วยนับ", "ตั้งแต่วันที่", "ถึงวันที่", "จำนวนเงิน (บาท)",
    ),
    "en": (
        "Fiscal year", "Month", "State", "Provider", "Invoice number", "Kind", "Service number", "Service",
        "Cost centre", "Item", "Quantity", "Unit", "From", "To", "Amount (baht)",
    ),
}  # fmt: skip
_STATES: Final = {
    RowState.INVOICED: ("ออกใบแจ้งหนี้แล้ว", "Invoiced"),
    RowState.ESTIMATE: ("ประมาณการ", "Estimate"),
    RowState.FORECAST: ("คาดการณ์", "Forecast"),
}
_KINDS: Final = {
    RowKind.CHARGE: ("ค่าบริการ", "Charge"),
    RowKind.CREDIT: ("ส่วนลด", "Credit"),
    RowKind.ADJUSTMENT: ("ปรับปรุงเดือนก่อน", "Adjustment"),
    RowKind.CREDIT_NOTE: NOTE_NAMES[Kind.CREDIT_NOTE],
    RowKind.DEBIT_NOTE: NOTE_NAMES[Kind.DEBIT_NOTE],
    RowKind.VAT: ("ภาษีมูลค่าเพิ่ม", "VAT"),
}
_TOTAL: Final = ("จำนวนเงินรวมทั้งสิ้น", "Grand total")
# A spreadsheet takes a text that begins so for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
DAYS: Final = {"th": "[$-107041E]d mmm yyyy", "en": "d mmm yyyy"}  # in Thai of the Buddhist Era
_WIDTHS: Final = (12, 10, 18, 24, 22, 18, 20, 34, 16, 34, 16, 12, 13, 13, 18)


def cells(row: Row, providers: Names, language: str) -> tuple[Cell, ...]:
    """Return a row as cells, under the headings; a month is written as 2569-12 in Thai, of the Buddhist Era."""
    which = 1 if language == "en" else 0
    year = row.month.year + (0 if which else BUDDHIST_ERA)
    return (
        str(row.month.fiscal_year),
        f"{year}-{row.month.month:02}",
        _STATES[row.state][which],
        providers[row.provider_id],
        row.invoice or "",
        _KINDS[row.kind][which],
        row.service_number,
        row.service_names[which],
        row.cost_centre,
        row.names[which],
        row.quantity,
        row.units[which],
        row.first,
        row.last,
        row.amount,
    )


def unspoilt(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def set_for_paper(sheet: xlsxwriter.worksheet.Worksheet) -> None:
    """Keep a sheet's headings in sight, on the screen and on every page it is printed on: A4 across, as wide as one."""
    sheet.freeze_panes(1, 0)
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(0)
    sheet.set_footer("&L&A&R&P/&N")


async def write_csv(rows: AsyncIterator[Row], into: IO[bytes], providers: Names, language: str) -> Decimal:
    """Write rows as CSV in UTF-8, marked so that spreadsheets see it; returns what the amounts add up to."""
    total = Decimal("0.00")
    text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="", write_through=True)
    table = csv.writer(text)
    table.writerow(HEADINGS[language])
    async for row in rows:
        table.writerow([_plain(cell) for cell in cells(row, providers, language)])
        total += row.amount
    text.detach()
    return total


async def write_json(rows: AsyncIterator[Row], into: IO[bytes], providers: Names, about: Mapping[str, str]) -> Decimal:
    """Write rows as one JSON document: `about`, then `rows`, then `total`; figures as text, not a digit lost."""
    total = Decimal("0.00")
    into.write(b'{"about": ' + _json(dict(about)) + b', "currency": "THB", "rows": [')
    comma = b"\n"
    async for row in rows:
        into.write(comma + _json(_document(row, providers)))
        comma, total = b",\n", total + row.amount
    into.write(b'\n], "total": ' + _json(str(total)) + b"}\n")
    return total


async def write_xlsx(rows: AsyncIterator[Row], into: IO[bytes], providers: Names, language: str) -> Decimal:
    """Write rows as a workbook with headings, formats and a total; text is never taken for a formula."""
    total = Decimal("0.00")
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(into, options) as book:
        # Its moment of making would make two exports of the same figures differ.
        book.set_properties({"created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001 - the file format knows no zone
        heading = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True})
        money = book.add_format({"num_format": "#,##0.00"})
        # Without decimals the point would stay behind: 620 shown as "620.".
        whole, number = (book.add_format({"num_format": each}) for each in ("#,##0", "#,##0.######"))
        strong = book.add_format({"bold": True, "num_format": "#,##0.00", "top": 1})
        day = book.add_format({"num_format": DAYS[language], "align": "left"})
        sheet = book.add_worksheet("ค่าใช้จ่าย" if language == "th" else "Costs")
        set_for_paper(sheet)
        for column, width in enumerate(_WIDTHS):
            sheet.set_column(column, column, width)
        sheet.write_row(0, 0, HEADINGS[language], heading)
        place, last = 0, len(_WIDTHS) - 1
        async for row in rows:
            place += 1
            for column, cell in enumerate(cells(row, providers, language)):
                if isinstance(cell, Decimal):
                    shown = money if column == last else whole if cell == cell.to_integral_value() else number
                    sheet.write_number(place, column, cell, shown)
                elif isinstance(cell, dt.date):
                    sheet.write_datetime(place, column, dt.datetime.combine(cell, dt.time()), day)
                elif cell:
                    sheet.write_string(place, column, cell)
            total += row.amount
        if place:
            sheet.autofilter(0, 0, place, last)
            sheet.write_string(place + 1, last - 1, _TOTAL[1 if language == "en" else 0], strong)
            sheet.write_formula(place + 1, last, f"=SUM(O2:O{place + 1})", strong, total)
    return total


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell:f}"
        case dt.date():
            return cell.isoformat()
        case _:
            return unspoilt(cell)


def _document(row: Row, providers: Names) -> dict[str, object]:
    return {
        "month": str(row.month),
        "fiscal_year": row.month.fiscal_year,
        "state": row.state,
        "kind": row.kind,
        "provider": providers[row.provider_id],
        "invoice": row.invoice,
        "service": row.service_number or None,
        "service_name_th": row.service_names[0] or None,
        "service_name_en": row.service_names[1] or None,
        "family": row.family or None,
        "cost_centre": row.cost_centre or None,
        "item_th": row.names[0],
        "item_en": row.names[1],
        "quantity": None if row.quantity is None else f"{row.quantity:f}",
        "unit_th": row.units[0] or None,
        "unit_en": row.units[1] or None,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "amount": f"{row.amount:f}",
        "derivation": dict(row.derivation),
    }


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()
