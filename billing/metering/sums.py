"""The sums of usage by hour and day: made day by day from the events, later than those come.

What a batch adds to is marked `unsummed` in its own transaction. Whoever reads takes a marked day from its events and
every other from its sums, in one query, and so reads the same before and after the day is summed.
"""

import datetime as dt
import uuid

from auth.rules import system
from auth.tenancy import rows, unit_of_work

UNSUMMED = """
    unsummed AS MATERIALIZED (
        SELECT DISTINCT u.day, u.day::timestamp AT TIME ZONE interval '7 hours' AS opens,
            (u.day + 1)::timestamp AT TIME ZONE interval '7 hours' AS closes
        FROM usage_unsummed u WHERE u.agency_id = $1 AND {within}
    )
"""
"""The marked days of the agency `$1`, for a WITH; `within` says which of them, of the table `u`."""

EVENTS = """
    SELECT e.service_id, e.component_id, e.starts_at, d.day,
        CASE WHEN c.number IS NULL THEN e.quantity ELSE c.quantity END AS quantity
    FROM {days} d
    JOIN usage_event e ON e.agency_id = $1 AND e.starts_at >= d.opens AND e.starts_at < d.closes
    LEFT JOIN (
        SELECT DISTINCT ON (event_id) event_id, number, quantity FROM usage_correction
        WHERE agency_id = $1 ORDER BY event_id, number DESC
    ) c ON c.event_id = e.id
"""
"""The events of the agency `$1` in some days, as corrected; a voided one has no quantity."""

# Who sums a day up twice at once would write the older sums last.
_ALONE = "SELECT pg_advisory_xact_lock(hashtextextended('usage sums/' || $1::text, 0))"
_SEEN = "SELECT batch_id FROM usage_unsummed WHERE agency_id = $1 AND day = $2"
_SUM = f"""
    WITH one AS (
        SELECT $2::date AS day, $2::date::timestamp AT TIME ZONE interval '7 hours' AS opens,
            ($2::date + 1)::timestamp AT TIME ZONE interval '7 hours' AS closes
    ), hours AS MATERIALIZED (
        SELECT service_id, component_id, date_trunc('hour', starts_at, 'UTC') AS hour,
            coalesce(sum(quantity), 0) AS total, coalesce(max(quantity), 0) AS high, count(quantity) AS events
        FROM ({EVENTS.format(days="one")}) e GROUP BY 1, 2, 3
    ), owned AS (
        SELECT h.*, s.provider_id FROM hours h JOIN billed_service s ON s.agency_id = $1 AND s.id = h.service_id
    ), by_hour AS (
        INSERT INTO usage_hour (agency_id, provider_id, service_id, component_id, hour, total, high, events)
        SELECT $1, provider_id, service_id, component_id, hour, total, high, events FROM owned
        ON CONFLICT (agency_id, service_id, component_id, hour) DO UPDATE SET
            total = excluded.total, high = excluded.high, events = excluded.events
    )
    INSERT INTO usage_day (agency_id, provider_id, service_id, component_id, day, total, high, events)
    SELECT $1, provider_id, service_id, component_id, $2, sum(total), max(high), sum(events) FROM owned
    GROUP BY provider_id, service_id, component_id
    ON CONFLICT (agency_id, service_id, component_id, day) DO UPDATE SET
        total = excluded.total, high = excluded.high, events = excluded.events
"""  # noqa: S608 - our own text
_DONE = "DELETE FROM usage_unsummed WHERE agency_id = $1 AND day = $2 AND batch_id = ANY($3::uuid[])"
_MARKED = "SELECT DISTINCT agency_id, day FROM usage_unsummed ORDER BY agency_id, day"
_MARK = """
    INSERT INTO usage_unsummed (agency_id, provider_id, day, batch_id) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""
_BY = system("usage sums")


async def mark_unsummed(agency_id: uuid.UUID, provider_id: uuid.UUID, day: dt.date, because: uuid.UUID) -> None:
    """Say that a day's sums no longer hold what its events come to; `because` of what, for whoever sums it up."""
    await rows(_MARK, agency_id, provider_id, day, because)


async def sum_up() -> int:
    """Sum up every marked day, each in a unit of its own, and return how many they were.

    Run as often as wanted, by several at once too: the sums of a day are made anew from its events.
    """
    marked = await unit_of_work(_BY, lambda: rows(_MARKED))
    for each in marked:
        agency_id, day = each["agency_id"], each["day"]
        await unit_of_work(_BY, lambda: _sum_day(agency_id, day))  # noqa: B023 - awaited in this very turn
    return len(marked)


async def _sum_day(agency_id: uuid.UUID, day: dt.date) -> None:
    await rows(_ALONE, str(agency_id))
    seen = [row["batch_id"] for row in await rows(_SEEN, agency_id, day)]
    if seen:
        await rows(_SUM, agency_id, day)
        await rows(_DONE, agency_id, day, seen)
