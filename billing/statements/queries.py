"""What an agency's services cost: issued invoices where there are, the same rule's estimate elsewhere.

A `Book` is read once, in a constant number of queries, and answers for every month it covers; a quote
asks the same book what would be if its quantities changed.
"""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from tortoise.expressions import Q

from auth.tenancy import scoped
from billing.money import Totals, totals
from billing.months import Month
from billing.statements.models import Statement, StatementLine
from billing.statements.rules import Allocation, Charge, Component, Item, rate_month, with_change
from billing.tariffs.models import PriceItem
from billing.tariffs.queries import TaxTable, tax_table, versions_of
from billing.tariffs.rules import PriceVersion
from billing.usage import models as usage
from billing.usage.models import BilledService


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill, issued or estimated, with its names and how its amount came about."""

    service_id: uuid.UUID
    service_number: str
    service_names: tuple[str, str]
    family: str
    names: tuple[str, str]
    units: tuple[str, str]
    quantity: Decimal
    starts_on: dt.date
    ends_on: dt.date
    amount: Decimal
    derivation: dict[str, Any]


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


@dataclass(frozen=True, slots=True)
class Book:
    """An agency's services, what is set aside for them, at which prices and taxes."""

    agency_id: uuid.UUID
    services: dict[uuid.UUID, BilledService]
    items: dict[uuid.UUID, PriceItem]
    allocations: tuple[Allocation, ...]
    taxes: TaxTable
    issued: dict[tuple[uuid.UUID, Month], Statement] = field(default_factory=dict)

    def charges(self, month: Month) -> list[Charge]:
        """Rate everything set aside in a month."""
        return rate_month(self.allocations, month)

    def estimate(self, provider_id: uuid.UUID, month: Month) -> Bill:
        """Return what one provider's bill for the month comes to as things stand."""
        lines = tuple(line for line in self.lines(month) if self.services[line.service_id].provider_id == provider_id)
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
        """Return a month's lines as they would be billed, by service."""
        return [_line_of(charge, self) for charge in self.charges(month)]

    def service_charge(self, service_id: uuid.UUID, month: Month) -> Decimal:
        """Return what one service comes to in a month, before VAT."""
        return sum((line.amount for line in self.lines(month) if line.service_id == service_id), Decimal("0.00"))

    def total(self, month: Month) -> Decimal:
        """Return what the month comes to with VAT, all providers: issued invoices where there are."""
        providers = {service.provider_id for service in self.services.values()}
        amount = Decimal("0.00")
        for provider_id in providers:
            statement = self.issued.get((provider_id, month))
            amount += statement.total if statement else self.estimate(provider_id, month).totals.total
        return amount

    def is_issued(self, month: Month) -> bool:
        """Return whether any provider has issued its invoice for the month."""
        return any(issued == month for _, issued in self.issued)

    def with_service(self, service: BilledService) -> "Book":
        """Return the book as it would be with one more service."""
        return replace(self, services=self.services | {service.id: service})

    def with_quantities(self, items: Iterable[Item], at: dt.datetime) -> "Book":
        """Return the book as it would be if the items had these quantities from a moment on."""
        return replace(self, allocations=tuple(with_change(self.allocations, items, at)))


def reference(service_id: uuid.UUID, component_id: uuid.UUID) -> str:
    """Return the name under which a service's component is rated."""
    return f"{service_id}/{component_id}"


async def book_of(agency_id: uuid.UUID, since: Month, until: Month, *, and_items: Iterable[PriceItem] = ()) -> Book:
    """Read an agency's book for the months from `since` to `until`, both included; five queries.

    `and_items` are price items not in use yet that a quote is to price.
    """
    services = {s.id: s for s in await scoped(BilledService).filter(agency_id=agency_id).order_by("number")}
    rows = (
        await scoped(usage.Allocation)
        .filter(Q(ends_at=None) | Q(ends_at__gt=since.starts_at), agency_id=agency_id, starts_at__lt=until.ends_at)
        .select_related("price_item")
    )
    items = {row.price_item_id: row.price_item for row in rows} | {item.id: item for item in and_items}
    versions = await versions_of(items)
    rows.sort(key=lambda row: (services[row.service_id].number, row.is_addon, row.price_item.code, row.starts_at))
    places = {reference(row.service_id, row.component_id): place for place, row in enumerate(rows)}
    allocations = tuple(
        Allocation(
            component_of(
                row.service_id,
                row.component_id,
                row.price_item,
                versions[row.price_item_id],
                places[reference(row.service_id, row.component_id)],
            ),
            row.quantity,
            row.starts_at,
            row.ends_at,
        )
        for row in rows
    )
    statements = await scoped(Statement).filter(agency_id=agency_id, month__gte=since.first, month__lte=until.first)
    issued = {(s.provider_id, Month.of(s.month)): s for s in statements}
    return Book(agency_id, services, items, allocations, await tax_table(), issued)


def component_of(
    service_id: uuid.UUID, component_id: uuid.UUID, item: PriceItem, prices: tuple[PriceVersion, ...], place: int = 9999
) -> Component:
    """Return a service's component as the rules take it; its name is the id of its price item."""
    return Component(
        id=reference(service_id, component_id),
        name=str(item.id),
        unit=item.unit_en,
        basis=item.basis,
        prices=prices,
        subscription=str(service_id),
        position=place,
    )


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
    )


def derivation_of(charge: Charge) -> dict[str, Any]:
    """Return how a charge's amount came about, as it is kept with the line: numbers as text, no sentences."""
    return {
        "basis": charge.component.basis.value,
        "price_version": charge.price.number,
        "effective_from": charge.price.effective_from.isoformat(),
        "tranches": [
            {"quantity": str(part.quantity), "price": str(part.price), "amount": str(part.amount)}
            for part in charge.tranches
        ],
        "full": str(charge.full),
        "share": charge.share,
        "whole": charge.whole,
        "days": charge.days,
        "days_in_month": charge.days_in_month,
        "hours": None if charge.hours is None else str(charge.hours),
        "starts_at": charge.starts_at.isoformat(),
        "ends_at": charge.ends_at.isoformat(),
    }


def _line_of(charge: Charge, book: Book) -> Line:
    service = book.services[uuid.UUID(str(charge.component.subscription))]
    item = book.items[uuid.UUID(charge.component.name)]
    return Line(
        service.id,
        service.number,
        (service.name_th, service.name_en),
        service.family,
        (item.name_th, item.name_en),
        (item.unit_th, item.unit_en),
        charge.quantity,
        charge.first,
        charge.last,
        charge.amount,
        derivation_of(charge),
    )
