"""Baht, exact to the satang.

Amounts and rates are `Decimal`. Nothing is rounded but by `satang`, half-up (a half moves away from zero,
so that a credit of an amount is the amount's exact opposite). Intermediate results carry sixty digits,
multiply first and divide last, so that no rounding decision is ever taken on a truncated figure.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from decimal import (
    ROUND_HALF_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    InvalidOperation,
    Overflow,
    localcontext,
)

SATANG = Decimal("0.01")
ZERO = Decimal(0)
MOST_DIGITS = 18  # on either side of the point; three such figures multiply exactly in sixty digits

_EXACT = Context(prec=60, rounding=ROUND_HALF_UP, traps=[InvalidOperation, DivisionByZero, Overflow, FloatOperation])
_DECIMAL_TEXT = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?", re.ASCII)


class NotMoney(ValueError):
    """A value that is no exact decimal number, or not one of a usable size."""


def exactly() -> AbstractContextManager[Context]:
    """Compute with sixty digits inside the `with` block, and refuse any float that strays in."""
    return localcontext(_EXACT)


def exact(value: object) -> Decimal:
    """Read a Decimal, an int or plain decimal text as an exact number; refuse everything else.

    Raises `NotMoney` for floats, booleans, NaN, infinities, exponents in text, and for more than
    eighteen digits on either side of the point.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise NotMoney(f"not an exact number: {value!r}")
    if isinstance(value, str):
        if len(value) > 2 * MOST_DIGITS + 2 or not _DECIMAL_TEXT.fullmatch(value):
            raise NotMoney(f"not a decimal number: {value[:40]!r}")
    elif isinstance(value, int) and abs(value) >= 10**MOST_DIGITS:
        raise NotMoney("a number of more than eighteen digits")
    number = Decimal(value)
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise NotMoney(f"not a finite number: {value!r}")
    if exponent < -MOST_DIGITS or number.adjusted() >= MOST_DIGITS:
        raise NotMoney("a number of more than eighteen digits on one side of the point")
    return number


def satang(value: Decimal) -> Decimal:
    """Round half-up to the satang; refuse what is not a finite Decimal (`NotMoney`)."""
    if not isinstance(value, Decimal) or not value.is_finite():
        raise NotMoney(f"not a finite Decimal: {value!r}")
    with exactly():
        return value.quantize(SATANG) + ZERO  # adding zero turns -0.00 into 0.00


def is_satang(value: Decimal) -> bool:
    """Say whether the value is a whole number of satang already."""
    return satang(value) == value


def rate(value: object) -> Decimal:
    """Read a rate as a fraction, 0.07 for seven per cent; refuse what is not from 0 to below 1."""
    fraction = exact(value)
    if not 0 <= fraction < 1:
        raise NotMoney(f"a rate is a fraction from 0 to below 1, not {fraction}")
    return fraction


@dataclass(frozen=True, slots=True)
class VatRate:
    """The VAT rate as a fraction, from a date on."""

    effective_from: date
    rate: Decimal


def vat_on(on: date, rates: Iterable[VatRate]) -> Decimal:
    """Return the VAT rate in force on a date; refuse a date before the first one (`NotMoney`)."""
    in_force = [known for known in rates if known.effective_from <= on]
    if not in_force:
        raise NotMoney(f"no VAT rate is in force on {on}")
    return max(in_force, key=lambda known: known.effective_from).rate


@dataclass(frozen=True, slots=True)
class Totals:
    """What stands under the lines of a document, in baht.

    `total` is `subtotal` with VAT; `withheld` is the income tax the payer keeps back, on the amount
    before VAT; `net` is what is paid.
    """

    subtotal: Decimal
    vat: Decimal
    total: Decimal
    withheld: Decimal
    net: Decimal


def totals(line_amounts: Sequence[Decimal], vat_rate: Decimal, withholding_rate: Decimal = ZERO) -> Totals:
    """Add lines up: VAT once on the subtotal, withholding on the amount before VAT, each rounded once.

    Lines come rounded to the satang; one that is not is refused (`NotMoney`), because its sum would
    differ from the sum of what is shown. Rates are fractions.
    """
    vat_rate, withholding_rate = rate(vat_rate), rate(withholding_rate)
    for amount in line_amounts:
        if not is_satang(amount):
            raise NotMoney(f"a line of {amount} is not rounded to the satang")
    with exactly():
        subtotal = satang(sum(line_amounts, ZERO))
        vat = satang(subtotal * vat_rate)
        withheld = satang(subtotal * withholding_rate)
        return Totals(subtotal, vat, subtotal + vat, withheld, subtotal + vat - withheld)
