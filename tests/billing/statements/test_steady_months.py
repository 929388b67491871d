import datetime as dt
import random
import uuid
from decimal import Decimal

import pytest

from billing.months import Month, midnight
from billing.statements.facts import Service
from billing.statements.queries import Book, component_of
from billing.statements.rules import Allocation, Usage
from billing.tariffs.models import PriceItem
from billing.tariffs.queries import TaxTable
from billing.tariffs.rules import Basis, PriceVersion, Tier

MONTHS = [Month(2026, month) for month in range(1, 13)] + [Month(2027, month) for month in range(1, 13)]
DAYS = [dt.date(2026, 1, 1), dt.date(2026, 4, 1), dt.date(2026, 6, 15), dt.date(2027, 2, 1)]


def made_up(rng: random.Random) -> Book:
    """Return a book of services of two providers on every basis, changing here and there, some at a month's edge."""
    services, items, allocations, usages = {}, {}, [], []
    for n in range(6):
        service = Service(uuid.uuid4(), uuid.UUID(int=9), uuid.UUID(int=n % 2), f"S-{n}", "VM", "cloud", "s", "s", "")
        services[service.id] = service
        for basis in Basis:
            item = PriceItem(id=uuid.uuid4(), name_th="i", name_en="i", unit_th="u", unit_en="u", basis=basis)
            items[item.id] = item
            changes = [DAYS[0], *rng.sample(DAYS[1:], rng.randrange(3))]
            versions = tuple(
                PriceVersion(
                    f"{item.id}/{day}",
                    1,
                    day,
                    (Tier(Decimal(5), Decimal(rng.randrange(999)).scaleb(-2)), Tier(None, Decimal(1))),
                )
                for day in sorted(changes)
            )
            component = component_of(service.id, uuid.uuid4(), item, versions)
            moments = sorted(
                midnight(rng.choice(DAYS) + dt.timedelta(days=rng.choice([0, 0, 30, 61])))
                + dt.timedelta(hours=rng.choice([0, 0, 9]))
                for _ in range(3)
            )
            ends = [*moments[1:], rng.choice([None, midnight(dt.date(2027, 9, 1))])]
            allocations += [
                Allocation(component, Decimal(rng.randrange(1, 40)), start, end)
                for start, end in zip(moments, ends, strict=True)
                if start != end
            ]
            if not basis.is_allocated:
                usages += [
                    Usage(component, Decimal(rng.randrange(90)), month.first, month.first) for month in MONTHS[:3]
                ]
    return Book(uuid.uuid4(), services, items, tuple(allocations), TaxTable((), ()), usages=tuple(usages))


@pytest.mark.parametrize("seed", range(8))
def test_a_months_sum_is_its_lines_also_where_another_month_was_rated_for_it(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    book = made_up(rng)
    wanted = {month: sum((line.amount for line in book.lines(month)), Decimal(0)) for month in MONTHS}
    in_any_order = rng.sample(MONTHS, len(MONTHS))
    assert {month: book.sums(month).subtotal for month in in_any_order} == wanted
    assert len(set(wanted.values())) > 10
