from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import NotMoney
from billing.months import BANGKOK, Month, NaiveDatetime, midnight
from billing.statements.rules import (
    Allocation,
    Charge,
    Item,
    Overlapping,
    PriceChangesWithin,
    Usage,
    first_month,
    month_totals,
    monthly_price,
    rate_month,
    with_change,
)
from billing.tariffs.rules import Basis, NoPrice, graduated, version_on
from tests.billing.priced import (
    BACKUP,
    EDR,
    GI,
    IN_USE,
    RAM,
    SOC,
    SSD,
    VAT,
    VCPU,
    WITHHOLDING,
    allocated,
    at,
    component,
    version,
)

DECEMBER, JANUARY = Month(2026, 12), Month(2027, 1)


def amounts(charges: list[Charge]) -> list[str]:
    return [str(charge.amount) for charge in charges]


def test_s1_december_with_a_change_on_the_16th() -> None:
    asked = [Item(GI, Decimal(500))]
    charges = rate_month(with_change(IN_USE[:1], asked, at(2026, 12, 16)), DECEMBER)
    assert amounts(charges) == ["7258.06", "17806.45"]
    assert [(c.first.day, c.last.day, c.days, c.days_in_month) for c in charges] == [(1, 15, 15, 31), (16, 31, 16, 31)]
    bill = month_totals(charges, VAT, WITHHOLDING)
    assert [str(v) for v in (bill.subtotal, bill.vat, bill.total, bill.withheld, bill.net)] == [
        "25064.51",
        "1754.52",
        "26819.03",
        "250.65",
        "26568.38",
    ]


def test_s1_the_quote_before_and_after() -> None:
    before = month_totals(monthly_price([Item(GI, Decimal(200))], date(2026, 12, 16)), VAT)
    after = month_totals(monthly_price([Item(GI, Decimal(500))], date(2026, 12, 16)), VAT)
    assert (before.subtotal, after.subtotal) == (Decimal("15000.00"), Decimal("34500.00"))
    assert after.subtotal - before.subtotal == Decimal("19500.00")
    assert after.total - before.total == Decimal("20865.00")


S2_ITEMS = [Item(VCPU, Decimal(4)), Item(RAM, Decimal(16)), Item(SSD, Decimal(200)), Item(BACKUP, Decimal(200))]


def test_s2_the_31_day_estimate() -> None:
    quote = month_totals(monthly_price(S2_ITEMS, date(2027, 1, 5)), VAT)
    assert (quote.subtotal, quote.total) == (Decimal("5017.60"), Decimal("5368.83"))


def test_s2_january_with_the_backup_cancelled() -> None:
    delivered = [Allocation(item.component, item.quantity, at(2027, 1, 6, 8)) for item in S2_ITEMS]
    charges = rate_month(with_change(delivered, [Item(BACKUP, Decimal(0))], at(2027, 1, 21)), JANUARY)
    assert amounts(charges) == ["1355.20", "1971.20", "536.77", "174.19"]
    vcpu, ram, ssd, backup = charges
    assert vcpu.hours == ram.hours == 616
    assert (ssd.days, ssd.first.day, ssd.last.day) == (26, 6, 31)
    assert (backup.days, backup.first.day, backup.last.day) == (15, 6, 20)
    bill = month_totals(charges, VAT, WITHHOLDING)
    assert [str(v) for v in (bill.subtotal, bill.vat, bill.total, bill.withheld, bill.net)] == [
        "4037.36",
        "282.62",
        "4319.98",
        "40.37",
        "4279.61",
    ]


def test_s5_december_with_an_sla_credit() -> None:
    in_use = with_change(IN_USE, [Item(GI, Decimal(500))], at(2026, 12, 16))
    charges = rate_month(in_use, DECEMBER)
    assert amounts(charges) == ["7258.06", "17806.45", "39100.00", "14800.00"]
    bill = month_totals(charges, VAT, WITHHOLDING, credited=[Decimal("1253.23")])
    assert [str(v) for v in (bill.subtotal, bill.vat, bill.total, bill.withheld, bill.net)] == [
        "77711.28",
        "5439.79",
        "83151.07",
        "777.11",
        "82373.96",
    ]


def test_the_first_month_is_the_bill_of_that_month() -> None:
    fee = component("Setup", Basis.ONE_TIME, version((None, "1500.00")))
    items = [*S2_ITEMS, Item(fee, Decimal(1))]
    charges = first_month(items, at(2027, 1, 6, 8))
    assert amounts(charges) == ["1500.00", "1355.20", "1971.20", "536.77", "301.94"]
    assert "1500.00" not in amounts(monthly_price(items, date(2027, 1, 6)))
    later = rate_month([Allocation(i.component, i.quantity, at(2027, 1, 6, 8)) for i in items], JANUARY.next)
    assert fee not in [charge.component for charge in later]


def test_a_change_within_a_day_gives_the_day_to_what_came_last() -> None:
    noon, evening = at(2026, 12, 16, 12), at(2026, 12, 16, 18)
    chain = [allocated(GI, 200, at(2026, 1, 1), noon), allocated(GI, 500, noon, evening), allocated(GI, 300, evening)]
    assert [(c.quantity, c.days) for c in rate_month(chain, DECEMBER)] == [(200, 15), (300, 16)]


def test_a_gap_within_a_day_counts_the_day_once() -> None:
    chain = [allocated(GI, 200, at(2026, 12, 1), at(2026, 12, 10, 9)), allocated(GI, 500, at(2026, 12, 10, 15))]
    assert [(c.quantity, c.days) for c in rate_month(chain, DECEMBER)] == [(200, 9), (500, 22)]


def test_an_ending_day_counts_whole_and_midnight_belongs_to_the_next() -> None:
    assert rate_month([allocated(GI, 200, at(2026, 12, 5), at(2026, 12, 20, 0, 1))], DECEMBER)[0].days == 16
    assert rate_month([allocated(GI, 200, at(2026, 12, 5), at(2026, 12, 20))], DECEMBER)[0].days == 15


def test_days_are_bangkoks() -> None:
    starts_at = datetime(2026, 11, 30, 17, tzinfo=UTC)
    assert rate_month([allocated(GI, 200, starts_at)], DECEMBER)[0].days == 31
    assert rate_month([allocated(GI, 200, starts_at)], DECEMBER.previous) == []
    assert rate_month([allocated(GI, 200, starts_at - timedelta(microseconds=1))], DECEMBER.previous)[0].days == 1
    assert rate_month([allocated(VCPU, 1, at(2026, 12, 1), datetime(2026, 12, 31, 17, tzinfo=UTC))], JANUARY) == []


def test_a_price_change_splits_the_line() -> None:
    priced = replace(GI, prices=(*GI.prices, version((None, "80.00"), number=2, since=date(2026, 12, 11))))
    charges = rate_month([allocated(priced, 200, at(2026, 1, 1))], DECEMBER)
    assert [(c.price.number, c.days, str(c.amount)) for c in charges] == [(1, 10, "4838.71"), (2, 21, "10838.71")]
    hourly = replace(VCPU, prices=(*VCPU.prices, version((None, "0.60"), number=2, since=date(2026, 12, 11))))
    charges = rate_month([allocated(hourly, 4, at(2026, 12, 10, 12))], DECEMBER)
    assert [(c.price.number, c.hours) for c in charges] == [(1, 12), (2, 504)]


def test_neighbours_of_one_quantity_and_price_are_one_line() -> None:
    same = [allocated(GI, "200.0", at(2026, 12, 1), at(2026, 12, 9)), allocated(GI, 200, at(2026, 12, 9))]
    assert [c.days for c in rate_month(same, DECEMBER)] == [31]
    apart = [allocated(GI, 200, at(2026, 12, 1), at(2026, 12, 9)), allocated(GI, 200, at(2026, 12, 10))]
    assert [c.days for c in rate_month(apart, DECEMBER)] == [8, 22]


def test_a_quantity_of_zero_is_no_allocation() -> None:
    chain = [allocated(GI, 200, at(2026, 12, 1), at(2026, 12, 10, 9)), allocated(GI, 0, at(2026, 12, 10, 9))]
    assert [(c.quantity, c.days) for c in rate_month(chain, DECEMBER)] == [(200, 10)]


def test_hours_are_exact_to_the_part() -> None:
    charge = rate_month([allocated(VCPU, 3, at(2026, 12, 1, 10), at(2026, 12, 1, 10, 20))], DECEMBER)[0]
    assert charge.amount == Decimal("0.55")  # 3 × 0.55 × a third of an hour, with nothing lost on the way
    assert charge.unrounded == Decimal("0.55")


def test_two_allocations_of_one_component_at_once_are_refused() -> None:
    for what in (GI, VCPU):
        with pytest.raises(Overlapping):
            rate_month([allocated(what, 1, at(2026, 12, 1)), allocated(what, 2, at(2026, 12, 5))], DECEMBER)


def test_a_day_without_a_price_is_refused() -> None:
    with pytest.raises(NoPrice):
        rate_month([allocated(GI, 200, at(2025, 9, 30))], Month(2025, 9))


def test_what_cannot_be_an_allocation_is_refused() -> None:
    with pytest.raises(NotMoney):
        allocated(GI, -1, at(2026, 12, 1))
    with pytest.raises(NotMoney):
        Usage(GI, Decimal(-1), date(2026, 12, 1), date(2026, 12, 1))
    with pytest.raises(NaiveDatetime):
        allocated(GI, 1, datetime(2026, 12, 1))  # noqa: DTZ001 - the missing zone is the point
    with pytest.raises(ValueError, match="ends before"):
        allocated(GI, 1, at(2026, 12, 2), at(2026, 12, 1))
    with pytest.raises(ValueError, match="ends before"):
        Usage(GI, Decimal(1), date(2026, 12, 2), date(2026, 12, 1))


EGRESS = component("Egress", Basis.METERED_SUM, version((100, "0.50"), (None, "0.40")))
STORED = component("Stored", Basis.METERED_MAX, version((1000, "0.90"), (None, "0.75")))
HANDS = component("Remote hands", Basis.PER_EVENT, version((None, "600.00")))


def used(what: object, quantity: int | str, first: date, last: date) -> Usage:
    return Usage(what, Decimal(quantity), first, last)  # type: ignore[arg-type]


def test_a_months_sum_runs_through_the_tiers_once() -> None:
    whole = rate_month([], DECEMBER, [used(EGRESS, 150, DECEMBER.first, DECEMBER.last)])
    assert amounts(whole) == ["70.00"]
    parts = [used(EGRESS, 80, DECEMBER.first, date(2026, 12, 9)), used(EGRESS, 70, date(2026, 12, 10), DECEMBER.last)]
    assert amounts(rate_month([], DECEMBER, reversed(parts))) == ["40.00", "30.00"]


def test_a_months_high_is_prorated_by_the_days_it_covers() -> None:
    assert amounts(rate_month([], DECEMBER, [used(STORED, 1500, DECEMBER.first, DECEMBER.last)])) == ["1275.00"]
    charge = rate_month([], DECEMBER, [used(STORED, 1500, date(2026, 12, 22), DECEMBER.last)])[0]
    assert (charge.days, str(charge.amount)) == (10, "411.29")
    twice = [used(STORED, 1, DECEMBER.first, date(2026, 12, 9)), used(STORED, 2, date(2026, 12, 9), DECEMBER.last)]
    with pytest.raises(Overlapping):
        rate_month([], DECEMBER, twice)


def test_events_are_paid_as_they_happen() -> None:
    events = [used(HANDS, "1.5", date(2026, 12, 3), date(2026, 12, 3)), used(HANDS, 1, *[date(2026, 12, 9)] * 2)]
    charges = rate_month([], DECEMBER, events)
    assert amounts(charges) == ["900.00", "600.00"]
    assert rate_month([], JANUARY, events) == []


def test_an_allocation_of_a_metered_component_costs_nothing_by_itself() -> None:
    assert rate_month([allocated(EGRESS, 100, at(2026, 12, 1))], DECEMBER) == []
    assert amounts(monthly_price([Item(EGRESS, Decimal(150))], date(2026, 12, 1))) == ["70.00"]


def test_usage_across_a_price_change_or_a_month_is_refused() -> None:
    priced = replace(EGRESS, prices=(*EGRESS.prices, version((None, "1"), number=2, since=date(2026, 12, 11))))
    for usage in [
        used(priced, 1, DECEMBER.first, DECEMBER.last),
        used(EGRESS, 1, date(2026, 11, 30), DECEMBER.last),
        used(EGRESS, 1, DECEMBER.last, JANUARY.first),
    ]:
        with pytest.raises(PriceChangesWithin):
            rate_month([], DECEMBER, [usage])


def test_the_formula_is_plain_data() -> None:
    formula = rate_month([allocated(SSD, 200, at(2027, 1, 6, 8))], JANUARY)[0].formula
    assert formula["tranches"] == [{"quantity": "200", "price": "3.20", "amount": "640.00"}]
    assert (formula["full"], formula["share"], formula["whole"], formula["amount"]) == ("640.00", 26, 31, "536.77")
    assert (formula["first"], formula["last"], formula["hours"]) == ("2027-01-06", "2027-01-31", None)
    assert rate_month([allocated(VCPU, 1, at(2027, 1, 6, 8))], JANUARY)[0].formula["hours"] == "616.000000"


def test_a_change_replaces_what_was_planned_after_it() -> None:
    planned = [allocated(GI, 200, at(2026, 1, 1), at(2027, 1, 1)), allocated(GI, 300, at(2027, 1, 1)), IN_USE[1]]
    changed = with_change(planned, [Item(GI, Decimal(500))], at(2026, 12, 16))
    assert changed == [
        allocated(GI, 200, at(2026, 1, 1), at(2026, 12, 16)),
        IN_USE[1],
        allocated(GI, 500, at(2026, 12, 16)),
    ]


def test_lines_have_one_order_whatever_the_order_of_what_comes_in() -> None:
    chain = with_change(IN_USE, [Item(GI, Decimal(500))], at(2026, 12, 16))
    assert rate_month(chain, DECEMBER) == rate_month(reversed(chain), DECEMBER)
    assert [charge.component for charge in rate_month(chain, DECEMBER)] == [GI, GI, EDR, SOC]


months = st.builds(Month, st.sampled_from([2026, 2027, 2028]), st.integers(1, 12))


@st.composite
def chains(draw: st.DrawFn) -> tuple[Month, list[tuple[int, datetime, datetime | None]]]:
    """Draw a month and quantities that follow each other around it, with gaps, changing at any hour."""
    month = draw(months)
    opening = midnight(month.first) - timedelta(days=3)
    hours = sorted(draw(st.sets(st.integers(0, 24 * (month.days + 6)), min_size=1, max_size=8)))
    moments = [opening + timedelta(hours=hour) for hour in hours]
    quantities = draw(st.lists(st.integers(0, 600), min_size=len(moments), max_size=len(moments)))
    return month, list(zip(quantities, moments, [*moments[1:], None], strict=True))


def in_force_last(day: date, chain: list[Allocation]) -> Allocation | None:
    opens, closes = midnight(day), midnight(day + timedelta(days=1))
    touching = [a for a in chain if a.quantity and a.starts_at < closes and (a.ends_at is None or a.ends_at > opens)]
    return max(touching, key=lambda a: a.starts_at, default=None)


@given(chains(), st.integers(1, 28))
def test_daily_charges_equal_a_sum_day_by_day(
    drawn: tuple[Month, list[tuple[int, datetime, datetime | None]]], day_of_price_change: int
) -> None:
    month, stretches = drawn
    change = version((None, "7.77"), number=2, since=month.first.replace(day=day_of_price_change))
    priced = replace(GI, prices=(*GI.prices, change))
    chain = [Allocation(priced, Decimal(quantity), start, end) for quantity, start, end in stretches]
    charges = rate_month(chain, month)
    exact = Fraction(0)
    for number in range(month.days):
        day = month.first + timedelta(days=number)
        if allocation := in_force_last(day, chain):
            price = version_on(day, priced.prices)
            exact += Fraction(graduated(allocation.quantity, price.tiers)) / month.days
    for charge in charges:
        assert charge.days is not None
        share = Fraction(charge.full) * charge.days / month.days
        assert abs(Fraction(charge.amount) - share) <= Fraction(1, 200)
        assert sum(t.amount for t in charge.tranches) == charge.full
    assert sum(Fraction(c.full) * (c.days or 0) / month.days for c in charges) == exact
    assert abs(sum(Fraction(c.amount) for c in charges) - exact) <= Fraction(len(charges), 200)
    days = [c.first + timedelta(days=n) for c in charges for n in range(c.days or 0)]
    assert len(days) == len(set(days))


@given(chains())
def test_hourly_charges_equal_the_time_times_the_price(
    drawn: tuple[Month, list[tuple[int, datetime, datetime | None]]],
) -> None:
    month, stretches = drawn
    chain = [Allocation(VCPU, Decimal(quantity), start, end) for quantity, start, end in stretches]
    charges = rate_month(chain, month)
    exact = Fraction(0)
    for allocation in chain:
        end = min(allocation.ends_at or month.ends_at, month.ends_at)
        seconds = (end - max(allocation.starts_at, month.starts_at)).total_seconds()
        exact += Fraction(allocation.quantity) * max(0, int(seconds)) * Fraction(55, 100 * 3600)
    assert sum(Fraction(c.full) * c.share / c.whole for c in charges) == exact
    assert abs(sum(Fraction(c.amount) for c in charges) - exact) <= Fraction(len(charges), 200)


@given(months, st.integers(1, 10_000), st.lists(st.integers(1, 27), max_size=4, unique=True))
def test_a_whole_month_costs_its_price_however_it_is_cut(month: Month, quantity: int, cuts: list[int]) -> None:
    edges = [midnight(month.first) + timedelta(days=cut) for cut in sorted(cuts)]
    chain = [
        allocated(GI, quantity, start, end)
        for start, end in zip([midnight(month.first), *edges], [*edges, None], strict=True)
    ]
    assert rate_month(chain, month)[0].amount == monthly_price([Item(GI, Decimal(quantity))], month.first)[0].amount
    assert len(rate_month(chain, month)) == 1


@given(months, st.integers(0, 24 * 31 - 1), st.integers(1, 24 * 40))
def test_neighbouring_months_share_no_day_and_no_hour(month: Month, start: int, length: int) -> None:
    starts_at = midnight(month.first) + timedelta(hours=start % (24 * month.days))
    ends_at = starts_at + timedelta(hours=length)
    spanned = [month, month.next, month.next.next]
    hours = [c.hours for m in spanned for c in rate_month([allocated(VCPU, 1, starts_at, ends_at)], m)]
    assert sum(h for h in hours if h is not None) == length
    days = [c.days for m in spanned for c in rate_month([allocated(GI, 1, starts_at, ends_at)], m)]
    last = (ends_at - timedelta(microseconds=1)).astimezone(BANGKOK).date()
    assert sum(d for d in days if d is not None) == (last - starts_at.date()).days + 1
