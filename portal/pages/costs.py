"""What services cost: this month, the fiscal year against its budget, and each month's lines (standard 7.5.3)."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Any, Final

from starlette.responses import Response

from auth.errors import NotFound
from auth.organisations.models import Organisation
from auth.rules import Permission
from billing.budgets.queries import YearView, budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.disputes.queries import disputes_by_line
from billing.documents.models import Document
from billing.documents.papers import TITLES
from billing.documents.queries import net_of, notes_between
from billing.money import exactly, is_satang
from billing.months import Month, bangkok_date
from billing.statements.lines import Line
from billing.statements.queries import (
    Bill,
    Book,
    MonthSums,
    bills_of,
    book_of,
    first_month,
)
from billing.tariffs.rules import Basis
from portal.formats import Language, baht, month_short, quantity
from portal.i18n import Lazy, lazy
from portal.pages.acknowledgements import check_of
from portal.pages.whose_costs import agency_asked_for, choose_agency, name_of, name_unless_own, whose_query
from portal.visit import Visit
from services.requests.commitments import committed_in


@dataclass(frozen=True, slots=True)
class Standing:
    """How sure a month's figure is: its words and its badge."""

    label: Lazy
    tone: str
    icon: str


ISSUED: Final = Standing(lazy("Invoiced"), "success", "file-invoice")
WAITING: Final = Standing(lazy("Month over, not invoiced yet"), "warning", "hourglass")
RUNNING: Final = Standing(lazy("This month's estimate"), "progress", "progress-check")
COMING: Final = Standing(lazy("Forecast"), "neutral", "calendar-event")
NOTHING: Final = Standing(lazy("No costs"), "neutral", "circle-minus")
_EARLIEST: Final = 2500  # no fiscal year before it had costs


@dataclass(frozen=True, slots=True)
class MonthRow:
    """A month of the fiscal year, beside the same month a year before where that had costs."""

    sums: MonthSums
    standing: Standing
    href: str | None
    year_before: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """How much more the month comes to than a year before; None where there is nothing to compare."""
        return None if self.year_before is None else self.sums.total - self.year_before


@dataclass(frozen=True, slots=True)
class Bar:
    """A month's total as a bar."""

    label: str
    amount: Decimal
    text: str
    href: str | None
    estimated: bool


@dataclass(frozen=True, slots=True)
class Tranche:
    """A part of a quantity at its tier's price."""

    quantity: Decimal
    price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Workings:
    """How a line's amount came about: tranches, their sum, and the share of the month or the hours it counts for."""

    tranches: tuple[Tranche, ...]
    full: Decimal
    days: int | None
    days_in_month: int | None
    hours: str
    unrounded: str
    version: int
    effective_from: dt.date


@dataclass(frozen=True, slots=True)
class Correction:
    """What a line settles of a month invoiced before: the quantities and amounts then and now."""

    month: Month
    number: str
    quantity_then: Decimal
    quantity_now: Decimal
    amount_then: Decimal
    amount_now: Decimal


@dataclass(frozen=True, slots=True)
class LineRow:
    """A line of a bill in words."""

    name: str
    quantity: Decimal
    unit: str
    first: dt.date
    last: dt.date
    amount: Decimal
    workings: Workings | None
    correction: Correction | None
    reason: str  # of what is given back
    position: int  # within its bill
    component_id: uuid.UUID | None = None  # of a line that was measured: what leads to its hours


@dataclass(frozen=True, slots=True)
class ServiceLines:
    """The lines of one service with what they come to."""

    id: uuid.UUID
    number: str
    name: str
    lines: tuple[LineRow, ...]
    subtotal: Decimal


@dataclass(frozen=True, slots=True)
class BillView:
    """A bill as the page of its month shows it, with the notes that followed it."""

    bill: Bill
    provider: str
    services: tuple[ServiceLines, ...]
    notes: tuple[Document, ...] = ()

    @property
    def owed(self) -> Decimal:
        """What the bill comes to after its notes, with VAT."""
        return self.bill.totals.total + net_of(self.notes)


async def index(visit: Visit) -> Response:
    """Show this month's estimate, the fiscal year against its budget, and its months; others choose an agency first."""
    agency = await agency_asked_for(visit)
    if agency is None:
        return await choose_agency(visit)
    today = bangkok_date(visit.now)
    current, year = FiscalYear.of(today), _year(visit)
    if not _EARLIEST < year.name <= current.name + 1:
        raise NotFound("FiscalYear")
    before = FiscalYear(year.name - 1)
    book = await book_of(agency.id, before.months[0], year.months[-1])
    if book.first is None:
        return visit.render("costs/empty.html", agency=name_unless_own(visit, agency))
    years = [FiscalYear(name) for name in range(book.first.fiscal_year, current.name + 2)]
    if year not in years:
        raise NotFound("FiscalYear")
    budget = None if visit.by.provider_id else await budget_of(agency.id, year)
    committed = Decimal("0.00") if budget is None else await committed_in(agency.id, year, now=visit.now)
    view = year_view(book, year, budget, committed)
    rows = _month_rows(visit, view, book, before if before in years else None)
    this_month = next((row for row in rows if row.sums.month == Month.of(today)), None)
    return visit.render(
        "costs/index.html",
        agency=name_unless_own(visit, agency),
        whose=whose_query(visit, agency),
        year=year,
        years=[(each.name, each == current) for each in years],
        is_over=year.name < current.name,
        view=view,
        rows=rows,
        has_year_before=any(row.year_before is not None for row in rows),
        year_before=sum((row.year_before for row in rows if row.year_before is not None), Decimal("0.00")),
        totals=_total_of(view.months),
        this_month=this_month,
        last_month=book.total(Month.of(today).previous) if this_month else Decimal("0.00"),
        has_forecast=any(row.standing is COMING for row in rows),
        bars=_bars(rows, visit.language),
        sees_budget=visit.by.provider_id is None,
        at=visit.now,
    )


async def month(visit: Visit) -> Response:
    """Show a month's lines by service, each with how it was computed; 404 for what is no month of this agency's."""
    agency = await agency_asked_for(visit)
    if agency is None:
        raise NotFound("Organisation")
    try:
        when = Month.parse(visit.params["month"])
    except ValueError:
        raise NotFound("Month") from None
    since = await first_month(agency.id)
    last = FiscalYear(Month.of(visit.now).fiscal_year + 1).months[-1]
    if since is None or not since <= when <= last:
        raise NotFound("Month")
    book = await book_of(agency.id, when, when)
    bills = await bills_of(book, when)
    notes = await notes_between(agency.id, when, when)
    providers = await Organisation.filter(id__in=[bill.provider_id for bill in bills])
    names = {each.id: name_of(each, visit.language) for each in providers}
    return visit.render(
        "costs/month.html",
        agency=name_unless_own(visit, agency),
        whose=whose_query(visit, agency),
        month=when,
        previous=when.previous if when > since else None,
        next=when.next if when < last else None,
        bills=[
            BillView(
                bill,
                names[bill.provider_id],
                _by_service(bill.lines, visit.language),
                tuple(each for each in notes if each.statement_id == bill.statement_id),
            )
            for bill in bills
        ],
        titles=TITLES,
        which=0 if visit.language == "th" else 1,
        total=sum((bill.totals.total for bill in bills), Decimal("0.00")),
        standing=standing_of(book.sums(when), Month.of(visit.now)),
        disputes=await disputes_by_line([bill.statement_id for bill in bills if bill.statement_id]),
        may_dispute=visit.by.agency_id is not None and visit.by.may(Permission.USAGE_ACKNOWLEDGE),
        check=await check_of(visit, agency.id, when),
        waiting=WAITING,
        sees_services=visit.by.may(Permission.SERVICES_READ),
        at=visit.now,
    )


# Months of a year


def _year(visit: Visit) -> FiscalYear:
    given = visit.query.get("year")
    if not given:
        return FiscalYear.of(bangkok_date(visit.now))
    if not (given.isascii() and given.isdigit() and len(given) == 4):
        raise NotFound("FiscalYear")
    return FiscalYear(int(given))


def _month_rows(visit: Visit, view: YearView, book: Book, before: FiscalYear | None) -> list[MonthRow]:
    now = Month.of(visit.now)
    earlier: Mapping[Month, Decimal] = {each: book.total(each) for each in before.months} if before else {}
    whose = f"?agency={book.agency_id}" if visit.by.agency_id is None else ""
    costs = visit.path("costs")
    return [
        MonthRow(
            sums,
            standing_of(sums, now),
            f"{costs}/{sums.month}{whose}" if sums.total or sums.issued else None,
            earlier.get(_year_before(sums.month)) or None,
        )
        for sums in view.months
    ]


def _year_before(when: Month) -> Month:
    return replace(when, year=when.year - 1)


def standing_of(sums: MonthSums, now: Month) -> Standing:
    """Return how sure a month's figure is."""
    if sums.issued and sums.spent == sums.total:
        return ISSUED
    if not sums.total:
        return NOTHING
    if sums.month == now:
        return RUNNING
    return WAITING if sums.month < now else COMING


def _total_of(months: Iterable[MonthSums]) -> Mapping[str, Decimal]:
    known = list(months)
    nothing = Decimal("0.00")
    return {
        "subtotal": sum((each.subtotal for each in known), nothing),
        "vat": sum((each.vat for each in known), nothing),
        "total": sum((each.total for each in known), nothing),
    }


def _bars(rows: Iterable[MonthRow], language: Language) -> list[Bar]:
    return [
        Bar(
            month_short(row.sums.month.first, language),
            row.sums.total,
            baht(row.sums.total),
            row.href,
            row.standing is not ISSUED,
        )
        for row in rows
    ]


# Lines of a month


def _by_service(lines: Sequence[Line], language: Language) -> tuple[ServiceLines, ...]:
    which = 1 if language == "en" else 0
    by_service: dict[uuid.UUID, list[tuple[int, Line]]] = {}
    for position, line in enumerate(lines, 1):
        by_service.setdefault(line.service_id, []).append((position, line))
    groups = []
    for service_id, own in by_service.items():
        rows = tuple(
            LineRow(
                line.names[which],
                line.quantity,
                line.units[which],
                line.starts_on,
                line.ends_on,
                line.amount,
                _workings(line.derivation),
                _correction(line.derivation),
                line.derivation.get("credit", {}).get("reason", ""),
                position,
                _measured(line.derivation),
            )
            for position, line in own
        )
        subtotal = sum((row.amount for row in rows), Decimal("0.00"))
        first = own[0][1]
        groups.append(ServiceLines(service_id, first.service_number, first.service_names[which], rows, subtotal))
    return tuple(groups)


def _workings(kept: Mapping[str, Any]) -> Workings | None:
    """Read how an amount came about from what is kept with its line; None for what no price led to."""
    if "tranches" not in kept:
        return None
    full = Decimal(kept["full"])
    with exactly():
        unrounded = full * kept["share"] / kept["whole"]
    return Workings(
        tranches=tuple(
            Tranche(Decimal(part["quantity"]), Decimal(part["price"]), Decimal(part["amount"]))
            for part in kept["tranches"]
        ),
        full=full,
        days=kept["days"],
        days_in_month=kept["days_in_month"],
        hours=_cut(Decimal(kept["hours"]), 4) if kept["basis"] == Basis.HOURLY else "",
        unrounded=baht(unrounded) if is_satang(unrounded) else _cut(unrounded, 6),
        version=kept["price_version"],
        effective_from=dt.date.fromisoformat(kept["effective_from"]),
    )


def _measured(kept: Mapping[str, Any]) -> uuid.UUID | None:
    """Return the component whose hours are behind a line; None where its quantity was set aside or given back."""
    if "basis" not in kept or Basis(kept["basis"]).is_allocated:
        return None
    return uuid.UUID(kept["component"])


def _correction(kept: Mapping[str, Any]) -> Correction | None:
    """Read which month a line settles; None for a line of the month itself."""
    if "corrects" not in kept:
        return None
    settled = kept["corrects"]
    return Correction(
        month=Month.parse(settled["month"]),
        number=settled["number"],
        quantity_then=Decimal(settled["quantity_then"]),
        quantity_now=Decimal(settled["quantity_now"]),
        amount_then=Decimal(settled["amount_so_far"]),
        amount_now=Decimal(settled["amount_now"]),
    )


def _cut(amount: Decimal, places: int) -> str:
    """Write a figure with at most so many decimals, and an ellipsis where there are more."""
    with exactly():
        shown = amount.quantize(Decimal(1).scaleb(-places), ROUND_DOWN)
    return quantity(amount) if shown == amount else f"{quantity(shown)}…"
