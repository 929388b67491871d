"""What a request would cost: before, after, per month, this first month, the rest of the year. Pure.

The rule is the bill's own, applied to the agency's book with and without the request.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from decimal import Decimal

from billing.budgets.rules import FiscalYear
from billing.money import satang
from billing.months import Month, bangkok_date, midnight
from billing.statements.queries import Book, component_of
from billing.statements.rules import Charge, Item, monthly_price
from billing.tariffs.rules import PriceVersion
from services.catalogue.models import Component
from services.requests.rules import Kind

ZERO = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Ask:
    """One component: how much there is, and how much there is to be."""

    component: Component
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class PricedAsk:
    """One component with its price for a whole month before and after; None of nothing."""

    ask: Ask
    before: Charge | None
    after: Charge | None


@dataclass(frozen=True, slots=True)
class Price:
    """What a request comes to, before VAT unless it says so."""

    rows: tuple[PricedAsk, ...]
    before: Decimal
    after: Decimal
    vat_rate: Decimal
    month: Month
    first_month: Decimal
    rest_of_year: Decimal
    last_charge: Decimal  # of what ends, in the month of its last day; zero where nothing ends
    book: Book

    @property
    def difference(self) -> Decimal:
        """What a whole month costs more, or less where negative."""
        return self.after - self.before

    @property
    def before_with_vat(self) -> Decimal:
        """What a whole month costs before, with VAT."""
        return self.before + satang(self.before * self.vat_rate)

    @property
    def after_with_vat(self) -> Decimal:
        """What a whole month costs after, with VAT."""
        return self.after + satang(self.after * self.vat_rate)

    @property
    def difference_with_vat(self) -> Decimal:
        """What a whole month with VAT costs more: of the two sums shown, so that they add up on paper."""
        return self.after_with_vat - self.before_with_vat


def takes_effect(kind: Kind, effective_on: dt.date, delivered_at: dt.datetime | None = None) -> dt.datetime:
    """Return from when a request's quantities count.

    A change counts from 00:00 of its effective date, or of the day it was delivered if that is later. What
    is new counts from its delivery, never before its effective date. A cancellation's effective date is its
    last day, so it counts from the following midnight.
    """
    agreed = midnight(effective_on)
    match kind:
        case Kind.CANCEL | Kind.CANCEL_ADDON:
            return midnight(effective_on + dt.timedelta(days=1))
        case Kind.CHANGE:
            return agreed if delivered_at is None else max(agreed, midnight(bangkok_date(delivered_at)))
        case _:
            return agreed if delivered_at is None else max(agreed, delivered_at)


def price(
    book: Book,
    service_id: uuid.UUID,
    kind: Kind,
    asks: Sequence[Ask],
    versions: Mapping[uuid.UUID, tuple[PriceVersion, ...]],
    effective_on: dt.date,
) -> Price:
    """Price a request against an agency's book; the book must cover the effective date's fiscal year."""
    at = takes_effect(kind, effective_on)
    on = bangkok_date(at)
    parts = {
        ask.component.id: component_of(
            service_id, ask.component.id, ask.component.price_item, versions[ask.component.price_item_id]
        )
        for ask in asks
    }
    rows = []
    for ask in asks:
        part = parts[ask.component.id]
        before = monthly_price([Item(part, ask.before)], on=on)
        after = monthly_price([Item(part, ask.after)], on=on)
        rows.append(PricedAsk(ask, before[0] if before else None, after[0] if after else None))
    items = [Item(parts[ask.component.id], ask.after) for ask in asks]
    # What is measured, corrected or credited meanwhile changes the month, not what is confirmed.
    agreed = replace(book, usages=(), dues=(), credits=())
    changed = agreed.with_quantities(items, at)
    month = Month.of(on)
    rest = [m for m in FiscalYear.of(on).months if m >= month]
    return Price(
        rows=tuple(rows),
        before=sum((row.before.amount for row in rows if row.before), ZERO),
        after=sum((row.after.amount for row in rows if row.after), ZERO),
        vat_rate=book.taxes.vat_on(on),
        month=month,
        first_month=changed.service_charge(service_id, month),
        rest_of_year=sum(
            (changed.service_charge(service_id, m) - agreed.service_charge(service_id, m) for m in rest), ZERO
        ),
        last_charge=_last_charge(changed, kind, {part.id for part in parts.values()}, effective_on),
        book=book.with_quantities(items, at),
    )


def _last_charge(changed: Book, kind: Kind, ending: AbstractSet[uuid.UUID | str | int], last_day: dt.date) -> Decimal:
    if kind not in {Kind.CANCEL, Kind.CANCEL_ADDON}:
        return ZERO
    charges = changed.charges(Month.of(last_day))
    return sum((charge.amount for charge in charges if charge.component.id in ending), ZERO)
