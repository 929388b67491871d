"""Holidays as iCalendar: what is written can be read back, and what is none is refused."""

import datetime as dt

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar.exchange import Day, NoCalendar, read, written

AT = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
DAYS = st.dictionaries(
    st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)),
    st.text(st.characters(categories=["L", "Mn", "Nd", "Zs"]), min_size=1, max_size=60).map(lambda text: f"ก{text}ก"),
    min_size=1,
    max_size=20,
)


@given(DAYS)
def test_what_is_written_is_read_back(days: dict[dt.date, str]) -> None:
    file = written([(day, name, AT) for day, name in sorted(days.items())], "วันหยุด")
    assert read(file) == [Day(day, name) for day, name in sorted(days.items())]


def a_file(*facts: dict[str, object]) -> bytes:
    calendar = icalendar.Calendar()
    for each in facts:
        event = icalendar.Event()
        for name, value in each.items():
            event.add(name, value)
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def test_an_event_of_several_days_is_each_of_them_its_end_left_out() -> None:
    file = a_file({"dtstart": dt.date(2027, 4, 13), "dtend": dt.date(2027, 4, 16), "summary": "สงกรานต์"})
    assert [each.day.day for each in read(file)] == [13, 14, 15]


def test_meetings_and_what_repeats_are_no_holidays() -> None:
    holiday = {"dtstart": dt.date(2027, 4, 6), "summary": "จักรี"}
    weekly = {"dtstart": dt.date(2027, 4, 7), "summary": "ทุกสัปดาห์", "rrule": {"freq": "weekly"}}
    assert [each.name for each in read(a_file(holiday, {"dtstart": AT, "summary": "ประชุม"}, weekly))] == ["จักรี"]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"hello",
        a_file(),
        a_file({"summary": "no day"}),
        a_file({"dtstart": AT}),
        a_file({"dtstart": dt.date(2026, 1, 1), "dtend": dt.date(2027, 1, 1)}),
        a_file(*[{"dtstart": dt.date(2026, 1, 1)}] * 1001),
    ],
)
def test_what_is_no_calendar_of_days_is_refused(file: bytes) -> None:
    with pytest.raises(NoCalendar):
        read(file)
