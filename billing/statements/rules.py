"""What a month costs: allocations and usage in, charges out. The rule of the quote and of the bill.

Days and months are Bangkok's. A price for a month is prorated by calendar day: a day partly allocated
counts whole, and a day on which the quantity changes is counted once, for what came last that day. A
price for an hour is paid for the exact time. Each charge, a stretch of one quantity at one price version,
is rounded once.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise

from billing.money import SATANG, ZERO, Totals, exactly, totals
from billing.months import BANGKOK, ONE_DAY, Month, bangkok_date, midnight
from billing.statements.charges import (
    MICROSECOND,
    MICROSECONDS_PER_HOUR,
    Allocation,
    Charge,
    Component,
    Item,
    Overlapping,
    PriceChangesWithin,
    Usage,
)
from billing.statements.credits import DEFAULT_BANDS, CreditBand, availability, credit, credit_rate
from billing.tariffs.rules import Basis, PriceVersion, Reference, cost_exactly, version_on, versions_between

__all__ = [
    "BANGKOK",
    "DEFAULT_BANDS",
    "Allocation",
    "Charge",
    "Component",
    "CreditBand",
    "Item",
    "Month",
    "Overlapping",
    "PriceChangesWithin",
    "SteadyMonths",
    "Usage",
    "availability",
    "bangkok_date",
    "credit",
    "credit_rate",
    "first_month",
    "midnight",
    "month_totals",
    "monthly_price",
    "rate_month",
    "steady_amounts",
    "usage_amounts",
    "with_change",
]


def rate_month(allocations: Iterable[Allocation], month: Month, usages: Iterable[Usage] = ()) -> list[Charge]:
    """Rate what was allocated and used in a month, as charges by position, component and time.

    What lies outside the month costs nothing in it. Allocations of metered and counted components cost
    nothing by themselves; their `usages` do. Refuses overlapping allocations of a component
    (`Overlapping`), usage across a price change (`PriceChangesWithin`) and a day without a price
    (`NoPrice`).
    """
    allocated: defaultdict[Reference, list[Allocation]] = defaultdict(list)
    for allocation in allocations:
        if allocation.quantity:
            allocated[allocation.component.id].append(allocation)
    days = _PricedDays(month)
    with exactly():
        lines = [_rate_chain(chain, month) for chain in allocated.values()]
        lines += [[_priced(*priced) for priced in _priced_usages(readings, days)] for readings in _by_component(usages)]
    return _in_order(lines)


def steady_amounts(allocations: Iterable[Allocation], month: Month) -> list[tuple[Component, Decimal]]:
    """Return what each component comes to in a month in which nothing changes of what is set aside (`SteadyMonths`).

    The amounts of `rate_month`'s charges, which need not be made to add a month up. Refuses what that refuses.
    """
    opens, closes, first, _, days = _span(month)
    hours = (closes - opens) // MICROSECOND
    met: set[Reference] = set()
    versions: dict[int, PriceVersion] = {}  # by the identity of the prices, which live in the allocations
    amounts = []
    with exactly():
        for allocation in allocations:
            component, ends_at = allocation.component, allocation.ends_at
            if allocation.starts_at > opens or (ends_at is not None and ends_at < closes) or not allocation.quantity:
                continue
            if component.basis not in {Basis.DAILY, Basis.HOURLY}:
                continue
            if component.id in met:
                raise Overlapping(f"{component.name} is allocated twice from {opens}")
            met.add(component.id)
            if (version := versions.get(id(component.prices))) is None:
                version = versions[id(component.prices)] = version_on(first, component.prices)
            full = cost_exactly(allocation.quantity, version.tiers)
            by_the_hour = component.basis is Basis.HOURLY
            share, whole = (hours, MICROSECONDS_PER_HOUR) if by_the_hour else (days, days)
            amounts.append((component, _amount(full, share, whole)))
    return amounts


def usage_amounts(usages: Iterable[Usage], month: Month) -> list[tuple[Component, Decimal]]:
    """Return what was measured comes to in a month: the amounts of `rate_month`'s charges, which need not be made."""
    days = _PricedDays(month)
    with exactly():
        return [
            (component, _amount(cost_exactly(quantity, version.tiers, after), share, whole))
            for readings in _by_component(usages)
            for component, quantity, version, _, _, share, whole, after in _priced_usages(readings, days)
        ]


class SteadyMonths:
    """The months in which nothing changes of what is set aside, so that one of them is rated for all.

    Two whole months between the same two changes come to the same, but for prices by the hour, where they must be as
    long. Changes are where an allocation starts or ends and where a price does.
    """

    def __init__(self, allocations: Iterable[Allocation]) -> None:
        changes: set[datetime] = set()
        prices: dict[int, tuple[PriceVersion, ...]] = {}  # each once, by its identity
        bases: set[Basis] = set()
        for allocation in allocations:
            component = allocation.component
            changes.add(allocation.starts_at)
            if allocation.ends_at is not None:
                changes.add(allocation.ends_at)
            if component.basis is Basis.ONE_TIME:
                changes.add(allocation.starts_at + MICROSECOND)  # the month it starts in is like no other
            bases.add(component.basis)
            prices[id(component.prices)] = component.prices
        self._by_the_hour = Basis.HOURLY in bases
        days = {version.effective_from for versions in prices.values() for version in versions}
        self._changes = sorted(changes | {midnight(day) for day in days})

    def alike(self, month: Month) -> tuple[int, int] | None:
        """Return what two months have in common that come to the same; None for a month in which something changes."""
        place = bisect_right(self._changes, month.starts_at)
        if place < bisect_left(self._changes, month.ends_at):
            return None
        return place, month.days if self._by_the_hour else 0


def _in_order(lines: Iterable[list[Charge]]) -> list[Charge]:
    """Return the charges of all components by position; each component's are in the order of time already."""
    return [charge for charges in sorted(filter(None, lines), key=_line_order) for charge in charges]


def _line_order(charges: list[Charge]) -> tuple[int, str]:
    component = charges[0].component
    return component.position, str(component.id)


@dataclass(slots=True)
class _Stretch:
    """A quantity over a time, before it is cut at price changes."""

    component: Component
    quantity: Decimal
    starts_at: datetime
    ends_at: datetime


def _rate_chain(chain: list[Allocation], month: Month) -> list[Charge]:
    if len(chain) == 1 and (charge := _whole_month(chain[0], month)):
        return [charge]
    match chain[0].component.basis:
        case Basis.DAILY:
            stretches = _whole_days(chain, month)
        case Basis.HOURLY:
            stretches = _exact_times(chain, month)
        case Basis.ONE_TIME:
            stretches = _starting_days(chain, month)
        case _:
            return []
    return [
        _charge(part.component, part.quantity, version, part.starts_at, part.ends_at, month.days)
        for part, version in _merged(_cut_at_prices(stretches))
    ]


def _whole_month(allocation: Allocation, month: Month) -> Charge | None:
    """Rate the plainest case at once: one quantity, at one price, throughout the month; None for any other."""
    component = allocation.component
    opens, closes, first, last, days = _span(month)
    if component.basis not in {Basis.DAILY, Basis.HOURLY} or allocation.starts_at > opens:
        return None
    if allocation.ends_at is not None and allocation.ends_at < closes:
        return None
    parts = versions_between(first, last, component.prices)
    if len(parts) > 1:
        return None
    return _charge(component, allocation.quantity, parts[0][2], opens, closes, days)


@lru_cache
def _span(month: Month) -> tuple[datetime, datetime, date, date, int]:
    return month.starts_at, month.ends_at, month.first, month.last, month.days


def _exact_times(chain: list[Allocation], month: Month) -> list[_Stretch]:
    lasting = [each for each in chain if each.ends_at is None or each.starts_at < each.ends_at]
    lasting.sort(key=lambda allocation: allocation.starts_at)
    for earlier, later in pairwise(lasting):
        if earlier.ends_at is None or earlier.ends_at > later.starts_at:
            raise Overlapping(f"{earlier.component.name} is allocated twice from {later.starts_at}")
    opens, closes = month.starts_at, month.ends_at
    stretches = []
    for allocation in lasting:
        starts_at = max(allocation.starts_at, opens)
        ends_at = closes if allocation.ends_at is None else min(allocation.ends_at, closes)
        if starts_at < ends_at:
            stretches.append(_Stretch(allocation.component, allocation.quantity, starts_at, ends_at))
    return stretches


def _whole_days(chain: list[Allocation], month: Month) -> list[_Stretch]:
    stretches: list[_Stretch] = []
    for stretch in _exact_times(chain, month):
        stretch.starts_at = midnight(bangkok_date(stretch.starts_at))
        stretch.ends_at = midnight(bangkok_date(stretch.ends_at - MICROSECOND) + ONE_DAY)
        if stretches and stretches[-1].ends_at > stretch.starts_at:  # the day goes to what came last
            stretches[-1].ends_at = stretch.starts_at
            if stretches[-1].starts_at == stretches[-1].ends_at:
                stretches.pop()
        stretches.append(stretch)
    return stretches


def _starting_days(chain: list[Allocation], month: Month) -> list[_Stretch]:
    days = sorted((bangkok_date(allocation.starts_at), allocation.quantity) for allocation in chain)
    return [
        _Stretch(chain[0].component, quantity, midnight(day), midnight(day + ONE_DAY))
        for day, quantity in days
        if Month.of(day) == month
    ]


def _cut_at_prices(stretches: list[_Stretch]) -> list[tuple[_Stretch, PriceVersion]]:
    parts: list[tuple[_Stretch, PriceVersion]] = []
    for stretch in stretches:
        first, last = bangkok_date(stretch.starts_at), bangkok_date(stretch.ends_at - MICROSECOND)
        for start, end, version in versions_between(first, last, stretch.component.prices):
            part = replace(
                stretch,
                starts_at=max(stretch.starts_at, midnight(start)),
                ends_at=min(stretch.ends_at, midnight(end + ONE_DAY)),
            )
            parts.append((part, version))
    return parts


def _merged(parts: list[tuple[_Stretch, PriceVersion]]) -> list[tuple[_Stretch, PriceVersion]]:
    """Join neighbours of the same quantity and price, so that each such stretch is rounded once."""
    merged: list[tuple[_Stretch, PriceVersion]] = []
    for part, version in parts:
        if merged and part.component.basis is not Basis.ONE_TIME:
            before, price = merged[-1]
            same = before.quantity == part.quantity and price.id == version.id
            if same and before.ends_at == part.starts_at:
                before.ends_at = part.ends_at
                continue
        merged.append((part, version))
    return merged


class _PricedDays:
    """Which version is paid for some days of a month and how much of the month they are, found once for all alike."""

    def __init__(self, month: Month) -> None:
        self._month, self._first, self._last = month, month.first, month.last
        self._known: dict[tuple[int, bool, date, date], tuple[PriceVersion, datetime, datetime, int, int] | None] = {}

    def of(self, usage: Usage, highs: bool) -> tuple[PriceVersion, datetime, datetime, int, int] | None:
        """Return the version, the start and the end, and the share of the whole; None for another month's days.

        Prices are told apart by identity: they live in the usages being rated, longer than this does.
        """
        key = id(usage.component.prices), highs, usage.first, usage.last
        try:
            return self._known[key]
        except KeyError:
            found = self._known[key] = self._found(usage, highs)
            return found

    def _found(self, usage: Usage, highs: bool) -> tuple[PriceVersion, datetime, datetime, int, int] | None:
        within = self._first <= usage.first <= self._last, self._first <= usage.last <= self._last
        if not any(within):
            return None
        component = usage.component
        version = version_on(usage.first, component.prices)
        if not all(within) or version_on(usage.last, component.prices).id != version.id:
            raise PriceChangesWithin(f"{component.name}: {usage.first} – {usage.last}")
        starts_at, ends_at = midnight(usage.first).astimezone(UTC), midnight(usage.last + ONE_DAY).astimezone(UTC)
        share, whole = ((ends_at - starts_at).days, self._month.days) if highs else (1, 1)
        return version, starts_at, ends_at, share, whole


_PricedUsage = tuple[Component, Decimal, PriceVersion, datetime, datetime, int, int, Decimal]
"""A component's quantity with its version, start and end, its share of the whole, and what the tiers had counted."""


def _by_component(usages: Iterable[Usage]) -> Iterable[list[Usage]]:
    readings: defaultdict[Reference, list[Usage]] = defaultdict(list)
    for usage in usages:
        if usage.quantity:
            readings[usage.component.id].append(usage)
    return readings.values()


def _priced_usages(readings: list[Usage], days: _PricedDays) -> Iterator[_PricedUsage]:
    """Price what was measured of one component, in the order of time."""
    component = readings[0].component
    if component.basis.is_allocated:
        return
    highs = component.basis is Basis.METERED_MAX
    counted, paid_until = ZERO, date.min
    for usage in sorted(readings, key=_reading_order) if len(readings) > 1 else readings:
        found = days.of(usage, highs)
        if found is None:
            continue
        quantity = usage.quantity
        if highs and usage.first <= paid_until:
            raise Overlapping(f"{component.name} has two highs for {usage.first}")
        # A sum goes on through the tiers where the month's earlier usage stopped; a high stands alone.
        yield component, quantity, *found, ZERO if highs else counted
        counted += quantity
        paid_until = usage.last


def _reading_order(usage: Usage) -> tuple[date, date, Decimal]:
    return usage.first, usage.last, usage.quantity


def _charge(
    component: Component,
    quantity: Decimal,
    version: PriceVersion,
    starts_at: datetime,
    ends_at: datetime,
    days_in_month: int,
) -> Charge:
    """Price one stretch, for who computes exactly already."""
    match component.basis:
        case Basis.DAILY | Basis.METERED_MAX:
            share, whole = (ends_at - starts_at).days, days_in_month
        case Basis.HOURLY:
            share, whole = (ends_at - starts_at) // MICROSECOND, MICROSECONDS_PER_HOUR
        case _:
            share, whole = 1, 1
    return _priced(component, quantity, version, starts_at.astimezone(UTC), ends_at.astimezone(UTC), share, whole)


def _priced(
    component: Component,
    quantity: Decimal,
    version: PriceVersion,
    starts_at: datetime,
    ends_at: datetime,
    share: int,
    whole: int,
    after: Decimal = ZERO,
) -> Charge:
    """Price a quantity over a stretch, for who computes exactly already."""
    full = cost_exactly(quantity, version.tiers, after)
    amount = _amount(full, share, whole)
    return Charge(component, quantity, version, starts_at, ends_at, share, whole, full, amount, after)


def _amount(full: Decimal, share: int, whole: int) -> Decimal:
    """Round an amount: the only place where one is. For who computes exactly already."""
    unrounded = full if share == whole else full * share / whole
    return unrounded.quantize(SATANG) + ZERO  # adding zero turns -0.00 into 0.00


def monthly_price(items: Iterable[Item], on: date, days: int = 31) -> list[Charge]:
    """Price items for one whole month of so many days, at the prices in force on a day.

    By the rule of the bill, each line rounded. Measured and counted items are priced at the quantity
    given; one-time items are left out, being in no month but the first (`first_month`).
    """
    starts_at, ends_at = midnight(on), midnight(on + timedelta(days=days))
    with exactly():
        charges = [
            [_charge(item.component, item.quantity, version_on(on, item.component.prices), starts_at, ends_at, days)]
            for item in items
            if item.quantity and item.component.basis is not Basis.ONE_TIME
        ]
    return _in_order(charges)


def first_month(items: Iterable[Item], starts_at: datetime) -> list[Charge]:
    """Rate the month in which items start at a moment and go on: prorated, one-time items included."""
    allocations = [Allocation(item.component, item.quantity, starts_at) for item in items]
    return rate_month(allocations, Month.of(starts_at))


def with_change(allocations: Iterable[Allocation], items: Iterable[Item], at: datetime) -> list[Allocation]:
    """Return the allocations as they are once items have the given quantities from a moment on.

    A quantity of zero ends the component. Components not among the items stay as they are; what was
    planned for a changed one after `at` gives way.
    """
    changed = {item.component.id: item for item in items}
    result: list[Allocation] = []
    for allocation in allocations:
        if allocation.component.id not in changed:
            result.append(allocation)
        elif allocation.starts_at < at:
            ends_at = at if allocation.ends_at is None else min(allocation.ends_at, at)
            result.append(replace(allocation, ends_at=ends_at))
    result += [Allocation(item.component, item.quantity, at) for item in changed.values() if item.quantity]
    return result


def month_totals(
    charges: Sequence[Charge],
    vat_rate: Decimal,
    withholding_rate: Decimal = ZERO,
    credited: Sequence[Decimal] = (),
) -> Totals:
    """Add a month's charges up, less what is credited, given as positive amounts; see `money.totals`."""
    return totals([charge.amount for charge in charges] + [-amount for amount in credited], vat_rate, withholding_rate)
