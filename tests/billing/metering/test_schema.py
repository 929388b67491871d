import asyncpg
import pytest

from auth.rules import system
from auth.tenancy import acting_as, rows


@pytest.mark.parametrize("month", ["2027-01-01", "2028-02-01"])
async def test_a_months_partition_is_made_once_by_whoever_needs_it(database: str, month: str) -> None:
    for _ in range(2):
        async with acting_as(system("test")):
            await rows("SELECT usage_partition($1::text::date)", month)
    async with acting_as(system("test")):
        [made] = await rows(
            "SELECT count(*) AS n FROM pg_class WHERE relname = $1 AND relrowsecurity AND relforcerowsecurity",
            f"usage_event_{month[:7].replace('-', '_')}",
        )
    assert made["n"] == 1


@pytest.mark.parametrize("month", ["2027-01-02", "1999-01-01", "2101-01-01"])
async def test_no_partition_is_made_for_what_is_no_month_of_usage(database: str, month: str) -> None:
    with pytest.raises(Exception, match="no such month of usage"):
        async with acting_as(system("test")):
            await rows("SELECT usage_partition($1::text::date)", month)


async def test_nobody_reads_a_partition_past_the_table(database: str) -> None:
    async with acting_as(system("test")):
        await rows("SELECT usage_partition('2027-01-01')")
    with pytest.raises(Exception, match="permission denied") as refused:
        async with acting_as(system("test")):
            await rows("SELECT * FROM usage_event_2027_01")
    assert isinstance(refused.value.args[0], asyncpg.InsufficientPrivilegeError)
