"""Meters read by hand, as CSV or XLSX: one reading a row, under the headings the page explains. Pure.

Times are Bangkok's unless they name a zone; years are of either era. A reading's identity follows from its service,
meter and times, so that the same file sent twice is stored once.
"""

import csv
import datetime as dt
import io
import re
import zipfile
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

import openpyxl

from auth.errors import Invalid
from billing.metering.rules import Faults, Reading
from billing.months import BANGKOK, BUDDHIST_ERA, ONE_DAY
from billing.words import MONTHS_TH, MONTHS_TH_SHORT

SOURCE: Final = "by-hand"
LARGEST: Final = 2 * 1024 * 1024
MOST_ROWS: Final = 2000
_LARGEST_UNPACKED = 40 * 1024 * 1024
_MOST_DIGITS = 30  # written out, 1e999999999 would take all memory there is
_YEARS = range(1900, 2157)
HEADINGS: Final = {
    "service": ("service", "บริการ", "รหัสบริการ"),
    "meter": ("meter", "มิเตอร์", "รายการ"),
    "quantity": ("quantity", "ปริมาณ", "ปริมาณการใช้งาน"),
    "start": ("start", "เริ่ม", "ตั้งแต่"),
    "end": ("end", "สิ้นสุด", "ถึง"),
}
# 10/12/2569 09:00, 10 ธ.ค. 2569 09.00 น., 2569-12-10T09:00: the day first, or the year.
_TIME = r"(?:[ T]+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<second>\d{2}))?(?: ?น\.?)?)?"
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})([/ -])(?P<month>\d{1,2}|[ก-๙.]+)\2(?P<year>\d{4})" + _TIME, re.ASCII)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?P<rest>.*)", re.ASCII | re.DOTALL)
_QUANTITY = re.compile(r"[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|[0-9.]+[eE][+-]?[0-9]{1,2}", re.ASCII)
_MONTHS = {name: number for names in (MONTHS_TH, MONTHS_TH_SHORT) for number, name in enumerate(names, 1)}
_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_EARLIEST_BUDDHIST = 2400
_MIDNIGHT = 24  # as the end of a day is written where meters are read


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of a file by their number in it: what was read of each, or what is wrong with it."""

    readings: dict[int, Reading] = field(default_factory=dict)
    faults: dict[int, Faults] = field(default_factory=dict)


def read(content: bytes) -> Sheet:
    """Read a file; refuses (Invalid, field "file") one that is no CSV or XLSX, too large, or without the headings."""
    if not content:
        raise Invalid({"file": "The file is empty."})
    if len(content) > LARGEST:
        raise Invalid({"file": "The file is larger than 2 MB."})
    table = _workbook(content) if content.startswith(b"PK\x03\x04") else _text(content)
    rows = iter(table)
    places = _places(next(rows, ()))
    sheet = Sheet()
    for number, row in enumerate(rows, 2):
        cells = {name: row[place] if place < len(row) else None for name, place in places.items()}
        if all(value in (None, "") for value in cells.values()):
            continue
        if len(sheet.readings) + len(sheet.faults) >= MOST_ROWS:
            raise Invalid({"file": "The file has more than 2,000 rows."})
        reading, faults = _reading(cells)
        if reading is None:
            sheet.faults[number] = faults
        else:
            sheet.readings[number] = reading
    if not sheet.readings and not sheet.faults:
        raise Invalid({"file": "The file has no rows under its headings."})
    return sheet


def _reading(cells: dict[str, Any]) -> tuple[Reading | None, Faults]:
    faults: Faults = {}
    service, meter = (str(cells[name] or "").strip() for name in ("service", "meter"))
    quantity = _quantity(cells["quantity"])
    times = {name: _moment(cells[name]) for name in ("start", "end")}
    if quantity is None:
        faults["data.quantity"] = "must be a number, such as 1,234.5"
    for name, moment in times.items():
        if moment is None:
            faults[f"data.{name}"] = "must be a day and time, such as 10/12/2569 09:00"
    starts_at, ends_at = times["start"], times["end"]
    if quantity is None or starts_at is None or ends_at is None:
        return None, faults
    identity = (
        f"{service}/{meter}/{starts_at.astimezone(dt.UTC):%Y%m%dT%H%M%S}/{ends_at.astimezone(dt.UTC):%Y%m%dT%H%M%S}"
    )
    return Reading(SOURCE, identity, service, meter, quantity, starts_at, ends_at), faults


def _places(heading: Sequence[Any]) -> dict[str, int]:
    said = [str(cell or "").strip().lower() for cell in heading]
    places = {name: next((said.index(word) for word in words if word in said), -1) for name, words in HEADINGS.items()}
    if min(places.values()) < 0:
        raise Invalid({"file": "The first row must hold the headings service, meter, quantity, start and end."})
    return places


def _quantity(cell: Any) -> str | None:
    """Return a quantity in plain digits; commas stand between thousands and nowhere else, or 1,5 would be fifteen."""
    if isinstance(cell, bool) or cell is None:
        return None
    # A workbook keeps seventeen digits of 0.3 and shows fifteen.
    text = f"{cell:.15g}" if isinstance(cell, float) else str(cell).strip().translate(_DIGITS)
    if not _QUANTITY.fullmatch(text):
        return None
    try:
        number = Decimal(text.replace(",", ""))
    except ArithmeticError:
        return None
    return f"{number:f}" if abs(number.adjusted()) < _MOST_DIGITS else None


def _moment(cell: Any) -> dt.datetime | None:
    try:
        moment = _time_in(cell)
    except ValueError:
        return None
    return moment if moment.year in _YEARS else None


def _time_in(cell: Any) -> dt.datetime:
    if isinstance(cell, dt.datetime):
        return _in_bangkok(cell)
    if isinstance(cell, dt.date):
        return _in_bangkok(dt.datetime.combine(cell, dt.time()))
    text = str(cell or "").strip().translate(_DIGITS)
    if found := _DAY_FIRST.fullmatch(text):
        day, hour, minute, second = (int(found[name] or 0) for name in ("day", "hour", "minute", "second"))
        month = _MONTHS.get(found["month"]) or int(found["month"])
        ends_day = hour == _MIDNIGHT and not minute and not second
        moment = dt.datetime(_common_era(int(found["year"])), month, day, 0 if ends_day else hour, minute, second)  # noqa: DTZ001 - given next
        return _in_bangkok(moment + ONE_DAY if ends_day else moment)
    if found := _YEAR_FIRST.fullmatch(text):
        # The year first, or 29 February 2571 would be looked for in the year 2571 of the Common Era.
        text = f"{_common_era(int(found['year'])):04}-{found['month']}-{found['day']}{found['rest']}"
    return _in_bangkok(dt.datetime.fromisoformat(text))


def _in_bangkok(moment: dt.datetime) -> dt.datetime:
    """Give a time without a zone Bangkok's, and a year of the Buddhist Era its common one."""
    if moment.year >= _EARLIEST_BUDDHIST:
        moment = moment.replace(year=_common_era(moment.year))
    return moment if moment.tzinfo else moment.replace(tzinfo=BANGKOK)


def _common_era(year: int) -> int:
    return year - BUDDHIST_ERA if year >= _EARLIEST_BUDDHIST else year


def _text(content: bytes) -> Iterator[list[str]]:
    try:
        text = content.decode("utf-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp874", errors="replace")  # what a Thai Excel writes
    if "\0" in text:
        raise Invalid({"file": "The file is neither CSV nor XLSX."})
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter)
    except csv.Error:
        raise Invalid({"file": "The file is neither CSV nor XLSX."}) from None


def _workbook(content: bytes) -> Iterable[Sequence[Any]]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            unpacked = sum(each.file_size for each in packed.infolist())
        if unpacked > _LARGEST_UNPACKED:
            return []  # a bomb has no headings
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        return list(book.worksheets[0].iter_rows(values_only=True, max_row=MOST_ROWS + 2, max_col=20))
    except Exception:  # noqa: BLE001 - a broken workbook breaks in many ways, and is no fault of ours
        raise Invalid({"file": "The file is neither CSV nor XLSX."}) from None
