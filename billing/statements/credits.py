"""What a service owes back when it was available less than promised (standard 10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.money import ZERO, NotMoney, exact, exactly, rate, satang

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class CreditBand:
    """Below this availability, in per cent, the credit is this fraction of the service's charge."""

    below: Decimal
    rate: Decimal


DEFAULT_BANDS = (
    CreditBand(Decimal("99.9"), Decimal("0.05")),
    CreditBand(Decimal("99.5"), Decimal("0.10")),
    CreditBand(Decimal("99.0"), Decimal("0.20")),
)


def availability(total_minutes: object, excluded: object, outage: object) -> Decimal:
    """Return the availability in per cent, unrounded: (total − excluded − outage) ÷ (total − excluded).

    `outage` counts only minutes outside the exclusions. A period excluded whole was available (100).
    Refuses negative minutes, and more outage than time (`NotMoney`).
    """
    total, apart, down = exact(total_minutes), exact(excluded), exact(outage)
    with exactly():
        promised = total - apart
        if min(total, apart, down) < 0 or down > promised:
            raise NotMoney(f"outage of {down} in {total} less {apart} minutes cannot be")
        return HUNDRED * (promised - down) / promised if promised else HUNDRED


def credit_rate(availability_pct: Decimal, level: Decimal, bands: Sequence[CreditBand] = DEFAULT_BANDS) -> Decimal:
    """Return the credit as a fraction of the charge: zero where the level is kept, else the lowest band's.

    Both in per cent, the availability unrounded: 99.8999 misses 99.9. Bands are absolute: a miss above
    them all, such as 99.92 of a promised 99.95 by the default bands, earns nothing.
    """
    if not (0 <= availability_pct <= HUNDRED and 0 <= level <= HUNDRED):
        raise NotMoney(f"an availability is from 0 to 100 per cent: {availability_pct} of {level}")
    if availability_pct >= level:
        return ZERO
    missed = [band for band in bands if availability_pct < band.below]
    return rate(min(missed, key=lambda band: band.below).rate) if missed else ZERO


def credit(charge_amount: Decimal, fraction: Decimal) -> Decimal:
    """Return the credit for a service's charge of the month, rounded half-up to the satang."""
    with exactly():
        return satang(charge_amount * rate(fraction))
