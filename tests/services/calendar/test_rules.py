from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.months import BANGKOK, NaiveDatetime
from services.calendar.rules import AroundTheClock, Calendar, WorkingTime

HOLIDAYS = [date(2026, 12, 7), date(2026, 12, 10), date(2026, 12, 31), date(2027, 1, 1)]
OFFICE = Calendar(HOLIDAYS)
ALWAYS = AroundTheClock()
MICROSECOND = timedelta(microseconds=1)
WORKING_DAY = 480


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BANGKOK)


def test_s1_the_review_and_the_provisioning() -> None:
    assert OFFICE.add_minutes(at(2026, 12, 4, 15, 20), WORKING_DAY) == at(2026, 12, 8, 15, 20)
    assert OFFICE.add_minutes(at(2026, 12, 9, 9, 30), WORKING_DAY) == at(2026, 12, 11, 9, 30)


def test_s2_a_special_holiday_declared_and_withdrawn() -> None:
    submitted = at(2026, 12, 30, 14)
    assert OFFICE.add_minutes(submitted, WORKING_DAY) == at(2027, 1, 4, 14)
    declared = Calendar([*HOLIDAYS, date(2027, 1, 4)])
    assert declared.add_minutes(submitted, WORKING_DAY) == at(2027, 1, 5, 14)
    withdrawn = Calendar(declared.holidays - {date(2027, 1, 4)})
    assert withdrawn == OFFICE
    assert withdrawn.add_minutes(submitted, WORKING_DAY) == at(2027, 1, 4, 14)
    assert OFFICE.add_minutes(at(2027, 1, 5, 9), WORKING_DAY) == at(2027, 1, 6, 9)


def test_s3_a_pause_moves_the_due_time_by_its_working_minutes() -> None:
    checked = at(2026, 12, 4, 14, 15)
    assert OFFICE.add_minutes(checked, 960) == at(2026, 12, 9, 14, 15)
    paused = OFFICE.minutes_between(at(2026, 12, 8, 10), at(2026, 12, 8, 15))
    assert paused == 300
    assert OFFICE.add_minutes(checked, 960 + paused) == at(2026, 12, 11, 11, 15)
    assert OFFICE.minutes_between(checked, at(2026, 12, 11, 10)) - paused == 885


def test_s4_hardware() -> None:
    opened = at(2026, 12, 21, 15, 30)
    assert OFFICE.add_minutes(opened, 60) == at(2026, 12, 22, 8, 30)
    assert OFFICE.add_minutes(opened, 120) == at(2026, 12, 22, 9, 30)
    assert OFFICE.minutes_between(opened, at(2026, 12, 22, 8, 20)) == 50
    reinstall = at(2026, 12, 29, 9)
    assert OFFICE.add_minutes(reinstall, 480) == at(2026, 12, 30, 9)
    assert OFFICE.add_minutes(reinstall, 960) == at(2027, 1, 4, 9)
    due = OFFICE.add_minutes(at(2026, 12, 28, 14), 5 * 30)
    assert due == at(2026, 12, 29, 8, 30)
    assert OFFICE.minutes_between(due, at(2026, 12, 29, 9, 10)) == 40
    assert OFFICE.minutes_between(at(2026, 12, 29, 9, 10), due) == -40


def test_s6_around_the_clock_and_the_fifth_working_day() -> None:
    detected = at(2026, 12, 12, 2, 10)
    assert ALWAYS.add_minutes(detected, 30) == at(2026, 12, 12, 2, 40)
    assert ALWAYS.add_minutes(detected, 480) == at(2026, 12, 12, 10, 10)
    assert ALWAYS.add(at(2026, 12, 12, 3), timedelta(hours=72)) == at(2026, 12, 15, 3)
    assert OFFICE.closing(OFFICE.nth_working_day(2027, 1, 5)) == at(2027, 1, 8, 16)


def test_a_due_time_at_closing_is_that_days_closing() -> None:
    assert OFFICE.add_minutes(at(2026, 12, 4, 15, 30), 30) == at(2026, 12, 4, 16)
    assert OFFICE.add_minutes(at(2026, 12, 4, 8), WORKING_DAY) == at(2026, 12, 4, 16)
    assert (
        OFFICE.add(at(2026, 12, 4, 15, 30), timedelta(minutes=30, microseconds=1)) == at(2026, 12, 8, 8) + MICROSECOND
    )


@pytest.mark.parametrize(
    ("moment", "opening"),
    [
        (at(2026, 12, 4, 7, 59), at(2026, 12, 4, 8)),
        (at(2026, 12, 4, 8), at(2026, 12, 4, 8)),
        (at(2026, 12, 4, 15, 59), at(2026, 12, 4, 15, 59)),
        (at(2026, 12, 4, 16), at(2026, 12, 8, 8)),
        (at(2026, 12, 5, 12), at(2026, 12, 8, 8)),
        (at(2026, 12, 7, 12), at(2026, 12, 8, 8)),
        (at(2026, 12, 30, 20), at(2027, 1, 4, 8)),
        (at(2026, 12, 31, 9), at(2027, 1, 4, 8)),
    ],
)
def test_outside_hours_the_clock_starts_at_the_next_opening(moment: datetime, opening: datetime) -> None:
    assert OFFICE.next_opening(moment) == opening
    assert OFFICE.add_minutes(moment, 0) == opening
    assert OFFICE.add_minutes(moment, 1) == opening + timedelta(minutes=1)
    assert OFFICE.is_open(moment) is (moment == opening)


def test_seconds_are_kept() -> None:
    start = at(2026, 12, 4, 15, 20) + timedelta(seconds=17, microseconds=3)
    assert OFFICE.add_minutes(start, WORKING_DAY) == at(2026, 12, 8, 15, 20) + timedelta(seconds=17, microseconds=3)
    assert OFFICE.minutes_between(start, at(2026, 12, 4, 15, 22)) == 1
    assert OFFICE.minutes_between(at(2026, 12, 4, 15, 22), start) == -1


def test_any_zone_gives_the_same_moment_in_bangkoks() -> None:
    start = at(2026, 12, 4, 15, 20)
    due = at(2026, 12, 8, 15, 20)
    for zone in (UTC, ZoneInfo("Asia/Bangkok"), ZoneInfo("America/New_York")):
        answer = OFFICE.add_minutes(start.astimezone(zone), WORKING_DAY)
        assert (answer, answer.utcoffset()) == (due, timedelta(hours=7))
    assert OFFICE.next_opening(start.astimezone(UTC)).tzinfo is BANGKOK


@pytest.mark.parametrize("clock", [OFFICE, ALWAYS])
def test_what_has_no_zone_or_runs_backwards_is_refused(clock: WorkingTime) -> None:
    naive = datetime(2026, 12, 4, 9)  # noqa: DTZ001 - the missing zone is the point
    for refused in (clock.next_opening, clock.is_open, lambda moment: clock.add_minutes(moment, 1)):
        with pytest.raises(NaiveDatetime):
            refused(naive)
    with pytest.raises(NaiveDatetime):
        clock.between(at(2026, 12, 4), naive)
    with pytest.raises(ValueError, match="backwards"):
        clock.add_minutes(at(2026, 12, 4, 9), -1)
    with pytest.raises(ValueError, match="forwards"):
        clock.add_working_days(date(2026, 12, 4), -1)
    for n in (0, 32):
        with pytest.raises(ValueError, match=r"\d|day"):
            clock.nth_working_day(2027, 1, n)


def test_days() -> None:
    assert [OFFICE.is_working_day(date(2026, 12, day)) for day in range(4, 12)] == [
        True,
        False,
        False,
        False,
        True,
        True,
        False,
        True,
    ]
    with pytest.raises(ValueError, match="no working day"):
        OFFICE.closing(date(2026, 12, 7))
    with pytest.raises(ValueError, match="no working day number 21"):
        OFFICE.nth_working_day(2026, 12, 21)
    assert OFFICE.nth_working_day(2026, 12, 20) == date(2026, 12, 30)
    with pytest.raises(ValueError, match="closes"):
        Calendar([], opens=time(16), closes=time(8))


@pytest.mark.parametrize(
    ("day", "count", "found"),
    [
        (date(2026, 12, 4), 0, date(2026, 12, 4)),
        (date(2026, 12, 4), 1, date(2026, 12, 8)),
        (date(2026, 12, 5), 0, date(2026, 12, 8)),
        (date(2026, 12, 5), 1, date(2026, 12, 8)),
        (date(2026, 12, 7), 2, date(2026, 12, 9)),
        (date(2026, 12, 8), 15, date(2026, 12, 30)),
        (date(2026, 12, 8), 16, date(2027, 1, 4)),
    ],
)
def test_working_days_are_counted_from_the_day_after(day: date, count: int, found: date) -> None:
    assert OFFICE.add_working_days(day, count) == found


def test_around_the_clock_every_moment_and_day_counts() -> None:
    sunday = at(2026, 12, 6, 3)
    assert ALWAYS.is_open(sunday)
    assert ALWAYS.next_opening(sunday) == sunday
    assert ALWAYS.minutes_between(sunday, sunday + timedelta(minutes=7, seconds=59)) == 7
    assert ALWAYS.is_working_day(sunday.date())
    assert ALWAYS.add_working_days(sunday.date(), 3) == date(2026, 12, 9)
    assert ALWAYS.nth_working_day(2026, 12, 31) == date(2026, 12, 31)
    assert ALWAYS.closing(sunday.date()) == at(2026, 12, 7)


WINDOW = 16  # days a naive reference looks at
starts_of_window = st.dates(date(2000, 1, 1), date(2100, 1, 1))
holidays_in_window = st.sets(st.integers(0, 9), max_size=8)


def open_minutes(first: date, calendar: Calendar) -> list[bool]:
    """Say of every minute of the window whether the office is open, by looking at each."""
    minutes = []
    for offset in range(WINDOW):
        day = first + timedelta(days=offset)
        works = day.weekday() < 5 and day not in calendar.holidays
        minutes += [works and 8 * 60 <= minute < 16 * 60 for minute in range(24 * 60)]
    return minutes


@settings(max_examples=60)
@given(starts_of_window, holidays_in_window, st.integers(0, 5 * 1440), st.integers(1, 2 * WORKING_DAY), st.data())
def test_the_calendar_agrees_with_looking_at_every_minute(
    first: date, off: set[int], start: int, wanted: int, data: st.DataObject
) -> None:
    calendar = Calendar(first + timedelta(days=offset) for offset in off)
    minutes = open_minutes(first, calendar)
    midnight = datetime.combine(first, time(), BANGKOK)

    def moment(minute: int) -> datetime:
        return midnight + timedelta(minutes=minute)

    left, minute = wanted, start
    while left and minute < len(minutes):
        left -= minutes[minute]
        minute += 1
    if not left:
        assert calendar.add_minutes(moment(start), wanted) == moment(minute)
    end = data.draw(st.integers(0, len(minutes)))
    counted = sum(minutes[start:end]) if end >= start else -sum(minutes[end:start])
    assert calendar.minutes_between(moment(start), moment(end)) == counted
    assert calendar.is_open(moment(start)) is minutes[start]
    if any(minutes[start:]):
        assert calendar.next_opening(moment(start)) == moment(minutes.index(True, start))


calendars = st.builds(Calendar, st.sets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=60))
moments = st.datetimes(datetime(2000, 1, 1), datetime(2100, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - zone follows
near_moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
durations = st.timedeltas(timedelta(microseconds=1), timedelta(days=400))


@given(calendars, near_moments | moments, durations)
def test_the_time_until_due_is_the_time_asked_for(calendar: Calendar, start: datetime, duration: timedelta) -> None:
    due = calendar.add(start, duration)
    assert calendar.between(start, due) == duration
    assert calendar.between(start, due - MICROSECOND) == duration - MICROSECOND
    assert calendar.between(due, start) == -duration
    assert calendar.is_open(due - MICROSECOND)
    assert due >= calendar.next_opening(start) + min(duration, timedelta(hours=8))


@given(calendars, near_moments, st.integers(1, 10_000))
def test_minutes_there_and_back(calendar: Calendar, start: datetime, minutes: int) -> None:
    assert calendar.minutes_between(start, calendar.add_minutes(start, minutes)) == minutes


@given(calendars, near_moments, near_moments, durations, durations)
def test_later_starts_and_longer_times_are_due_later(
    calendar: Calendar, one: datetime, other: datetime, short: timedelta, more: timedelta
) -> None:
    early, late = sorted([one, other])
    assert calendar.add(early, short) <= calendar.add(late, short)
    assert calendar.add(early, short) < calendar.add(early, short + more)
    assert calendar.add(calendar.add(early, short), more) == calendar.add(early, short + more)
    assert calendar.between(early, late) >= timedelta()


@given(calendars, st.dates(date(2026, 1, 1), date(2027, 11, 30)), st.integers(0, 30))
def test_working_days_agree_with_walking(calendar: Calendar, day: date, count: int) -> None:
    found, left = day, count
    while left or not calendar.is_working_day(found):
        found += timedelta(days=1)
        left -= left > 0 and calendar.is_working_day(found)
    assert calendar.add_working_days(day, count) == found
    working = [d for n in range(28) if calendar.is_working_day(d := day.replace(day=n + 1))]
    for place, each in enumerate(working, 1):
        assert calendar.nth_working_day(day.year, day.month, place) == each
