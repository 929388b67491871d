"""Usage as rating takes it: summed by component, month and price version, from the days' sums or from the events."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
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
Days = tuple[dt.date, dt.date]
"""The first and the last day, included."""

# What is read for rating comes as a row for each service and component: its amounts in consecutive buckets, of which
# `bucket` numbers the first. The days of a bucket lie in one month and under one version of every price: sums of sums
# are exact, whatever the component's own versions are. `$2` are the components whose highest counts. All of an agency's
# components are read: they lie together, day by day.
_AMOUNT = """
    CASE WHEN component_id = ANY($2::uuid[]) THEN max({high}) FILTER (WHERE component_id = ANY($2::uuid[]){within})
    ELSE sum({total}) FILTER (WHERE true{within}) END
"""
# A month's days and buckets are written out and not parameters, they are columns and not groups, and marked days are
# looked up anew: so the planner knows how many rows come, and has several processes add them up.
_MONTH = """
    SELECT service_id, component_id, {bucket} AS bucket, ARRAY[{amounts}] AS amounts
    FROM {source} d WHERE agency_id = $1 AND {when} >= {opens} AND {when} < {closes} {only}
    GROUP BY service_id, component_id
"""
_SUMMED = "AND events > 0 AND NOT EXISTS (SELECT FROM usage_unsummed u WHERE u.agency_id = $1 AND u.day = d.day)"
_MARKED = f"""
    SELECT service_id, component_id, width_bucket(day, $3::date[]) AS bucket,
        ARRAY[{_AMOUNT.format(total="quantity", high="quantity", within="")}] AS amounts
    FROM ({EVENTS.format(days="unsummed")}) e WHERE quantity IS NOT NULL GROUP BY 1, 2, 3
"""  # noqa: S608 - our own text
_ONE_MONTH = f"WITH {UNSUMMED.format(within='u.day >= {first} AND u.day < {beyond}')} {{sums}} UNION ALL {_MARKED}"
# Many months would be as many columns or branches: a plan made once serves any number of them.
_BUCKETS = "unnest($4::int[], $5::date[], $6::date[]) AS b(bucket, first, beyond)"
_IN_BUCKETS = f"EXISTS (SELECT FROM {_BUCKETS} WHERE u.day >= b.first AND u.day < b.beyond)"
_MANY_MONTHS = f"""
    WITH {UNSUMMED.format(within=_IN_BUCKETS)}
    SELECT d.service_id, d.component_id, b.bucket, ARRAY[d.amount] AS amounts
    FROM {_BUCKETS} CROSS JOIN LATERAL (
        SELECT service_id, component_id, {_AMOUNT.format(total="total", high="high", within="")} AS amount
        FROM usage_day d
        WHERE agency_id = $1 AND day >= b.first AND day < b.beyond AND events > 0
            AND (NOT EXISTS (SELECT FROM unsummed) OR day NOT IN (SELECT day FROM unsummed))
        GROUP BY service_id, component_id
    ) d
    UNION ALL {_MARKED}
"""  # noqa: S608 - our own text
# Corrected events are left out of the great sum and counted apart: there are few of them.
_CORRECTED = """
    SELECT DISTINCT ON (c.event_id) c.event_id, c.service_id, c.component_id, c.quantity,
        width_bucket(c.event_starts_at, $2::timestamptz[]) AS bucket, e.is_late
    FROM usage_correction c
    JOIN usage_event e ON e.agency_id = c.agency_id AND e.service_id = c.service_id
        AND e.component_id = c.component_id AND e.starts_at = c.event_starts_at AND e.id = c.event_id
    WHERE c.agency_id = $1 AND c.event_starts_at >= $3 AND c.event_starts_at < $4 AND NOT ($5 AND c.is_late)
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
    in_use: Mapping[Key, Days],
    *,
    by_event: bool = False,
    as_invoiced: bool = False,
) -> list[Usage]:
    """Return the usage of components in some months: from the days' sums, in one query, or `by_event` from the events.

    `as_invoiced` (by event) leaves out what came or was corrected after its month was invoiced. `in_use` are the
    first and last day of what was not in use throughout: a monthly high is charged for those days.
    """
    wanted = sorted(set(months))
    if not components or not wanted:
        return []
    edges = _edges(components.values(), wanted)
    highs = sorted({key[1] for key, component in components.items() if component.basis is Basis.METERED_MAX})
    # Where single events are not kept any more, their sums by day are what there is.
    since = await kept_from() if by_event or as_invoiced else None
    from_events = [month for month in wanted if since is None or month >= since] if by_event or as_invoiced else []
    found = []
    if from_events:
        found += await _by_events(agency_id, highs, edges, from_events, as_invoiced=as_invoiced)
    if from_days := [month for month in wanted if month not in from_events]:
        found += await _by_days(agency_id, highs, edges, from_days)
    return _usages(components, found, _Stretches(edges, wanted), in_use)


async def _by_days(
    agency_id: uuid.UUID, highs: list[uuid.UUID], edges: list[dt.date], months: list[Month]
) -> list[dict[str, Any]]:
    """Return the amounts of some months' days, the marked ones from their events; one query."""
    if len(months) == 1:
        first, beyond = f"'{months[0].first}'", f"'{months[0].next.first}'"
        sums = _sums_of(months[0], edges, by_event=False, only=_SUMMED)
        return await rows(_ONE_MONTH.format(first=first, beyond=beyond, sums=sums), agency_id, highs, edges)
    buckets = [n for n, first in enumerate(edges[:-1]) if Month.of(first) in months]
    stretches = [n + 1 for n in buckets], [edges[n] for n in buckets], [edges[n + 1] for n in buckets]
    return await rows(_MANY_MONTHS, agency_id, highs, edges, *stretches)


async def _by_events(
    agency_id: uuid.UUID, highs: list[uuid.UUID], edges: list[dt.date], months: list[Month], *, as_invoiced: bool
) -> list[dict[str, Any]]:
    """Return the amounts of the events themselves, as corrected; `as_invoiced` leaves out what came too late."""
    stretch = [midnight(edge) for edge in edges], months[0].starts_at, months[-1].ends_at
    corrected = await rows(_CORRECTED, agency_id, *stretch, as_invoiced)
    only, asked = "AND NOT is_late" if as_invoiced else "", [agency_id, highs]
    if without := [row["event_id"] for row in corrected]:
        only, asked = f"{only} AND id <> ALL($3::uuid[])", [*asked, without]
    found = []
    for month in months:
        found += await rows(_sums_of(month, edges, by_event=True, only=only), *asked)
    return found + [row | {"amounts": [row["quantity"]]} for row in corrected if not (as_invoiced and row["is_late"])]


def _sums_of(month: Month, edges: list[dt.date], *, by_event: bool, only: str) -> str:
    """Return the query for a month's amounts by service and component, from its events or from its days."""
    if by_event:
        source, when, total, high = "usage_event", "starts_at", "quantity", "quantity"
    else:
        source, when, total, high = "usage_day", "day", "total", "high"
    cuts = [f"'{midnight(day) if by_event else day}'" for day in edges if month.first <= day <= month.next.first]
    within = [
        # The month's own bounds hold for every bucket; each names only those that are its own.
        f" AND {when} >= {opens}" * (opens != cuts[0]) + f" AND {when} < {closes}" * (closes != cuts[-1])
        for opens, closes in pairwise(cuts)
    ]
    return _MONTH.format(
        bucket=edges.index(month.first) + 1,
        amounts=", ".join(_AMOUNT.format(total=total, high=high, within=each) for each in within),
        source=source,
        when=when,
        opens=cuts[0],
        closes=cuts[-1],
        only=only,
    )


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
    """The days at one price that each bucket belongs to, found once for all with the same prices."""

    def __init__(self, edges: Sequence[dt.date], wanted: Iterable[Month]) -> None:
        self._edges, self._wanted = edges, set(wanted)
        self._known: dict[int, list[Days | None]] = {}

    def of(self, prices: tuple[PriceVersion, ...]) -> list[Days | None]:
        """Return each bucket's first and last day; None outside of the wanted months and before the first price."""
        if id(prices) not in self._known:
            self._known[id(prices)] = [self._found(prices, day) for day in self._edges]
        return self._known[id(prices)]

    def _found(self, prices: tuple[PriceVersion, ...], day: dt.date) -> Days | None:
        month = Month.of(day)
        if month not in self._wanted:
            return None
        parts = versions_between(max(month.first, prices[0].effective_from), month.last, prices)
        return next(((first, last) for first, last, _ in parts if first <= day <= last), None)


def _usages(
    components: Mapping[Key, Component],
    found: list[dict[str, Any]],
    stretches: _Stretches,
    in_use: Mapping[Key, Days],
) -> list[Usage]:
    sums: dict[Key, dict[Days, Decimal]] = {}
    with exactly():
        for row in found:
            key = row["service_id"], row["component_id"]
            if (component := components.get(key)) is None:
                continue
            mine = sums.setdefault(key, {})
            for amount, days in zip(row["amounts"], stretches.of(component.prices)[row["bucket"] - 1 :], strict=False):
                if amount is None or days is None:
                    continue
                if (known := mine.get(days)) is None:
                    mine[days] = amount
                else:
                    mine[days] = max(known, amount) if component.basis is Basis.METERED_MAX else known + amount
    usages = []
    for key, mine in sums.items():
        component, used = components[key], in_use.get(key)
        for days, amount in mine.items():
            if used:
                within = max(days[0], used[0]), min(days[1], used[1])
                days = within if within[0] <= within[1] else days  # noqa: PLW2901 - the days that are paid
            usages.append(Usage(component, amount, *days))
    return usages
