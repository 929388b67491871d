"""What the overview shows first: what waits for the person looking, and the figures they came for."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from auth.rules import Permission
from billing.budgets.queries import budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.months import Month, bangkok_date
from billing.statements.queries import book_of, invoiced_by_agency
from portal.formats import baht, fiscal_year_name, month_name, percent
from portal.i18n import gettext, ngettext
from portal.pages.home_waiting import Waiting, what_waits
from portal.visit import Visit
from services.requests.commitments import committed_in
from services.subscriptions.deadlines import days_to_end, ending_soon
from services.subscriptions.queries import in_use


@dataclass(frozen=True, slots=True)
class Card:
    """A template with what it shows, for the overview; made by a page's module."""

    template: str
    context: dict[str, object]


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with what it is, where it leads, and how it is to be taken."""

    text: str
    label: str
    path: str
    note: str = ""
    unit: str = ""
    tone: str = "neutral"


_MOST_ENDINGS: Final = 5


async def waiting(visit: Visit) -> Card | None:
    """Show what waits for this person; nothing for those for whom nothing ever waits."""
    found: list[Waiting] | None = await what_waits(visit)
    return None if found is None else Card("home_cards/waiting.html", {"duties": found})


async def figures(visit: Visit) -> Card | None:
    """Show what this month comes to, how the year stands, and what is in use."""
    shown: list[Figure] = []
    if visit.by.may(Permission.COSTS_READ):
        shown += await (_of_own_year(visit) if visit.by.agency_id else _of_all(visit))
    if visit.by.may(Permission.SERVICES_READ):
        shown.append(await _in_use(visit))
    return Card("home_cards/figures.html", {"figures": shown}) if shown else None


async def endings(visit: Visit) -> Card | None:
    """Show the contracts that end within 90 days; nothing where none does."""
    if not visit.by.may(Permission.SERVICES_READ):
        return None
    today = bangkok_date(visit.now)
    found = await ending_soon(today=today)
    rows = [(each, days_to_end(each, today)) for each in found[:_MOST_ENDINGS]]
    return Card("home_cards/endings.html", {"endings": rows, "more": len(found) - len(rows)}) if found else None


# What stands on the overview, in this order; each may answer None.
CARDS: Final[list[Callable[[Visit], Awaitable[Card | None]]]] = [waiting, figures, endings]


async def _of_own_year(visit: Visit) -> list[Figure]:
    """Return an agency's figures: this month's estimate, and its fiscal year against the budget."""
    agency_id, today = visit.seat.id, bangkok_date(visit.now)
    year, month = FiscalYear.of(today), Month.of(today)
    book = await book_of(agency_id, year.months[0], year.months[-1])
    budget = await budget_of(agency_id, year)
    committed = Decimal("0.00") if budget is None else await committed_in(agency_id, year, now=visit.now)
    view = year_view(book, year, budget, committed)
    costs, name = visit.path("costs"), fiscal_year_name(year.name, visit.language)
    found = [
        Figure(
            baht(book.total(month)),
            gettext("Current month's estimate"),
            visit.path("costs.month", month=month),
            gettext("%(month)s, VAT included", month=month_name(today, visit.language)),
            gettext("baht"),
        )
    ]
    if view.standing is None:
        note = gettext("No budget is set for this fiscal year.")
        return [*found, Figure(baht(view.forecast), gettext("Forecast for the year"), costs, note, gettext("baht"))]
    standing = view.standing
    used = gettext("%(share)s used", share=percent(standing.used_pct)) if standing.used_pct is not None else ""
    over = name
    if standing.over_by:
        over = gettext("%(over)s baht over the budget", over=baht(standing.over_by))
    elif standing.over_in_all:
        over = gettext("%(over)s baht over the budget with what is committed", over=baht(standing.over_in_all))
    return [
        *found,
        Figure(baht(standing.left), gettext("Budget left"), costs, used, gettext("baht")),
        Figure(
            baht(standing.forecast),
            gettext("Forecast for the year"),
            costs,
            over,
            gettext("baht"),
            "warning" if standing.over_in_all else "neutral",
        ),
    ]


async def _of_all(visit: Visit) -> list[Figure]:
    """Return what all agencies within reach were invoiced this fiscal year."""
    year = FiscalYear.of(bangkok_date(visit.now))
    invoiced = await invoiced_by_agency(year.months[0], year.months[-1])
    return [
        Figure(
            baht(sum(invoiced.values(), Decimal("0.00"))),
            gettext("Invoiced so far"),
            visit.path("costs"),
            f"{fiscal_year_name(year.name, visit.language)} · "
            + ngettext("%(num)s agency", "%(num)s agencies", len(invoiced)),
            gettext("baht"),
        )
    ]


async def _in_use(visit: Visit) -> Figure:
    found = await in_use(at=visit.now)
    monthly = sum((each.monthly for each in found), Decimal("0.00"))
    note = gettext("%(amount)s baht a month before VAT", amount=baht(monthly))
    return Figure(str(len(found)), gettext("Services in use"), visit.path("services"), note)
