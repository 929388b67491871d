"""Holidays as iCalendar: what is written can be read back, and what is none is refused."""

import datetime as dt

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.calendar.exchange import Day, NoCalendar, Why, read, written

AT = dt.datetime(2026, 1, 2, 3, 4, tzinfo=dt.UTC)
DAYS = st.dictionaries(
    st.dates(dt.date(1990, 1, 1), dt.date(2100, 1, 1)),
    # Long enough to be folded, as lines of calendar files are after 75 octets: Thai has three to a sign.
    st.text(st.characters(categories=["L", "Mn", "Nd", "Zs"]), min_size=1, max_size=40).map(lambda text: f"ก{text}ก"),
    min_size=1,
    max_size=5,
)


@given(DAYS)
def test_what_is_written_is_read_back(days: dict[dt.date, str]) -> None:
    file = written([(day, name, AT) for day, name in sorted(days.items())], "วันหยุด")
    taken = read(file)
    assert taken.days == [Day(day, " ".join(name.split())) for day, name in sorted(days.items())]
    assert (taken.cancelled, taken.bad) == ([], [])


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
    assert [each.day.day for each in read(file).days] == [13, 14, 15]


def test_every_event_that_is_no_holiday_is_told_of_and_the_others_are_taken() -> None:
    holiday = {"dtstart": dt.date(2027, 4, 6), "summary": "จักรี"}
    weekly = {"dtstart": dt.date(2027, 4, 7), "summary": "ทุกสัปดาห์", "rrule": {"freq": "weekly"}}
    taken = read(
        a_file(
            holiday,
            {"dtstart": AT, "summary": "ประชุม"},
            weekly,
            {"summary": "ไม่มีวัน"},
            {"dtstart": dt.date(2026, 1, 1), "dtend": dt.date(2027, 1, 1), "summary": "ทั้งปี"},
            holiday | {"summary": "ซ้ำ"},
            {"dtstart": dt.date(2027, 5, 1), "summary": "ก" * 201},
            {"dtstart": dt.date(2027, 6, 1), "summary": "ยกเลิก", "status": "CANCELLED"},
        )
    )
    assert [each.name for each in taken.days] == ["จักรี"]
    assert taken.cancelled == [Day(dt.date(2027, 6, 1), "ยกเลิก")]
    assert [(each.number, each.why) for each in taken.bad] == [
        (2, Why.TIME_OF_DAY), (3, Why.REPEATS), (4, Why.NO_DAY), (5, Why.TOO_LONG), (6, Why.TWICE),
        (7, Why.NAME_TOO_LONG),
    ]  # fmt: skip
    assert taken.bad[0].name == "ประชุม"


@pytest.mark.parametrize("file", [b"", b"hello", a_file(), a_file(*[{"dtstart": dt.date(2026, 1, 1)}] * 401)])
def test_what_is_no_calendar_of_days_is_refused(file: bytes) -> None:
    with pytest.raises(NoCalendar):
        read(file)


def test_a_day_that_cannot_be_read_is_told_of() -> None:
    file = a_file({"dtstart": dt.date(2027, 4, 6), "summary": "จักรี"}).replace(b"20270406", b"20271345")
    assert [each.why for each in read(file).bad] == [Why.NO_DAY]
