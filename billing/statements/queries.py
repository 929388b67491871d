"""What an agency's services cost: issued invoices where there are, the same rule's estimate elsewhere.

A `Book` is read once, in a constant number of queries, and answers for every month it covers; a quote
asks the same book what would be if its quantities changed.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, NamedTuple

from auth.tenancy import current, scoped
from auth.tenancy import rows as rows_of
from billing.metering.adjustments import Due, dues_of, settled_of
from billing.metering.queries import Days, Key, usages_of
from billing.money import Totals, exactly, totals
from billing.months import Month, bangkok_date
from billing.statements.charges import MICROSECOND
from billing.statements.facts import OWN, Given, Issued, Metered, Noted, PricedItem, Service, facts_of, services_of
from billing.statements.lines import Items, Line, correction_of, credit_of, line_of
from billing.statements.models import Statement, StatementLine
from billing.statements.rules import (
    Allocation,
    Charge,
    Component,
    Item,
    SteadyMonths,
    Usage,
    rate_month,
    steady_amounts,
    usage_amounts,
    with_change,
)
from billing.tariffs.models import PriceItem
from billing.tariffs.queries import TaxTable
from billing.tariffs.rules import PriceVersion


@dataclass(frozen=True, slots=True)
class Bill:
    """One provider's bill for one month: an issued invoice when it has a number, else an estimate."""

    agency_id: uuid.UUID
    provider_id: uuid.UUID
    month: Month
    lines: tuple[Line, ...]
    totals: Totals
    vat_rate: Decimal
    withholding_rate: Decimal
    number: str | None = None
    issued_at: dt.datetime | None = None
    statement_id: uuid.UUID | None = None
    payment_instructions: str = ""


@dataclass(frozen=True, slots=True)
class MonthSums:
    """What one month comes to, all providers together, in baht; `issued` are the invoices it is made of so far.

    `notes` are those on these invoices, whenever they were issued; what the month comes to is after them.
    """

    month: Month
    subtotal: Decimal
    vat: Decimal
    total: Decimal
    issued: tuple[Issued, ...] = ()
    notes: tuple[Noted, ...] = ()

    @property
    def invoiced(self) -> Decimal:
        """What stands on the invoices, before their notes."""
        return sum((statement.total for statement in self.issued), Decimal("0.00"))

    @property
    def noted(self) -> Decimal:
        """By how much the notes change it; below zero where they take more back than they add."""
        return sum((note.total for note in self.notes), Decimal("0.00"))

    @property
    def spent(self) -> Decimal:
        """The part of the total that is billed: the invoices with their notes."""
        return self.invoiced + self.noted


@dataclass(frozen=True, slots=True)
class Book:
    """An agency's services, what is set aside for them, at which prices and taxes."""

    agency_id: uuid.UUID
    services: dict[uuid.UUID, Service]
    items: Items
    allocations: tuple[Allocation, ...]
    taxes: TaxTable
    issued: dict[tuple[uuid.UUID, Month], Issued] = field(default_factory=dict)
    notes: tuple[Noted, ...] = ()  # on the invoices
    usages: tuple[Usage, ...] = ()  # of the months that wait for an invoice
    dues: tuple[Due, ...] = ()  # of months invoiced before
    credits: tuple[Given, ...] = ()  # what is given back
    first: Month | None = None  # the month from which on there are costs, covered or not
    _known: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def charges(self, month: Month) -> list[Charge]:
        """Rate everything set aside and measured in a month."""
        return rate_month(self.allocations, month, self.usages)

    def estimate(self, provider_id: uuid.UUID, month: Month) -> Bill:
        """Return what one provider's bill for the month comes to as things stand."""
        return self._estimate(provider_id, month, self.lines(month))

    def _estimate(self, provider_id: uuid.UUID, month: Month, of_all: list[Line]) -> Bill:
        lines = tuple(line for line in of_all if self.services[line.service_id].provider_id == provider_id)
        vat_rate = self.taxes.vat_on(month.last)
        withholding = self.taxes.withholding_on(month.last, provider_id)
        return Bill(
            self.agency_id,
            provider_id,
            month,
            lines,
            totals([line.amount for line in lines], vat_rate, withholding),
            vat_rate,
            withholding,
        )

    def lines(self, month: Month) -> list[Line]:
        """Return a month's lines as they would be billed, by service; corrections and credits last."""
        corrections = [
            correction_of(due, self.services, self.items) for due in self.dues if due.carried_in == month and due.amount
        ]
        given = [credit_of(credit, self.services) for credit in self.credits if Month.of(credit.month) == month]
        return [line_of(charge, self.services, self.items) for charge in self.charges(month)] + corrections + given

    def service_charge(self, service_id: uuid.UUID, month: Month) -> Decimal:
        """Return what one service comes to in a month, before VAT."""
        return sum((line.amount for line in self.lines(month) if line.service_id == service_id), Decimal("0.00"))

    def total(self, month: Month) -> Decimal:
        """Return what the month comes to with VAT, all providers: issued invoices with their notes where there are."""
        return self.sums(month).total

    def sums(self, month: Month) -> MonthSums:
        """Return what the month comes to before and with VAT, all providers: issued invoices where there are.

        A note counts in the month of the invoice it corrects.
        """
        issued = tuple(statement for (_, when), statement in self.issued.items() if when == month)
        waiting = {service.provider_id for service in self.services.values()} - {s.provider_id for s in issued}
        subtotals = self._subtotals(month) if waiting else {}
        nothing = Decimal("0.00")
        estimates = [totals([subtotals.get(p, nothing)], self.taxes.vat_on(month.last)) for p in waiting]
        notes = self.notes_on(month)
        parts: list[Issued | Noted | Totals] = [*issued, *notes, *estimates]
        return MonthSums(
            month,
            sum((part.subtotal for part in parts), nothing),
            sum((part.vat for part in parts), nothing),
            sum((part.total for part in parts), nothing),
            issued,
            notes,
        )

    def notes_on(self, month: Month) -> tuple[Noted, ...]:
        """Return the notes on the month's invoices, as they were issued."""
        return tuple(note for note in self.notes if note.month == month.first) if self.notes else ()

    def _subtotals(self, month: Month) -> Mapping[uuid.UUID, Decimal]:
        """Return what a month's lines come to by provider, before VAT: the same as `lines`, which need not be made."""
        steady: SteadyMonths = self._once("steady", lambda: SteadyMonths(self.allocations))
        alike = steady.alike(month)
        set_aside = self._once((alike or month), lambda: self._added(self._set_aside(month, steady=bool(alike))))
        by_month = self._once("usages", self._usages_by_month)
        measured = self._added(usage_amounts(by_month.get(month, ()), month))
        found: defaultdict[uuid.UUID, Decimal] = defaultdict(lambda: Decimal("0.00"), set_aside)
        for provider_id, amount in measured.items():
            found[provider_id] += amount
        for due in self.dues:
            if due.carried_in == month:
                found[self.services[due.service_id].provider_id] += due.amount
        for credit in self.credits:
            if Month.of(credit.month) == month:
                found[self.services[credit.service_id].provider_id] -= credit.amount
        return found

    def _set_aside(self, month: Month, *, steady: bool) -> Iterable[tuple[Component, Decimal]]:
        if steady:
            return steady_amounts(self.allocations, month)
        return ((charge.component, charge.amount) for charge in rate_month(self.allocations, month))

    def _added(self, amounts: Iterable[tuple[Component, Decimal]]) -> dict[uuid.UUID, Decimal]:
        providers: Mapping[str, uuid.UUID] = self._once(
            "providers", lambda: {str(service.id): service.provider_id for service in self.services.values()}
        )
        found: defaultdict[uuid.UUID, Decimal] = defaultdict(lambda: Decimal("0.00"))
        with exactly():
            for component, amount in amounts:
                found[providers[str(component.subscription)]] += amount
        return found

    def _usages_by_month(self) -> dict[Month, list[Usage]]:
        found: defaultdict[Month, list[Usage]] = defaultdict(list)
        days = {each.first for each in self.usages}
        months = {day: Month.of(day) for day in days}
        for each in self.usages:
            found[months[each.first]].append(each)
        return found

    def _once(self, key: object, work: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]

    def with_service(self, service: Service) -> "Book":
        """Return the book as it would be with one more service."""
        return replace(self, services=self.services | {service.id: service})

    def with_quantities(self, items: Iterable[Item], at: dt.datetime) -> "Book":
        """Return the book as it would be if the items had these quantities from a moment on."""
        return replace(self, allocations=tuple(with_change(self.allocations, items, at)))


class _SetAside(NamedTuple):
    """An allocation as it is stored, with the columns of `_SET_ASIDE`."""

    service_id: uuid.UUID
    component_id: uuid.UUID
    price_item_id: uuid.UUID
    addon_id: uuid.UUID | None
    quantity: Decimal
    starts_at: dt.datetime
    ends_at: dt.datetime | None


# Read as it stands: there is a row for each component of each service, and every page with costs reads them all.
_SET_ASIDE = f"""
    SELECT service_id, component_id, price_item_id, addon_id, quantity, starts_at, ends_at
    FROM allocation
    WHERE {OWN} AND starts_at < $4 AND (ends_at IS NULL OR ends_at > $3)
"""  # noqa: S608 - our own text
_FIRST = f"SELECT min(starts_at) AS first FROM allocation WHERE {OWN}"  # noqa: S608 - our own text


def reference(service_id: uuid.UUID | str, component_id: uuid.UUID) -> str:
    """Return the name under which a service's component is rated."""
    return f"{service_id}/{component_id}"


async def book_of(
    agency_id: uuid.UUID,
    since: Month,
    until: Month,
    *,
    and_items: Iterable[PriceItem] = (),
    as_invoiced: bool = False,
    known_at: dt.datetime | None = None,
) -> Book:
    """Read an agency's book for the months from `since` to `until`, both included, in a constant number of queries.

    `and_items` are price items not in use yet that a quote is to price. `as_invoiced` reads the usage of every month,
    invoiced or not, from the events themselves, without what came or was corrected after its invoice: what an invoice
    is checked against; its dues are what was settled since, of which nothing must be left. Prices set after `known_at`
    are left out.
    """
    services = await services_of(agency_id)
    stored = await rows_of(_SET_ASIDE, agency_id, current().actor.provider_id, since.starts_at, until.ends_at)
    rows = [_SetAside(*row.values()) for row in stored]
    asked = {row.price_item_id for row in rows} | {item.id for item in and_items}
    facts = await facts_of(agency_id, services.values(), asked, since, until, known_at=known_at)
    items, versions = facts.items, facts.versions
    rows.sort(key=lambda r: (services[r.service_id].number, bool(r.addon_id), items[r.price_item_id].code, r.starts_at))
    places = {(row.service_id, row.component_id): place for place, row in enumerate(rows)}
    allocations = tuple(
        Allocation(
            component_of(
                row.service_id,
                row.component_id,
                items[row.price_item_id],
                versions[row.price_item_id],
                places[row.service_id, row.component_id],
            ),
            row.quantity,
            row.starts_at,
            row.ends_at,
        )
        for row in rows
    )
    issued = {(each.provider_id, Month.of(each.month)): each for each in facts.issued}
    meters: defaultdict[tuple[uuid.UUID, str], list[Metered]] = defaultdict(list)
    for meter in facts.meters:
        meters[meter.provider_id, meter.offering_code].append(meter)
    measured: dict[Key, Component] = {}
    spans, in_use = _days_in_use(rows), dict[Key, Days]()
    for service in services.values():
        for meter in meters[service.provider_id, service.offering_code]:
            item, place = items[meter.price_item_id], len(rows) + len(measured)
            component = component_of(service.id, meter.component_id, item, versions[item.id], place)
            measured[service.id, meter.component_id] = component
            if days := spans.get((service.id, meter.addon_id)):
                in_use[service.id, meter.component_id] = days
    owners = {service.provider_id for service in services.values()}
    months = [
        month for month in _months(since, until) if as_invoiced or any((owner, month) not in issued for owner in owners)
    ]
    usages = await usages_of(agency_id, measured, months, in_use, as_invoiced=as_invoiced)
    late = await settled_of(agency_id, since, until) if as_invoiced else facts.late
    dues = await dues_of(agency_id, late, measured, in_use, by_event=as_invoiced)
    return Book(
        agency_id,
        services,
        items,
        allocations,
        facts.taxes,
        issued,
        facts.notes,
        usages=tuple(usages),
        dues=tuple(dues),
        credits=facts.credits,
        first=facts.first,
    )


def _months(since: Month, until: Month) -> list[Month]:
    months = []
    while since <= until:
        months.append(since)
        since = since.next
    return months


def _days_in_use(allocations: Iterable[_SetAside]) -> dict[tuple[uuid.UUID, uuid.UUID | None], Days]:
    """Return the first and the last day of each service and add-on: on which anything of it was set aside.

    A service's own are under (its id, None), an add-on's of it under both their ids.
    """
    opens: dict[tuple[uuid.UUID, uuid.UUID | None], dt.datetime] = {}
    closes: dict[tuple[uuid.UUID, uuid.UUID | None], dt.datetime | None] = {}
    for row in allocations:
        for key in {(row.service_id, None), (row.service_id, row.addon_id)}:
            opens[key] = min(row.starts_at, opens.get(key, row.starts_at))
            end = closes.get(key, row.ends_at)
            closes[key] = None if end is None or row.ends_at is None else max(row.ends_at, end)
    return {
        key: (
            bangkok_date(start),
            bangkok_date(end - MICROSECOND) if (end := closes[key]) else dt.date.max,
        )
        for key, start in opens.items()
    }


def component_of(
    service_id: uuid.UUID,
    component_id: uuid.UUID,
    item: PriceItem | PricedItem,
    prices: tuple[PriceVersion, ...],
    place: int = 9999,
) -> Component:
    """Return a service's component as the rules take it; its name is the id of its price item."""
    subscription = str(service_id)
    return Component(
        reference(subscription, component_id), str(item.id), item.unit_en, item.basis, prices, subscription, place
    )


async def hold_month(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> None:
    """Keep everybody else from invoicing the month, and from changing what its invoice will say, until the commit."""
    await rows_of("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"{provider_id}/{agency_id}/{month}")


async def is_issued(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> bool:
    """Say whether a month's invoice stands."""
    return await scoped(Statement).filter(agency_id=agency_id, provider_id=provider_id, month=month.first).exists()


async def bill_of(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> Bill | None:
    """Return the issued invoice of a month with its lines; None when there is none yet."""
    statement = await scoped(Statement).filter(agency_id=agency_id, provider_id=provider_id, month=month.first).first()
    if statement is None:
        return None
    stored = await scoped(StatementLine).filter(agency_id=agency_id, statement_id=statement.id).order_by("position")
    return Bill(
        agency_id,
        provider_id,
        month,
        tuple(
            Line(
                line.service_id,
                line.service_number,
                (line.service_name_th, line.service_name_en),
                line.family,
                (line.name_th, line.name_en),
                (line.unit_th, line.unit_en),
                line.quantity,
                line.starts_on,
                line.ends_on,
                line.amount,
                line.derivation,
            )
            for line in stored
        ),
        Totals(statement.subtotal, statement.vat, statement.total, statement.withheld, statement.net),
        statement.vat_rate,
        statement.withholding_rate,
        statement.number,
        statement.issued_at,
        statement.id,
        statement.payment_instructions,
    )


async def bills_of(book: Book, month: Month) -> list[Bill]:
    """Return a month's bills, one per provider that has any: the issued invoice, else the estimate.

    The book must cover the month; two queries per invoice, none per estimate.
    """
    bills = []
    for provider_id in dict.fromkeys(service.provider_id for service in book.services.values()):
        issued = (provider_id, month) in book.issued
        bill = await bill_of(book.agency_id, provider_id, month) if issued else book.estimate(provider_id, month)
        if bill and bill.lines:
            bills.append(bill)
    return bills


async def costs_of_service(book: Book, service_id: uuid.UUID, months: Iterable[Month]) -> dict[Month, Decimal]:
    """Return what one service came to in each month, before VAT: as invoiced with its notes, else as the book rates it.

    The book must cover the months; one query.
    """
    provider_id = book.services[service_id].provider_id
    invoices = {s.id: month for (owner, month), s in book.issued.items() if owner == provider_id}
    invoiced = dict.fromkeys(invoices.values(), Decimal("0.00"))
    for line in await scoped(StatementLine).filter(
        agency_id=book.agency_id, service_id=service_id, statement_id__in=list(invoices)
    ):
        invoiced[invoices[line.statement_id]] += line.amount
    for note in book.notes:
        for part in note.lines:
            if part.service_id == service_id:
                invoiced[invoices[note.statement_id]] += part.amount
    return {month: invoiced[month] if month in invoiced else book.service_charge(service_id, month) for month in months}


async def first_month(agency_id: uuid.UUID) -> Month | None:
    """Return the month from which on an agency has costs, as far as the actor sees; None where it has none."""
    [found] = await rows_of(_FIRST, agency_id, current().actor.provider_id)
    return Month.of(found["first"]) if found["first"] else None


async def invoiced_by_agency(since: Month, until: Month) -> dict[uuid.UUID, Decimal]:
    """Return what each agency within reach was invoiced for some months, both included, with VAT and after notes."""
    actor = current().actor
    found = await rows_of(_INVOICED, since.first, until.first, actor.agency_id, actor.provider_id)
    return {row["agency_id"]: row["invoiced"] for row in found}


_INVOICED = """
    WITH invoice AS (
        SELECT agency_id, id, total FROM statement
        WHERE month BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR agency_id = $3)
            AND ($4::uuid IS NULL OR provider_id = $4)
    )
    SELECT agency_id, sum(total) AS invoiced FROM (
        SELECT agency_id, total FROM invoice
        UNION ALL
        SELECT d.agency_id, CASE d.kind WHEN 'debit_note' THEN d.total ELSE -d.total END
        FROM document d JOIN invoice i ON i.agency_id = d.agency_id AND i.id = d.statement_id
        WHERE d.kind IN ('credit_note', 'debit_note')
    ) AS part
    GROUP BY agency_id
"""
