"""What was paid, and what is open."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.tenancy import rows, scoped
from billing.months import bangkok_date
from billing.payments.models import Payment, Refund, RefundReversal, Reversal
from billing.payments.rules import Account, Age, age

USUALLY_DUE_AFTER = dt.timedelta(days=30)  # for invoices that name no day

# An agency's or a provider's invoices with what corrected and what settled each, without what was reversed;
# row-level security keeps the reach.
_ACCOUNTS = """
    SELECT s.id, s.agency_id, s.provider_id, s.number, s.month, s.issued_at, s.due_on, s.total, s.vat,
        s.withheld AS to_withhold,
        coalesce(d.credited, 0) AS credited, coalesce(d.credited_vat, 0) AS credited_vat,
        coalesce(d.debited, 0) AS debited, coalesce(d.debited_vat, 0) AS debited_vat,
        coalesce(d.receipted_vat, 0) AS receipted_vat,
        coalesce(p.received, 0) AS received, coalesce(p.withheld, 0) AS withheld, coalesce(b.refunded, 0) AS refunded
    FROM statement s
    LEFT JOIN LATERAL (
        SELECT sum(total) FILTER (WHERE kind = 'credit_note') AS credited,
            sum(vat) FILTER (WHERE kind = 'credit_note') AS credited_vat,
            sum(total) FILTER (WHERE kind = 'debit_note') AS debited,
            sum(vat) FILTER (WHERE kind = 'debit_note') AS debited_vat,
            sum(CASE kind WHEN 'receipt' THEN vat WHEN 'cancellation' THEN -vat END) AS receipted_vat
        FROM document WHERE agency_id = s.agency_id AND statement_id = s.id
    ) d ON true
    LEFT JOIN LATERAL (
        SELECT sum(received) AS received, sum(withheld) AS withheld
        FROM payment WHERE agency_id = s.agency_id AND statement_id = s.id AND NOT EXISTS (
            SELECT FROM payment_reversal r WHERE r.agency_id = payment.agency_id AND r.payment_id = payment.id)
    ) p ON true
    LEFT JOIN LATERAL (
        SELECT sum(amount) AS refunded
        FROM refund WHERE agency_id = s.agency_id AND statement_id = s.id AND NOT EXISTS (
            SELECT FROM refund_reversal r WHERE r.agency_id = refund.agency_id AND r.refund_id = refund.id)
    ) b ON true
    WHERE ($1::uuid IS NULL OR s.agency_id = $1) AND ($2::uuid IS NULL OR s.provider_id = $2)
        AND ($3::uuid IS NULL OR s.id = $3)
    ORDER BY s.month DESC, s.number DESC
"""


@dataclass(frozen=True, slots=True)
class Invoice:
    """An issued invoice with what is owed, paid and open."""

    id: uuid.UUID
    agency_id: uuid.UUID
    provider_id: uuid.UUID
    number: str
    month: dt.date
    issued_at: dt.datetime
    due_on: dt.date
    to_withhold: Decimal
    account: Account

    @property
    def issued_on(self) -> dt.date:
        """Its day in Bangkok."""
        return bangkok_date(self.issued_at)

    def age(self, today: dt.date) -> Age | None:
        """Return how long it has been open; None where nothing is."""
        return age(self.due_on, today) if self.account.open > 0 else None


async def invoices(*, agency_id: uuid.UUID | None = None, provider_id: uuid.UUID | None = None) -> list[Invoice]:
    """Return the invoices within reach, the latest month first, with what is open of each."""
    return await _invoices(agency_id, provider_id, None)


async def invoice_of(statement_id: uuid.UUID) -> Invoice | None:
    """Return one invoice within reach, or None."""
    found = await _invoices(None, None, statement_id)
    return found[0] if found else None


async def payments_of(statement_id: uuid.UUID) -> list[Payment]:
    """Return the payments of an invoice, reversed ones too, oldest first."""
    return await scoped(Payment).filter(statement_id=statement_id).order_by("paid_on", "recorded_at")


async def reversals_of(payments: Iterable[Payment]) -> dict[uuid.UUID, Reversal]:
    """Return the reversals of payments, by payment."""
    found = await scoped(Reversal).filter(payment_id__in=[each.id for each in payments])
    return {each.payment_id: each for each in found}


async def refunds_of(statement_id: uuid.UUID) -> list[Refund]:
    """Return the refunds of what was overpaid of an invoice, reversed ones too, oldest first."""
    return await scoped(Refund).filter(statement_id=statement_id).order_by("recorded_at", "number")


async def refund_reversals_of(refunds: Iterable[Refund]) -> dict[uuid.UUID, RefundReversal]:
    """Return the reversals of refunds, by refund."""
    found = await scoped(RefundReversal).filter(refund_id__in=[each.id for each in refunds])
    return {each.refund_id: each for each in found}


async def _invoices(*which: uuid.UUID | None) -> list[Invoice]:
    found = await rows(_ACCOUNTS, *which)
    return [_invoice(row) for row in found]


def _invoice(row: dict[str, Any]) -> Invoice:
    return Invoice(
        row["id"],
        row["agency_id"],
        row["provider_id"],
        row["number"],
        row["month"],
        row["issued_at"],
        row["due_on"] or bangkok_date(row["issued_at"]) + USUALLY_DUE_AFTER,
        row["to_withhold"],
        Account(
            **{
                name: row[name]
                for name in (
                    "total",
                    "vat",
                    "credited",
                    "credited_vat",
                    "debited",
                    "debited_vat",
                    "received",
                    "withheld",
                    "refunded",
                    "receipted_vat",
                )
            }
        ),
    )
