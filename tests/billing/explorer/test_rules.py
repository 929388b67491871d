"""Adding costs up, splitting them exactly, and saying what made them jump."""

import datetime as dt
import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.explorer.rules import Cause, Entry, Grouping, Nature, added_up, jumps, shared_out
from billing.months import Month
from billing.tariffs.rules import Basis

OCTOBER, NOVEMBER, DECEMBER = Month(2026, 10), Month(2026, 11), Month(2026, 12)
SERVICE = uuid.UUID(int=1)


def entry(
    month: Month,
    amount: str,
    *,
    quantity: str = "100",
    first: int = 1,
    last: int | None = None,
    version: int | None = 1,
    component: str = "bandwidth",
    nature: Nature = Nature.CHARGE,
    service: uuid.UUID = SERVICE,
    centre: str = "",
    basis: Basis = Basis.DAILY,
) -> Entry:
    return Entry(
        month,
        service,
        ("อินเทอร์เน็ต", "Internet"),
        "network",
        centre,
        (component, component),
        component,
        nature,
        Decimal(quantity),
        month.first.replace(day=first),
        month.last if last is None else month.first.replace(day=last),
        version,
        Decimal(amount),
        basis=basis,
    )


POWER = {"component": "power", "basis": Basis.METERED_SUM}
RACK = [entry(NOVEMBER, "900", component="rack"), entry(DECEMBER, "900", component="rack")]


def test_what_was_not_used_is_neither_new_nor_ended_while_its_service_goes_on() -> None:
    used = entry(NOVEMBER, "5000", **POWER)
    assert [each.causes for each in jumps([*RACK, used], DECEMBER)] == [(Cause.QUANTITY,)]
    assert [each.causes for each in jumps([used], DECEMBER)] == [(Cause.ENDED,)]
    begun = entry(DECEMBER, "5000", **POWER)
    assert [each.causes for each in jumps([*RACK, begun], DECEMBER)] == [(Cause.QUANTITY,)]
    assert [each.causes for each in jumps([begun], DECEMBER)] == [(Cause.NEW,)]


def test_what_was_used_is_added_up_over_the_parts_of_a_month() -> None:
    before = entry(NOVEMBER, "1350", quantity="300", **POWER)
    parts = [
        entry(DECEMBER, "1350", quantity="300", last=15, **POWER),
        entry(DECEMBER, "1500", quantity="300", first=16, version=2, **POWER),
    ]
    assert [each.causes for each in jumps([before, *parts], DECEMBER)] == [(Cause.PRICE, Cause.QUANTITY)]
    # Nothing used before the price changed is no shorter time.
    dearer = entry(DECEMBER, "3000", quantity="300", first=16, version=2, **POWER)
    assert [each.causes for each in jumps([before, dearer], DECEMBER)] == [(Cause.PRICE,)]


@pytest.mark.parametrize(
    ("before", "after", "causes"),
    [
        ([], [entry(DECEMBER, "5000")], (Cause.NEW,)),
        ([entry(NOVEMBER, "5000")], [], (Cause.ENDED,)),
        ([entry(NOVEMBER, "5000")], [entry(DECEMBER, "8000", version=2)], (Cause.PRICE,)),
        ([entry(NOVEMBER, "5000")], [entry(DECEMBER, "8000", quantity="160")], (Cause.QUANTITY,)),
        ([entry(NOVEMBER, "5000", first=16)], [entry(DECEMBER, "10000")], (Cause.TIME,)),
        (
            [entry(NOVEMBER, "5000", first=16)],
            [entry(DECEMBER, "16000", quantity="160", version=2)],
            (Cause.PRICE, Cause.QUANTITY, Cause.TIME),
        ),
        # A change within the month: two lines of one component, and all of its days.
        (
            [entry(NOVEMBER, "15000", quantity="200")],
            [
                entry(DECEMBER, "7258.06", quantity="200", last=15),
                entry(DECEMBER, "17806.45", quantity="500", first=16),
            ],
            (Cause.QUANTITY,),
        ),
    ],
)
def test_what_made_it_jump(before: list[Entry], after: list[Entry], causes: tuple[Cause, ...]) -> None:
    [jump] = jumps([*before, *after], DECEMBER)
    assert jump.causes == causes
    assert jump.difference == sum(each.amount for each in after) - sum(each.amount for each in before)


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("5000", "5999.99", 0),  # less than a thousand
        ("5000", "6000", 1),  # a thousand, and a fifth
        ("5000.01", "6000.01", 0),  # a thousand, and less than a fifth
        ("10000", "8000", 1),
        ("5000", "5000", 0),
    ],
)
def test_unusual_is_a_fifth_and_a_thousand_baht(before: str, after: str, found: int) -> None:
    assert len(jumps([entry(NOVEMBER, before), entry(DECEMBER, after, quantity="120")], DECEMBER)) == found


def test_corrections_and_credits_stand_for_themselves() -> None:
    entries = [
        entry(NOVEMBER, "5000"),
        entry(DECEMBER, "5000"),
        entry(DECEMBER, "-1253.23", nature=Nature.CREDIT, component=""),
        entry(DECEMBER, "4000", nature=Nature.CORRECTION),
        entry(DECEMBER, "-999.99", nature=Nature.CREDIT, component=""),
    ]
    assert [(jump.causes, jump.after) for jump in jumps(entries, DECEMBER)] == [
        ((Cause.CORRECTION,), Decimal(4000)),
        ((Cause.CREDIT,), Decimal("-1253.23")),
    ]


def test_only_the_month_asked_for_is_compared() -> None:
    entries = [entry(OCTOBER, "5000"), entry(NOVEMBER, "9000", quantity="180"), entry(DECEMBER, "9000", quantity="180")]
    assert jumps(entries, DECEMBER) == []
    assert [jump.month for jump in jumps(entries, NOVEMBER)] == [NOVEMBER]


@pytest.mark.parametrize("by", list(Grouping))
def test_every_grouping_comes_to_the_same(by: Grouping) -> None:
    entries = [
        entry(NOVEMBER, "5000.01", centre="A"),
        entry(NOVEMBER, "0.02", component="ipv4"),
        entry(DECEMBER, "-12.30", service=uuid.UUID(int=2), nature=Nature.CREDIT),
    ]
    sums = added_up(entries, by)
    assert sum(amount for months in sums.values() for amount in months.values()) == Decimal("4987.73")


@given(
    st.integers(-(10**11), 10**11),
    st.dictionaries(st.text("abc", min_size=1, max_size=3), st.integers(0, 10**10), min_size=1, max_size=6),
)
def test_parts_add_up_to_the_satang(satang: int, weights: dict[str, int]) -> None:
    amount = Decimal(satang).scaleb(-2)
    heavy = {name: Decimal(weight).scaleb(-2) for name, weight in weights.items()}
    parts = shared_out(amount, heavy)
    assert sum(parts.values()) == amount
    whole = sum(heavy.values())
    if whole:
        assert all(abs(parts[name] - amount * heavy[name] / whole) < Decimal("0.011") for name in heavy)


def test_no_part_of_nothing_and_no_negative_weight() -> None:
    assert shared_out(Decimal("1.00"), {}) == {}
    assert shared_out(Decimal("0.05"), {"a": Decimal(1), "b": Decimal(1)}) == {
        "a": Decimal("0.03"),
        "b": Decimal("0.02"),
    }
    with pytest.raises(ValueError, match="negative"):
        shared_out(Decimal("1.00"), {"a": Decimal(-1)})


def test_a_leap_february_is_a_whole_month() -> None:
    january, february = Month(2028, 1), Month(2028, 2)
    assert dt.date(2028, 2, 29) == february.last
    entries = [entry(january, "5000"), entry(february, "9000", quantity="180")]
    assert jumps(entries, february)[0].causes == (Cause.QUANTITY,)
