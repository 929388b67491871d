"""The power of agency ข.'s rack: read once a day at first, by the hour since a meter that reports was put in."""

import datetime as dt
from collections.abc import Iterator

from billing.metering.rules import Reading
from billing.months import ONE_DAY, Month, midnight

HOURLY_SINCE = Month(2026, 11)
_ONE_HOUR = dt.timedelta(hours=1)
_BIGGER_SINCE = dt.date(2026, 5, 1)  # 4U more
_BASE, _MORE, _OFFICE_HOURS = 310, 90, 85  # watts


def readings(service: str, month: Month, until: dt.datetime) -> list[Reading]:
    """Return the readings of a month, as far as its stretches are over by a moment; kWh to the watt-hour."""
    hours = [(at, _watts(at)) for at in _hours(month) if at + _ONE_HOUR <= until]
    if month >= HOURLY_SINCE:
        return [
            Reading("power-meter", f"{at:%Y%m%d%H}", service, "power", _kwh(watts), at, at + _ONE_HOUR)
            for at, watts in hours
        ]
    days: dict[dt.date, int] = {}
    for at, watts in hours:
        days[at.date()] = days.get(at.date(), 0) + watts
    return [
        Reading("power-book", f"{day:%Y%m%d}", service, "power", _kwh(watts), midnight(day), midnight(day + ONE_DAY))
        for day, watts in days.items()
    ]


def _hours(month: Month) -> Iterator[dt.datetime]:
    at = midnight(month.first)
    while at < month.ends_at:
        yield at
        at += _ONE_HOUR


def _watts(at: dt.datetime) -> int:
    works = at.weekday() < 5 and 8 <= at.hour < 17
    more = _MORE if at.date() >= _BIGGER_SINCE else 0
    return _BASE + more + (_OFFICE_HOURS if works else 0) + (at.day * 7 + at.hour * 13) % 23


def _kwh(watts: int) -> str:
    return f"{watts // 1000}.{watts % 1000:03}"
