"""A ledger as CSV (its entries) and XLSX (its trial balance and its entries), in either language."""

import csv
import datetime as dt
import io
import uuid
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import IO, Final

import xlsxwriter

from billing.documents.models import Kind
from billing.documents.papers import REFUND, REFUND_REVERSAL, TITLES, Title
from billing.exports.sheets import DAYS, set_for_paper, unspoilt
from billing.ledger.rules import Account, Deed, Ledger, Posting, TrialRow
from billing.months import bangkok_date

Families = Mapping[str, str]
Agencies = Mapping[uuid.UUID, str]
Cell = str | Decimal | dt.date

ACCOUNTS: Final = {
    Account.CASH: ("เงินสดและเงินฝากธนาคาร", "Cash and bank"),
    Account.RECEIVABLE: ("ลูกหนี้ค่าบริการ", "Receivable from agencies"),
    Account.WITHHELD: ("ภาษีเงินได้ถูกหัก ณ ที่จ่าย", "Withholding tax receivable"),
    Account.REFUNDABLE: ("เงินรับเกินรอคืนหน่วยงาน", "Refundable to agencies"),
    Account.OUTPUT_VAT: ("ภาษีขาย", "Output VAT"),
    Account.VAT_NOT_DUE: ("ภาษีขายยังไม่ถึงกำหนด", "Output VAT not due yet"),
    Account.REVENUE: ("รายได้ค่าบริการ", "Revenue"),
    Account.ADDED: ("รายได้ตามใบเพิ่มหนี้", "Added by debit notes"),
    Account.TAKEN_BACK: ("ส่วนลดและรับคืนตามใบลดหนี้", "Taken back by credit notes"),
}
ENTRIES: Final = {
    "th": ("วันที่", "เลขที่เอกสาร", "เอกสาร", "หน่วยงาน", "รหัสบัญชี", "บัญชี", "เดบิต (บาท)", "เครดิต (บาท)"),
    "en": ("Date", "Document number", "Document", "Agency", "Account code", "Account", "Debit (baht)", "Credit (baht)"),
}
TRIAL: Final = {
    "th": ("รหัสบัญชี", "บัญชี", "ยอดยกมา (บาท)", "เดบิต (บาท)", "เครดิต (บาท)", "ยอดยกไป (บาท)"),
    "en": ("Account code", "Account", "Opening (baht)", "Debit (baht)", "Credit (baht)", "Closing (baht)"),
}
_TOTAL: Final = {"th": "รวม", "en": "Total"}
_OTHERS: Final[dict[Deed, Title]] = {
    Deed.INVOICE: TITLES[None],
    Deed.REFUND: REFUND,
    Deed.REFUND_REVERSAL: REFUND_REVERSAL,
}
_TABS: Final = {"th": ("งบทดลอง", "สมุดรายวัน"), "en": ("Trial balance", "Journal")}


def account_name(each: Posting | TrialRow, families: Families, language: str) -> str:
    """Return an account's name, with the family where it is revenue."""
    name = ACCOUNTS[each.account][1 if language == "en" else 0]
    return f"{name}: {families.get(each.family, each.family)}" if each.family else name


def deed_name(deed: Deed, language: str) -> str:
    """Return the name of a document's kind."""
    title = _OTHERS.get(deed) or TITLES[Kind(deed)]
    return title.english if language == "en" else title.thai


def entry_rows(ledger: Ledger, agencies: Agencies, families: Families, language: str) -> Iterator[tuple[Cell, ...]]:
    """Yield a row for each posting, under the headings `ENTRIES`; debit and credit are positive, one of them zero."""
    for entry in ledger.entries:
        for each in entry.postings:
            yield (
                bangkok_date(entry.at),
                entry.number,
                deed_name(entry.deed, language),
                agencies.get(entry.agency_id, ""),
                each.account.value,
                account_name(each, families, language),
                each.debit,
                each.credit,
            )


def write_ledger_csv(ledger: Ledger, into: IO[bytes], agencies: Agencies, families: Families, language: str) -> None:
    """Write a ledger's postings as CSV in UTF-8, marked so that spreadsheets see it."""
    text = io.TextIOWrapper(into, encoding="utf-8-sig", newline="", write_through=True)
    table = csv.writer(text)
    table.writerow(ENTRIES[language])
    for row in entry_rows(ledger, agencies, families, language):
        table.writerow([unspoilt(cell) if isinstance(cell, str) else str(cell) for cell in row])
    text.detach()


def write_ledger_xlsx(ledger: Ledger, into: IO[bytes], agencies: Agencies, families: Families, language: str) -> None:
    """Write a ledger as a workbook of two sheets with totals; the same bytes each time."""
    options = {"strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(into, options) as book:
        book.set_properties({"created": dt.datetime(2000, 1, 1)})  # noqa: DTZ001 - the file format knows no zone
        trial = (
            (row.account.value, account_name(row, families, language), row.opening, row.debit, row.credit, row.closing)
            for row in ledger.trial_balance
        )
        names = _TABS[language]
        _sheet(book, names[0], TRIAL[language], trial, (12, 44, 18, 18, 18, 18), 2, language)
        rows = entry_rows(ledger, agencies, families, language)
        _sheet(book, names[1], ENTRIES[language], rows, (13, 24, 28, 36, 12, 44, 18, 18), 6, language)


def _sheet(
    book: xlsxwriter.Workbook,
    name: str,
    headings: tuple[str, ...],
    rows: Iterator[tuple[Cell, ...]],
    widths: tuple[int, ...],
    first_amount: int,
    language: str,
) -> None:
    heading = book.add_format({"bold": True, "bg_color": "#E8EEF4", "border": 1, "text_wrap": True})
    money = book.add_format({"num_format": "#,##0.00"})
    strong = book.add_format({"bold": True, "num_format": "#,##0.00", "top": 1})
    day = book.add_format({"num_format": DAYS[language], "align": "left"})
    sheet = book.add_worksheet(name)
    set_for_paper(sheet)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.write_row(0, 0, headings, heading)
    sums = [Decimal("0.00")] * (len(headings) - first_amount)
    place = 0
    for place, row in enumerate(rows, 1):
        for column, cell in enumerate(row):
            match cell:
                case Decimal():
                    sheet.write_number(place, column, cell, money)
                    sums[column - first_amount] += cell
                case dt.date():
                    sheet.write_datetime(place, column, dt.datetime.combine(cell, dt.time()), day)
                case _:
                    sheet.write_string(place, column, cell)
    sheet.write_string(place + 1, first_amount - 1, _TOTAL[language], strong)
    for column, total in enumerate(sums, first_amount):
        letter = chr(ord("A") + column)
        sheet.write_formula(place + 1, column, f"=SUM({letter}2:{letter}{place + 1})", strong, total)
