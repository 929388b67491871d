"""The official holidays and tax rates a portal starts with."""

import datetime as dt
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from billing.tariffs.queries import tax_table
from portal import reference
from portal.reference import government_holidays
from services.calendar import commands as calendar
from services.calendar.models import Holiday
from services.calendar.queries import official
from tests.cast import actor
from tests.stage import at

NOW = at("2026-12-04")


def test_the_published_years_are_taken_as_they_are() -> None:
    days = {each.day for each in government_holidays(2026, 2027)}
    assert {dt.date(2026, 12, 7), dt.date(2026, 12, 10), dt.date(2026, 12, 31), dt.date(2027, 1, 1)} <= days
    assert len(days) == 38


@pytest.mark.parametrize("year", range(2024, 2032))
def test_the_government_works_on_labour_day_and_no_weekend_is_listed(year: int) -> None:
    days = [each.day for each in government_holidays(year, year)]
    assert dt.date(year, 5, 1) not in days
    assert all(day.weekday() < 5 and day.year == year for day in days)
    assert len(days) == len(set(days)) > 14
    if dt.date(year, 5, 1).weekday() >= 5:  # nor is there a substitute for it
        assert not {dt.date(year, 5, 2), dt.date(year, 5, 3)} & set(days)


async def test_loading_again_changes_nothing_that_people_changed(database: str) -> None:
    added = await reference.load(NOW)
    assert added > 100
    manager = await actor("manager")
    async with acting_as(manager):
        await calendar.withdraw(dt.date(2026, 12, 10), by=manager, now=NOW)
        await calendar.declare(dt.date(2026, 12, 11), "วันหยุดพิเศษ", by=manager, now=NOW)
    assert await reference.load(NOW) == 0
    async with acting_as(system("test")):
        working = await official()
        assert await Holiday.all().count() == added + 1
        taxes = await tax_table()
    assert working.is_working_day(dt.date(2026, 12, 10))
    assert not working.is_working_day(dt.date(2026, 12, 11))
    assert taxes.vat_on(NOW.date()) == Decimal("0.07")
    assert len(taxes.vat) == 1
    assert [rate for _, _, rate in taxes.withholding] == [Decimal("0.01")]
