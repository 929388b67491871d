"""Working time: when the office is open, and what falls due when.

Official working days are Monday to Friday without the official holidays, 08:00–16:00 in Bangkok, no lunch
break (service level agreement 4). The working days are counted, never walked: the weekdays before a date
follow from its ordinal, the holidays among them from one bisection, so a due time costs the same a day or
a decade ahead, for any year.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Protocol

from billing.months import BANGKOK, NaiveDatetime, aware

MINUTE = timedelta(minutes=1)
MICROSECOND = timedelta(microseconds=1)
EIGHT, SIXTEEN = time(8), time(16)

_FIRST_DAY = datetime(1, 1, 1, tzinfo=BANGKOK)  # a Monday; days are counted from it
_SECOND = 1_000_000
_MINUTE = 60 * _SECOND


class WorkingTime(Protocol):
    """A clock that runs while work is expected, and stands still otherwise.

    Moments carry a time zone, else `NaiveDatetime`; the ones returned are in Bangkok's. Durations are
    exact to the microsecond.
    """

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return when so much working time has passed since start; a negative duration is refused."""

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return when so many working minutes have passed since start; a negative count is refused."""

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from start to end, negative when end comes first."""

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole working minutes from start to end; what is left of a minute is dropped."""

    def is_open(self, moment: datetime) -> bool:
        """Say whether the clock runs at that moment."""

    def next_opening(self, moment: datetime) -> datetime:
        """Return the moment itself when the clock runs then, else when it next starts."""

    def is_working_day(self, day: date) -> bool:
        """Say whether the clock runs at all that day."""

    def add_working_days(self, day: date, count: int) -> date:
        """Return the count-th working day after a day; for 0 the day itself, or the next working day."""

    def nth_working_day(self, year: int, month: int, n: int) -> date:
        """Return the n-th working day of a month, counted from 1; refuses one the month does not have."""

    def closing(self, day: date) -> datetime:
        """Return the end of that working day's time; refuses a day off."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """The official working days and hours. Holidays on a weekend change nothing.

    A moment outside hours counts as the next opening; a due time that falls at closing is the closing
    of that day. Declaring or withdrawing a holiday makes another calendar.
    """

    holidays: frozenset[date]
    opens: time = EIGHT
    closes: time = SIXTEEN
    _weekdays_off: list[int] = field(init=False, repr=False, compare=False)
    _working_days_before_off: list[int] = field(init=False, repr=False, compare=False)
    _opening: int = field(init=False, repr=False, compare=False)
    _hours: int = field(init=False, repr=False, compare=False)

    def __init__(self, holidays: Iterable[date], opens: time = EIGHT, closes: time = SIXTEEN) -> None:
        """Build from the dates of the holidays; refuses hours that end before they start."""
        opening, closing = (timedelta(hours=t.hour, minutes=t.minute, seconds=t.second) for t in (opens, closes))
        if opening >= closing:
            raise ValueError(f"the office closes at {closes} before it opens at {opens}")
        days_off = frozenset(holidays)
        # Places of the holidays in the endless row of weekdays, and how many working days come before.
        off = sorted(_weekdays_before(day.toordinal() - 1) for day in days_off if day.weekday() < 5)
        put = object.__setattr__
        put(self, "holidays", days_off)
        put(self, "opens", opens)
        put(self, "closes", closes)
        put(self, "_weekdays_off", off)
        put(self, "_working_days_before_off", [place - earlier for earlier, place in enumerate(off)])
        put(self, "_opening", opening // MICROSECOND)
        put(self, "_hours", (closing - opening) // MICROSECOND)

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return when so much working time has passed since start; zero is the next opening.

        Refuses a negative duration and a start without a time zone.
        """
        return self._after(start, duration // MICROSECOND)

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return when so many working minutes have passed since start; zero is the next opening."""
        return self._after(start, minutes * _MINUTE)

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the working time from start to end, negative when end comes first."""
        return timedelta(microseconds=self._worked_before(end) - self._worked_before(start))

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole working minutes from start to end; what is left of a minute is dropped."""
        return _whole_minutes(self.between(start, end))

    def is_open(self, moment: datetime) -> bool:
        """Say whether the office is open; it is at 08:00 and no longer at 16:00."""
        day, since_midnight = _day_and_time(moment)
        return 0 <= since_midnight - self._opening < self._hours and self._is_working(day)

    def next_opening(self, moment: datetime) -> datetime:
        """Return the moment itself in office hours, else the next opening."""
        if self.is_open(moment):
            return moment.astimezone(BANGKOK)
        whole_days = self._worked_before(moment) // self._hours
        return _FIRST_DAY + timedelta(self._day_of_working_day(whole_days), 0, self._opening)

    def is_working_day(self, day: date) -> bool:
        """Say whether a day is neither on a weekend nor a holiday."""
        return day.weekday() < 5 and day not in self.holidays

    def add_working_days(self, day: date, count: int) -> date:
        """Return the count-th working day after a day; for 0 the day itself, or the next working day.

        Refuses a negative count.
        """
        if count < 0:
            raise ValueError(f"working days are counted forwards: {count}")
        number = day.toordinal() - 1
        before = self._working_days_before(number)
        if count and not self._is_working(number):
            count -= 1
        return date.fromordinal(self._day_of_working_day(before + count) + 1)

    def nth_working_day(self, year: int, month: int, n: int) -> date:
        """Return the n-th working day of a month, counted from 1; refuses one the month does not have."""
        if n < 1:
            raise ValueError(f"working days of a month are counted from 1, not {n}")
        before = self._working_days_before(date(year, month, 1).toordinal() - 1)
        found = date.fromordinal(self._day_of_working_day(before + n - 1) + 1)
        if (found.year, found.month) != (year, month):
            raise ValueError(f"{year}-{month:02} has no working day number {n}")
        return found

    def closing(self, day: date) -> datetime:
        """Return when the office closes that day; refuses a day on which it does not open."""
        if not self.is_working_day(day):
            raise ValueError(f"{day} is no working day")
        return datetime.combine(day, self.closes, BANGKOK)

    def _after(self, start: datetime, wanted: int) -> datetime:
        if wanted <= 0:
            if wanted < 0:
                raise ValueError("working time does not run backwards")
            return self.next_opening(start)
        whole_days, rest = divmod(self._worked_before(start) + wanted - 1, self._hours)
        return _FIRST_DAY + timedelta(self._day_of_working_day(whole_days), 0, self._opening + rest + 1)

    def _is_working(self, day: int) -> bool:
        place = _weekdays_before(day)
        off = bisect_left(self._weekdays_off, place)
        return day % 7 < 5 and self._weekdays_off[off : off + 1] != [place]

    def _working_days_before(self, day: int) -> int:
        weekdays = _weekdays_before(day)
        return weekdays - bisect_left(self._weekdays_off, weekdays)

    def _day_of_working_day(self, count: int) -> int:
        """Return the day that has so many working days before it and is one itself."""
        weeks, weekday = divmod(count + bisect_right(self._working_days_before_off, count), 5)
        return weeks * 7 + weekday

    def _worked_before(self, moment: datetime) -> int:
        """Return the working microseconds from the first day of all until a moment."""
        day, since_midnight = _day_and_time(moment)
        place = _weekdays_before(day)
        off = bisect_left(self._weekdays_off, place)
        before = (place - off) * self._hours
        today = since_midnight - self._opening
        if today <= 0 or day % 7 > 4 or self._weekdays_off[off : off + 1] == [place]:
            return before
        return before + min(today, self._hours)


@dataclass(frozen=True, slots=True)
class AroundTheClock:
    """The clock of emergencies and infrastructure incidents: every day, all day (standard 7.4)."""

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the start plus the duration; a negative duration is refused."""
        if duration < timedelta():
            raise ValueError(f"time does not run backwards: {duration}")
        return aware(start).astimezone(BANGKOK) + duration

    def add_minutes(self, start: datetime, minutes: int) -> datetime:
        """Return the moment so many minutes after start; a negative count is refused."""
        return self.add(start, timedelta(minutes=minutes))

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return the time from start to end, negative when end comes first."""
        return aware(end) - aware(start)

    def minutes_between(self, start: datetime, end: datetime) -> int:
        """Return the whole minutes from start to end; what is left of a minute is dropped."""
        return _whole_minutes(self.between(start, end))

    def is_open(self, moment: datetime) -> bool:
        """Say yes."""
        aware(moment)
        return True

    def next_opening(self, moment: datetime) -> datetime:
        """Return the moment itself."""
        return aware(moment).astimezone(BANGKOK)

    def is_working_day(self, day: date) -> bool:  # noqa: ARG002 - every day is the same to this clock
        """Say yes."""
        return True

    def add_working_days(self, day: date, count: int) -> date:
        """Return the day so many days later; a negative count is refused."""
        if count < 0:
            raise ValueError(f"working days are counted forwards: {count}")
        return day + timedelta(days=count)

    def nth_working_day(self, year: int, month: int, n: int) -> date:
        """Return the n-th day of a month; refuses one the month does not have."""
        return date(year, month, n)

    def closing(self, day: date) -> datetime:
        """Return the midnight at the end of that day."""
        return datetime.combine(day + timedelta(days=1), time(), BANGKOK)


def _weekdays_before(day: int) -> int:
    """Return how many Mondays to Fridays there are before the day so many days after the first Monday."""
    weeks, weekday = divmod(day, 7)
    return weeks * 5 + min(weekday, 5)


def _whole_minutes(duration: timedelta) -> int:
    return duration // MINUTE if duration >= timedelta() else -(-duration // MINUTE)


def _day_and_time(moment: datetime) -> tuple[int, int]:
    """Return the number of Bangkok's day and the microseconds since its midnight."""
    try:
        since = moment - _FIRST_DAY
    except TypeError as refusal:
        raise NaiveDatetime(f"a moment needs a time zone: {moment.isoformat()}") from refusal
    return since.days, since.seconds * _SECOND + since.microseconds
