"""What every portal starts from: the official holidays and the tax rates of the law, editable afterwards."""

import datetime as dt
import json
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import NamedTuple

import holidays

from auth.rules import system
from auth.tenancy import acting_as, record, rows
from billing.months import bangkok_date
from billing.tariffs.commands import set_tax_rate
from billing.tariffs.models import TaxKind
from services.calendar.models import Holiday

FIRST_YEAR = 2024
YEARS_AHEAD = 5
_LOADING = system("reference data")
# In the library's list, but the government works (or it is a Saturday anyway); with their substitutes.
_NO_GOVERNMENT_HOLIDAY = ("วันแรงงานแห่งชาติ", "วันเด็กแห่งชาติ")
_TAXES = (
    (TaxKind.VAT, Decimal("0.07"), dt.date(1999, 4, 1)),
    (TaxKind.WITHHOLDING, Decimal("0.01"), dt.date(1999, 4, 1)),
)


class KnownHoliday(NamedTuple):
    """A day off as the reference has it."""

    day: dt.date
    name_th: str
    name_en: str


async def load(now: dt.datetime) -> int:
    """Add the holidays and tax rates the database lacks, and return how many days were added.

    What people declared, renamed or withdrawn is left as it is, so loading again changes nothing.
    """
    async with acting_as(_LOADING):
        # Two portals starting at once take turns; the second finds everything there.
        await rows("SELECT pg_advisory_xact_lock(hashtextextended('reference data', 0))")
        for kind, rate, since in _TAXES:
            await set_tax_rate(kind, rate, since, now=now)
        known = set(await Holiday.all().values_list("day", flat=True))
        last = bangkok_date(now).year + YEARS_AHEAD
        added = [
            Holiday(
                day=each.day,
                name_th=each.name_th,
                name_en=each.name_en,
                is_special="พิเศษ" in each.name_th,
                changed_by=_LOADING.name,
                changed_at=now,
            )
            for each in government_holidays(FIRST_YEAR, last)
            if each.day not in known
        ]
        await Holiday.bulk_create(added)
        if added:
            record("reference.loaded", at=now, holidays=len(added), until=last)
    return len(added)


def government_holidays(first_year: int, last_year: int) -> list[KnownHoliday]:
    """Return the days off of government offices, in order; days on a weekend change nothing and are left out.

    The years of the published list follow it exactly; the others follow the library `holidays`, which
    foresees lunar dates and substitutes but no special days the Cabinet has not yet declared.
    """
    published = _published()
    listed_years = {day.year for day in published}
    days: list[KnownHoliday] = []
    for year in range(first_year, last_year + 1):
        thai, english = (
            holidays.country_holidays("TH", years=year, language=language, categories=("public", "government"))
            for language in ("th", "en_US")
        )
        if year in listed_years:
            names = {day: name for day, name in published.items() if day.year == year}
        else:
            names = {day: name for day, name in thai.items() if not name.endswith(_NO_GOVERNMENT_HOLIDAY)}
        days += [KnownHoliday(day, name, english.get(day, "")) for day, name in names.items() if day.weekday() < 5]
    return sorted(days)


@cache
def _published() -> dict[dt.date, str]:
    text = resources.files("services.calendar").joinpath("data/government-holidays.json").read_text("utf-8")
    return {dt.date.fromisoformat(each["date"]): each["name"] for each in json.loads(text)}
