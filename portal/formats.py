"""How dates, money and quantities are written, and how people's dates and numbers are read.

Pure: the language and every value are arguments. Figures are `Decimal` or `int`; a float is refused wherever one
could stand, because it has already lost what it would show. Years are of the Buddhist Era (CE + 543) in Thai and of
the Common Era in English; times are Bangkok's. Digits are Arabic on screens, Thai in formal letters.
"""

import re
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Literal

from billing import words

Language = Literal["th", "en"]

BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")  # no daylight saving since 1941
BUDDHIST_ERA = 543
MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
MINUTES_IN_WORKING_DAY = 480
MINUTES_IN_DAY = 1440

# Documents and screens write these alike.
MONTHS_TH, MONTHS_TH_SHORT = words.MONTHS_TH, words.MONTHS_TH_SHORT
baht_in_words = words.baht_in_words
MONTHS_EN = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MONTHS_EN_SHORT = tuple(name[:3] for name in MONTHS_EN)

_TO_THAI_DIGITS = str.maketrans("0123456789", "๐๑๒๓๔๕๖๗๘๙")
_FROM_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")


class NotADate(ValueError):
    """Text that names no day of the calendar."""


class NotANumber(ValueError):
    """Text that is no plain decimal number."""


# Dates and times


def date_short(day: date, language: Language = "th") -> str:
    """Write a day as on screens: `31 ม.ค. 2563`, in English `31 Jan 2020`; refuse a naive datetime."""
    day = bangkok_date(day)
    if language == "th":
        return f"{day.day} {MONTHS_TH_SHORT[day.month - 1]} {day.year + BUDDHIST_ERA}"
    return f"{day.day} {MONTHS_EN_SHORT[day.month - 1]} {day.year}"


def date_long(day: date, language: Language = "th") -> str:
    """Write a day with its month in full: `31 มกราคม 2563`, in English `31 January 2020`."""
    day = bangkok_date(day)
    return f"{day.day} {month_name(day, language)}"


def date_formal(day: date) -> str:
    """Write a day as in formal letters, with Thai digits: `๓๑ มกราคม ๒๕๖๓`."""
    return date_long(day, "th").translate(_TO_THAI_DIGITS)


def date_numeric(day: date, language: Language = "th") -> str:
    """Write a day as people type it into a field: `31/01/2563`, in English `31/01/2020`; `parse_date` reads it."""
    day = bangkok_date(day)
    year = day.year + BUDDHIST_ERA if language == "th" else day.year
    return f"{day.day:02}/{day.month:02}/{year:04}"


def clock_time(moment: datetime | time, language: Language = "th") -> str:
    """Write a time of day: `15:20 น.`, in English `15:20`; an aware moment is taken to Bangkok first."""
    if isinstance(moment, datetime):
        moment = _in_bangkok(moment).time()
    return f"{moment:%H:%M} น." if language == "th" else f"{moment:%H:%M}"


def date_time(moment: datetime, language: Language = "th") -> str:
    """Write a moment in Bangkok: `8 ธ.ค. 2569 15:20 น.`, in English `8 Dec 2026 15:20`; refuse a naive one."""
    moment = _in_bangkok(moment)
    return f"{date_short(moment, language)} {clock_time(moment, language)}"


def month_name(day: date, language: Language = "th") -> str:
    """Write the month of a day: `ธันวาคม 2569`, in English `December 2026`."""
    day = bangkok_date(day)
    if language == "th":
        return f"{MONTHS_TH[day.month - 1]} {day.year + BUDDHIST_ERA}"
    return f"{MONTHS_EN[day.month - 1]} {day.year}"


def month_short(day: date, language: Language = "th") -> str:
    """Write the month of a day for a narrow column: `ธ.ค. 69`, in English `Dec 26`."""
    day = bangkok_date(day)
    if language == "th":
        return f"{MONTHS_TH_SHORT[day.month - 1]} {(day.year + BUDDHIST_ERA) % 100:02}"
    return f"{MONTHS_EN_SHORT[day.month - 1]} {day.year % 100:02}"


def fiscal_year_name(year: int, language: Language = "th") -> str:
    """Name a fiscal year, given in the Buddhist Era: `ปีงบประมาณ พ.ศ. 2570`, in English `Fiscal year 2570 B.E.`"""
    return f"ปีงบประมาณ พ.ศ. {year}" if language == "th" else f"Fiscal year {year} B.E."


def bangkok_date(day: date) -> date:
    """Return the day on Bangkok's calendar; refuse a naive datetime, whose day nobody knows (`ValueError`)."""
    return _in_bangkok(day).date() if isinstance(day, datetime) else day


def _in_bangkok(moment: datetime) -> datetime:
    if moment.utcoffset() is None:
        raise ValueError("a moment without its time zone is nowhere on the calendar")
    return moment.astimezone(BANGKOK)


# Figures


def baht(amount: Decimal | int) -> str:
    """Write an amount with both satang, half-up: `25,064.51`, `−1,253.23`; refuse floats (`TypeError`)."""
    return _grouped(_rounded(amount, 2), 2)


def signed_baht(amount: Decimal | int) -> str:
    """Write a difference with its sign: `+19,500.00`, `−1,253.23`, and `0.00` when there is none."""
    text = baht(amount)
    return text if text.startswith(MINUS) or text == "0.00" else f"+{text}"


def quantity(value: Decimal | int, least: int = 0) -> str:
    """Write a quantity without trailing zeros: `500`, `1,024.5`; nothing is rounded away.

    With `least` it has at least so many decimals: those of the longest of a column line all of it up.
    """
    places = max(least, places_of([value]))
    return _grouped(_rounded(_exact(value), places), places)


def places_of(values: Iterable[Decimal | int]) -> int:
    """Return how many decimals the longest of some quantities needs."""
    return max((0, *(-int(_exact(value).normalize().as_tuple().exponent) for value in values)))


def amount_of(value: Decimal | int, unit: str, least: int = 0) -> str:
    """Write a quantity, with at least so many decimals, and its unit: `500 Mbps`, `1 day`, `5 days`, `5 วัน`."""
    return f"{quantity(value, least)} {unit_for(unit, value)}"


def unit_for(unit: str, value: Decimal | int | None) -> str:
    """Write a unit as so many of it are called: `1 address`, `5 addresses`.

    Units are the provider's to name, one of each; what is no English word, such as `Mbps`, `kWh` or `วัน`, stays.
    """
    found = _ENGLISH_WORD.search(unit)
    if value is None or value == 1 or found is None or found[0] in _ALIKE_IN_NUMBER:
        return unit
    if found[0].endswith(("ss", "x", "z", "ch", "sh")):
        return f"{unit}es"
    if found[0].endswith("s"):
        return unit  # named as several already
    return f"{unit[:-1]}ies" if re.search(r"[^aeiou]y$", found[0]) else f"{unit}s"


def percent(value: Decimal | int, places: int = 2) -> str:
    """Write a percentage given in per cent, half-up: `23.06 %`, with three places `99.708 %`."""
    return f"{_grouped(_rounded(value, places), places)}\N{NO-BREAK SPACE}%"


def rate(fraction: Decimal) -> str:
    """Write a rate given as a fraction, 0.07, without trailing zeros: `7 %`."""
    return f"{quantity(_exact(fraction) * 100)}\N{NO-BREAK SPACE}%"


def file_size(octets: int) -> str:
    """Write a size in decimal units, `640 B`, `12.3 kB`, `4 MB`; refuse a negative one (`ValueError`)."""
    if octets < 0:
        raise ValueError("a file has no negative size")
    size, unit = Decimal(octets), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if _rounded(size, 1) < 1000:
            break
        size, unit = size / 1000, larger
    return f"{quantity(_rounded(size, 1))} {unit}"


def working_time(minutes: int, language: Language = "th") -> str:
    """Write working minutes, 480 to the day: `1 วันทำการ 2 ชม. 15 นาที`, in English `1 working day 2 h 15 min`."""
    days = ("วันทำการ", "วันทำการ") if language == "th" else ("working day", "working days")
    return _duration(minutes, MINUTES_IN_WORKING_DAY, days, language)


def elapsed_time(minutes: int, language: Language = "th") -> str:
    """Write minutes of the clock that never stops: `1 วัน 2 ชม. 15 นาที`, in English `1 day 2 h 15 min`."""
    days = ("วัน", "วัน") if language == "th" else ("day", "days")
    return _duration(minutes, MINUTES_IN_DAY, days, language)


def _duration(minutes: int, day: int, day_names: tuple[str, str], language: Language) -> str:
    if not isinstance(minutes, int):
        raise TypeError(f"minutes are whole, not {minutes!r}")
    days, rest = divmod(abs(minutes), day)
    hours, left = divmod(rest, 60)
    hour_name, minute_name = ("ชม.", "นาที") if language == "th" else ("h", "min")
    parts = [(days, day_names[days != 1]), (hours, hour_name), (left, minute_name)]
    text = " ".join(f"{count:,} {name}" for count, name in parts if count) or f"0 {minute_name}"
    return f"{MINUS}{text}" if minutes < 0 else text


def _exact(value: Decimal | int) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, Decimal | int):
        raise TypeError(f"figures are Decimal or int, not {type(value).__name__}")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("a figure is a finite number")
    return number


def _rounded(value: Decimal | int, places: int) -> Decimal:
    with localcontext(prec=60):
        return _exact(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _grouped(number: Decimal, places: int) -> str:
    text = f"{abs(number):,.{places}f}"
    return f"{MINUS}{text}" if number < 0 else text


# What people type

_ENGLISH_WORD = re.compile(r"(?<![A-Za-z/-])[a-z]{3,}$")  # the last word of a unit, where it is one
_ALIKE_IN_NUMBER = frozenset({"hundred", "thousand", "million", "billion", "percent"})
_NUMERIC_DATE = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})", re.ASCII)
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_NAMED_DATE = re.compile(r"(\d{1,2})\s*([^\d\s]+)\s*(?:พ\.?\s?ศ\.?|ค\.?\s?ศ\.?)?\s*(\d{4})", re.ASCII)
_NUMBER = re.compile(r"[+\-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", re.ASCII)
_LONGEST_DATE, _LONGEST_NUMBER = 40, 30
_MONTH_NUMBERS = {
    name.casefold().replace(".", ""): number
    for names in (MONTHS_TH, MONTHS_TH_SHORT, MONTHS_EN, MONTHS_EN_SHORT)
    for number, name in enumerate(names, start=1)
}


def parse_date(text: str) -> date:
    """Read a day as people write it, and refuse what names none (`NotADate`).

    Taken: `16/12/2569`, `16 ธ.ค. 2569`, `16 ธันวาคม พ.ศ. 2569`, `2026-12-16`, with Arabic or Thai digits. A year
    from 2443 on is of the Buddhist Era, an earlier one of the Common Era: no year that matters can be both.
    """
    plain = text.translate(_FROM_THAI_DIGITS).strip()
    if len(plain) > _LONGEST_DATE:
        raise NotADate("too long for a date")
    if found := _ISO_DATE.fullmatch(plain):
        year, month, day = map(int, found.groups())
    elif found := _NUMERIC_DATE.fullmatch(plain):
        day, month, year = map(int, found.groups())
    elif found := _NAMED_DATE.fullmatch(plain):
        day, year = int(found[1]), int(found[3])
        month = _MONTH_NUMBERS.get(found[2].casefold().replace(".", ""), 0)
    else:
        raise NotADate(f"not a date: {plain!r}")
    year = year - BUDDHIST_ERA if year >= 1900 + BUDDHIST_ERA else year
    if not 1900 <= year <= 2156:
        raise NotADate(f"the year {year} is out of range")
    try:
        return date(year, month, day)
    except ValueError as error:
        raise NotADate(f"no such day: {plain!r}") from error


def parse_number(text: str) -> Decimal:
    """Read a decimal number, thousands commas and Thai digits allowed; refuse everything else (`NotANumber`)."""
    plain = text.translate(_FROM_THAI_DIGITS).strip().replace(MINUS, "-")
    if len(plain) > _LONGEST_NUMBER or not _NUMBER.fullmatch(plain):
        raise NotANumber(f"not a number: {plain[:_LONGEST_NUMBER]!r}")
    return Decimal(plain.replace(",", ""))


# Order of names

_LEADING_VOWELS = "เแโใไ"
_MARKS = "\N{THAI CHARACTER MAITAIKHU}\N{THAI CHARACTER MAI EK}\N{THAI CHARACTER MAI THO}\N{THAI CHARACTER MAI TRI}"
_MARKS += "\N{THAI CHARACTER MAI CHATTAWA}\N{THAI CHARACTER THANTHAKHAT}\N{THAI CHARACTER NIKHAHIT}"
_LEADING = re.compile(f"([{_LEADING_VOWELS}])([ก-ฮ])")


def thai_sort_key(name: str) -> tuple[str, tuple[str, ...], str]:
    """Return a key that sorts names as a Thai dictionary does: กา, ก้า, เก, แก, ขา.

    A vowel written before its consonant counts after it; tone and other marks decide only between words that are
    alike without them. Latin letters sort regardless of case, before Thai ones.
    """
    spelled = _LEADING.sub(r"\2\1", name.translate(_FROM_THAI_DIGITS).casefold())
    letters: list[str] = []
    marks: list[str] = []
    for character in spelled:
        if character in _MARKS and letters:
            marks[-1] += character
        else:
            letters.append(character)
            marks.append("")
    return "".join(letters), tuple(marks), name
