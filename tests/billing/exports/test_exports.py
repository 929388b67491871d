"""Exports say what the screen says: the same lines, the same sum, in every format."""

import csv
import io
import json
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from auth.organisations.models import Organisation
from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.rules import FiscalYear
from billing.exports.focus import COLUMNS, write_focus
from billing.exports.rows import Row, RowState, rows_of
from billing.exports.sheets import HEADINGS, unspoilt, write_csv, write_json, write_xlsx
from billing.months import Month
from billing.statements.queries import Book, book_of
from billing.usage.models import BilledService
from tests.billing.documents.december import DECEMBER, invoiced
from tests.billing.exports.focus_rules import faults_of
from tests.stage import Stage

YEAR = FiscalYear(2570)


async def exported(stage: Stage, letter: str, kind: str, months: tuple[Month, ...]) -> tuple[bytes, Decimal, Book]:
    async with acting_as(stage.cast[f"finance-{letter}"]):
        book = await book_of(stage.agency(letter), months[0], months[-1])
        agency = await Organisation.get(id=stage.agency(letter))
        providers = {stage.provider: "ผู้ให้บริการ"}
        rows, into = rows_of(book, months, Month(2027, 1)), io.BytesIO()
        total = await {
            "csv": lambda: write_csv(rows, into, providers, "th"),
            "xlsx": lambda: write_xlsx(rows, into, providers, "th"),
            "json": lambda: write_json(rows, into, providers, {"agency": agency.name_th}),
            "focus": lambda: write_focus(rows, into, providers, (agency.id, agency.name_th)),
        }[kind]()
    return into.getvalue(), total, book


def read(kind: str, data: bytes) -> list[Decimal]:
    """Return the amounts of an export."""
    if kind == "json":
        return [Decimal(row["amount"]) for row in json.loads(data)["rows"]]
    if kind == "xlsx":
        sheet: Any = openpyxl.load_workbook(io.BytesIO(data)).active
        assert [cell.value for cell in sheet[1]] == list(HEADINGS["th"])
        found = [row[14].value for row in sheet.iter_rows(min_row=2) if row[13].value != "จำนวนเงินรวมทั้งสิ้น"]
        assert sheet.cell(sheet.max_row, 15).value == f"=SUM(O2:O{len(found) + 1})"
        return [Decimal(str(value)) for value in found]
    rows = csv.DictReader(io.StringIO(data.decode("utf-8-sig")))
    return [Decimal(row["จำนวนเงิน (บาท)" if kind == "csv" else "BilledCost"]) for row in rows]


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
async def test_sums_equal_the_screens(stage: Stage, kind: str) -> None:
    await invoiced(stage)
    for letter, months in (("a", YEAR.months), ("a", (DECEMBER,)), ("b", YEAR.months)):
        data, total, book = await exported(stage, letter, kind, months)
        assert sum(read(kind, data)) == total == sum(book.total(month) for month in months)
    data, total, _ = await exported(stage, "a", kind, (DECEMBER,))
    assert total == Decimal("83151.07")
    assert len(read(kind, data)) == 6  # four charges, the credit, VAT
    assert (await exported(stage, "a", kind, (DECEMBER,)))[0] == data


async def test_focus_keeps_its_rules(stage: Stage) -> None:
    await invoiced(stage)
    for letter in "ab":
        data, total, book = await exported(stage, letter, "focus", YEAR.months)
        rows = list(csv.DictReader(io.StringIO(data.decode())))
        assert list(rows[0]) == list(COLUMNS)
        assert [fault for row in rows for fault in faults_of(row)] == []
        until_now = [month for month in YEAR.months if month <= Month(2027, 1)]
        assert sum(Decimal(row["BilledCost"]) for row in rows) == total == sum(book.total(m) for m in until_now)
        for statement in book.issued.values():
            billed = [Decimal(row["BilledCost"]) for row in rows if row["InvoiceId"] == statement.number]
            assert sum(billed) == statement.total
    december, _, _ = await exported(stage, "a", "focus", (DECEMBER,))
    kinds = [row["ChargeCategory"] for row in csv.DictReader(io.StringIO(december.decode()))]
    assert kinds == ["Usage", "Usage", "Usage", "Usage", "Credit", "Tax"]


def test_the_validator_finds_faults() -> None:
    row = dict.fromkeys(COLUMNS, "") | {"Tags": "[]", "BillingCurrency": "THB"}
    for edge, moment in (("Start", "2026-12-01T00:00:00Z"), ("End", "2026-11-01T00:00:00Z")):
        row |= {f"BillingPeriod{edge}": moment, f"ChargePeriod{edge}": moment}
    assert len(list(faults_of(row))) > 10


async def test_text_is_no_formula(stage: Stage) -> None:
    for begin in "=+-@\t\r":
        assert unspoilt(f"{begin}1+1") == f"'{begin}1+1"
    assert unspoilt("ค่าบริการ =1") == "ค่าบริการ =1"
    async with acting_as(system("test")):
        await BilledService.filter(agency_id=stage.agency("a")).update(cost_centre="=cmd|' /C calc'!A0")
    data, _, _ = await exported(stage, "a", "csv", (DECEMBER,))
    assert {row["รหัสศูนย์ต้นทุน"] for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig")))} == {
        "'=cmd|' /C calc'!A0",
        "",
    }
    book, _, _ = await exported(stage, "a", "xlsx", (DECEMBER,))
    sheet: Any = openpyxl.load_workbook(io.BytesIO(book)).active
    assert sheet.cell(2, 9).data_type == "s"


async def test_a_whole_quantity_ends_in_no_point(stage: Stage) -> None:
    book, _, _ = await exported(stage, "a", "xlsx", (DECEMBER,))
    sheet: Any = openpyxl.load_workbook(io.BytesIO(book)).active
    shown = {(cell.value, cell.number_format) for cell in sheet["K"][1:] if cell.value is not None}
    assert (620, "#,##0") in shown
    assert {form for _, form in shown} == {"#,##0"}


async def test_a_printed_workbook_is_one_page_wide_with_its_headings_on_each(stage: Stage) -> None:
    book, _, _ = await exported(stage, "a", "xlsx", (DECEMBER,))
    sheet: Any = openpyxl.load_workbook(io.BytesIO(book)).active
    assert (sheet.print_title_rows, sheet.page_setup.orientation) == ("$1:$1", "landscape")
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in {(1, 0), (None, 0)}


async def test_a_forecast_says_so(stage: Stage) -> None:
    await invoiced(stage)
    states: dict[Month, RowState] = {}
    async with acting_as(stage.cast["finance-a"]):
        book = await book_of(stage.agency("a"), *YEAR.months[:: len(YEAR.months) - 1])
        rows: list[Row] = [row async for row in rows_of(book, YEAR.months, Month(2027, 1))]
    for row in rows:
        states[row.month] = row.state
    assert states[DECEMBER] is RowState.INVOICED
    assert states[Month(2027, 1)] is RowState.ESTIMATE
    assert states[Month(2027, 2)] is RowState.FORECAST
