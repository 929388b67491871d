"""What costs add up to by service, kind, component or cost centre, and which of them jump, and why. Pure.

Amounts are in baht before VAT, as they stand on the lines; whatever the grouping, the sums are those of the bills.
"""

import datetime as dt
import enum
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.money import ZERO, exactly
from billing.months import Month
from billing.tariffs.rules import Basis

_ADDED_UP = {Basis.METERED_SUM, Basis.PER_EVENT}
UNUSUAL_SHARE = Decimal("0.20")
UNUSUAL_AMOUNT = Decimal("1000.00")


class Grouping(enum.StrEnum):
    """By what costs are added up."""

    SERVICE = "service"
    FAMILY = "family"
    COMPONENT = "component"
    COST_CENTRE = "cost_centre"


class Nature(enum.StrEnum):
    """What a line is."""

    CHARGE = "charge"
    CORRECTION = "correction"  # of a month invoiced before
    CREDIT = "credit"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


class Cause(enum.StrEnum):
    """What made a cost jump."""

    NEW = "new"
    ENDED = "ended"
    PRICE = "price"
    QUANTITY = "quantity"
    TIME = "time"  # in use for a greater or smaller part of the month
    CORRECTION = "correction"
    CREDIT = "credit"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of a month, issued or estimated, as far as adding up needs it; names are (Thai, English).

    The line of a note on an invoice has the note's number, and no service where it is of the whole invoice.
    """

    month: Month
    service_id: uuid.UUID | None
    service_names: tuple[str, str]
    family: str
    cost_centre: str
    names: tuple[str, str]
    component: str
    nature: Nature
    quantity: Decimal
    first: dt.date
    last: dt.date
    price_version: int | None
    amount: Decimal
    invoiced: bool = False
    basis: Basis | None = None  # by what its quantity is counted
    note: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """What a component of a service came to in a month: amount, quantity-days, days and price versions."""

    amount: Decimal
    quantity_days: Decimal
    days: int
    days_in_month: int
    versions: frozenset[int | None]


@dataclass(frozen=True, slots=True)
class Jump:
    """An unusual difference between two months, with what caused it."""

    month: Month
    service_id: uuid.UUID | None
    service_names: tuple[str, str]
    names: tuple[str, str]
    before: Decimal
    after: Decimal
    causes: tuple[Cause, ...]

    @property
    def difference(self) -> Decimal:
        """How much more the later month came to."""
        return self.after - self.before


Key = Callable[[Entry], str]
KEYS: dict[Grouping, Key] = {
    Grouping.SERVICE: lambda entry: str(entry.service_id or ""),
    Grouping.FAMILY: lambda entry: entry.family,
    Grouping.COMPONENT: lambda entry: entry.names[0],
    Grouping.COST_CENTRE: lambda entry: entry.cost_centre,
}


def added_up(entries: Iterable[Entry], by: Grouping) -> dict[str, dict[Month, Decimal]]:
    """Add entries up by group and month; a month without costs of a group is left out."""
    sums: dict[str, dict[Month, Decimal]] = {}
    key = KEYS[by]
    with exactly():
        for entry in entries:
            months = sums.setdefault(key(entry), {})
            months[entry.month] = months.get(entry.month, ZERO) + entry.amount
    return sums


def shared_out(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """Split an amount by weights into parts of whole satang that add up to it exactly.

    What rounding down leaves goes, a satang each, to the parts that lost most. All of it goes to the first name where
    the weights come to nothing; no weight is negative.
    """
    if any(weight < 0 for weight in weights.values()):
        raise ValueError("a weight is negative")
    names = sorted(weights)
    whole = sum(weights.values(), ZERO)
    if not names:
        return {}
    if not whole:
        return dict.fromkeys(names, ZERO) | {names[0]: amount}
    satang = int(amount * 100)
    # Whole numbers: shares of a hundred million baht in satang are still exact.
    heavy = {name: int(weights[name] * 100) for name in names}
    total = sum(heavy.values())
    parts = {name: satang * heavy[name] // total for name in names}
    lost = sorted(names, key=lambda name: (-(satang * heavy[name] % total), name))
    for name in lost[: satang - sum(parts.values())]:
        parts[name] += 1
    return {name: Decimal(part).scaleb(-2) for name, part in parts.items()}


def jumps(
    entries: Sequence[Entry],
    month: Month,
    *,
    share: Decimal = UNUSUAL_SHARE,
    least: Decimal = UNUSUAL_AMOUNT,
) -> list[Jump]:
    """Return what is unusual in a month against the month before, the greatest difference first.

    A component of a service is unusual when it differs by at least `share` of what it was and by at least `least`;
    a correction, a note or something given back when it comes to at least `least`.
    """
    now, before = _points(entries, month), _points(entries, month.previous)
    names = {_place(entry): entry for entry in entries if entry.month in {month, month.previous}}
    there = {when: {entry.service_id for entry in entries if entry.month == when} for when in (month.previous, month)}
    found = []
    for place, entry in names.items():
        then, since = before.get(place), now.get(place)
        was, now_is = then.amount if then else ZERO, since.amount if since else ZERO
        if is_unusual(was, now_is, share=share, least=least):
            why = causes_of(then, since)
            is_measured = entry.basis is not None and not entry.basis.is_allocated
            if is_measured and not (then and since) and all(entry.service_id in each for each in there.values()):
                why = (Cause.QUANTITY,)  # the service is neither new nor ended: nothing was used of it
            found.append(Jump(month, entry.service_id, entry.service_names, entry.names, was, now_is, why))
    for entry in entries:
        if entry.month == month and entry.nature is not Nature.CHARGE and abs(entry.amount) >= least:
            why = (Cause(entry.nature.value),)
            found.append(Jump(month, entry.service_id, entry.service_names, entry.names, ZERO, entry.amount, why))
    return sorted(found, key=lambda jump: (-abs(jump.difference), jump.service_names, jump.names))


def is_unusual(before: Decimal, after: Decimal, *, share: Decimal, least: Decimal) -> bool:
    """Say whether two months differ by at least a share of the first, and by at least an amount."""
    with exactly():
        difference = abs(after - before)
        return difference >= least and difference >= share * abs(before)


def causes_of(before: Point | None, after: Point | None) -> tuple[Cause, ...]:
    """Return what made a component's cost differ: it is new or ended; else its price, its quantity, its days.

    The quantity is the average over the days it was charged for, so that a part of a month is told apart from more
    or less of something.
    """
    if before is None:
        return (Cause.NEW,)
    if after is None:
        return (Cause.ENDED,)
    found = []
    if before.versions != after.versions:
        found.append(Cause.PRICE)
    if before.quantity_days * after.days != after.quantity_days * before.days:
        found.append(Cause.QUANTITY)
    if before.days * after.days_in_month != after.days * before.days_in_month:
        found.append(Cause.TIME)
    return tuple(found)


def _place(entry: Entry) -> tuple[uuid.UUID | None, str]:
    return entry.service_id, entry.component


def _points(entries: Iterable[Entry], month: Month) -> dict[tuple[uuid.UUID | None, str], Point]:
    found: dict[tuple[uuid.UUID | None, str], list[Entry]] = {}
    for entry in entries:
        if entry.month == month and entry.nature is Nature.CHARGE:
            found.setdefault(_place(entry), []).append(entry)
    return {place: _point(month, own) for place, own in found.items()}


def _point(month: Month, entries: Sequence[Entry]) -> Point:
    days = {entry: (entry.last - entry.first).days + 1 for entry in entries}
    versions = frozenset(entry.price_version for entry in entries)
    with exactly():
        amount = sum((entry.amount for entry in entries), ZERO)
        if entries[0].basis in _ADDED_UP:  # what was used, on however many of its days
            used = sum((entry.quantity for entry in entries), ZERO)
            return Point(amount, used * month.days, month.days, month.days, versions)
        return Point(
            amount,
            sum((entry.quantity * many for entry, many in days.items()), ZERO),
            sum(days.values()),
            month.days,
            versions,
        )
