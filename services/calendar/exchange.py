"""Holidays as iCalendar (RFC 5545), the form in which calendars are passed on. Pure."""

import datetime as dt
import enum
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar as ICalendar
from icalendar import Component, Event

from auth.errors import Refusal

MOST = 400  # events, and days
LONGEST_NAME = 200
_LONGEST_SPAN = dt.timedelta(days=31)
_YEARS = frozenset(range(1900, 2157))  # what people may type as well


class NoCalendar(Refusal):
    """The file is no iCalendar that can be read."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day off with its name."""

    day: dt.date
    name: str


class Why(enum.StrEnum):
    """Why an event is no holiday."""

    NO_DAY = "no_day"
    TIME_OF_DAY = "time_of_day"
    REPEATS = "repeats"
    TOO_LONG = "too_long"
    NAME_TOO_LONG = "name_too_long"
    TWICE = "twice"


@dataclass(frozen=True, slots=True)
class Bad:
    """An event that cannot be taken over: its place in the file from 1, its name, and why."""

    number: int
    name: str
    why: Why


@dataclass(frozen=True, slots=True)
class Taken:
    """What a file says: days off, days that are off no more, and what is neither."""

    days: list[Day]
    cancelled: list[Day]
    bad: list[Bad]


def written(days: Iterable[tuple[dt.date, str, dt.datetime]], name: str) -> bytes:
    """Return holidays, each as (day, name, last changed), as a calendar with one whole-day event each."""
    calendar = ICalendar()
    calendar.add("prodid", "-//Government Digital Infrastructure Self-Service Portal//Official holidays//TH")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", name)
    for day, words, changed_at in days:
        event = Event()
        event.add("uid", f"holiday-{day.isoformat()}@official-holidays")
        event.add("dtstamp", changed_at.astimezone(dt.UTC))
        event.add("dtstart", day)
        event.add("dtend", day + dt.timedelta(days=1))
        event.add("summary", words)
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def read(file: bytes) -> Taken:
    """Return what a calendar's whole-day events say, one of several days as each of them, and every event that is none.

    Events at a time of day, repeating ones and those longer than a month are no holidays and told of one by one.
    Refuses (NoCalendar) what is no calendar, one without any event, and one of more than 400 events or days.
    """
    try:
        events = ICalendar.from_ical(file).walk("VEVENT")
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as failure:
        raise NoCalendar(str(failure)) from failure
    if not 0 < len(events) <= MOST:
        raise NoCalendar("no events in it, or more than a calendar of holidays has")
    found: dict[dt.date, tuple[Day, bool]] = {}
    bad: list[Bad] = []
    for number, event in enumerate(events, 1):
        name = " ".join(str(event.get("summary", "")).split())
        why, days = _days_of(event, name)
        if why is None and any(day in found for day in days):
            why = Why.TWICE
        if why is not None:
            bad.append(Bad(number, name[:LONGEST_NAME], why))
            continue
        is_off = str(event.get("status", "")).upper() == "CANCELLED"
        found |= {day: (Day(day, name), is_off) for day in days}
    if len(found) > MOST:
        raise NoCalendar("more days than a calendar of holidays has")
    ordered = [found[day] for day in sorted(found)]
    return Taken(
        days=[day for day, is_off in ordered if not is_off],
        cancelled=[day for day, is_off in ordered if is_off],
        bad=bad,
    )


def _days_of(event: Component, name: str) -> tuple[Why | None, list[dt.date]]:
    """Return the days of an event, or why it is none of the holidays."""
    try:
        start = event.decoded("dtstart")
        end = event.decoded("dtend") if "dtend" in event else start + dt.timedelta(days=1)
        length = (end - start).days
        is_moment = isinstance(start, dt.datetime) or isinstance(end, dt.datetime)
        years = {start.year, end.year}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError):
        return Why.NO_DAY, []
    wrong = (
        (is_moment, Why.TIME_OF_DAY),
        ("rrule" in event or "rdate" in event, Why.REPEATS),
        (not years <= _YEARS, Why.NO_DAY),
        (length > _LONGEST_SPAN.days, Why.TOO_LONG),
        (len(name) > LONGEST_NAME, Why.NAME_TOO_LONG),
    )
    why = next((why for so, why in wrong if so), None)
    return why, [] if why else [start + dt.timedelta(days=ahead) for ahead in range(max(length, 1))]
