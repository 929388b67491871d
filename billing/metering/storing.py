"""Writing a batch of readings: identities, events, and the sums by hour and day, set by set."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from asyncpg.pgproto.pgproto import UUID as FastUUID  # noqa: N811 - made from bytes in a tenth of the time

from auth.tenancy import rows
from billing.metering.rules import APART, Contradicted, Reading, identity, said
from billing.metering.targets import Target
from billing.months import Month

# Everything is written in the order of its key, so that two batches that meet wait for each other and do not deadlock.
_REMEMBER = """
    WITH kept AS (
        INSERT INTO usage_identity (provider_id, id, said, agency_id)
        SELECT $1, w.id, w.said, w.agency_id
        FROM unnest($2::text::uuid[], $3::text::uuid[], $4::text::uuid[]) AS w(id, said, agency_id)
        ON CONFLICT DO NOTHING RETURNING id
    )
    SELECT count(*) = $5 AS all_fresh, CASE WHEN count(*) < $5 THEN array_agg(id) END AS fresh FROM kept
"""
_KNOWN = "SELECT id, said FROM usage_identity WHERE provider_id = $1 AND id = ANY($2::uuid[])"
_PARTITIONS = "SELECT usage_partition(month) FROM unnest($1::date[]) AS month ORDER BY month"
_STORE = """
    WITH new AS (
        SELECT * FROM unnest(
            $2::text::uuid[], $3::text::uuid[], $4::text::uuid[], $5::text::uuid[], $6::text::timestamptz[],
            $7::text::timestamptz[], $8::text::boolean[], $9::text::numeric[],
            string_to_array($10, E'\\x1f'), string_to_array($11, E'\\x1f')
        ) AS w(agency_id, service_id, component_id, id, starts_at, ends_at, is_late, quantity, source, event_id)
    ), events AS (
        INSERT INTO usage_event (
            agency_id, provider_id, service_id, component_id, id, starts_at, ends_at, received_at, is_late, quantity,
            source, event_id, client_id, entered_by, reason
        )
        SELECT agency_id, $1, service_id, component_id, id, starts_at, ends_at, $12::timestamptz, is_late, quantity,
            source, event_id, $13::uuid, $14::text, $15::text
        FROM new
    ), hours AS (
        INSERT INTO usage_hour AS kept (agency_id, provider_id, service_id, component_id, hour, total, high, events)
        SELECT agency_id, $1, service_id, component_id, date_trunc('hour', starts_at, 'UTC') AS hour,
            sum(quantity), max(quantity), count(*)
        FROM new GROUP BY agency_id, service_id, component_id, hour
        ORDER BY agency_id, service_id, component_id, hour
        ON CONFLICT (agency_id, service_id, component_id, hour) DO UPDATE SET
            total = kept.total + excluded.total,
            high = greatest(kept.high, excluded.high),
            events = kept.events + excluded.events
    )
    INSERT INTO usage_day AS kept (agency_id, provider_id, service_id, component_id, day, total, high, events)
    SELECT agency_id, $1, service_id, component_id, (starts_at AT TIME ZONE interval '7 hours')::date AS day,
        sum(quantity), max(quantity), count(*)
    FROM new GROUP BY agency_id, service_id, component_id, day
    ORDER BY agency_id, service_id, component_id, day
    ON CONFLICT (agency_id, service_id, component_id, day) DO UPDATE SET
        total = kept.total + excluded.total,
        high = greatest(kept.high, excluded.high),
        events = kept.events + excluded.events
"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where readings come from: a machine, or a person who entered them, with a reason where one is needed."""

    client_id: uuid.UUID | None = None
    entered_by: str | None = None
    reason: str | None = None


class Batch:
    """A provider's readings with their identities."""

    def __init__(self, provider_id: uuid.UUID, readings: Sequence[Reading]) -> None:
        self.provider_id = provider_id
        self.readings = readings
        self.ids = [identity(reading) for reading in readings]
        self.said = [said(reading) for reading in readings]

    def repeated_within(self) -> set[int]:
        """Return the readings that repeat an earlier one of the batch; refuse a contradiction (Contradicted)."""
        first: dict[bytes, int] = {}
        again = {index for index, key in enumerate(self.ids) if first.setdefault(key, index) != index}
        if wrong := [index for index in again if self.said[index] != self.said[first[self.ids[index]]]]:
            raise Contradicted(wrong)
        return again

    async def known_among(self, indices: Iterable[int]) -> set[int]:
        """Return those of the readings that are known already; refuse a contradiction (Contradicted)."""
        asked = list(indices)
        found = await rows(_KNOWN, self.provider_id, [FastUUID(self.ids[index]) for index in asked])
        before = {row["id"].bytes: row["said"].bytes for row in found}
        known = {index for index in asked if self.ids[index] in before}
        if wrong := [index for index in known if before[self.ids[index]] != self.said[index]]:
            raise Contradicted(wrong)
        return known

    async def remember(self, indices: Iterable[int], targets: Mapping[int, Target]) -> list[int]:
        """Keep the identities not known yet, and return their readings; refuse a contradiction (Contradicted)."""
        ids, digests = self.ids, self.said
        ordered = sorted(indices, key=ids.__getitem__)
        if not ordered:
            return []
        [kept] = await rows(
            _REMEMBER,
            self.provider_id,
            _listed(ids[index].hex() for index in ordered),
            _listed(digests[index].hex() for index in ordered),
            _listed(targets[index].agency_text for index in ordered),
            len(ordered),
        )
        if kept["all_fresh"]:
            return ordered
        fresh = {each.bytes for each in kept["fresh"] or ()}
        await self.known_among(index for index in ordered if ids[index] not in fresh)
        return [index for index in ordered if ids[index] in fresh]


async def store(
    batch: Batch,
    targets: Mapping[int, Target],
    new: Iterable[int],
    late: set[int],
    months: Iterable[Month],
    origin: Origin,
    now: dt.datetime,
) -> None:
    """Store the new readings of a batch as events, and add them to their hours and days."""
    await rows(_PARTITIONS, [month.first for month in months])
    readings = batch.readings
    ordered = sorted(new, key=lambda index: (targets[index].service_id, targets[index].component_id))
    chosen = [readings[index] for index in ordered]
    aims = [targets[index] for index in ordered]
    written: dict[dt.datetime, str] = {}
    for reading in chosen:
        for moment in reading[5:]:
            if moment not in written:
                written[moment] = moment.isoformat()
    columns = [
        _listed(target.agency_text for target in aims),
        _listed(target.service_text for target in aims),
        _listed(target.component_text for target in aims),
        _listed(batch.ids[index].hex() for index in ordered),
        _listed(written[reading.starts_at] for reading in chosen),
        _listed(written[reading.ends_at] for reading in chosen),
        _listed("t" if index in late else "f" for index in ordered),
        _listed(reading.quantity for reading in chosen),
        APART.join(reading.source for reading in chosen),
        APART.join(reading.event_id for reading in chosen),
    ]
    await rows(_STORE, batch.provider_id, *columns, now, origin.client_id, origin.entered_by, origin.reason)


def _listed(texts: Iterable[str]) -> str:
    """Write an array as PostgreSQL reads it from text, a tenth of the work of sending its elements one by one."""
    return "{" + ",".join(texts) + "}"
