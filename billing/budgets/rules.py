"""How an agency stands against its fiscal year's budget: what is spent, what is coming, what is left.

The government's fiscal year runs from 1 October to 30 September and is named in the Buddhist Era: FY2570
is October 2026 to September 2027. Budgets and month totals are with VAT.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from billing.money import ZERO, NotMoney, VatRate, exactly, is_satang, vat_on
from billing.months import BUDDHIST_ERA, FISCAL_YEAR_STARTS, Month
from billing.statements.charges import Allocation
from billing.statements.rules import month_totals, rate_month

HUNDREDTH = Decimal("0.01")


class MonthsMissing(ValueError):
    """A year's forecast without all of its months; `months` names them."""

    def __init__(self, months: Sequence[Month]) -> None:
        super().__init__(f"no total for {', '.join(map(str, months))}")
        self.months = tuple(months)


@dataclass(frozen=True, slots=True, order=True)
class FiscalYear:
    """A government fiscal year, by its name in the Buddhist Era."""

    name: int

    @classmethod
    def of(cls, day: date) -> "FiscalYear":
        """Return the fiscal year a day falls in."""
        return cls(Month.of(day).fiscal_year)

    @property
    def months(self) -> tuple[Month, ...]:
        """Its twelve months, October first."""
        months = [Month(self.name - BUDDHIST_ERA - 1, FISCAL_YEAR_STARTS)]
        while len(months) < 12:
            months.append(months[-1].next)
        return tuple(months)

    @property
    def first(self) -> date:
        """Its first day, 1 October."""
        return self.months[0].first

    @property
    def last(self) -> date:
        """Its last day, 30 September."""
        return self.months[-1].last


def year_totals(
    year: FiscalYear,
    allocations: Iterable[Allocation],
    vat_rates: Sequence[VatRate],
    billed: Mapping[Month, Decimal],
) -> dict[Month, Decimal]:
    """Return every month's total with VAT: as billed where it is, else rated from what is allocated.

    Measured and counted usage that is still to come is not foreseen. The VAT of a month to come is the
    rate in force on its last day.
    """
    known = list(allocations)
    return {
        month: billed[month]
        if month in billed
        else month_totals(rate_month(known, month), vat_on(month.last, vat_rates)).total
        for month in year.months
    }


def forecast(totals: Mapping[Month, Decimal], year: FiscalYear) -> Decimal:
    """Add up the year's months, what is spent and the rest; refuse a year with a gap (`MonthsMissing`)."""
    if missing := [month for month in year.months if month not in totals]:
        raise MonthsMissing(missing)
    with exactly():
        return sum((totals[month] for month in year.months), ZERO)


def spent(billed: Mapping[Month, Decimal], year: FiscalYear) -> Decimal:
    """Add up the months of the year that are billed."""
    with exactly():
        return sum((billed[month] for month in year.months if month in billed), ZERO)


@dataclass(frozen=True, slots=True)
class Standing:
    """A budget and what weighs on it, in baht with VAT; refuses a negative budget and parts of a satang.

    `spent` is billed, with credit and debit notes; `committed` is confirmed and not yet billed, `forecast` is the whole
    year's.
    """

    budget: Decimal
    spent: Decimal
    committed: Decimal
    forecast: Decimal

    def __post_init__(self) -> None:
        if self.budget < 0:
            raise NotMoney(f"a budget is not negative: {self.budget}")
        for amount in (self.budget, self.spent, self.committed, self.forecast):
            if not is_satang(amount):
                raise NotMoney(f"{amount} is not rounded to the satang")

    @property
    def used_pct(self) -> Decimal | None:
        """The part of the budget that is spent, in per cent, half-up to two decimals; None of no budget."""
        if not self.budget:
            return None
        with exactly():
            return (100 * self.spent / self.budget).quantize(HUNDREDTH, ROUND_HALF_UP)

    @property
    def left(self) -> Decimal:
        """The budget less what is spent; negative when more is spent than there is."""
        return self.budget - self.spent

    @property
    def uncommitted(self) -> Decimal:
        """The budget less what is spent and what is committed."""
        return self.left - self.committed

    @property
    def over_by(self) -> Decimal:
        """By how much the forecast exceeds the budget; zero when it does not."""
        return max(self.forecast - self.budget, Decimal("0.00"))

    @property
    def in_all(self) -> Decimal:
        """What the year comes to when what is committed runs too."""
        return self.forecast + self.committed

    @property
    def over_in_all(self) -> Decimal:
        """By how much the forecast with what is committed exceeds the budget; zero when it does not."""
        return max(self.in_all - self.budget, Decimal("0.00"))
