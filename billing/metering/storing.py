"""Writing a batch of readings: copied to the session, then identities, events and what is to be summed up later."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeVar

from auth.fields import new_id
from auth.tenancy import copied, rows
from billing.metering.rules import Contradicted, Reading, Stretch, identity, said
from billing.metering.targets import Gauge, Measured

# Identities are written in their order, so that two batches that meet wait for each other and do not deadlock; events
# by agency and time, as they are read. Targets and moments, which recur in a batch, are sent once and named by place.
_STORE = """
    WITH given AS (
        SELECT w.id, w.said, ($4::uuid[])[w.service] AS agency_id, ($5::uuid[])[w.service] AS service_id,
            ($6::uuid[])[w.gauge] AS component_id, ($7::timestamptz[])[w.stretch] AS starts_at,
            ($8::timestamptz[])[w.stretch] AS ends_at, w.is_late, w.quantity, w.source, w.event_id
        FROM pg_temp.usage_batch w
    ), kept AS (
        INSERT INTO usage_identity (provider_id, id, said, agency_id)
        SELECT $1, id, said, agency_id FROM given ORDER BY id
        ON CONFLICT DO NOTHING RETURNING id
    ), events AS (
        INSERT INTO usage_event (
            agency_id, provider_id, service_id, component_id, id, starts_at, ends_at, received_at, is_late, quantity,
            source, event_id, client_id, entered_by, reason
        )
        SELECT agency_id, $1, service_id, component_id, id, starts_at, ends_at, $3::timestamptz, is_late, quantity,
            source, event_id, $11::uuid, $12::text, $13::text
        FROM given JOIN kept USING (id) ORDER BY agency_id, starts_at
    ), marks AS (
        INSERT INTO usage_unsummed (agency_id, provider_id, day, batch_id)
        SELECT w.agency_id, $1, w.day, $2 FROM unnest($9::uuid[], $10::date[]) AS w(agency_id, day)
        WHERE EXISTS (SELECT FROM kept)
    )
    SELECT count(*) AS stored, CASE WHEN count(*) < $14 THEN array_agg(id) END AS fresh FROM kept
"""
_KNOWN = "SELECT id, said FROM usage_identity WHERE provider_id = $1 AND id = ANY($2::text::uuid[])"
_READY = "SELECT usage_batch(), usage_partition(month) FROM unnest($1::date[]) AS month ORDER BY month"

T = TypeVar("T")


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

    def repeats(self) -> tuple[set[int], set[int]]:
        """Return the readings that repeat an earlier one of the batch, and those of them that contradict it."""
        if len(set(self.ids)) == len(self.ids):
            return set(), set()
        first: dict[str, int] = {}
        again = {index for index, key in enumerate(self.ids) if first.setdefault(key, index) != index}
        return again, {index for index in again if self.said[index] != self.said[first[self.ids[index]]]}

    async def known_among(self, indices: Iterable[int]) -> set[int]:
        """Return those of the readings that are known already; refuse a contradiction (Contradicted)."""
        asked = list(indices)
        found = await rows(_KNOWN, self.provider_id, _listed(self.ids[index] for index in asked))
        before = {row["id"].hex: row["said"].hex for row in found}
        known = {index for index in asked if self.ids[index] in before}
        if wrong := [index for index in known if before[self.ids[index]] != self.said[index]]:
            raise Contradicted(wrong)
        return known

    async def store(
        self,
        chosen: Sequence[int],
        aims: Sequence[tuple[Measured, Gauge, Stretch]],
        late: Sequence[bool],
        origin: Origin,
        now: dt.datetime,
    ) -> Collection[int]:
        """Store the chosen readings as events of their aims, but for those known already; return which are new.

        `late` is empty where none is. Refuses a contradiction (Contradicted), after which nothing may be kept.
        """
        services = _places(service for service, _, _ in aims)
        gauges = _places(gauge for _, gauge, _ in aims)
        stretches = _places(stretch for _, _, stretch in aims)
        met = {(service, stretch) for service, _, stretch in aims}
        touched = {(service.agency_id, stretch.day) for service, stretch in met}
        await rows(_READY, sorted({stretch.month.first for stretch in stretches}))
        ids, digests, readings = self.ids, self.said, self.readings
        lines = [
            f"{ids[index]}\t{digests[index]}\t{services[service]}\t{gauges[gauge]}\t{stretches[stretch]}\t{is_late}\t"
            f"{readings[index].quantity}\t{readings[index].source}\t{readings[index].event_id}\n"
            for index, (service, gauge, stretch), is_late in zip(chosen, aims, late or repeat(False), strict=False)
        ]
        # No text has a control character: only backslashes mean something.
        await copied("usage_batch", "".join(lines).replace("\\", "\\\\"))
        [kept] = await rows(
            _STORE,
            self.provider_id,
            new_id(),
            now,
            [service.agency_id for service in services],
            [service.id for service in services],
            [gauge.component_id for gauge in gauges],
            [stretch.starts_at for stretch in stretches],
            [stretch.ends_at for stretch in stretches],
            [agency_id for agency_id, _ in touched],
            [day for _, day in touched],
            origin.client_id,
            origin.entered_by,
            origin.reason,
            len(chosen),
        )
        if kept["stored"] == len(chosen):
            return chosen
        fresh = {each.hex for each in kept["fresh"] or ()}
        await self.known_among(index for index in chosen if self.ids[index] not in fresh)
        return {index for index in chosen if self.ids[index] in fresh}


def _places(things: Iterable[T]) -> dict[T, str]:
    """Return each thing once, in the order of coming, with its place as PostgreSQL counts it."""
    return {thing: str(place) for place, thing in enumerate(dict.fromkeys(things), 1)}


def _listed(texts: Iterable[str]) -> str:
    """Write an array as PostgreSQL reads it from text, a tenth of the work of sending its elements one by one."""
    return "{" + ",".join(texts) + "}"
