"""An invoice is issued once, whoever tries, and never changed."""

import asyncio
import datetime as dt
import uuid
from decimal import Decimal

import asyncpg
import pytest

from auth.rules import system
from auth.tenancy import acting_as, unit_of_work
from billing.months import Month
from billing.statements.commands import MonthNotOver, issue
from billing.statements.models import Statement, StatementLine
from billing.statements.queries import Bill, bill_of, book_of
from portal.embedded_postgres import OWNER, Address
from tests.stage import Stage, at

OCTOBER = Month(2026, 10)
CLOSING = system("month end")


async def close(stage: Stage, letter: str, month: Month, now: dt.datetime | None = None) -> Bill:
    agency_id, provider_id = stage.agency(letter), stage.provider
    when = now or month.ends_at
    return await unit_of_work(CLOSING, lambda: issue(agency_id, provider_id, month, by=CLOSING, now=when))


async def issued(stage: Stage, letter: str) -> list[Statement]:
    async with acting_as(system("test")):
        return await Statement.filter(agency_id=stage.agency(letter)).order_by("month")


async def test_an_invoice_says_what_the_estimate_said(stage: Stage) -> None:
    async with acting_as(stage.cast["finance-a"]):
        estimate = (await book_of(stage.agency("a"), OCTOBER, OCTOBER)).estimate(stage.provider, OCTOBER)
    await close(stage, "a", OCTOBER)
    async with acting_as(stage.cast["finance-a"]):
        invoice = await bill_of(stage.agency("a"), stage.provider, OCTOBER)
    assert invoice is not None
    assert invoice.number == "INV-P01-2570-00001"
    assert invoice.totals == estimate.totals
    assert [(line.names, line.amount) for line in invoice.lines] == [
        (line.names, line.amount) for line in estimate.lines
    ]
    # 39,100 + 15,000 + 14,800; 7 %; 1 % withheld.
    totals = invoice.totals
    assert (totals.subtotal, totals.vat, totals.total) == (
        Decimal("68900.00"),
        Decimal("4823.00"),
        Decimal("73723.00"),
    )
    assert (totals.withheld, totals.net) == (Decimal("689.00"), Decimal("73034.00"))


async def test_a_month_is_over_at_midnight_in_bangkok(stage: Stage) -> None:
    with pytest.raises(MonthNotOver):
        await close(stage, "a", OCTOBER, at("2026-10-31", "23:59"))
    assert await issued(stage, "a") == []
    await close(stage, "a", OCTOBER, at("2026-11-01", "00:00"))
    assert len(await issued(stage, "a")) == 1


async def test_issuing_again_or_at_once_changes_nothing(stage: Stage) -> None:
    await asyncio.gather(*(close(stage, "a", OCTOBER) for _ in range(5)))
    first = await issued(stage, "a")
    await close(stage, "a", OCTOBER, at("2026-12-01"))
    again = await issued(stage, "a")
    assert [(s.id, s.number, s.issued_at) for s in again] == [(s.id, s.number, s.issued_at) for s in first]
    assert len(first) == 1
    async with acting_as(system("test")):
        lines = await StatementLine.filter(statement_id=first[0].id).order_by("position")
    assert [line.position for line in lines] == [1, 2, 3]


async def test_numbers_have_no_gaps_even_when_many_issue_at_once(stage: Stage) -> None:
    months = [OCTOBER, OCTOBER.next, OCTOBER.next.next]
    await asyncio.gather(*(close(stage, letter, month) for letter in "ab" for month in months for _ in range(2)))
    async with acting_as(system("test")):
        numbers = sorted([s.number for s in await Statement.all()])
    assert numbers == [f"INV-P01-2570-{n:05d}" for n in range(1, 7)]


async def test_an_issued_month_stands_whatever_changes_later(stage: Stage) -> None:
    await close(stage, "a", OCTOBER)
    async with acting_as(stage.cast["finance-a"]):
        book = await book_of(stage.agency("a"), OCTOBER, OCTOBER)
    assert book.total(OCTOBER) == Decimal("73723.00")
    empty = book.__class__(book.agency_id, book.services, book.items, (), book.taxes, book.issued)
    assert empty.total(OCTOBER) == Decimal("73723.00")


@pytest.mark.parametrize("table", ["statement", "statement_line"])
@pytest.mark.parametrize(
    "change", ["UPDATE {table} SET agency_id = agency_id", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"]
)
async def test_issued_rows_are_never_changed_not_even_by_their_owner(
    stage: Stage, cluster: Address, database: str, table: str, change: str
) -> None:
    await close(stage, "a", OCTOBER)
    owner = await asyncpg.connect(cluster.url(OWNER, database))
    try:
        await owner.execute("SELECT set_config('portal.scope', 'system', false)")
        assert await owner.fetchval(f"SELECT count(*) FROM {table}") > 0  # noqa: S608 - the test's own names
        with pytest.raises(asyncpg.RestrictViolationError, match="never changed"):
            await owner.execute(change.format(table=table))
    finally:
        await owner.close()


async def test_an_agency_without_services_gets_no_invoice(stage: Stage) -> None:
    async with acting_as(CLOSING):
        nobody = await issue(uuid.uuid4(), stage.provider, OCTOBER, by=CLOSING, now=OCTOBER.ends_at)
        assert nobody.lines == ()
        assert await Statement.all().count() == 0
