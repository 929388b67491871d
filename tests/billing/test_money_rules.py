from datetime import date
from decimal import ROUND_FLOOR, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import NotMoney, VatRate, exact, exactly, rate, satang, totals, vat_on

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)


@pytest.mark.parametrize(
    ("value", "rounded"),
    [
        ("0.005", "0.01"),
        ("-0.005", "-0.01"),
        ("0.004999999999999999999999999999999999999999", "0.00"),
        ("-0.004", "0.00"),
        ("7258.0645", "7258.06"),
        ("1253.2255", "1253.23"),
        ("12", "12.00"),
        ("2.675", "2.68"),
    ],
)
def test_half_a_satang_rounds_away_from_zero(value: str, rounded: str) -> None:
    assert str(satang(Decimal(value))) == rounded


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=9))
def test_satang_is_the_nearest_and_symmetric(value: Decimal) -> None:
    floor = (abs(value) * 100 + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    assert abs(satang(value)) == floor / 100
    assert satang(-value) == -satang(value)
    assert satang(satang(value)) == satang(value)


NOT_TEXT = [1.5, 0.0, float("nan"), True, None, b"1"]
NOT_DECIMAL_TEXT = ["", " 1", "1_000", "1e3", "๑๒", "NaN", "Infinity", "0x10", "1,000", ".5", "9" * 19]
NOT_FINITE_OR_TOO_LONG = [*map(Decimal, ["NaN", "sNaN", "-Infinity", "1e400", "1e-19"]), 10**18]


@pytest.mark.parametrize("value", [*NOT_TEXT, *NOT_DECIMAL_TEXT, *NOT_FINITE_OR_TOO_LONG])
def test_what_is_no_exact_number_is_refused(value: object) -> None:
    with pytest.raises(NotMoney):
        exact(value)


@pytest.mark.parametrize("value", ["100", "-0.55", 100, Decimal("1E+2"), "999999999999999999.999999999999999999"])
def test_exact_numbers_stay_as_they_are(value: Decimal | int | str) -> None:
    assert exact(value) == Decimal(value)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("Infinity"), 1.5])
def test_nothing_but_a_finite_decimal_is_rounded(value: Decimal) -> None:
    with pytest.raises(NotMoney):
        satang(value)


def test_a_float_that_strays_into_a_computation_is_refused() -> None:
    with exactly(), pytest.raises(TypeError):
        Decimal(1) * 0.1  # type: ignore[operator]
    with exactly(), pytest.raises(ArithmeticError):
        Decimal(0.1)  # noqa: RUF032 - the float is the point


def test_s1_billed_alone() -> None:
    bill = totals([Decimal("7258.06"), Decimal("17806.45")], Decimal("0.07"), Decimal("0.01"))
    assert bill.subtotal == Decimal("25064.51")
    assert bill.vat == Decimal("1754.52")
    assert bill.total == Decimal("26819.03")
    assert bill.withheld == Decimal("250.65")
    assert bill.net == Decimal("26568.38")


def test_vat_is_taken_once_on_the_subtotal_not_per_line() -> None:
    lines = [Decimal("0.07")] * 100  # VAT by line would be 0.00 each
    assert totals(lines, Decimal("0.07")).vat == Decimal("0.49")


@given(st.lists(amounts, max_size=20), st.sampled_from(["0", "0.07", "0.1"]), st.sampled_from(["0", "0.01", "0.03"]))
def test_totals_add_up_and_are_nearest(lines: list[Decimal], vat: str, withholding: str) -> None:
    bill = totals(lines, Decimal(vat), Decimal(withholding))
    assert bill.subtotal == sum(lines)
    assert bill.total == bill.subtotal + bill.vat
    assert bill.net == bill.total - bill.withheld
    assert abs(Fraction(bill.vat) - Fraction(bill.subtotal) * Fraction(vat)) <= Fraction(1, 200)
    assert abs(Fraction(bill.withheld) - Fraction(bill.subtotal) * Fraction(withholding)) <= Fraction(1, 200)


def test_an_unrounded_line_is_refused() -> None:
    with pytest.raises(NotMoney, match="not rounded"):
        totals([Decimal("1.005")], Decimal("0.07"))


@pytest.mark.parametrize("bad", ["7", "1", "-0.01"])
def test_a_rate_is_a_fraction(bad: str) -> None:
    with pytest.raises(NotMoney, match="fraction"):
        rate(bad)
    with pytest.raises(NotMoney, match="fraction"):
        totals([Decimal(1)], Decimal(bad))


def test_the_vat_rate_has_dates() -> None:
    rates = [VatRate(date(2027, 10, 1), Decimal("0.10")), VatRate(date(1999, 4, 1), Decimal("0.07"))]
    assert vat_on(date(2027, 9, 30), rates) == Decimal("0.07")
    assert vat_on(date(2027, 10, 1), rates) == Decimal("0.10")
    with pytest.raises(NotMoney):
        vat_on(date(1999, 3, 31), rates)
