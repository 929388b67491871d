"""docs/pricing.md, read and worked out: every computation written there, and every table against the rules."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from billing.months import Month
from billing.payments.rules import Account, receipt_vat
from billing.statements.charges import Charge, Component, Usage
from billing.statements.rules import month_totals, rate_month
from billing.tariffs.rules import Basis
from tests.billing.priced import (
    BACKUP,
    EDR,
    GI,
    LONG_AGO,
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

PAGE = Path("docs/pricing.md").read_text("utf-8")
DECEMBER, JANUARY = Month(2026, 12), Month(2027, 1)
D = Decimal
_NUMBER = r"−?[0-9][0-9,]*(?:\.[0-9]+)?"
_SUM = re.compile(rf"((?:{_NUMBER})(?: [×÷+−] {_NUMBER})+(?: [%])?) = \**({_NUMBER})(…?)")
ENERGY = component("kWh", Basis.METERED_SUM, version((1000, "4.50"), (None, "4.00")))
CHEAPER = version((100, "80.00"), (None, "60.00"), number=2, since=dt.date(2026, 12, 11))
DEARER = version((1000, "5.00"), (None, "3.00"), number=2, since=dt.date(2026, 12, 11))


def number(text: str) -> Decimal:
    return D(text.replace(",", "").replace("−", "-").strip("* "))


def worked_out(expression: str) -> Decimal:
    """Work `a × b + c × d ÷ e` out from left to right, multiplication and division first; a per cent is a hundredth."""
    total = D(0)
    for sign, term in re.findall(rf"(^|[+−] )({_NUMBER}(?: [×÷] {_NUMBER})*)", expression.removesuffix(" %")):
        first, *rest = re.split(r" ([×÷]) ", term)
        product = number(first)
        for operator, factor in zip(rest[::2], rest[1::2], strict=True):
            product = product * number(factor) if operator == "×" else product / number(factor)
        total += -product if sign.startswith("−") else product
    return total / 100 if expression.endswith("%") else total


def written() -> Iterator[tuple[str, str, bool]]:
    for line in PAGE.splitlines():
        # An availability is a share of which the page shows the per cents.
        if "99.708" not in line:
            for expression, result, goes_on in _SUM.findall(line):
                yield expression, result, bool(goes_on)


@pytest.mark.parametrize(("expression", "result", "goes_on"), list(written()))
def test_a_computation_on_the_page_comes_to_what_it_says(expression: str, result: str, goes_on: bool) -> None:
    found = worked_out(expression)
    if goes_on:
        assert f"{found:f}".startswith(f"{number(result):f}"), found
    else:
        assert found == number(result)


def test_the_page_is_read() -> None:
    assert len(list(written())) >= 20


def amounts(heading: str, column: int = -1) -> list[Decimal]:
    """Return the figures of a column of the table that begins with a heading, bold ones too."""
    lines = PAGE[PAGE.index(f"| {heading} |") :].splitlines()
    rows = [line.strip().strip("|").split("|") for line in lines[2 : lines.index("") if "" in lines else None]]
    return [number(cells[column]) for cells in rows if re.fullmatch(rf"\**{_NUMBER}\**", cells[column].strip())]


def rated(charges: list[Charge]) -> list[Decimal]:
    return [charge.amount for charge in charges]


def test_s1_is_rated_as_its_table_says() -> None:
    charges = rate_month(
        [allocated(GI, 200, at(2026, 10, 1), at(2026, 12, 16)), allocated(GI, 500, at(2026, 12, 16))], DECEMBER
    )
    sums = month_totals(charges, VAT, WITHHOLDING)
    assert amounts("December") == [*rated(charges), sums.subtotal, sums.vat, sums.total, sums.withheld, sums.net]


def test_s2_is_rated_as_its_table_says() -> None:
    since = at(2027, 1, 6, 8)
    asked = [(VCPU, 4), (RAM, 16), (SSD, 200)]
    machine = [allocated(what, quantity, since) for what, quantity in asked]
    charges = rate_month([*machine, allocated(BACKUP, 200, since, at(2027, 1, 21))], JANUARY)
    sums = month_totals(charges, VAT, WITHHOLDING)
    assert amounts("Line")[:9] == [*rated(charges), sums.subtotal, sums.vat, sums.total, sums.withheld, sums.net]


def test_s5_is_rated_as_its_table_says() -> None:
    internet = [allocated(GI, 200, at(2026, 10, 1), at(2026, 12, 16)), allocated(GI, 500, at(2026, 12, 16))]
    others = [allocated(EDR, 620, at(2026, 10, 1)), allocated(SOC, 800, at(2026, 10, 1))]
    charges = rate_month(internet + others, DECEMBER)
    sums = month_totals(charges, VAT, WITHHOLDING, [D("1253.23")])
    one, two, *rest = rated(charges)
    wanted = [one + two, *rest, D("-1253.23"), sums.subtotal, sums.vat, sums.total, sums.withheld, sums.net]
    assert amounts("Line | Amount") == wanted


def measured(what: Component, quantity: str, first: int = 1, last: int = 31) -> list[Decimal]:
    return rated(
        rate_month([], DECEMBER, [Usage(what, D(quantity), dt.date(2026, 12, first), dt.date(2026, 12, last))])
    )


def flat(basis: Basis) -> Component:
    return component(str(basis), basis, version((None, "100.00")))


def test_the_other_bases_are_rated_as_their_table_says() -> None:
    installed = rate_month([allocated(flat(Basis.ONE_TIME), 2, at(2026, 12, 7))], DECEMBER)
    assert amounts("Measured") == [
        *measured(ENERGY, "1200.5"),
        *measured(flat(Basis.METERED_MAX), "95.25"),
        *measured(flat(Basis.METERED_MAX), "31", first=10),
        *measured(flat(Basis.PER_EVENT), "3"),
        *rated(installed),
    ]


def test_changes_within_a_month_are_rated_as_their_tables_say() -> None:
    internet = replace(GI, prices=(*GI.prices, CHEAPER))
    energy = replace(ENERGY, prices=(*ENERGY.prices, DEARER))
    used = [
        Usage(energy, D(900), dt.date(2026, 12, 1), dt.date(2026, 12, 10)),
        Usage(energy, D(300), dt.date(2026, 12, 11), dt.date(2026, 12, 31)),
    ]
    charges = rate_month([allocated(internet, 200, at(2026, 10, 1))], DECEMBER) + rate_month([], DECEMBER, used)
    assert amounts("Line | Days") == rated(charges)
    februaries = []
    for year, last in ((2027, 28), (2028, 29)):
        less = at(year, 2, last)
        chain = [allocated(SOC, 800, at(LONG_AGO.year, 10, 1), less), allocated(SOC, 500, less)]
        februaries += rated(rate_month(chain, Month(year, 2)))
    assert amounts("February") == februaries


def test_receipts_bear_the_vat_the_page_says() -> None:
    invoice = Account(D("83151.07"), D("5439.79"))
    first = receipt_vat(invoice, D("10093.46"))
    paid = replace(invoice, received=D("10093.46"), receipted_vat=first)
    assert amounts("Paid") == [first, receipt_vat(paid, D("73057.61"))]
    assert amounts("Paid", 0) == [D("10093.46"), paid.open]
