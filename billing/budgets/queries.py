"""How an agency stands against its fiscal year."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from auth.tenancy import rows, scoped
from billing.budgets.models import Budget
from billing.budgets.rules import FiscalYear, Standing, forecast, spent
from billing.statements.queries import Book, MonthSums


@dataclass(frozen=True, slots=True)
class YearView:
    """A fiscal year: its months, its forecast, and how it stands against the budget, None where none is set."""

    year: FiscalYear
    months: tuple[MonthSums, ...]
    forecast: Decimal
    spent: Decimal
    standing: Standing | None

    @property
    def noted(self) -> Decimal:
        """By how much the notes on the year's invoices change what is spent."""
        return sum((month.noted for month in self.months), Decimal("0.00"))


async def budget_of(agency_id: uuid.UUID, year: FiscalYear) -> Decimal | None:
    """Return the whole agency's budget for a year; None where none is set, or where the actor may not see it."""
    whole = "SELECT amount FROM budget WHERE agency_id = $1 AND fiscal_year = $2 AND cost_centre = ''"
    found = await rows(whole, agency_id, year.name)
    return found[0]["amount"] if found else None


def year_view(book: Book, year: FiscalYear, budget: Decimal | None, committed: Decimal = Decimal("0.00")) -> YearView:
    """Add a fiscal year up from a book that covers it; `committed` is what is confirmed and not running yet. Pure."""
    months = tuple(book.sums(month) for month in year.months)
    totals = {month.month: month.total for month in months}
    billed = {month.month: month.spent for month in months}
    whole, gone = forecast(totals, year), spent(billed, year)
    standing = None if budget is None else Standing(budget, gone, committed, whole)
    return YearView(year, months, whole, gone, standing)


async def budgets_set(agency_id: uuid.UUID) -> list[Budget]:
    """Return the budgets an agency has set, the latest year first; within it the whole agency's before its centres'."""
    return await scoped(Budget).filter(agency_id=agency_id).order_by("-fiscal_year", "cost_centre")


async def budgets_of_year(agency_id: uuid.UUID, year: FiscalYear) -> dict[str, Decimal]:
    """Return a year's budgets by cost centre, the whole agency's under the empty name."""
    found = scoped(Budget).filter(agency_id=agency_id, fiscal_year=year.name)
    return {budget.cost_centre: budget.amount for budget in await found}


async def agencies_with_budgets(year: FiscalYear) -> list[uuid.UUID]:
    """Return the agencies within reach that set a budget for a year."""
    return sorted({budget.agency_id for budget in await scoped(Budget).filter(fiscal_year=year.name)})
