"""Writing a batch of readings: identities, events, and the sums by hour and day, set by set."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from asyncpg.pgproto.pgproto import UUID as FastUUID  # noqa: N811 - made from bytes in a tenth of the time

from auth.tenancy import rows
from billing.metering.rules import Contradicted, Reading, identity, said
from billing.metering.targets import Target
from billing.months import Month

# Everything is written in the order of its key, so that two batches that meet wait for each other and do not deadlock.
_REMEMBER = """
    INSERT INTO usage_identity (provider_id, id, said, agency_id)
    SELECT $1, w.id, w.said, w.agency_id FROM unnest($2::uuid[], $3::uuid[], $4::uuid[]) AS w(id, said, agency_id)
    ON CONFLICT DO NOTHING RETURNING id
"""
_KNOWN = "SELECT id, said FROM usage_identity WHERE provider_id = $1 AND id = ANY($2::uuid[])"
_PARTITIONS = "SELECT usage_partition(month) FROM unnest($1::date[]) AS month ORDER BY month"
_STORE = """
    WITH new AS (
        SELECT * FROM unnest(
            $2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::timestamptz[], $7::timestamptz[], $8::boolean[],
            $9::text[]::numeric[], $10::text[], $11::text[]
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
        kept = await rows(
            _REMEMBER,
            self.provider_id,
            [FastUUID(ids[index]) for index in ordered],
            [FastUUID(digests[index]) for index in ordered],
            [targets[index].agency_id for index in ordered],
        )
        if len(kept) == len(ordered):
            return ordered
        fresh = {row["id"].bytes for row in kept}
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
    columns: list[list[Any]] = [[] for _ in range(10)]
    agency, service, component, ids, starts, ends, lates, quantities, sources, event_ids = (c.append for c in columns)
    for index in ordered:
        reading, target = readings[index], targets[index]
        agency(target.agency_id)
        service(target.service_id)
        component(target.component_id)
        ids(FastUUID(batch.ids[index]))
        starts(reading.starts_at)
        ends(reading.ends_at)
        lates(index in late)
        quantities(reading.quantity)
        sources(reading.source)
        event_ids(reading.event_id)
    await rows(_STORE, batch.provider_id, *columns, now, origin.client_id, origin.entered_by, origin.reason)
