"""Holidays as iCalendar (RFC 5545), the form in which calendars are passed on. Pure."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from icalendar import Calendar as ICalendar
from icalendar import Component, Event

from auth.errors import Refusal

MOST_EVENTS = 1000
_LONGEST_SPAN = dt.timedelta(days=31)
_LONGEST_NAME = 200
_YEARS = frozenset(range(1900, 2157))  # what people may type as well


class NoCalendar(Refusal):
    """The file is no iCalendar that can be read."""


@dataclass(frozen=True, slots=True)
class Day:
    """A day off with its name."""

    day: dt.date
    name: str


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


def read(file: bytes) -> list[Day]:
    """Return the days of a calendar's whole-day events, one of several days as each of them, in order.

    Passes over events at a time of day and repeating ones: neither is a holiday. Refuses (NoCalendar) what is no
    calendar, one without any day, and one with more than 1,000 events or an event longer than a month.
    """
    try:
        events = ICalendar.from_ical(file).walk("VEVENT")
        if len(events) > MOST_EVENTS:
            raise NoCalendar("more events than a calendar of holidays has")
        days = {day.day: day for event in events for day in _days_of(event)}
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError) as failure:
        raise NoCalendar(str(failure)) from failure
    if not days:
        raise NoCalendar("no whole days in it")
    return [days[day] for day in sorted(days)]


def _days_of(event: Component) -> list[Day]:
    start = event.decoded("dtstart")
    if isinstance(start, dt.datetime) or "rrule" in event:
        return []
    end = event.decoded("dtend") if "dtend" in event else start + dt.timedelta(days=1)
    if isinstance(end, dt.datetime) or end - start > _LONGEST_SPAN:
        raise NoCalendar("an event longer than a month")
    if not {start.year, end.year} <= _YEARS:
        raise NoCalendar("a day that no calendar of holidays holds")
    name = str(event.get("summary", "")).strip()[:_LONGEST_NAME]
    return [Day(start + dt.timedelta(days=ahead), name) for ahead in range(max((end - start).days, 1))]
