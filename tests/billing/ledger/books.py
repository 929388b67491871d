"""A provider's books over all time, held against what the other pages say."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.ledger.queries import ledger_of
from billing.ledger.rules import Account, Ledger
from billing.payments.queries import invoices
from billing.payments.rules import ageing
from billing.statements.models import Statement, StatementLine

EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC), dt.datetime(2040, 1, 1, tzinfo=dt.UTC)


async def balanced_books(provider_id: uuid.UUID) -> dict[str, Decimal]:
    """Return the closing balances by account (families together), after checking every entry and the ageing."""
    async with acting_as(system("test")):
        ledger = await ledger_of(provider_id, *EVER)
        opened = await invoices(provider_id=provider_id)
        statements = await Statement.filter(provider_id=provider_id)
        lines = await StatementLine.filter(provider_id=provider_id)
    assert ledger.entries
    assert ledger.is_balanced
    assert all(entry.postings and entry.is_balanced for entry in ledger.entries)
    closing = balances(ledger)
    is_open = [(each.due_on, each.account.open) for each in opened if each.account.open > 0]
    assert closing["RECEIVABLE"] == sum(ageing(is_open, dt.date(2030, 1, 1)).values())
    assert -closing["REFUNDABLE"] == -sum(each.account.open for each in opened if each.account.open < 0)
    # Statement = sum of its lines = revenue.
    subtotals = sum((each.subtotal for each in statements), Decimal("0.00"))
    assert sum((each.amount for each in lines), Decimal("0.00")) == subtotals == -closing["REVENUE"]
    return closing


def balances(ledger: Ledger) -> dict[str, Decimal]:
    """Return what each account holds after a ledger's period, zero for those that hold nothing."""
    closing = dict.fromkeys((account.name for account in Account), Decimal("0.00"))
    for row in ledger.trial_balance:
        closing[row.account.name] += row.closing
    assert sum(closing.values()) == 0
    return closing
