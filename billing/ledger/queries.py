"""A provider's ledger over a period, computed from what was issued."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from auth.tenancy import rows
from billing.ledger.rules import Deed, Entry, Ledger, Standing, Sums, added_up, postings

# Everything issued, invoices and what followed them, from one moment to another (exclusive).
_WITHIN = """
    SELECT id, id AS statement_id, agency_id, 'invoice' AS deed, number, issued_at, subtotal, vat, total,
        0.00 AS withheld, total AS net
    FROM statement WHERE provider_id = $1 AND issued_at >= $2 AND issued_at < $3
    UNION ALL
    SELECT id, statement_id, agency_id, kind, number, issued_at, subtotal, vat, total, withheld, net
    FROM document WHERE provider_id = $1 AND issued_at >= $2 AND issued_at < $3
    UNION ALL
    SELECT id, statement_id, agency_id, 'refund', number, recorded_at, amount, 0.00, amount, 0.00, amount
    FROM refund WHERE provider_id = $1 AND recorded_at >= $2 AND recorded_at < $3
    UNION ALL
    SELECT r.id, f.statement_id, r.agency_id, 'refund_reversal', r.number, r.reversed_at,
        f.amount, 0.00, f.amount, 0.00, f.amount
    FROM refund_reversal r JOIN refund f ON f.agency_id = r.agency_id AND f.id = r.refund_id
    WHERE r.provider_id = $1 AND r.reversed_at >= $2 AND r.reversed_at < $3
    ORDER BY issued_at, id
"""
_BEFORE = """
    SELECT id AS statement_id, 'invoice' AS deed, subtotal, vat, total, 0.00 AS withheld, total AS net
    FROM statement WHERE provider_id = $1 AND issued_at < $2
    UNION ALL
    SELECT statement_id, kind, sum(subtotal), sum(vat), sum(total), sum(withheld), sum(net)
    FROM document WHERE provider_id = $1 AND issued_at < $2 GROUP BY statement_id, kind
    UNION ALL
    SELECT statement_id, 'refund', amount, 0.00, amount, 0.00, amount
    FROM refund WHERE provider_id = $1 AND recorded_at < $2
    UNION ALL
    SELECT f.statement_id, 'refund_reversal', f.amount, 0.00, f.amount, 0.00, f.amount
    FROM refund_reversal r JOIN refund f ON f.agency_id = r.agency_id AND f.id = r.refund_id
    WHERE r.provider_id = $1 AND r.reversed_at < $2
"""
_REVENUE = """
    SELECT l.statement_id, l.family, sum(l.amount) AS amount
    FROM statement s JOIN statement_line l ON l.agency_id = s.agency_id AND l.statement_id = s.id
    WHERE s.provider_id = $1 AND s.issued_at < $2 GROUP BY l.statement_id, l.family
"""


async def ledger_of(provider_id: uuid.UUID, since: dt.datetime, until: dt.datetime) -> Ledger:
    """Return a provider's entries from one moment to another (exclusive), and its accounts before; three queries.

    A payment is entered when its receipt was issued, whatever day it was made on: what was entered stands, so that a
    period once over never changes.
    """
    revenue: dict[uuid.UUID, list[tuple[str, Decimal]]] = defaultdict(list)
    for row in await rows(_REVENUE, provider_id, until):
        revenue[row["statement_id"]].append((row["family"], row["amount"]))
    standings = _standings(await rows(_BEFORE, provider_id, since), revenue)
    opening = added_up(standing.balances for standing in standings.values())
    entries = []
    for row in await rows(_WITHIN, provider_id, since, until):
        before, deed = standings[row["statement_id"]], Deed(row["deed"])
        now = before.after(deed, _sums(row), revenue[row["statement_id"]] if deed is Deed.INVOICE else ())
        standings[row["statement_id"]] = now
        entries.append(
            Entry(
                row["id"],
                row["statement_id"],
                row["agency_id"],
                deed,
                row["number"],
                row["issued_at"],
                postings(before, now),
            )
        )
    return Ledger(opening, tuple(entries))


def _standings(
    found: Iterable[dict[str, Any]], revenue: dict[uuid.UUID, list[tuple[str, Decimal]]]
) -> defaultdict[uuid.UUID, Standing]:
    standings: defaultdict[uuid.UUID, Standing] = defaultdict(Standing)
    for row in found:
        deed, id_ = Deed(row["deed"]), row["statement_id"]
        standings[id_] = standings[id_].after(deed, _sums(row), revenue[id_] if deed is Deed.INVOICE else ())
    return standings


def _sums(row: dict[str, Any]) -> Sums:
    return Sums(row["subtotal"], row["vat"], row["total"], row["withheld"], row["net"])
