"""Months and days as a bill counts them: Bangkok's, whatever zone a moment is written in."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Self

BANGKOK = timezone(timedelta(hours=7), "Asia/Bangkok")  # no daylight saving since 1920: a fixed offset
ONE_DAY = timedelta(days=1)
BUDDHIST_ERA = 543
FISCAL_YEAR_STARTS = 10  # October


class NaiveDatetime(ValueError):
    """A moment without a time zone: it could be any of twenty-four hours."""


def aware(moment: datetime) -> datetime:
    """Return the moment itself; refuse one without a time zone (`NaiveDatetime`)."""
    if moment.utcoffset() is None:
        raise NaiveDatetime(f"a moment needs a time zone: {moment.isoformat()}")
    return moment


def bangkok_date(moment: datetime) -> date:
    """Return the day it is in Bangkok at that moment; refuse one without a time zone."""
    return aware(moment).astimezone(BANGKOK).date()


def midnight(day: date) -> datetime:
    """Return 00:00 of that day in Bangkok."""
    return datetime.combine(day, time(), BANGKOK)


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in Bangkok; `year` is of the Common Era. Refuses a thirteenth month."""

    year: int
    month: int

    def __post_init__(self) -> None:
        if not (1900 <= self.year <= 9998 and 1 <= self.month <= 12):
            raise ValueError(f"no such month: {self.year}-{self.month}")

    @classmethod
    def of(cls, when: date | datetime) -> Self:
        """Return the month of a day, or of a moment as seen in Bangkok."""
        day = bangkok_date(when) if isinstance(when, datetime) else when
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read "2026-12"; refuse any other form with a ValueError."""
        year, dash, month = text.partition("-")
        if not (len(year) == 4 and dash and len(month) == 2 and text.isascii() and (year + month).isdigit()):
            raise ValueError(f"a month is written like 2026-12, not {text[:20]!r}")
        return cls(int(year), int(month))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        """Its last day."""
        return date(self.year, self.month, self.days)

    @property
    def days(self) -> int:
        """How many days it has."""
        return monthrange(self.year, self.month)[1]

    @property
    def starts_at(self) -> datetime:
        """00:00 of its first day in Bangkok, in UTC (17:00 of the day before)."""
        return midnight(self.first).astimezone(UTC)

    @property
    def ends_at(self) -> datetime:
        """The moment the next month starts, in UTC; no longer part of this one."""
        return self.next.starts_at

    @property
    def next(self) -> "Month":
        """The month after."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def previous(self) -> "Month":
        """The month before."""
        return Month(self.year - (self.month == 1), (self.month - 2) % 12 + 1)

    @property
    def fiscal_year(self) -> int:
        """The government fiscal year it falls in, in the Buddhist Era: October 2026 is in 2570."""
        return self.year + BUDDHIST_ERA + (self.month >= FISCAL_YEAR_STARTS)
