"""Amounts and days as documents write them in Thai. Pure; figures are `Decimal` or `int`, floats are refused."""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from num2words import num2words  # type: ignore[import-untyped]  # the package carries no types

from billing.months import BUDDHIST_ERA

MONTHS_TH = (
    "มกราคม", "กุมภาพันธ์", "มีนาคม", "เมษายน", "พฤษภาคม", "มิถุนายน",
    "กรกฎาคม", "สิงหาคม", "กันยายน", "ตุลาคม", "พฤศจิกายน", "ธันวาคม",
)  # fmt: skip
MONTHS_TH_SHORT = (
    "ม.ค.", "ก.พ.", "มี.ค.", "เม.ย.", "พ.ค.", "มิ.ย.", "ก.ค.", "ส.ค.", "ก.ย.", "ต.ค.", "พ.ย.", "ธ.ค.",
)  # fmt: skip
MINUS = "\N{MINUS SIGN}"
# Latin letters and signs, Thai, the signs of typesetting, and a few of arithmetic, all of which Sarabun has.
_UNPRINTABLE = re.compile(
    r"[^\u0020-\u007e\u00a0-\u017e\u0e01-\u0e3a\u0e3f-\u0e5b"
    r"\u2012-\u2015\u2018-\u201a\u201c-\u201e\u2020-\u2022\u2026\u2030\u20ac\u2122\u2190-\u2193\u2212\u2248\u2260\u2264\u2265]"
)


def baht_in_words(amount: Decimal | int) -> str:
    """Write an amount in Thai words as documents must: `ยี่สิบเอ็ดบาทถ้วน`; refuse what is below zero (`ValueError`)."""
    number = _satang(amount)
    if number < 0:
        raise ValueError("documents state amounts in words from zero up")
    return str(num2words(number, lang="th", to="currency"))


def grouped(amount: Decimal | int) -> str:
    """Write an amount with both satang and commas: `25,064.51`, `−1,253.23`."""
    number = _satang(amount)
    return f"{MINUS if number < 0 else ''}{abs(number):,.2f}"


def plain_quantity(value: Decimal) -> str:
    """Write a quantity with commas and without trailing zeros: `500`, `1,024.5`."""
    number = value.normalize()
    places = max(0, -int(number.as_tuple().exponent))
    return f"{MINUS if number < 0 else ''}{abs(number):,.{places}f}"


def thai_day(day: date) -> str:
    """Write a day in full, of the Buddhist Era: `31 มกราคม 2563`."""
    return f"{day.day} {MONTHS_TH[day.month - 1]} {day.year + BUDDHIST_ERA}"


def thai_day_short(day: date) -> str:
    """Write a day for a narrow column: `31 ม.ค. 2563`."""
    return f"{day.day} {MONTHS_TH_SHORT[day.month - 1]} {day.year + BUDDHIST_ERA}"


def thai_month(day: date) -> str:
    """Write the month of a day: `ธันวาคม 2569`."""
    return f"{MONTHS_TH[day.month - 1]} {day.year + BUDDHIST_ERA}"


def _satang(amount: Decimal | int) -> Decimal:
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise TypeError(f"figures are Decimal or int, not {type(amount).__name__}")
    number = Decimal(amount)
    if not number.is_finite():
        raise ValueError("a figure is a finite number")
    with localcontext(prec=60):
        return number.quantize(Decimal("0.01"), ROUND_HALF_UP)


def is_printable(line: str) -> bool:
    """Say whether a line holds nothing but letters, figures and signs that Sarabun surely has."""
    return _UNPRINTABLE.search(line) is None


def printable(text: str) -> str:
    """Return a text with a square for every sign that Sarabun may lack; blanks and line ends stay."""
    return _UNPRINTABLE.sub(lambda sign: sign[0] if sign[0].isspace() else "\N{BLACK SQUARE}", text)
