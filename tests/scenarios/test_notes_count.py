"""Credit and debit notes are part of what is spent, left and forecast, wherever that is shown."""

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest

from auth.tenancy import acting_as
from billing.budgets.queries import YearView, budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.budgets.thresholds import Against, Threshold, crossed
from billing.cost_centres.commands import tag
from billing.cost_centres.rules import CentreYear, centre_years
from billing.documents.commands import Correction, correct
from billing.documents.models import Document, Kind
from billing.explorer.queries import entries_of
from billing.explorer.rules import Cause, Entry, Grouping, added_up, jumps
from billing.months import Month
from billing.payments.queries import invoices
from billing.statements.queries import Bill, Book, book_of, costs_of_service, invoiced_by_agency
from services.requests.queries import effect_on_budget, price_request
from services.requests.rules import Kind as RequestKind
from tests.billing.documents.december import DECEMBER, FINANCE, invoiced
from tests.billing.exports.focus_rules import faults_of
from tests.billing.exports.test_exports import exported, read
from tests.stage import Stage, at

D = Decimal
YEAR = FiscalYear(2570)
SPENT, FORECAST = D("230597.07"), D("1081889.07")
NOTED = D("-654.07")
"""711.28 and 49.79 of VAT less, 100.00 and 7.00 of VAT more."""


@pytest.fixture
async def noted(stage: Stage) -> Bill:
    """December's invoice, a credit note on its EDR, and a debit note on the whole of it, both issued in February."""
    bill = await invoiced(stage)
    await note(stage, bill, Kind.CREDIT_NOTE, "711.28", code="EP")
    await note(stage, bill, Kind.DEBIT_NOTE, "100.00")
    return bill


async def note(stage: Stage, bill: Bill, kind: Kind, amount: str, *, code: str = "") -> Document:
    service_id = stage.services["a", code].id if code else None
    line = Correction("ปรับปรุงค่าบริการ", "Correction", D(amount), service_id)
    assert bill.statement_id is not None
    return await stage.as_(
        FINANCE, correct, bill.statement_id, kind, [line], reason="คิดค่าบริการไม่ถูกต้อง", now=at("2027-02-01")
    )


async def year_of(stage: Stage, *, budget: Decimal | None = None) -> tuple[Book, YearView, list[Entry]]:
    async with acting_as(stage.cast["finance-a"]):
        book = await book_of(stage.agency("a"), YEAR.months[0], YEAR.months[-1])
        view = year_view(book, YEAR, budget or await budget_of(stage.agency("a"), YEAR))
        return book, view, await entries_of(book, YEAR.months)


async def test_the_budget_is_spent_after_notes(stage: Stage, noted: Bill) -> None:
    book, view, _ = await year_of(stage)
    assert view.standing is not None
    assert view.spent == view.standing.spent == SPENT + NOTED == D("229943.00")
    assert view.standing.left == D("770057.00")
    assert view.standing.used_pct == D("22.99")
    assert view.forecast == view.standing.forecast == FORECAST + NOTED
    # They count in the month of the invoice they correct, which still says what was invoiced.
    december = book.sums(DECEMBER)
    assert (december.invoiced, december.noted, december.total) == (D("83151.07"), NOTED, D("82497.00"))
    assert (december.subtotal, december.vat) == (D("77100.00"), D("5397.00"))
    assert book.sums(Month(2027, 2)).notes == ()
    async with acting_as(stage.cast["finance-a"]):
        account = (await invoices(agency_id=stage.agency("a")))[0].account
    assert account.owed == december.total


async def test_a_threshold_is_reached_by_what_is_spent_after_notes(stage: Stage) -> None:
    bill = await invoiced(stage)
    eighty, budget = Threshold(Against.ACTUAL, 80), D("288000.00")  # of which 230,400.00 are 80 %
    _, view, _ = await year_of(stage, budget=budget)
    assert view.standing is not None
    assert eighty in crossed(view.standing)
    await note(stage, bill, Kind.CREDIT_NOTE, "711.28")
    _, view, _ = await year_of(stage, budget=budget)
    assert view.standing is not None
    assert eighty not in crossed(view.standing)
    await note(stage, bill, Kind.DEBIT_NOTE, "711.28")
    _, view, _ = await year_of(stage, budget=budget)
    assert view.standing is not None
    assert eighty in crossed(view.standing)


async def test_a_note_counts_at_the_cost_centre_of_the_service_it_names(stage: Stage) -> None:
    bill = await invoiced(stage)
    finance, now = "finance-a", at("2027-01-06")
    for code, centre in (("EP", "ไอที"), ("GI", "กลาง"), ("SC", "กลาง")):
        await stage.as_(finance, tag, stage.services["a", code].id, centre, now=now)
    book, _, entries = await year_of(stage)
    before = {each.name: each for each in centre_years(book, entries, YEAR, {})}
    await note(stage, bill, Kind.CREDIT_NOTE, "711.28", code="EP")
    await note(stage, bill, Kind.DEBIT_NOTE, "100.00")
    book, view, entries = await year_of(stage)
    after = {each.name: each for each in centre_years(book, entries, YEAR, {})}
    unchanged = CentreYear("", D("0.00"), D("0.00"), None)
    changes = {
        name: (each.spent - before.get(name, unchanged).spent, each.forecast - before.get(name, unchanged).forecast)
        for name, each in after.items()
    }
    assert changes == {
        "ไอที": (D("-761.07"), D("-761.07")),
        "กลาง": (D("0.00"), D("0.00")),
        "": (D("107.00"), D("107.00")),  # of the whole invoice: no centre's
    }
    assert sum(each.spent for each in after.values()) == view.spent
    assert sum(each.forecast for each in after.values()) == view.forecast


async def test_the_explorer_adds_notes_up_as_rows_of_their_own(stage: Stage, noted: Bill) -> None:
    book, _, entries = await year_of(stage)
    for by in Grouping:
        groups = added_up(entries, by)
        for month in YEAR.months:
            assert sum(each.get(month, D(0)) for each in groups.values()) == book.sums(month).subtotal, (by, month)
    parts = added_up(entries, Grouping.COMPONENT)
    assert (parts["ใบลดหนี้"], parts["ใบเพิ่มหนี้"]) == ({DECEMBER: D("-711.28")}, {DECEMBER: D("100.00")})
    services = added_up(entries, Grouping.SERVICE)
    endpoint = stage.services["a", "EP"].id
    assert services[str(endpoint)][DECEMBER] == D("39100.00") - D("711.28")
    assert services[""] == {DECEMBER: D("100.00")}
    async with acting_as(stage.cast["finance-a"]):
        assert await costs_of_service(book, endpoint, [DECEMBER]) == {DECEMBER: services[str(endpoint)][DECEMBER]}
    found = {each.causes: each.difference for each in jumps(entries, DECEMBER, least=D("100.00"))}
    assert found[Cause.CREDIT_NOTE,] == D("-711.28")
    assert found[Cause.DEBIT_NOTE,] == D("100.00")


@pytest.mark.parametrize("kind", ["csv", "xlsx", "json"])
async def test_exports_hold_notes_as_rows_and_add_up_to_the_screen(stage: Stage, noted: Bill, kind: str) -> None:
    for months in (YEAR.months, (DECEMBER,)):
        data, total, book = await exported(stage, "a", kind, months)
        assert sum(read(kind, data)) == total == sum(book.total(month) for month in months)
    assert total == D("82497.00")
    assert read(kind, data)[-4:] == [D("-711.28"), D("-49.79"), D("100.00"), D("7.00")]
    if kind == "json":
        [credit, tax, *_] = json.loads(data)["rows"][-4:]
        assert (credit["kind"], credit["invoice"], tax["kind"]) == ("credit_note", noted.number, "vat")
        assert credit["derivation"]["note"]["number"] == tax["derivation"]["note"]["number"] == "CN-P01-2570-00001"
        assert credit["service"] == stage.services["a", "EP"].number


async def test_focus_bills_per_invoice_what_is_payable_after_its_notes(stage: Stage, noted: Bill) -> None:
    data, total, book = await exported(stage, "a", "focus", YEAR.months)
    rows = list(csv.DictReader(io.StringIO(data.decode())))
    assert [fault for row in rows for fault in faults_of(row)] == []
    until_now = [month for month in YEAR.months if month <= Month(2027, 1)]
    assert sum(D(row["BilledCost"]) for row in rows) == total == sum(book.total(month) for month in until_now)
    async with acting_as(stage.cast["finance-a"]):
        owed = {each.number: each.account.owed for each in await invoices(agency_id=stage.agency("a"))}
    for number, payable in owed.items():
        assert sum(D(row["BilledCost"]) for row in rows if row["InvoiceId"] == number) == payable
    corrections = [row for row in rows if row["ChargeClass"] == "Correction"]
    assert [(row["ChargeCategory"], row["BilledCost"], row["InvoiceDetailId"]) for row in corrections] == [
        ("Credit", "-711.28", "CN-P01-2570-00001/1"),
        ("Tax", "-49.79", "CN-P01-2570-00001/2"),
        ("Adjustment", "100.00", "DN-P01-2570-00001/1"),
        ("Tax", "7.00", "DN-P01-2570-00001/2"),
    ]
    assert [row["ResourceId"] for row in corrections] == [stage.services["a", "EP"].number, "", "", ""]


async def test_a_request_is_held_against_what_is_left_after_notes(stage: Stage, noted: Bill) -> None:
    async with acting_as(stage.cast["finance-a"]):
        internet = stage.services["a", "GI"].id
        book, priced = await price_request(stage.agency("a"), internet, RequestKind.CHANGE, [], dt.date(2027, 3, 1))
        effect = await effect_on_budget(stage.agency("a"), book, priced)
    for view in (effect.before, effect.after):
        assert view.standing is not None
        assert (view.standing.left, view.forecast) == (D("770057.00"), FORECAST + NOTED)


async def test_what_agencies_were_invoiced_is_after_notes(stage: Stage, noted: Bill) -> None:
    for who in ("central", FINANCE, "finance-a"):
        async with acting_as(stage.cast[who]):
            assert (await invoiced_by_agency(YEAR.months[0], YEAR.months[-1]))[stage.agency("a")] == SPENT + NOTED


async def test_another_agency_sees_no_note(stage: Stage, noted: Bill) -> None:
    async with acting_as(stage.cast["finance-b"]):
        assert (await book_of(stage.agency("a"), DECEMBER, DECEMBER)).notes == ()
    async with acting_as(stage.cast[FINANCE]):
        book = await book_of(stage.agency("a"), DECEMBER, DECEMBER)
    assert [each.total for each in book.notes] == [D("-761.07"), D("107.00")]
