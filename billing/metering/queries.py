"""Usage as rating takes it: summed by component, month and price version, from the days' sums or from the events."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.tenancy import rows
from billing.metering.models import Meter
from billing.money import ZERO, exactly
from billing.months import ONE_DAY, Month, midnight
from billing.statements.charges import Usage
from billing.statements.rules import Component
from billing.tariffs.rules import Basis, versions_between
from billing.usage.models import BilledService

Key = tuple[uuid.UUID, uuid.UUID]
"""A service and its component."""

# The days of a bucket lie in one month and under one version of every price: sums of sums are exact, whatever the
# component's own price versions are.
_BY_DAYS = """
    SELECT d.service_id, d.component_id, width_bucket(d.day, $4::date[]) AS bucket,
        sum(d.total) AS total, max(d.high) AS high, sum(d.events)::bigint AS events
    FROM unnest($5::date[], $6::date[]) AS span(first, beyond)
    JOIN usage_day d ON d.agency_id = $1 AND d.service_id = ANY($2::uuid[]) AND d.component_id = ANY($3::uuid[])
        AND d.day >= span.first AND d.day < span.beyond
    WHERE d.events > 0
    GROUP BY d.service_id, d.component_id, bucket
"""
# The latest correction of an event holds; a void one counts for nothing. `$7` leaves out what came too late for the
# invoice of its month.
_BY_EVENTS = """
    WITH corrected AS MATERIALIZED (
        SELECT DISTINCT ON (c.event_id) c.event_id, c.quantity FROM usage_correction c
        WHERE c.agency_id = $1 AND c.service_id = ANY($2::uuid[]) AND NOT ($7 AND c.is_late)
        ORDER BY c.event_id, c.number DESC
    ), counted AS (
        SELECT e.service_id, e.component_id, (e.starts_at AT TIME ZONE interval '7 hours')::date AS day,
            CASE WHEN c.event_id IS NULL THEN e.quantity ELSE c.quantity END AS quantity
        FROM unnest($5::date[], $6::date[]) AS span(first, beyond)
        JOIN usage_event e ON e.agency_id = $1 AND e.service_id = ANY($2::uuid[])
            AND e.component_id = ANY($3::uuid[])
            AND e.starts_at >= span.first::timestamp AT TIME ZONE interval '7 hours'
            AND e.starts_at < span.beyond::timestamp AT TIME ZONE interval '7 hours'
        LEFT JOIN corrected c ON c.event_id = e.id
        WHERE NOT ($7 AND e.is_late)
    )
    SELECT service_id, component_id, width_bucket(day, $4::date[]) AS bucket,
        sum(quantity) AS total, max(quantity) AS high, count(quantity) AS events
    FROM counted WHERE quantity IS NOT NULL
    GROUP BY service_id, component_id, bucket
"""
_HOURS = """
    SELECT hour, total, high, events FROM usage_hour
    WHERE agency_id = $1 AND service_id = $2 AND component_id = $3 AND hour >= $4 AND hour < $5 AND events > 0
    ORDER BY hour
"""
_EVENTS = """
    SELECT e.id, e.source, e.event_id, e.starts_at, e.ends_at, e.received_at, e.is_late, e.quantity,
        e.entered_by, e.reason, c.number AS corrections, c.quantity AS counts_for, c.reason AS corrected_because,
        c.made_by AS corrected_by, c.made_at AS corrected_at
    FROM usage_event e
    LEFT JOIN LATERAL (
        SELECT * FROM usage_correction c
        WHERE c.agency_id = e.agency_id AND c.event_id = e.id ORDER BY c.number DESC LIMIT 1
    ) c ON true
    WHERE e.agency_id = $1 AND e.service_id = $2 AND e.component_id = $3 AND e.starts_at >= $4 AND e.starts_at < $5
    ORDER BY e.starts_at, e.id LIMIT $6
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """What a component of a service was measured at in one hour."""

    hour: dt.datetime
    total: Decimal
    high: Decimal
    events: int


async def measured_of(services: Iterable[BilledService]) -> dict[Key, Meter]:
    """Return what is measured of each service, with its price item; one query."""
    known = list(services)
    if not known:
        return {}
    meters: defaultdict[tuple[uuid.UUID, str], list[Meter]] = defaultdict(list)
    for meter in (
        await Meter.filter(
            provider_id__in=list({service.provider_id for service in known}),
            offering_code__in=list({service.offering_code for service in known}),
        )
        .select_related("price_item")
        .order_by("code")
    ):
        meters[meter.provider_id, meter.offering_code].append(meter)
    return {
        (service.id, meter.component_id): meter
        for service in known
        for meter in meters[service.provider_id, service.offering_code]
    }


async def usages_of(
    agency_id: uuid.UUID,
    components: Mapping[Key, Component],
    months: Iterable[Month],
    in_use: Mapping[uuid.UUID, tuple[dt.date, dt.date]],
    *,
    by_event: bool = False,
    as_invoiced: bool = False,
) -> list[Usage]:
    """Return the usage of components in some months, one query: from the days' sums, or `by_event` from the events.

    `as_invoiced` (by event) leaves out what came or was corrected after its month was invoiced. `in_use` are the
    first and last day of services that were not in use throughout: a monthly high is charged for those days.
    """
    wanted = sorted(set(months))
    if not components or not wanted:
        return []
    edges = _edges(components.values(), wanted)
    spans = _spans(wanted)
    found = await rows(
        _BY_EVENTS if by_event or as_invoiced else _BY_DAYS,
        agency_id,
        sorted({service for service, _ in components}),
        sorted({component for _, component in components}),
        edges,
        [first for first, _ in spans],
        [beyond for _, beyond in spans],
        *([as_invoiced] if by_event or as_invoiced else []),
    )
    buckets: defaultdict[Key, list[dict[str, Any]]] = defaultdict(list)
    for row in found:
        if (key := (row["service_id"], row["component_id"])) in components:
            buckets[key].append(row)
    return [
        usage
        for key, summed in buckets.items()
        for usage in _usages(components[key], summed, edges, in_use.get(key[0]))
    ]


async def hours_of(
    agency_id: uuid.UUID, service_id: uuid.UUID, component_id: uuid.UUID, first: dt.date, last: dt.date
) -> list[Hour]:
    """Return the hours behind a line, from its first day to its last, both included; hours without usage left out."""
    return [
        Hour(row["hour"], row["total"], row["high"], row["events"])
        for row in await rows(_HOURS, agency_id, service_id, component_id, midnight(first), midnight(last + ONE_DAY))
    ]


async def events_of(
    agency_id: uuid.UUID,
    service_id: uuid.UUID,
    component_id: uuid.UUID,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    most: int = 1000,
) -> list[dict[str, Any]]:
    """Return the events of a stretch of time as they came, with the latest correction of each, the earliest first."""
    return await rows(_EVENTS, agency_id, service_id, component_id, starts_at, ends_at, most)


def _edges(components: Iterable[Component], months: Sequence[Month]) -> list[dt.date]:
    days = {month.first for month in months} | {month.next.first for month in months}
    for component in components:
        days |= {version.effective_from for version in component.prices}
    return sorted(days)


def _spans(months: Sequence[Month]) -> list[tuple[dt.date, dt.date]]:
    """Join months that follow each other into stretches: first day, and the day after the last."""
    spans: list[tuple[dt.date, dt.date]] = []
    for month in months:
        if spans and spans[-1][1] == month.first:
            spans[-1] = spans[-1][0], month.next.first
        else:
            spans.append((month.first, month.next.first))
    return spans


def _usages(
    component: Component, summed: list[dict[str, Any]], edges: list[dt.date], in_use: tuple[dt.date, dt.date] | None
) -> list[Usage]:
    parts: defaultdict[tuple[dt.date, dt.date], list[dict[str, Any]]] = defaultdict(list)
    for row in summed:
        day = edges[row["bucket"] - 1]
        month = Month.of(day)
        for first, last, _ in versions_between(
            max(month.first, component.prices[0].effective_from), month.last, component.prices
        ):
            if first <= day <= last:
                parts[first, last].append(row)
    return [_usage(component, rows_of, first, last, in_use) for (first, last), rows_of in parts.items()]


def _usage(
    component: Component,
    summed: list[dict[str, Any]],
    first: dt.date,
    last: dt.date,
    in_use: tuple[dt.date, dt.date] | None,
) -> Usage:
    if in_use and max(first, in_use[0]) <= min(last, in_use[1]):
        first, last = max(first, in_use[0]), min(last, in_use[1])
    if component.basis is Basis.METERED_MAX:
        return Usage(component, max(row["high"] for row in summed), first, last)
    with exactly():
        return Usage(component, sum((row["total"] for row in summed), ZERO), first, last)
