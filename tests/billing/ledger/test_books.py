"""The provider's books follow from what was issued, period by period."""

import csv
import io
from decimal import Decimal

import openpyxl

from auth.tenancy import acting_as
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.exports.ledger import write_ledger_csv, write_ledger_xlsx
from billing.ledger.queries import ledger_of
from billing.months import Month
from billing.payments.commands import reverse_payment
from tests.billing.documents.december import FINANCE, invoiced, paid
from tests.billing.ledger.books import balanced_books, balances
from tests.stage import Stage, at, close_months


async def test_the_books_of_a_winter(stage: Stage) -> None:
    bill = await invoiced(stage)
    assert bill.statement_id is not None
    await close_months(stage, "b", Month(2026, 10), Month(2026, 10))
    wrong = await paid(stage, bill.statement_id, "5000.00", on=at("2027-01-20"))
    await stage.as_(FINANCE, reverse_payment, wrong.payment_id, reason="บันทึกผิด", now=at("2027-01-21"))
    await paid(stage, bill.statement_id, "82373.96", "777.11", on=at("2027-02-01"))
    line = Correction("ปรับปรุง", "Correction", Decimal("100.00"))
    statement = bill.statement_id
    await stage.as_(FINANCE, correct, statement, Kind.CREDIT_NOTE, [line], reason="คิดเกิน", now=at("2027-02-02"))
    closing = await balanced_books(stage.provider)
    assert closing["CASH"] == Decimal("82373.96")
    assert closing["WITHHELD"] == Decimal("777.11")
    assert closing["REFUNDABLE"] == Decimal("-107.00")
    # Paid is December of agency ก. alone: its VAT less the note's is due, that of the other invoices is not.
    assert closing["OUTPUT_VAT"] == Decimal("-5432.79")
    async with acting_as(stage.cast[FINANCE]):
        january = await ledger_of(stage.provider, Month(2027, 1).starts_at, Month(2027, 1).ends_at)
        february = await ledger_of(stage.provider, Month(2027, 2).starts_at, Month(2027, 2).ends_at)
        numbers = [entry.number for entry in january.entries]
    assert numbers == ["INV-P01-2570-00003", "RC-P01-2570-00001", "CX-P01-2570-00001"]
    # What a period leaves is what the next begins with.
    before = {key: amount for key, amount in february.opening.items() if amount}
    after = {(row.account, row.family): row.closing for row in january.trial_balance if row.closing}
    assert before == after
    assert balances(february) == closing
    # A reversed payment leaves no trace in the balances, and both of its entries in the journal.
    [cash] = [row for row in january.trial_balance if row.account.name == "CASH"]
    assert (cash.debit, cash.credit, cash.closing) == (Decimal("5000.00"), Decimal("5000.00"), Decimal("0.00"))
    # Another provider's books and an agency's are empty.
    async with acting_as(stage.cast["finance-b"]):
        seen = await ledger_of(stage.provider, Month(2027, 1).starts_at, Month(2027, 1).ends_at)
    assert seen.entries == ()
    _exports_say_the_same(january)


def _exports_say_the_same(ledger: object) -> None:
    from billing.ledger.rules import Ledger

    assert isinstance(ledger, Ledger)
    agencies = {entry.agency_id: "=หน่วยงาน" for entry in ledger.entries}
    text, thai, sheet = io.BytesIO(), io.BytesIO(), io.BytesIO()
    write_ledger_csv(ledger, text, agencies, {}, "th")
    rows = list(csv.reader(io.StringIO(text.getvalue().decode("utf-8-sig"))))
    debit, credit = (sum(Decimal(row[column]) for row in rows[1:]) for column in (6, 7))
    assert debit == credit == sum(row.debit for row in ledger.trial_balance)
    assert rows[1][3] == "'=หน่วยงาน"  # no spreadsheet takes it for a formula
    write_ledger_xlsx(ledger, thai, agencies, {}, "th")
    journal = openpyxl.load_workbook(thai)["สมุดรายวัน"]
    assert journal["A2"].number_format == "[$-107041E]d mmm yyyy"  # of the Buddhist Era, as on the screen
    assert journal.cell(journal.max_row, 6).value == "รวม"
    write_ledger_xlsx(ledger, sheet, agencies, {}, "en")
    book = openpyxl.load_workbook(sheet)
    assert book.sheetnames == ["Trial balance", "Journal"]
    shown = list(book["Trial balance"].iter_rows(min_row=2, values_only=True))
    assert [row[0] for row in shown[:-1]] == [row.account.value for row in ledger.trial_balance]
    assert shown[-1][3] == f"=SUM(D2:D{len(shown)})"
    assert len(list(book["Journal"].iter_rows())) == len(rows) + 1
