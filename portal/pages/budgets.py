"""The budget of a fiscal year, set by the agency's finance; every setting is recorded (standard 13.2)."""

from decimal import Decimal
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid
from billing.budgets.commands import set_budget
from billing.budgets.queries import budgets_set
from billing.budgets.rules import FiscalYear
from billing.cost_centres.queries import centres_used
from billing.months import bangkok_date
from portal.formats import NotANumber, baht, fiscal_year_name, parse_number
from portal.i18n import gettext, lazy
from portal.refusals import in_words
from portal.visit import Visit

MOST: Final = 999_999_999_999  # baht; what the column holds

# Raised below pages with these words.
REASONS: Final = (lazy("Enter an amount in baht, with at most two decimals."),)


async def show(visit: Visit) -> Response:
    """Show the budgets set so far, and the form to set one."""
    return await _page(visit, {"year": visit.query.get("year")}, {})


async def save(visit: Visit) -> Response:
    """Set a fiscal year's budget; refuses years out of reach and what is no amount, keeping what was typed."""
    form = visit.form
    try:
        year, amount = _year(form.get("year"), visit), _amount(form.get("amount"))
        centre = await _centre(form.get("cost_centre"), visit)
        await set_budget(visit.seat.id, year.name, amount, cost_centre=centre, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, form.values(), in_words(refused), status=422)
    year_name = fiscal_year_name(year.name, visit.language)
    if centre:
        told = gettext(
            "The budget of %(centre)s for %(year)s is %(amount)s baht.",
            centre=centre,
            year=year_name,
            amount=baht(amount),
        )
        visit.flash(told)
        return visit.redirect("cost_centres")
    visit.flash(gettext("The budget of %(year)s is %(amount)s baht.", year=year_name, amount=baht(amount)))
    return visit.redirect_to(f"{visit.path('costs')}?year={year.name}")


def _amount(text: str) -> Decimal:
    try:
        amount = parse_number(text)
    except NotANumber:
        amount = Decimal(-1)
    if not 0 <= amount <= MOST:
        raise Invalid({"amount": "Enter an amount in baht, with at most two decimals."})
    return amount


async def _centre(text: str, visit: Visit) -> str:
    if text and text not in await centres_used(visit.seat.id):
        raise Invalid({"cost_centre": "Choose one of the list."})
    return text


def _years(visit: Visit) -> list[FiscalYear]:
    """Return the years a budget may be set for: the last, this and the next."""
    this = FiscalYear.of(bangkok_date(visit.now)).name
    return [FiscalYear(this - 1), FiscalYear(this), FiscalYear(this + 1)]


def _year(text: str, visit: Visit) -> FiscalYear:
    for year in _years(visit):
        if text == str(year.name):
            return year
    raise Invalid({"year": "Choose one of the list."})


async def _page(visit: Visit, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    years = [year.name for year in _years(visit)]
    known = await budgets_set(visit.seat.id)
    year = values.get("year") or str(years[1])
    amounts = {str(budget.fiscal_year): baht(budget.amount) for budget in known if not budget.cost_centre}
    return visit.render(
        "budgets/show.html",
        status=status,
        budgets=known,
        years=[(name, fiscal_year_name(name, visit.language)) for name in years],
        year=year,
        centres=[(name, name) for name in await centres_used(visit.seat.id)],
        cost_centre=values.get("cost_centre", ""),
        amount=values.get("amount", amounts.get(year, "")),
        errors=errors,
    )
