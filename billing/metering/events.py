"""Events as they came, with the latest correction of each: of a stretch of time, by their identity, or one by one."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from auth.errors import NotFound
from auth.tenancy import rows, scoped
from billing.metering.models import UsageCorrection
from billing.metering.rules import digest_of

Row = dict[str, Any]
"""An event: the columns of `usage_event`, and of its latest correction where there is one."""

_SELECT = """
    SELECT e.agency_id, e.provider_id, e.service_id, e.component_id, e.id, e.source, e.event_id, e.starts_at, e.ends_at,
        e.received_at, e.is_late, e.quantity, e.client_id, e.entered_by, e.reason, c.number AS corrections,
        c.quantity AS counts_for, c.reason AS corrected_because, c.made_by AS corrected_by, c.made_at AS corrected_at
    FROM usage_event e
    LEFT JOIN LATERAL (
        SELECT * FROM usage_correction c
        WHERE c.agency_id = e.agency_id AND c.event_id = e.id ORDER BY c.number DESC LIMIT 1
    ) c ON true
"""
_MEASURED = "e.agency_id = $1 AND e.service_id = $2 AND e.component_id = $3"
_STRETCH = f"{_MEASURED} AND e.starts_at >= $4 AND e.starts_at < $5"
_EVENTS = f"{_SELECT} WHERE {_STRETCH} ORDER BY e.starts_at, e.id LIMIT $6 OFFSET $7"
_AFTER = f"{_SELECT} WHERE {_STRETCH} AND (e.starts_at, e.id) > ($6, $7) ORDER BY e.starts_at, e.id LIMIT $8"
_COUNT = f"SELECT count(*) AS many FROM usage_event e WHERE {_STRETCH}"  # noqa: S608 - all of it is ours
_ONE = f"{_SELECT} WHERE {_MEASURED} AND e.starts_at = $4 AND e.id = $5"
_OWNER = "SELECT agency_id FROM usage_identity WHERE provider_id = $1 AND id = $2"
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Sought:
    """What events are looked for by: when they start, and what they measure or came under; None is not asked."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    service: tuple[uuid.UUID, uuid.UUID] | None = None  # its agency, and itself
    components: tuple[uuid.UUID, ...] | None = None
    source: str | None = None
    event_id: str | None = None


async def events_of(
    agency_id: uuid.UUID,
    service_id: uuid.UUID,
    component_id: uuid.UUID,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    most: int = 1000,
    skip: int = 0,
) -> list[Row]:
    """Return the events of a stretch of time, the earliest first."""
    return await rows(_EVENTS, agency_id, service_id, component_id, starts_at, ends_at, most, skip)


async def count_of(
    agency_id: uuid.UUID, service_id: uuid.UUID, component_id: uuid.UUID, starts_at: dt.datetime, ends_at: dt.datetime
) -> int:
    """Return how many events a stretch of time has."""
    [found] = await rows(_COUNT, agency_id, service_id, component_id, starts_at, ends_at)
    many: int = found["many"]
    return many


async def all_events_of(
    agency_id: uuid.UUID, service_id: uuid.UUID, component_id: uuid.UUID, starts_at: dt.datetime, ends_at: dt.datetime
) -> AsyncIterator[Row]:
    """Yield every event of a stretch of time, the earliest first, some thousands in memory at once."""
    last: tuple[dt.datetime, uuid.UUID] = (starts_at, uuid.UUID(int=0))
    while found := await rows(_AFTER, agency_id, service_id, component_id, starts_at, ends_at, *last, _AT_ONCE):
        for row in found:
            yield row
        last = found[-1]["starts_at"], found[-1]["id"]


async def event_of(
    agency_id: uuid.UUID, service_id: uuid.UUID, component_id: uuid.UUID, starts_at: dt.datetime, event_id: uuid.UUID
) -> Row:
    """Return one event; NotFound where there is none, or none any more."""
    found = await rows(_ONE, agency_id, service_id, component_id, starts_at, event_id)
    if not found:
        raise NotFound("usage event")
    return found[0]


async def find(provider_id: uuid.UUID, sought: Sought, *, most: int, skip: int = 0) -> tuple[list[Row], int]:
    """Return a provider's events that fit, in the order of service, component and time, and how many there are.

    Read by the events' key, so a service must be named, or else the source and the id; nothing is found otherwise.
    """
    agency_id = sought.service[0] if sought.service else None
    digest = digest_of(sought.source, sought.event_id) if sought.source and sought.event_id else None
    if agency_id is None and digest is not None:
        known = await rows(_OWNER, provider_id, digest)
        agency_id = known[0]["agency_id"] if known else None
    if agency_id is None:
        return [], 0
    asked: list[Any] = [provider_id, agency_id, sought.starts_at, sought.ends_at]
    fits = ["e.provider_id = $1", "e.agency_id = $2", "e.starts_at >= $3", "e.starts_at < $4"]
    for condition, value in (
        ("e.service_id = ${}", sought.service[1] if sought.service else None),
        ("e.component_id = ANY(${}::uuid[])", None if sought.components is None else list(sought.components)),
        ("e.id = ${}", digest),
        ("e.source = ${}", None if digest else sought.source),
        ("e.event_id = ${}", None if digest else sought.event_id),
    ):
        if value is not None:
            asked.append(value)
            fits.append(condition.format(len(asked)))
    where = " AND ".join(fits)
    [counted] = await rows(f"SELECT count(*) AS many FROM usage_event e WHERE {where}", *asked)  # noqa: S608 - all of it is ours
    order = "e.service_id, e.component_id, e.starts_at, e.id"
    page = f"{_SELECT} WHERE {where} ORDER BY {order} LIMIT {int(most)} OFFSET {int(skip)}"
    return await rows(page, *asked), counted["many"]


async def corrections_to(agency_id: uuid.UUID, event_ids: Iterable[uuid.UUID]) -> list[UsageCorrection]:
    """Return every correction of some events of an agency, the earliest first."""
    return await scoped(UsageCorrection).filter(agency_id=agency_id, event_id__in=list(event_ids)).order_by("number")
