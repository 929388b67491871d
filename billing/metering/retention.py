"""How long single events are kept; their sums by hour and day, and what was invoiced, are kept for ever.

A month's events go all at once, the oldest month first, once nothing can need them any more: it is longer ago than
the setting says, every usage of it is on an invoice, nothing that came late is still to be settled, and no line of it
is in dispute. From then on nothing of that month is taken or corrected.
"""

import datetime as dt

from auth.tenancy import record, rows
from billing.metering.rules import FIRST, oldest_kept
from billing.months import Month

_KEPT_FROM = "SELECT max(month) AS last FROM usage_let_go"
_PARTITIONS = """
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'usage_event'::regclass AND c.relname ~ '^usage_event_[0-9]{4}_[0-9]{2}$' ORDER BY month
"""
_LET_GO = "SELECT let_usage_go($1, $2) AS needed"


async def kept_from() -> Month | None:
    """Return the month from which on single events are kept; None where all are, since the first."""
    [row] = await rows(_KEPT_FROM)
    return Month.of(row["last"]).next if row["last"] else None


async def next_to_go(months: int, now: dt.datetime) -> Month | None:
    """Return the oldest month whose events are longer ago than so many months; None where none is."""
    before, since = oldest_kept(months, now), await kept_from() or Month.of(FIRST)
    found = (Month.of(row["month"]) for row in await rows(_PARTITIONS))
    return next((month for month in found if since <= month < before), None)


async def let_go(month: Month, *, now: dt.datetime) -> str:
    """Drop a month's events; returns what still needs them ("invoice", "settlement", "dispute"), empty when they went.

    A unit of its own, as the system; whoever stores usage of that month meanwhile is waited for.
    """
    [row] = await rows(_LET_GO, month.first, now)
    needed: str = row["needed"]
    if not needed:
        record("usage.let_go", at=now, month=str(month))
    return needed
