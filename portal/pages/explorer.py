"""The cost explorer: a fiscal year by service, kind, component or cost centre, compared, and what jumped and why."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response

from auth.errors import NotFound
from billing.budgets.rules import FiscalYear
from billing.explorer.queries import entries_of
from billing.explorer.rules import Cause, Entry, Grouping, added_up, jumps
from billing.months import Month, bangkok_date
from billing.statements.queries import book_of, first_month
from portal.formats import month_short
from portal.i18n import Lazy, gettext, lazy
from portal.pages.catalogue import FAMILIES
from portal.pages.costs import ISSUED, standing_of
from portal.pages.costs import NOTHING as NO_COSTS
from portal.pages.whose_costs import agency_asked_for, choose_agency, name_unless_own, whose_query
from portal.visit import Visit
from services.catalogue.rules import Family

MOST_SERIES: Final = 6  # told apart in a chart; the rest are added up
NOTHING: Final = Decimal("0.00")
GROUPINGS: Final[dict[Grouping, Lazy]] = {
    Grouping.SERVICE: lazy("By service"),
    Grouping.FAMILY: lazy("By kind of service"),
    Grouping.COMPONENT: lazy("By component"),
    Grouping.COST_CENTRE: lazy("By cost centre"),
}
CAUSES: Final[dict[Cause, Lazy]] = {
    Cause.NEW: lazy("New"),
    Cause.ENDED: lazy("Ended"),
    Cause.PRICE: lazy("Price changed"),
    Cause.QUANTITY: lazy("Quantity changed"),
    Cause.TIME: lazy("Longer or shorter part of the month"),
    Cause.CORRECTION: lazy("Correction of an earlier month"),
    Cause.CREDIT: lazy("Given back"),
    Cause.CREDIT_NOTE: lazy("Credit note"),
    Cause.DEBIT_NOTE: lazy("Debit note"),
}


@dataclass(frozen=True, slots=True)
class Group:
    """What is added up under one name: by month of the year, and the month looked at beside others."""

    name: str
    href: str | None
    months: Mapping[Month, Decimal]
    now: Decimal
    before: Decimal
    year_before: Decimal
    whole: Decimal


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a month's bar, in hundredths of the tallest month's height from the bottom up."""

    series: int
    name: str
    amount: Decimal
    bottom: Decimal
    height: Decimal


async def index(visit: Visit) -> Response:
    """Show a fiscal year added up in one way, one month of it compared, and what was unusual in that month."""
    agency = await agency_asked_for(visit)
    if agency is None:
        return await choose_agency(visit)
    since = await first_month(agency.id)
    if since is None:
        return visit.render("costs/empty.html", agency=name_unless_own(visit, agency))
    year, by = _year(visit, since), _grouping(visit)
    month = _month(visit, year)
    earlier = FiscalYear(year.name - 1).months
    book = await book_of(agency.id, earlier[0], year.months[-1])
    entries = await entries_of(book, [*earlier, *year.months])
    groups = _groups(visit, entries, by, year, month)
    columns = _columns(groups, year)
    sums = {each: book.sums(each) for each in year.months}
    standings = {each: standing_of(sums[each], Month.of(visit.now)) for each in year.months}
    estimated = {each for each, standing in standings.items() if standing not in {ISSUED, NO_COSTS}}
    current = FiscalYear.of(bangkok_date(visit.now)).name
    return visit.render(
        "explorer/index.html",
        agency=name_unless_own(visit, agency),
        whose=whose_query(visit, agency),
        year=year,
        month=month,
        by=by,
        years=[(name, _here(visit, year=name)) for name in range(since.fiscal_year, current + 2)],
        groupings=[(label, _here(visit, by=each.value), each is by) for each, label in GROUPINGS.items()],
        months=[(each, sums[each], _here(visit, month=str(each)), standings[each]) for each in year.months],
        groups=groups,
        columns=columns,
        bars=_bars(visit, columns, year, estimated),
        chart=_chart(visit, columns, year, estimated),
        has_estimates=bool(estimated),
        is_running=month == Month.of(visit.now),
        jumps=[(jump, [CAUSES[cause] for cause in jump.causes]) for jump in jumps(entries, month)],
        english=visit.language == "en",
        at=visit.now,
    )


def _year(visit: Visit, since: Month) -> FiscalYear:
    current, given = FiscalYear.of(bangkok_date(visit.now)).name, visit.query.get("year")
    for name in range(since.fiscal_year, current + 2):
        if given == str(name) or (not given and name == current):
            return FiscalYear(name)
    raise NotFound("FiscalYear")


def _grouping(visit: Visit) -> Grouping:
    try:
        return Grouping(visit.query.get("by") or Grouping.SERVICE)
    except ValueError:
        raise NotFound("Grouping") from None


def _month(visit: Visit, year: FiscalYear) -> Month:
    """Return the month looked at: the one asked for, else this month where it is of the year, else its first."""
    given, now = visit.query.get("month"), Month.of(visit.now)
    if not given:
        return now if now in year.months else year.months[-1] if year.months[-1] < now else year.months[0]
    for month in year.months:
        if given == str(month):
            return month
    raise NotFound("Month")


def _here(visit: Visit, **changes: object) -> str:
    """Return this page's address with something changed; another year forgets the month."""
    kept = {name: visit.query.get(name) for name in ("agency", "year", "by", "month") if visit.query.get(name)}
    if "year" in changes:
        kept.pop("month", None)
    return visit.path("explorer") + "?" + urlencode({**kept, **{name: str(value) for name, value in changes.items()}})


def _groups(visit: Visit, entries: Sequence[Entry], by: Grouping, year: FiscalYear, month: Month) -> list[Group]:
    """Return the groups that cost anything in the months shown, the dearest of the year first."""
    which = 1 if visit.language == "en" else 0
    names = {str(each.service_id): each.service_names[which] for each in entries if each.service_id}
    components = {each.names[0]: each.names[which] for each in entries}
    year_before = replace(month, year=month.year - 1)
    found = []
    href: str | None
    for key, amounts in added_up(entries, by).items():
        match by:
            case Grouping.SERVICE | Grouping.FAMILY if not key:
                name, href = gettext("Notes on whole invoices"), None
            case Grouping.SERVICE:
                name, href = names[key], visit.path("service", id=uuid.UUID(key))
            case Grouping.FAMILY:
                name, href = str(FAMILIES[Family(key)]), None
            case Grouping.COMPONENT:
                name, href = components[key], None
            case Grouping.COST_CENTRE:
                name, href = key or gettext("No cost centre"), None
        own = {each: amounts.get(each, NOTHING) for each in year.months}
        beside = (amounts.get(month, NOTHING), amounts.get(month.previous, NOTHING), amounts.get(year_before, NOTHING))
        if any(own.values()) or any(beside):
            found.append(Group(name, href, own, *beside, sum(own.values(), NOTHING)))
    return sorted(found, key=lambda group: (-group.whole, group.name))


def _columns(groups: Sequence[Group], year: FiscalYear) -> list[Group]:
    """Return the groups told apart in the chart and its table: the dearest, and the rest as one."""
    if len(groups) <= MOST_SERIES + 1:
        return list(groups)
    rest = groups[MOST_SERIES:]
    months = {month: sum((group.months[month] for group in rest), NOTHING) for month in year.months}
    whole = sum(months.values(), NOTHING)
    others = Group(gettext("Others"), None, months, NOTHING, NOTHING, NOTHING, whole)
    return [*groups[:MOST_SERIES], others]


def _chart(visit: Visit, columns: Sequence[Group], year: FiscalYear, estimated: Collection[Month]) -> dict[str, object]:
    """Return the table's figures as the chart takes them, and which months are estimated."""
    return {
        "months": [month_short(month.first, visit.language) for month in year.months],
        "estimated": [month in estimated for month in year.months],
        "series": [
            {"name": column.name, "amounts": [str(column.months[month]) for month in year.months]} for column in columns
        ],
    }


def _bars(
    visit: Visit, columns: Sequence[Group], year: FiscalYear, estimated: Collection[Month]
) -> list[tuple[str, list[Segment], bool]]:
    """Return each month's bar, and if it is estimated; what was given back has no height, and stands in the table."""
    tallest = max(sum((max(each.months[m], NOTHING) for each in columns), NOTHING) for m in year.months) or Decimal(1)
    bars = []
    for month in year.months:
        bottom, segments = NOTHING, list[Segment]()
        for series, column in enumerate(columns):
            height = (max(column.months[month], NOTHING) * 100 / tallest).quantize(Decimal("0.01"))
            if height:
                segments.append(Segment(series, column.name, column.months[month], bottom, height))
            bottom += height
        bars.append((month_short(month.first, visit.language), segments, month in estimated))
    return bars
