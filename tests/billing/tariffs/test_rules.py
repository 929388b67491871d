from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.money import NotMoney, VatRate
from billing.tariffs.rules import (
    AboveCeiling,
    BadTiers,
    Ceiling,
    NoPrice,
    PriceVersion,
    Tier,
    above_ceiling,
    check_ceilings,
    check_prices,
    graduated,
    tiers_from,
    tiers_to_json,
    tranches,
    version_on,
    versions_between,
)

GI = tiers_from([{"upto": 100, "price": "85.00"}, {"upto": 500, "price": "65.00"}, {"upto": None, "price": "50.00"}])
VCPU = tiers_from([{"upto": None, "price": "0.55"}])

prices = st.decimals(min_value=0, max_value=10_000, places=4)


@st.composite
def tier_tables(draw: st.DrawFn) -> tuple[Tier, ...]:
    limits = sorted(draw(st.sets(st.integers(1, 300), max_size=5)))
    return tuple(Tier(None if limit is None else Decimal(limit), draw(prices)) for limit in [*limits, None])


@pytest.mark.parametrize(
    ("quantity", "cost"),
    [
        ("0", "0"),
        ("0.5", "42.5"),
        ("1", "85"),
        ("100", "8500"),
        ("100.25", "8516.25"),
        ("101", "8565"),
        ("200", "15000"),
        ("500", "34500"),
        ("501", "34550"),
    ],
)
def test_each_tranche_has_its_own_price(quantity: str, cost: str) -> None:
    assert graduated(Decimal(quantity), GI) == Decimal(cost)


def test_tranches_explain_the_amount() -> None:
    assert tranches(Decimal(500), GI) == [(100, 85, 8500), (400, 65, 26000)]
    assert tranches(Decimal(0), GI) == []


@given(st.integers(0, 400), tier_tables())
def test_graduated_equals_a_sum_unit_by_unit(quantity: int, tiers: tuple[Tier, ...]) -> None:
    one_by_one = Decimal(0)
    for unit in range(1, quantity + 1):
        one_by_one += next(tier.price for tier in tiers if tier.upto is None or unit <= tier.upto)
    assert graduated(Decimal(quantity), tiers) == one_by_one


@given(
    st.decimals(min_value=0, max_value=400, places=6), st.decimals(min_value=0, max_value=400, places=6), tier_tables()
)
def test_going_on_where_one_stopped_costs_the_same(before: Decimal, more: Decimal, tiers: tuple[Tier, ...]) -> None:
    parts = graduated(before, tiers) + graduated(more, tiers, after=before)
    assert parts == graduated(before + more, tiers)
    assert graduated(before + more, tiers) >= graduated(before, tiers)
    assert sum(tranche.quantity for tranche in tranches(more, tiers, before)) == more


def test_a_negative_quantity_is_refused() -> None:
    with pytest.raises(NotMoney):
        graduated(Decimal(-1), GI)


@given(tier_tables())
def test_tiers_survive_json(tiers: tuple[Tier, ...]) -> None:
    assert tiers_from(tiers_to_json(tiers)) == tiers


@pytest.mark.parametrize(
    ("json", "field"),
    [
        ([], "tiers"),
        ({}, "tiers"),
        ("text", "tiers"),
        (None, "tiers"),
        ([7], "tiers[0]"),
        ([{"upto": None}], "tiers[0].price"),
        ([{"price": "1"}], "tiers[0].upto"),
        ([{"upto": 100, "price": "1"}], "tiers[0].upto"),
        ([{"upto": None, "price": "1"}, {"upto": None, "price": "1"}], "tiers[0].upto"),
        ([{"upto": 0, "price": "1"}, {"upto": None, "price": "1"}], "tiers[0].upto"),
        ([{"upto": 5, "price": "1"}, {"upto": 5, "price": "1"}, {"upto": None, "price": "1"}], "tiers[1].upto"),
        ([{"upto": 5, "price": "1"}, {"upto": None, "price": "-0.01"}], "tiers[1].price"),
        ([{"upto": None, "price": 0.55}], "tiers[0].price"),
        ([{"upto": None, "price": True}], "tiers[0].price"),
        ([{"upto": 1.5, "price": "1"}, {"upto": None, "price": "1"}], "tiers[0].upto"),
        ([{"upto": None, "price": None}], "tiers[0].price"),
    ],
)
def test_a_bad_table_names_its_field(json: object, field: str) -> None:
    with pytest.raises(BadTiers) as refusal:
        tiers_from(json)
    assert refusal.value.field == field


def test_unknown_keys_are_passed_over() -> None:
    assert tiers_from([{"upto": None, "price": "0.55", "colour": "blue"}]) == VCPU


def test_s2_a_vcpu_at_071_is_above_its_ceiling() -> None:
    ceiling = Ceiling(Decimal("0.70"), date(2026, 10, 1))
    at_ceiling = (Tier(None, Decimal("0.70")),)
    above = (Tier(None, Decimal("0.71")),)
    assert above_ceiling(at_ceiling, ceiling) is None
    assert above_ceiling(above, ceiling) == above[0]
    check_ceilings(at_ceiling, date(2027, 1, 1), None, [ceiling])
    with pytest.raises(AboveCeiling) as refusal:
        check_ceilings(above, date(2027, 1, 1), None, [ceiling])
    assert refusal.value.tier == above[0]


def test_the_first_tier_above_is_named() -> None:
    assert above_ceiling(GI, Ceiling(Decimal("60.00"), date(2026, 1, 1))) == GI[0]
    assert above_ceiling(tuple(reversed(GI)), Ceiling(Decimal("60.00"), date(2026, 1, 1))) == GI[1]


@pytest.mark.parametrize(("price", "kept"), [("100.00", True), ("100.01", False), ("107.00", False)])
def test_a_ceiling_with_vat_in_it_is_compared_net(price: str, kept: bool) -> None:
    ceiling = Ceiling(Decimal("107.00"), date(2026, 1, 1), includes_vat=True)
    assert (above_ceiling((Tier(None, Decimal(price)),), ceiling, Decimal("0.07")) is None) is kept


def test_every_ceiling_of_the_prices_time_counts() -> None:
    tiers = (Tier(None, Decimal(90)),)
    ceilings = [Ceiling(Decimal(c), date(y, 1, 1)) for c, y in [(80, 2025), (100, 2026), (85, 2028)]]
    check_ceilings(tiers, date(2026, 1, 1), date(2027, 12, 31), ceilings)
    check_ceilings(tiers, date(2020, 1, 1), date(2020, 12, 31), ceilings)
    for first, last in [(date(2025, 12, 31), None), (date(2026, 1, 1), None), (date(2026, 1, 1), date(2028, 1, 1))]:
        with pytest.raises(AboveCeiling):
            check_ceilings(tiers, first, last, ceilings)


def test_a_ceiling_with_vat_in_it_is_held_to_the_vat_of_each_day() -> None:
    """107.00 with VAT: 100.00 at 7 %, from 1 October 2027 97.27 at 10 %, and before the first rate 107.00."""
    vat = [VatRate(date(2026, 10, 1), Decimal("0.07")), VatRate(date(2027, 10, 1), Decimal("0.10"))]
    ceiling = Ceiling(Decimal("107.00"), date(2026, 1, 1), includes_vat=True)

    def refused(price: str, first: date, last: date | None) -> tuple[date, Decimal] | None:
        try:
            check_ceilings((Tier(None, Decimal(price)),), first, last, [ceiling], vat)
        except AboveCeiling as refusal:
            return refusal.on, refusal.vat_rate
        return None

    begins, ends = date(2026, 12, 1), date(2027, 9, 30)
    assert refused("100.00", begins, ends) is None
    assert refused("100.01", begins, ends) == (begins, Decimal("0.07"))
    assert (
        refused("100.00", begins, None)
        == refused("100.00", begins, date(2027, 10, 1))
        == (vat[1].effective_from, vat[1].rate)
    )
    assert refused("97.27", begins, None) is None
    assert refused("97.28", date(2028, 1, 1), None) == (date(2028, 1, 1), Decimal("0.10"))
    assert refused("107.00", date(2026, 1, 1), date(2026, 9, 30)) is None
    assert refused("107.00", date(2026, 1, 1), begins) == (date(2026, 10, 1), Decimal("0.07"))
    # Nor is one without VAT any other for what VAT does.
    check_ceilings((Tier(None, Decimal(107)),), begins, None, [Ceiling(Decimal(107), date(2026, 1, 1))], vat)


def test_a_ceiling_is_held_against_each_price_at_the_vat_of_its_own_days() -> None:
    vat = [VatRate(date(2020, 1, 1), Decimal("0.07")), VatRate(date(2027, 10, 1), Decimal("0.10"))]
    ceiling = Ceiling(Decimal("107.00"), date(2026, 12, 1), includes_vat=True)
    dear, cheap = (Tier(None, Decimal(100)),), (Tier(None, Decimal("97.27")),)
    first = PriceVersion(1, 1, date(2026, 1, 1), dear)
    # The price goes down with the day on which VAT goes up, or too late by a day.
    check_prices(ceiling, None, [first, PriceVersion(2, 2, date(2027, 10, 1), cheap)], vat)
    with pytest.raises(AboveCeiling) as refusal:
        check_prices(ceiling, None, [first, PriceVersion(2, 2, date(2027, 10, 2), cheap)], vat)
    assert (refusal.value.on, refusal.value.vat_rate) == (date(2027, 10, 1), Decimal("0.10"))
    # One that begins later is held to the rate of its own day, not to that of the ceiling's.
    later = PriceVersion(2, 2, date(2027, 11, 1), dear)
    with pytest.raises(AboveCeiling):
        check_prices(ceiling, None, [PriceVersion(1, 1, date(2026, 1, 1), cheap), later], vat)
    check_prices(ceiling, date(2027, 10, 31), [PriceVersion(1, 1, date(2026, 1, 1), cheap), later], vat)


def versions(*starts: date) -> list[PriceVersion]:
    return [PriceVersion(number, number, start, VCPU) for number, start in enumerate(starts, 1)]


def test_the_latest_version_begun_is_in_force() -> None:
    known = versions(date(2026, 1, 1), date(2026, 12, 16), date(2026, 12, 16))
    assert version_on(date(2026, 12, 15), known).number == 1
    assert version_on(date(2026, 12, 16), known).number == 3
    with pytest.raises(NoPrice):
        version_on(date(2025, 12, 31), known)


@given(st.lists(st.integers(0, 60), max_size=5), st.integers(0, 60), st.integers(0, 30))
def test_versions_between_covers_every_day_once(starts: list[int], first: int, length: int) -> None:
    origin = date(2026, 1, 1)
    known = versions(origin, *(origin + timedelta(days=start) for start in starts))
    begin, end = origin + timedelta(days=first), origin + timedelta(days=first + length)
    days = {
        start + timedelta(days=offset): version
        for start, stop, version in versions_between(begin, end, known)
        for offset in range((stop - start).days + 1)
    }
    assert days == {
        begin + timedelta(days=offset): version_on(begin + timedelta(days=offset), known)
        for offset in range(length + 1)
    }
    assert sum((stop - start).days + 1 for start, stop, _ in versions_between(begin, end, known)) == length + 1
