"""What the subject and the meter of an event name: a component of a service in use."""

import datetime as dt
import uuid
from collections.abc import Container, Sequence
from dataclasses import dataclass

from auth.tenancy import rows
from billing.metering.rules import Faults, Reading, price_changes_within
from billing.months import bangkok_date, midnight

# A subject is a service's number, else what the provider's own systems call it. The time in which it was in use is
# that of everything set aside for it; where nothing is, all of it is measured and it is in use throughout.
_SERVICES = """
    WITH named AS (
        SELECT w.subject, s.id FROM unnest($2::text[]) AS w(subject)
        JOIN billed_service s ON s.provider_id = $1 AND s.number = w.subject
        UNION ALL
        SELECT w.subject, r.service_id FROM unnest($2::text[]) AS w(subject)
        JOIN external_reference r ON r.provider_id = $1 AND r.reference = w.subject
    )
    SELECT n.subject, s.id, s.agency_id, s.offering_code, used.opens, used.closes
    FROM named n JOIN billed_service s ON s.id = n.id AND s.provider_id = $1
    CROSS JOIN LATERAL (
        SELECT min(a.starts_at) AS opens,
            CASE WHEN bool_and(a.ends_at IS NOT NULL) THEN max(a.ends_at) END AS closes
        FROM allocation a WHERE a.agency_id = s.agency_id AND a.service_id = s.id
    ) used
"""
_METERS = """
    SELECT m.offering_code, m.code, m.component_id, m.price_item_id, min(v.effective_from) AS priced_from
    FROM meter m LEFT JOIN price_version v ON v.price_item_id = m.price_item_id WHERE m.provider_id = $1
    GROUP BY m.id
"""
_PRICES = "SELECT price_item_id, effective_from FROM price_version WHERE price_item_id = ANY($1::uuid[])"
_LONG = dt.timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Target:
    """A service's component, its price item, and the time in which the service was in use."""

    service_id: uuid.UUID
    agency_id: uuid.UUID
    component_id: uuid.UUID
    price_item_id: uuid.UUID
    opens: dt.datetime | None
    closes: dt.datetime | None
    priced_from: dt.datetime | None
    agency_text: str
    service_text: str
    component_text: str

    def was_in_use(self, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
        """Say whether the service was in use at any time of a stretch."""
        after_opening = self.opens is None or self.opens < ends_at or self.opens == starts_at
        return after_opening and (self.closes is None or starts_at < self.closes)


async def targets_of(
    provider_id: uuid.UUID, readings: Sequence[Reading], *, skip: Container[int]
) -> tuple[dict[int, Target], dict[int, Faults]]:
    """Return what each reading measures, by its index, and what is wrong with those that measure nothing.

    Two queries however many the readings, one more where some are longer than an hour.
    """
    subjects = {reading.subject for reading in readings}
    services = {row["subject"]: row for row in await rows(_SERVICES, provider_id, sorted(subjects))}
    meters = {(row["offering_code"], row["code"]): row for row in await rows(_METERS, provider_id)}
    named: dict[tuple[str, str], Target] = {}
    found: dict[int, Target] = {}
    faults: dict[int, Faults] = {}
    long: list[int] = []
    for index, reading in enumerate(readings):
        if index in skip:
            continue
        key = reading.subject, reading.meter
        target = named.get(key)
        if target is None:
            service = services.get(reading.subject)
            meter = meters.get((service["offering_code"], reading.meter)) if service else None
            if service is None or meter is None:
                field = "subject" if service is None else "data.meter"
                faults[index] = {field: _UNKNOWN[field]}
                continue
            target = named[key] = Target(
                service["id"],
                service["agency_id"],
                meter["component_id"],
                meter["price_item_id"],
                service["opens"],
                service["closes"],
                midnight(meter["priced_from"]) if meter["priced_from"] else None,
                str(service["agency_id"]),
                str(service["id"]),
                str(meter["component_id"]),
            )
        if not target.was_in_use(reading.starts_at, reading.ends_at):
            faults[index] = {"data.start": "the service was not in use then"}
            continue
        if target.priced_from is None or reading.starts_at < target.priced_from:
            faults[index] = {"data.start": "the meter had no price then"}
            continue
        found[index] = target
        if reading.ends_at - reading.starts_at > _LONG:
            long.append(index)
    if long:
        faults |= await _across_prices(readings, found, long)
    return found, faults


_UNKNOWN = {"subject": "names no service of yours", "data.meter": "is not measured for this service"}


async def _across_prices(readings: Sequence[Reading], found: dict[int, Target], long: list[int]) -> dict[int, Faults]:
    items = {found[index].price_item_id for index in long}
    effective: dict[uuid.UUID, list[dt.date]] = {item: [] for item in items}
    for row in await rows(_PRICES, list(items)):
        effective[row["price_item_id"]].append(row["effective_from"])
    return {
        index: {"data.end": "the price changes within; split the reading there"}
        for index in long
        if bangkok_date(readings[index].starts_at) != bangkok_date(readings[index].ends_at)
        and price_changes_within(readings[index], effective[found[index].price_item_id])
    }
