from datetime import date
from decimal import Decimal

import pytest

from billing.budgets.rules import FiscalYear, MonthsMissing, Standing, forecast, spent, year_totals
from billing.money import NotMoney, VatRate
from billing.months import Month
from billing.statements.rules import Item, month_totals, rate_month, with_change
from tests.billing.priced import GI, IN_USE, VAT, at

FY2570 = FiscalYear(2570)
VAT_RATES = [VatRate(date(1999, 4, 1), VAT)]
BUDGET = Decimal("1000000.00")
CHANGED = with_change(IN_USE, [Item(GI, Decimal(500))], at(2026, 12, 16))


def test_fy2570_is_october_2026_to_september_2027() -> None:
    assert (FY2570.first, FY2570.last) == (date(2026, 10, 1), date(2027, 9, 30))
    assert len(FY2570.months) == 12
    assert {month.fiscal_year for month in FY2570.months} == {2570}
    assert FiscalYear.of(date(2026, 9, 30)) == FiscalYear(2569)
    assert FiscalYear.of(date(2026, 10, 1)) == FY2570


def test_s1_the_forecast_before_and_after_the_change() -> None:
    before = forecast(year_totals(FY2570, IN_USE, VAT_RATES, {}), FY2570)
    after = forecast(year_totals(FY2570, CHANGED, VAT_RATES, {}), FY2570)
    assert (before, after) == (Decimal("884676.00"), Decimal("1083230.03"))
    assert Standing(BUDGET, Decimal(0), Decimal(0), before).over_by == 0
    assert Standing(BUDGET, Decimal(0), Decimal(0), after).over_by == Decimal("83230.03")


def test_s5_after_december_with_its_credit() -> None:
    december = month_totals(rate_month(CHANGED, Month(2026, 12)), VAT, credited=[Decimal("1253.23")]).total
    billed = {
        Month(2026, 10): Decimal("73723.00"),
        Month(2026, 11): Decimal("73723.00"),
        Month(2026, 12): december,
        Month(2026, 9): Decimal("999.99"),
    }
    foreseen = forecast(year_totals(FY2570, CHANGED, VAT_RATES, billed), FY2570)
    standing = Standing(BUDGET, spent(billed, FY2570), Decimal("1000.00"), foreseen)
    assert standing.spent == Decimal("230597.07")
    assert str(standing.used_pct) == "23.06"
    assert standing.left == Decimal("769402.93")
    assert standing.uncommitted == Decimal("768402.93")
    assert standing.forecast == Decimal("1081889.07")
    assert standing.over_by == Decimal("81889.07")


def test_october_and_november_are_73723_each() -> None:
    months = year_totals(FY2570, IN_USE, VAT_RATES, {})
    assert months[Month(2026, 10)] == months[Month(2026, 11)] == Decimal("73723.00")


def test_a_gap_in_the_year_is_named() -> None:
    months = year_totals(FY2570, IN_USE, VAT_RATES, {})
    del months[Month(2027, 2)]
    with pytest.raises(MonthsMissing, match="2027-02") as refusal:
        forecast(months, FY2570)
    assert refusal.value.months == (Month(2027, 2),)


@pytest.mark.parametrize(("spent_so_far", "pct"), [("0", "0.00"), ("333.25", "33.33"), ("1500.00", "150.00")])
def test_the_part_used_is_rounded_half_up(spent_so_far: str, pct: str) -> None:
    assert str(Standing(Decimal(1000), Decimal(spent_so_far), Decimal(0), Decimal(0)).used_pct) == pct


def test_no_budget_has_no_part_used() -> None:
    standing = Standing(Decimal(0), Decimal("1.00"), Decimal(0), Decimal("1.00"))
    assert (standing.used_pct, standing.left, standing.over_by) == (None, Decimal(-1), Decimal(1))


def test_what_is_no_budget_is_refused() -> None:
    with pytest.raises(NotMoney):
        Standing(Decimal(-1), Decimal(0), Decimal(0), Decimal(0))
    with pytest.raises(NotMoney):
        Standing(Decimal(1), Decimal("0.001"), Decimal(0), Decimal(0))
