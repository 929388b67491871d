"""S5: December 2569 (BE) of agency ก., every figure the one worked out by hand."""

import datetime as dt
from decimal import Decimal

from auth.tenancy import acting_as
from billing.budgets.queries import budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.money import Totals
from billing.months import Month
from billing.statements.credits import availability, credit, credit_rate
from billing.statements.queries import bill_of, book_of
from billing.words import baht_in_words
from tests.billing.documents.december import CREDIT, DECEMBER, give_the_credit, invoiced, paid, until_december
from tests.stage import Stage

INVOICE = Totals(*map(Decimal, ("77711.28", "5439.79", "83151.07", "777.11", "82373.96")))


async def test_the_services_of_the_month(stage: Stage) -> None:
    await until_december(stage)
    async with acting_as(stage.cast["finance-a"]):
        book = await book_of(stage.agency("a"), DECEMBER, DECEMBER)
    charges = {code: book.service_charge(stage.services["a", code].id, DECEMBER) for code in ("GI", "EP", "SC")}
    assert charges == {"GI": Decimal("25064.51"), "EP": Decimal("39100.00"), "SC": Decimal("14800.00")}


def test_what_the_outage_earns() -> None:
    reached = availability(44640, 120, 130)
    assert round(reached, 3) == Decimal("99.708")
    assert credit(Decimal("25064.51"), credit_rate(reached, Decimal("99.9"))) == CREDIT
    # Without subtracting what was announced: more than is owed.
    wrong = availability(44640, 0, 250)
    assert round(wrong, 3) == Decimal("99.440")
    assert credit(Decimal("25064.51"), credit_rate(wrong, Decimal("99.9"))) == Decimal("2506.45")


async def test_the_invoice_and_what_pays_it(stage: Stage) -> None:
    bill = await invoiced(stage)
    assert bill.totals == INVOICE
    assert baht_in_words(bill.totals.total) == "แปดหมื่นสามพันหนึ่งร้อยห้าสิบเอ็ดบาทเจ็ดสตางค์"
    assert bill.statement_id is not None
    receipt = await paid(stage, bill.statement_id, "82373.96", "777.11")
    assert Totals(receipt.subtotal, receipt.vat, receipt.total, receipt.withheld, receipt.net) == INVOICE


async def test_the_year_so_far(stage: Stage) -> None:
    bill = await invoiced(stage)
    year = FiscalYear(2570)
    async with acting_as(stage.cast["finance-a"]):
        for month in (Month(2026, 10), Month(2026, 11)):
            earlier = await bill_of(stage.agency("a"), stage.provider, month)
            assert earlier is not None
            assert earlier.totals.total == Decimal("73723.00")
        book = await book_of(stage.agency("a"), year.months[0], year.months[-1])
        view = year_view(book, year, await budget_of(stage.agency("a"), year))
    assert bill.issued_at is not None
    assert bill.issued_at.date() == dt.date(2027, 1, 5)
    assert view.standing is not None
    assert (view.spent, view.standing.left) == (Decimal("230597.07"), Decimal("769402.93"))
    assert round(view.standing.used_pct or 0, 2) == Decimal("23.06")
    assert view.forecast == Decimal("1081889.07")


async def test_the_credit_shows_in_the_estimate_before_the_invoice(stage: Stage) -> None:
    await until_december(stage)
    await give_the_credit(stage)
    async with acting_as(stage.cast["finance-a"]):
        book = await book_of(stage.agency("a"), DECEMBER, DECEMBER)
    assert book.estimate(stage.provider, DECEMBER).totals == INVOICE
