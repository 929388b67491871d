from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import NotMoney
from billing.statements.rules import availability, credit, credit_rate


def test_s5_availability_and_credit() -> None:
    kept = availability(44640, 120, 130)
    assert round(kept, 3) == Decimal("99.708")
    assert credit_rate(kept, Decimal("99.90")) == Decimal("0.05")
    assert credit(Decimal("25064.51"), Decimal("0.05")) == Decimal("1253.23")


def test_s5_forgetting_the_exclusion_would_double_the_credit() -> None:
    wrong = availability(44640, 0, 250)
    assert round(wrong, 3) == Decimal("99.440")
    assert credit(Decimal("25064.51"), credit_rate(wrong, Decimal("99.90"))) == Decimal("2506.45")


@pytest.mark.parametrize(
    ("available", "level", "fraction"),
    [
        ("99.90", "99.90", "0"),
        ("99.8999999", "99.90", "0.05"),
        ("99.5", "99.90", "0.05"),
        ("99.4999", "99.90", "0.10"),
        ("99.0", "99.90", "0.10"),
        ("98.9999", "99.90", "0.20"),
        ("0", "99.90", "0.20"),
        ("99.6", "99.50", "0"),
        ("99.4", "99.50", "0.10"),
        ("99.92", "99.95", "0"),
        ("100", "100", "0"),
    ],
)
def test_credit_bands(available: str, level: str, fraction: str) -> None:
    assert credit_rate(Decimal(available), Decimal(level)) == Decimal(fraction)


@given(st.integers(1, 50_000), st.data())
def test_more_outage_never_lowers_the_credit(total: int, data: st.DataObject) -> None:
    excluded = data.draw(st.integers(0, total))
    less, more = sorted(data.draw(st.tuples(*[st.integers(0, total - excluded)] * 2)))
    level = Decimal("99.9")
    better, worse = availability(total, excluded, less), availability(total, excluded, more)
    assert 0 <= worse <= better <= 100
    assert credit_rate(worse, level) >= credit_rate(better, level)


def test_a_month_excluded_whole_was_available() -> None:
    assert availability(44640, 44640, 0) == 100


@pytest.mark.parametrize("minutes", [(100, 20, 81), (100, -1, 0), (100, 0, -1), (100, 101, 0), (100, 0, 1.5)])
def test_impossible_minutes_are_refused(minutes: tuple[object, object, object]) -> None:
    with pytest.raises(NotMoney):
        availability(*minutes)


@pytest.mark.parametrize(("available", "level"), [("-1", "99"), ("101", "99"), ("99", "101")])
def test_impossible_percentages_are_refused(available: str, level: str) -> None:
    with pytest.raises(NotMoney):
        credit_rate(Decimal(available), Decimal(level))
