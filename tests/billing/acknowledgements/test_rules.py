"""Which months wait for their check."""

from billing.acknowledgements.rules import unchecked
from billing.months import Month


def test_months_over_and_unchecked_of_the_fiscal_year_the_latest_first() -> None:
    checked = {Month(2026, 11)}
    assert unchecked(Month(2025, 3), Month(2027, 1), checked) == (Month(2026, 12), Month(2026, 10))


def test_neither_the_running_month_nor_those_before_the_first_are_asked_for() -> None:
    assert unchecked(Month(2026, 12), Month(2027, 1), set()) == (Month(2026, 12),)
    assert unchecked(Month(2027, 1), Month(2027, 1), set()) == ()


def test_in_october_september_is_still_asked_for() -> None:
    assert unchecked(Month(2026, 8), Month(2026, 10), set()) == (Month(2026, 9), Month(2026, 8))
