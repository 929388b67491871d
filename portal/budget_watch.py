"""Telling an agency's finance when a budget is nearly spent, spent, or headed beyond; each threshold once."""

import datetime as dt
import functools
import uuid

from auth.rules import Permission, system
from auth.tenancy import unit_of_work
from billing.budgets.queries import agencies_with_budgets, budgets_of_year, year_view
from billing.budgets.rules import FiscalYear, Standing
from billing.budgets.thresholds import crossed
from billing.cost_centres.rules import centre_years
from billing.explorer.queries import entries_of
from billing.months import bangkok_date
from billing.statements.queries import book_of
from services.notifications.commands import notify
from services.requests.commitments import committed_by_centre, committed_in

WATCH = system("budgets")


async def watch_budgets(now: dt.datetime) -> None:
    """Look at every budget of the fiscal year, each agency in a unit of its own, and tell what was reached."""
    year = FiscalYear.of(bangkok_date(now))
    for agency_id in await unit_of_work(WATCH, lambda: agencies_with_budgets(year)):
        await unit_of_work(WATCH, functools.partial(_look_at, agency_id, year, now))


async def _look_at(agency_id: uuid.UUID, year: FiscalYear, now: dt.datetime) -> None:
    budgets = await budgets_of_year(agency_id, year)
    book = await book_of(agency_id, year.months[0], year.months[-1])
    whole = await committed_in(agency_id, year, now=now)
    standings: dict[str, Standing | None] = {"": year_view(book, year, budgets.get(""), whole).standing}
    if any(budgets):
        entries, committed = await entries_of(book, year.months), await committed_by_centre(agency_id, year, now=now)
        centres = centre_years(book, entries, year, budgets, committed)
        standings |= {each.name: each.standing for each in centres if each.name}
    for name, standing in standings.items():
        for threshold in crossed(standing) if standing else ():
            # Another amount is another budget: its thresholds are told anew.
            identity = f"budget/{year.name}/{name}/{threshold.against}/{threshold.percent}/{budgets[name]}"
            await notify(
                agency_id,
                f"budget.{threshold.against}",
                identity=identity,
                subject=("budget", agency_id),
                permission=Permission.BUDGETS_EDIT,
                now=now,
                number=f"{threshold.percent} %",
                label=name,
            )
