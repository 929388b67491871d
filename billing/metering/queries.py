"""Usage as rating takes it: summed by component, month and price version, from the days' sums or from the events."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.tenancy import rows, scoped
from billing.metering.models import Meter
from billing.metering.retention import kept_from
from billing.metering.sums import EVENTS, UNSUMMED
from billing.money import exactly
from billing.months import ONE_DAY, Month, midnight
from billing.statements.charges import Usage
from billing.statements.rules import Component
from billing.tariffs.rules import Basis, PriceVersion, versions_between
from billing.usage.models import BilledService

Key = tuple[uuid.UUID, uuid.UUID]
"""A service and its component."""

_BUCKETS = "unnest($2::int[], $3::date[], $4::date[]) AS b(bucket, first, beyond)"
_IN_BUCKETS = f"EXISTS (SELECT FROM {_BUCKETS} WHERE u.day >= b.first AND u.day < b.beyond)"
# The days of a bucket lie in one month and under one version of every price: sums of sums are exact, whatever the
# component's own price versions are. All of an agency's components are read: they lie together, day by day, and a plan
# made once serves any number of them.
_BY_DAYS = f"""
    WITH {UNSUMMED.format(within=_IN_BUCKETS)}
    SELECT d.service_id, d.component_id, b.bucket, d.total, d.high
    FROM {_BUCKETS} CROSS JOIN LATERAL (
        SELECT d.service_id, d.component_id, sum(d.total) AS total, max(d.high) AS high FROM usage_day d
        WHERE d.agency_id = $1 AND d.day >= b.first AND d.day < b.beyond AND d.events > 0
            AND d.day NOT IN (SELECT day FROM unsummed)
        GROUP BY d.service_id, d.component_id
    ) d
    UNION ALL
    SELECT e.service_id, e.component_id, b.bucket, sum(e.quantity), max(e.quantity)
    FROM ({EVENTS.format(days="unsummed")}) e JOIN {_BUCKETS} ON e.day >= b.first AND e.day < b.beyond
    WHERE e.quantity IS NOT NULL GROUP BY e.service_id, e.component_id, b.bucket
"""  # noqa: S608 - our own text
# Corrected events are left out of the great sum and counted apart: there are few of them. A month's buckets are columns
# and not groups: how many services and meters there are the planner knows, and so it lets several processes add up.
_BY_EVENTS = """
    SELECT service_id, component_id, {sums} FROM usage_event
    WHERE agency_id = $1 AND service_id = ANY($2::uuid[]) AND starts_at >= $3 AND starts_at < {beyond} {only}
    GROUP BY service_id, component_id
"""
_CORRECTED = """
    SELECT DISTINCT ON (c.event_id) c.event_id, c.service_id, c.component_id, c.quantity,
        width_bucket(c.event_starts_at, $3::timestamptz[]) AS bucket, e.is_late
    FROM usage_correction c
    JOIN usage_event e ON e.agency_id = c.agency_id AND e.service_id = c.service_id
        AND e.component_id = c.component_id AND e.starts_at = c.event_starts_at AND e.id = c.event_id
    WHERE c.agency_id = $1 AND c.service_id = ANY($2::uuid[])
        AND c.event_starts_at >= $4 AND c.event_starts_at < $5 AND NOT ($6 AND c.is_late)
    ORDER BY c.event_id, c.number DESC
"""
_HOURS = f"""
    WITH {UNSUMMED.format(within="u.day BETWEEN $6 AND $7")}
    SELECT hour, total, high, events FROM usage_hour
    WHERE agency_id = $1 AND service_id = $2 AND component_id = $3 AND hour >= $4 AND hour < $5 AND events > 0
        AND NOT EXISTS (SELECT FROM unsummed WHERE hour >= opens AND hour < closes)
    UNION ALL
    SELECT date_trunc('hour', starts_at, 'UTC') AS hour, sum(quantity), max(quantity), count(*)
    FROM ({EVENTS.format(days="unsummed")}) e
    WHERE quantity IS NOT NULL AND service_id = $2 AND component_id = $3 GROUP BY 1
    ORDER BY hour
"""  # noqa: S608 - our own text


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


async def meters_within_reach() -> dict[str, list[Meter]]:
    """Return what is measured of the actor's services, by the code that events name it with; one query."""
    found: defaultdict[str, list[Meter]] = defaultdict(list)
    for meter in await scoped(Meter).select_related("price_item").order_by("code", "offering_code"):
        found[meter.code].append(meter)
    return found


async def usages_of(
    agency_id: uuid.UUID,
    components: Mapping[Key, Component],
    months: Iterable[Month],
    in_use: Mapping[uuid.UUID, tuple[dt.date, dt.date]],
    *,
    by_event: bool = False,
    as_invoiced: bool = False,
) -> list[Usage]:
    """Return the usage of components in some months: from the days' sums, in one query, or `by_event` from the events.

    `as_invoiced` (by event) leaves out what came or was corrected after its month was invoiced. `in_use` are the
    first and last day of services that were not in use throughout: a monthly high is charged for those days.
    """
    wanted = sorted(set(months))
    if not components or not wanted:
        return []
    edges = _edges(components.values(), wanted)
    # Where single events are not kept any more, their sums by day are what there is.
    since = await kept_from() if by_event or as_invoiced else None
    from_events = [month for month in wanted if since is None or month >= since] if by_event or as_invoiced else []
    found = []
    if from_events:
        services = sorted({service for service, _ in components})
        found += await _by_events(agency_id, services, edges, from_events, as_invoiced=as_invoiced)
    if from_days := {month for month in wanted if month not in from_events}:
        buckets = [n for n, first in enumerate(edges[:-1]) if Month.of(first) in from_days]
        found += await rows(
            _BY_DAYS, agency_id, [n + 1 for n in buckets], [edges[n] for n in buckets], [edges[n + 1] for n in buckets]
        )
    return _usages(components, found, _Stretches(edges, wanted), in_use)


async def _by_events(
    agency_id: uuid.UUID, services: list[uuid.UUID], edges: list[dt.date], months: list[Month], *, as_invoiced: bool
) -> list[dict[str, Any]]:
    """Return the sums of the events themselves, as corrected; `as_invoiced` leaves out what came too late."""
    stretch = [midnight(edge) for edge in edges], months[0].starts_at, months[-1].ends_at
    corrected = await rows(_CORRECTED, agency_id, services, *stretch, as_invoiced)
    without = [row["event_id"] for row in corrected]
    found = []
    for month in months:
        found += await _sums_of(agency_id, services, edges, month, without, as_invoiced=as_invoiced)
    return found + [
        row | {"total": row["quantity"], "high": row["quantity"]}
        for row in corrected
        if row["quantity"] is not None and not (as_invoiced and row["is_late"])
    ]


async def _sums_of(
    agency_id: uuid.UUID,
    services: list[uuid.UUID],
    edges: list[dt.date],
    month: Month,
    without: list[uuid.UUID],
    *,
    as_invoiced: bool,
) -> list[dict[str, Any]]:
    """Return the sums of a month's events by service, component and bucket; `without` are those corrected."""
    buckets = {n: day for n, day in enumerate(edges, 1) if month.first <= day <= month.last}
    asked: list[Any] = [agency_id, services, *map(midnight, buckets.values()), month.ends_at]
    sums, last = [], len(buckets) + 2
    for opens, n in enumerate(buckets, 3):
        # The month's own bounds hold for every bucket; each names only those that are its own.
        bounds = [f"starts_at >= ${opens}"] * (opens > 3) + [f"starts_at < ${opens + 1}"] * (opens < last)
        within = f" FILTER (WHERE {' AND '.join(bounds)})" if bounds else ""
        sums.append(f"sum(quantity){within} AS total_{n}, max(quantity){within} AS high_{n}")
    beyond, only = f"${len(asked)}", "AND NOT is_late" if as_invoiced else ""
    if without:
        asked.append(without)
        only += f" AND id <> ALL(${len(asked)}::uuid[])"
    columns = [(n, f"total_{n}", f"high_{n}") for n in buckets]
    return [
        {
            "service_id": row["service_id"],
            "component_id": row["component_id"],
            "bucket": n,
            "total": row[total],
            "high": row[high],
        }
        for row in await rows(_BY_EVENTS.format(sums=", ".join(sums), beyond=beyond, only=only), *asked)
        for n, total, high in columns
        if row[total] is not None
    ]


async def hours_of(
    agency_id: uuid.UUID, service_id: uuid.UUID, component_id: uuid.UUID, first: dt.date, last: dt.date
) -> list[Hour]:
    """Return the hours behind a line, from its first day to its last, both included; hours without usage left out."""
    return [
        Hour(row["hour"], row["total"], row["high"], row["events"])
        for row in await rows(
            _HOURS, agency_id, service_id, component_id, midnight(first), midnight(last + ONE_DAY), first, last
        )
    ]


def _edges(components: Iterable[Component], months: Sequence[Month]) -> list[dt.date]:
    days = {month.first for month in months} | {month.next.first for month in months}
    for component in components:
        days |= {version.effective_from for version in component.prices}
    return sorted(days)


class _Stretches:
    """The days at one price that a bucket belongs to, found once for all with the same prices."""

    def __init__(self, edges: Sequence[dt.date], wanted: Iterable[Month]) -> None:
        self._edges, self._wanted = edges, set(wanted)
        self._known: dict[tuple[int, int], tuple[dt.date, dt.date] | None] = {}

    def of(self, prices: tuple[PriceVersion, ...], bucket: int) -> tuple[dt.date, dt.date] | None:
        """Return the first and last day; None outside of the months that are wanted and before the first price."""
        key = id(prices), bucket
        if key not in self._known:
            self._known[key] = self._found(prices, self._edges[bucket - 1])
        return self._known[key]

    def _found(self, prices: tuple[PriceVersion, ...], day: dt.date) -> tuple[dt.date, dt.date] | None:
        month = Month.of(day)
        if month not in self._wanted:
            return None
        parts = versions_between(max(month.first, prices[0].effective_from), month.last, prices)
        return next(((first, last) for first, last, _ in parts if first <= day <= last), None)


def _usages(
    components: Mapping[Key, Component],
    found: list[dict[str, Any]],
    stretches: _Stretches,
    in_use: Mapping[uuid.UUID, tuple[dt.date, dt.date]],
) -> list[Usage]:
    sums: dict[tuple[Key, tuple[dt.date, dt.date]], tuple[Decimal, Decimal]] = {}
    with exactly():
        for row in found:
            key = row["service_id"], row["component_id"]
            component = components.get(key)
            days = stretches.of(component.prices, row["bucket"]) if component else None
            if days is None:
                continue
            total, high = row["total"], row["high"]
            if known := sums.get((key, days)):
                total, high = known[0] + total, max(known[1], high)
            sums[key, days] = total, high
    usages = []
    for (key, days), (total, high) in sums.items():
        component = components[key]
        if used := in_use.get(key[0]):
            within = max(days[0], used[0]), min(days[1], used[1])
            days = within if within[0] <= within[1] else days  # noqa: PLW2901 - the days that are paid
        usages.append(Usage(component, high if component.basis is Basis.METERED_MAX else total, *days))
    return usages
