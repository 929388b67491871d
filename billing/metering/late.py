"""Usage of a month that stands on an invoice already: marked when it comes, settled by the next invoice."""

import datetime as dt
import uuid
from collections.abc import Iterable

from auth.fields import new_id
from auth.tenancy import rows
from billing.months import Month

# The same lock that issuing takes for itself: a month is invoiced either before a reading of it is stored or after.
_HOLD = """
    SELECT pg_advisory_xact_lock_shared(hashtextextended(w.key, 0))
    FROM (SELECT key FROM unnest($1::text[]) AS key ORDER BY key) w
"""
_INVOICED = """
    SELECT s.agency_id, s.month FROM statement s
    JOIN unnest($2::uuid[], $3::date[]) AS w(agency_id, month) ON w.agency_id = s.agency_id AND w.month = s.month
    WHERE s.provider_id = $1
"""
# A mark that an invoice is just settling is waited for, and then made anew.
_MARK = """
    INSERT INTO late_usage AS kept (id, agency_id, provider_id, service_id, component_id, month, marked_at)
    SELECT w.id, w.agency_id, $1, w.service_id, w.component_id, w.month, $2
    FROM unnest($3::uuid[], $4::uuid[], $5::uuid[], $6::uuid[], $7::date[])
        AS w(id, agency_id, service_id, component_id, month)
    ORDER BY w.agency_id, w.service_id, w.component_id, w.month
    ON CONFLICT (agency_id, service_id, component_id, month) WHERE statement_id IS NULL
    DO UPDATE SET marked_at = excluded.marked_at
"""

Measured = tuple[uuid.UUID, uuid.UUID, uuid.UUID, Month]
"""An agency, its service, the component and the month."""


async def hold_open(provider_id: uuid.UUID, pairs: Iterable[tuple[uuid.UUID, Month]]) -> set[tuple[uuid.UUID, Month]]:
    """Keep months of agencies from being invoiced until the unit of work ends; return those invoiced already."""
    asked = sorted(pairs)
    await rows(_HOLD, [f"{provider_id}/{agency_id}/{month}" for agency_id, month in asked])
    found = await rows(_INVOICED, provider_id, [agency for agency, _ in asked], [month.first for _, month in asked])
    return {(row["agency_id"], Month.of(row["month"])) for row in found}


async def mark_late(provider_id: uuid.UUID, measured: Iterable[Measured], now: dt.datetime) -> None:
    """Mark components whose usage of an invoiced month has changed, for the next invoice to settle."""
    marks = sorted(measured)
    if marks:
        await rows(
            _MARK,
            provider_id,
            now,
            [new_id() for _ in marks],
            [agency for agency, _, _, _ in marks],
            [service for _, service, _, _ in marks],
            [component for _, _, component, _ in marks],
            [month.first for _, _, _, month in marks],
        )
