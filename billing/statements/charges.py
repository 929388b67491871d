"""The values a month's rating takes and gives: what is in use, what was measured, what it costs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.money import ZERO, NotMoney, exactly
from billing.months import aware, bangkok_date
from billing.tariffs.rules import Basis, PriceVersion, Reference, Tranche, tranches

MICROSECOND = timedelta(microseconds=1)
MICROSECONDS_PER_HOUR = timedelta(hours=1) // MICROSECOND


class Overlapping(ValueError):
    """Two allocations of one component, or two measured highs, at the same time: it would be paid twice."""


class PriceChangesWithin(ValueError):
    """Usage measured across a price change or a month's edge: nobody can say at which price it was."""


@dataclass(frozen=True, slots=True)
class Component:
    """One thing in use that has a price: a meter of a service, or an add-on.

    `id` stays the same while the quantity changes; `subscription` is the service it belongs to;
    `position` is its place among a bill's lines.
    """

    id: Reference
    name: str
    unit: str
    basis: Basis
    prices: tuple[PriceVersion, ...]
    subscription: Reference = ""
    position: int = 0


def _not_negative(quantity: Decimal) -> None:
    if not quantity >= 0:
        raise NotMoney(f"a quantity is not negative: {quantity}")


@dataclass(frozen=True, slots=True)
class Allocation:
    """A quantity of a component from a moment on, until another (exclusive) or without a known end.

    A last day of 20 January is `ends_at` 21 January 00:00 Bangkok. Refuses a negative quantity, moments
    without a time zone, and an end before the start. A quantity of zero is the same as no allocation.
    """

    component: Component
    quantity: Decimal
    starts_at: datetime
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        _not_negative(self.quantity)
        aware(self.starts_at)
        if self.ends_at is not None and aware(self.ends_at) < self.starts_at:
            raise ValueError(f"an allocation ends before it starts: {self.starts_at} – {self.ends_at}")


@dataclass(frozen=True, slots=True)
class Usage:
    """What was measured or counted of a component on the days from first to last, both included.

    Lies within one month and one price version (`versions_between` gives the cuts). Refuses a negative
    quantity and a last day before the first.
    """

    component: Component
    quantity: Decimal
    first: date
    last: date

    def __post_init__(self) -> None:
        _not_negative(self.quantity)
        if self.last < self.first:
            raise ValueError(f"usage ends before it starts: {self.first} – {self.last}")


@dataclass(frozen=True, slots=True)
class Item:
    """A quantity of a component asked for or in use, without a time: what a quote prices."""

    component: Component
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Charge:
    """One line: a quantity at one price version over one stretch of time, and how its amount came about.

    The stretch is `starts_at` to `ends_at` (exclusive), in UTC. `amount` is `full` (the sum of the
    tranches) × `share` ÷ `whole`, rounded once: days of the month for a monthly price, microseconds of
    the hour for an hourly one, 1 ÷ 1 for the rest. `after` is what the month's tiers had counted before.
    """

    component: Component
    quantity: Decimal
    price: PriceVersion
    starts_at: datetime
    ends_at: datetime
    share: int
    whole: int
    full: Decimal
    amount: Decimal
    after: Decimal = ZERO

    @property
    def tranches(self) -> tuple[Tranche, ...]:
        """The quantity by tier, lowest first; made when they are shown, which few charges are."""
        return tuple(tranches(self.quantity, self.price.tiers, self.after))

    @property
    def unrounded(self) -> Decimal:
        """The amount to sixty digits."""
        with exactly():
            return self.full if self.share == self.whole else self.full * self.share / self.whole

    @property
    def first(self) -> date:
        """Its first day in Bangkok."""
        return bangkok_date(self.starts_at)

    @property
    def last(self) -> date:
        """Its last day in Bangkok, included."""
        return bangkok_date(self.ends_at - MICROSECOND)

    @property
    def days(self) -> int | None:
        """The days counted, where the price is for a month; else None."""
        return self.share if self.component.basis in {Basis.DAILY, Basis.METERED_MAX} else None

    @property
    def days_in_month(self) -> int | None:
        """The days they are counted against, where the price is for a month; else None."""
        return self.whole if self.days is not None else None

    @property
    def hours(self) -> Decimal | None:
        """The hours paid for, where the price is for an hour; else None."""
        if self.component.basis is not Basis.HOURLY:
            return None
        with exactly():
            return Decimal(self.share) / self.whole

    @property
    def formula(self) -> Mapping[str, object]:
        """How the amount came about, as JSON-ready data in no language: numbers as plain text.

        `full` × `share` ÷ `whole` = `unrounded`; for a price by the hour `share` is in microseconds
        and `hours` says the same in hours, to six decimals.
        """
        return {
            "basis": str(self.component.basis),
            "quantity": f"{self.quantity:f}",
            "unit": self.component.unit,
            "price_version": self.price.number,
            "tranches": [{key: f"{value:f}" for key, value in part._asdict().items()} for part in self.tranches],
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "share": self.share,
            "whole": self.whole,
            "hours": None if self.hours is None else f"{self.hours:.6f}",
            "full": f"{self.full:f}",
            "unrounded": f"{self.unrounded:f}",
            "amount": f"{self.amount:f}",
        }
