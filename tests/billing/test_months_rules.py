from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.months import BANGKOK, Month, NaiveDatetime, bangkok_date, midnight

months = st.builds(Month, st.integers(2000, 2100), st.integers(1, 12))


def test_december_2026_starts_and_ends_at_17_utc() -> None:
    month = Month(2026, 12)
    assert (month.first, month.last, month.days) == (date(2026, 12, 1), date(2026, 12, 31), 31)
    assert month.starts_at == datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert month.ends_at == datetime(2026, 12, 31, 17, tzinfo=UTC)


@pytest.mark.parametrize(("year", "days"), [(2027, 28), (2028, 29), (2000, 29), (2100, 28)])
def test_february_keeps_leap_years(year: int, days: int) -> None:
    february = Month(year, 2)
    assert february.days == days
    assert february.ends_at == datetime(year, 2, days, 17, tzinfo=UTC)


@given(months)
def test_months_follow_each_other_without_gap(month: Month) -> None:
    assert month.next.previous == month
    assert month.ends_at == month.next.starts_at
    assert month.last + timedelta(days=1) == month.next.first
    assert (month.last - month.first).days + 1 == month.days
    assert month < month.next
    assert Month.parse(str(month)) == month
    assert Month.of(month.starts_at) == month
    assert Month.of(month.ends_at - timedelta(microseconds=1)) == month
    assert Month.of(month.first) == month


@pytest.mark.parametrize(
    ("month", "fiscal_year"),
    [(Month(2026, 9), 2569), (Month(2026, 10), 2570), (Month(2027, 1), 2570), (Month(2027, 9), 2570)],
)
def test_the_fiscal_year_starts_in_october(month: Month, fiscal_year: int) -> None:
    assert month.fiscal_year == fiscal_year


@pytest.mark.parametrize("text", ["2026-13", "2026-1", "26-01", "2026/01", "2026-01-01", "", "๒๕๖๙-๐๑", "1899-01"])
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="month"):
        Month.parse(text)


def test_a_day_begins_in_bangkok() -> None:
    assert bangkok_date(datetime(2026, 12, 31, 16, 59, tzinfo=UTC)) == date(2026, 12, 31)
    assert bangkok_date(datetime(2026, 12, 31, 17, tzinfo=UTC)) == date(2027, 1, 1)
    assert midnight(date(2027, 1, 1)) == datetime(2026, 12, 31, 17, tzinfo=UTC)
    assert BANGKOK.utcoffset(None) == timedelta(hours=7)


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(NaiveDatetime):
        Month.of(datetime(2026, 12, 1))  # noqa: DTZ001 - the missing zone is the point
