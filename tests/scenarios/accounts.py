"""What multi-month stories ask of the bills they tell of."""

import uuid
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.months import Month
from billing.statements.commands import issue
from billing.statements.queries import Bill, bill_of
from billing.statements.verify import missing_numbers, verify
from tests.billing.ledger.books import balanced_books
from tests.stage import Stage

CLOSING = system("month end")


def baht(*amounts: str) -> tuple[Decimal, ...]:
    """Read amounts as they are written in a story."""
    return tuple(Decimal(amount.replace(",", "")) for amount in amounts)


async def closed(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> Bill:
    """Issue a month's invoice as the month's end does, and return it as it stands."""
    async with acting_as(CLOSING):
        await issue(agency_id, provider_id, month, by=CLOSING, now=month.ends_at)
    return await standing(agency_id, provider_id, month)


async def standing(agency_id: uuid.UUID, provider_id: uuid.UUID, month: Month) -> Bill:
    """Return an invoice as it stands."""
    async with acting_as(CLOSING):
        bill = await bill_of(agency_id, provider_id, month)
    assert bill is not None
    return bill


async def closed_for(stage: Stage, letter: str, month: Month) -> Bill:
    """Issue the invoice of an agency of the stage."""
    return await closed(stage.agency(letter), stage.provider, month)


def lines_of(bill: Bill, service: uuid.UUID) -> list[tuple[int, int, Decimal]]:
    """Return a service's lines as (first day, last day, amount)."""
    return [(line.starts_on.day, line.ends_on.day, line.amount) for line in bill.lines if line.service_id == service]


def sums(bill: Bill) -> tuple[Decimal, ...]:
    """Return what stands under a bill."""
    totals = bill.totals
    return totals.subtotal, totals.vat, totals.total, totals.withheld, totals.net


async def nothing_differs(provider_id: uuid.UUID) -> dict[str, Decimal]:
    """Recompute every invoice, look for missing numbers, and check the books; returns what each account holds."""
    async with acting_as(system("verify")):
        found = [each for report in [each async for each in verify()] for each in report.differences]
        assert [*found, *await missing_numbers()] == []
    return await balanced_books(provider_id)
