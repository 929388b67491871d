"""What a quantity costs: graduated tiers, their versions in time, and the ceiling above them.

Each tranche of a quantity has its own price: of 500 Mbps at 85 up to 100 and 65 up to 500, the first
hundred cost 85 each and the other four hundred 65 each.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import zip_longest
from typing import NamedTuple, Protocol, TypeVar
from uuid import UUID

from auth.errors import Refusal
from billing.money import ZERO, NotMoney, VatRate, exact, exactly, rate

Reference = UUID | str | int
"""Whatever names a record: a rule compares it and hands it back."""


class Basis(StrEnum):
    """What a quantity is counted by, and so how a month's amount comes about."""

    DAILY = "daily"  # allocated, by calendar day; the price is for a month
    HOURLY = "hourly"  # allocated, by the hour; the price is for an hour
    METERED_SUM = "metered_sum"  # measured, the month's sum
    METERED_MAX = "metered_max"  # measured, the month's highest; the price is for a month
    ONE_TIME = "one_time"  # once, when it starts
    PER_EVENT = "per_event"  # counted as it happens

    @property
    def is_allocated(self) -> bool:
        """Whether it follows from what is allocated, and not from what is measured or counted."""
        return self in {Basis.DAILY, Basis.HOURLY, Basis.ONE_TIME}


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of one unit in baht without VAT, up to and including a quantity; None is without end."""

    upto: Decimal | None
    price: Decimal


class Tranche(NamedTuple):
    """The part of a quantity that falls in one tier, and its amount, unrounded."""

    quantity: Decimal
    price: Decimal
    amount: Decimal


class BadTiers(ValueError):
    """A tier table that cannot be: `field` names the place, `reason` says what is wrong with it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NoPrice(LookupError):
    """No price version is in force on a day that must be paid."""


class AboveCeiling(Refusal):
    """A price above its ceiling price (ราคากลาง) from a day on; `tier` is the first offender, `vat_rate` that day's."""

    def __init__(self, tier: Tier, ceiling: "Ceiling", on: date, vat_rate: Decimal) -> None:
        super().__init__(f"{tier.price} is above the ceiling price {ceiling.price} on {on}")
        self.tier = tier
        self.ceiling = ceiling
        self.on = on
        self.vat_rate = vat_rate


def tiers_from(json: object) -> tuple[Tier, ...]:
    """Read tiers from parsed JSON, `[{"upto": 100, "price": "85.00"}, …, {"upto": null, "price": …}]`.

    Refuses (`BadTiers`, naming the field) an empty table, limits that do not ascend, a last tier with a
    limit or an earlier one without, negative prices, floats. Unknown keys are passed over.
    """
    if not isinstance(json, list) or not json:
        raise BadTiers("tiers", "at least one tier is needed, as a list")
    tiers: list[Tier] = []
    for place, item in enumerate(json):
        field = f"tiers[{place}]"
        if not isinstance(item, Mapping):
            raise BadTiers(field, "a tier has the keys upto and price")
        for key in ("upto", "price"):
            if key not in item:
                raise BadTiers(f"{field}.{key}", "is missing")
        upto = None if item["upto"] is None else _number(f"{field}.upto", item["upto"])
        tiers.append(Tier(upto, _number(f"{field}.price", item["price"])))
    return checked_tiers(tiers)


def checked_tiers(tiers: Sequence[Tier]) -> tuple[Tier, ...]:
    """Return the tiers as a tuple; refuse a table that `tiers_from` would refuse (`BadTiers`)."""
    if not tiers:
        raise BadTiers("tiers", "at least one tier is needed")
    below = ZERO
    for place, tier in enumerate(tiers):
        field = f"tiers[{place}]"
        if tier.price < 0:
            raise BadTiers(f"{field}.price", "must not be negative")
        if place == len(tiers) - 1:
            if tier.upto is not None:
                raise BadTiers(f"{field}.upto", "the last tier must be open")
        elif tier.upto is None:
            raise BadTiers(f"{field}.upto", "only the last tier may be open")
        elif tier.upto <= below:
            raise BadTiers(f"{field}.upto", f"must be above {below:f}")
        else:
            below = tier.upto
    return tuple(tiers)


def tiers_to_json(tiers: Sequence[Tier]) -> list[dict[str, str | None]]:
    """Write tiers so that `tiers_from` reads the same ones back; numbers as text, never as floats."""
    return [{"upto": None if tier.upto is None else f"{tier.upto:f}", "price": f"{tier.price:f}"} for tier in tiers]


def _number(field: str, value: object) -> Decimal:
    try:
        return exact(value)
    except NotMoney as refusal:
        raise BadTiers(field, str(refusal)) from refusal


def tranches(quantity: Decimal, tiers: Sequence[Tier], after: Decimal = ZERO) -> list[Tranche]:
    """Cut a quantity into the tiers it reaches, lowest first; refuse a negative one (`NotMoney`).

    `after` is a quantity of the same month already paid for: the tiers go on from there.
    """
    with exactly():
        return cut_exactly(quantity, tiers, after)


def cut_exactly(quantity: Decimal, tiers: Sequence[Tier], after: Decimal = ZERO) -> list[Tranche]:
    """Do what `tranches` does for who computes exactly already."""
    if quantity < ZERO or after < ZERO:
        raise NotMoney(f"a quantity is not negative: {quantity}, after {after}")
    cut: list[Tranche] = []
    top, low = after + quantity, after
    for tier in tiers:
        upto = tier.upto
        high = top if upto is None or top < upto else upto
        if high > low:
            part = high - low
            cut.append(Tranche(part, tier.price, part * tier.price))
            if high is top:
                break
            low = high
    return cut


def graduated(quantity: Decimal, tiers: Sequence[Tier], after: Decimal = ZERO) -> Decimal:
    """Return what a quantity costs, exact and unrounded; refuse a negative one (`NotMoney`)."""
    with exactly():
        return cost_exactly(quantity, tiers, after)


def cost_exactly(quantity: Decimal, tiers: Sequence[Tier], after: Decimal = ZERO) -> Decimal:
    """Do what `graduated` does for who computes exactly already: the sum of the tranches, which need not be made."""
    if quantity < ZERO or after < ZERO:
        raise NotMoney(f"a quantity is not negative: {quantity}, after {after}")
    cost, low, top = ZERO, after, after + quantity
    for tier in tiers:
        upto = tier.upto
        high = top if upto is None or top < upto else upto
        if high > low:
            cost += (high - low) * tier.price
            if high is top:
                break
            low = high
    return cost


@dataclass(frozen=True, slots=True)
class PriceVersion:
    """The tiers in force from 00:00 Bangkok of a day on, until the next version."""

    id: Reference
    number: int
    effective_from: date
    tiers: tuple[Tier, ...]


def version_on(on: date, versions: Iterable[PriceVersion]) -> PriceVersion:
    """Return the version in force on a day; of two from the same day, the higher number.

    Raises `NoPrice` for a day before the first.
    """
    in_force = [version for version in versions if version.effective_from <= on]
    if not in_force:
        raise NoPrice(f"no price is in force on {on}")
    return max(in_force, key=lambda version: (version.effective_from, version.number))


def versions_between(
    first: date, last: date, versions: Sequence[PriceVersion]
) -> list[tuple[date, date, PriceVersion]]:
    """Cut the days from first to last, both included, where the price changes.

    Returns (first day, last day, version) in order, covering every day once; raises `NoPrice` when the
    first day has none.
    """
    if len(versions) == 1 and versions[0].effective_from <= first:
        return [(first, last, versions[0])]
    starts = {version.effective_from for version in versions if first < version.effective_from <= last}
    edges = [first, *sorted(starts)]
    ends = [edge - timedelta(days=1) for edge in edges[1:]] + [last]
    return [(start, end, version_on(start, versions)) for start, end in zip(edges, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The ceiling price (ราคากลาง) of one unit from a day on, with VAT in it or without."""

    price: Decimal
    effective_from: date
    includes_vat: bool = False


def above_ceiling(tiers: Sequence[Tier], ceiling: Ceiling, vat_rate: Decimal = ZERO) -> Tier | None:
    """Return the first tier priced above the ceiling, or None; net is compared with net (standard 7.1).

    A ceiling with VAT in it is compared with the price plus VAT, which is the same without a division.
    """
    with exactly():
        factor = 1 + rate(vat_rate) if ceiling.includes_vat else Decimal(1)
        return next((tier for tier in tiers if tier.price * factor > ceiling.price), None)


def check_prices(
    ceiling: Ceiling, last: date | None, versions: Sequence[PriceVersion], vat: Sequence[VatRate] = ()
) -> None:
    """Refuse (`AboveCeiling`) a ceiling below a price that is in force from its day until a last one.

    `last` is None where no other ceiling follows; `versions` are sorted by their days. Each day is compared at the VAT
    rate of that day.
    """
    for start, end, version in _spans(ceiling.effective_from, last, versions):
        _keep(version.tiers, ceiling, start, end, vat)


def check_ceilings(
    tiers: Sequence[Tier],
    first: date,
    last: date | None,
    ceilings: Sequence[Ceiling],
    vat: Sequence[VatRate] = (),
) -> None:
    """Refuse (`AboveCeiling`) prices above any ceiling in force between two days, both included.

    `last` is None for prices without a known end. Days before the first ceiling have none to keep. Each day is
    compared at the VAT rate of that day.
    """
    for start, end, ceiling in _spans(first, last, sorted(ceilings, key=lambda ceiling: ceiling.effective_from)):
        _keep(tiers, ceiling, start, end, vat)


def _keep(tiers: Sequence[Tier], ceiling: Ceiling, first: date, last: date | None, vat: Sequence[VatRate]) -> None:
    """Refuse prices above a ceiling on any day from first to last, at the VAT rate of each."""
    known = sorted(vat, key=lambda rate: rate.effective_from)
    if not known or known[0].effective_from > first:
        known = [VatRate(first, ZERO), *known]  # there was no VAT before the first rate
    for start, _, each in _spans(first, last, known):
        if tier := above_ceiling(tiers, ceiling, each.rate):
            raise AboveCeiling(tier, ceiling, start, each.rate)


class _Dated(Protocol):
    @property
    def effective_from(self) -> date:
        """The day from which it applies, until the next."""


D = TypeVar("D", bound=_Dated)


def _spans(first: date, last: date | None, dated: Sequence[D]) -> Iterator[tuple[date, date | None, D]]:
    """Yield what applies between two days, each its first day and its last (None: no end); sorted by day."""
    for each, following in zip_longest(dated, dated[1:]):
        until = following.effective_from - timedelta(days=1) if following else None
        ends = [day for day in (last, until) if day]
        start, end = max(first, each.effective_from), min(ends) if ends else None
        if end is None or start <= end:
            yield start, end, each
