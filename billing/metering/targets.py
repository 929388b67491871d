"""What the subject and the meter of an event name: a component of a service in use."""

import datetime as dt
import uuid
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from auth.tenancy import rows
from billing.metering.rules import Faults, Reading, price_changes_within
from billing.months import bangkok_date, midnight

# A subject is a service's number, else what the provider's own systems call it. The time in which it was in use is
# that of everything set aside for it; where nothing is, all of it is measured and it is in use throughout. An add-on
# was in use while any of its components was set aside, which may have been more than once, or never.
_SERVICES = """
    SELECT n.subject, n.id, n.agency_id, n.offering_code, used.opens, used.closes, used.addons
    FROM (
        SELECT s.number AS subject, s.id, s.agency_id, s.offering_code FROM billed_service s
        WHERE s.provider_id = $1 AND s.number = ANY($2::text[])
        UNION ALL
        SELECT r.reference, s.id, s.agency_id, s.offering_code FROM external_reference r
        JOIN billed_service s ON s.agency_id = r.agency_id AND s.id = r.service_id AND s.provider_id = $1
        WHERE r.provider_id = $1 AND r.reference = ANY($2::text[])
    ) n
    CROSS JOIN LATERAL (
        SELECT min(a.starts_at) AS opens,
            CASE WHEN bool_and(a.ends_at IS NOT NULL) THEN max(a.ends_at) END AS closes,
            array_agg((a.addon_id, a.starts_at, a.ends_at))
                FILTER (WHERE a.addon_id IS NOT NULL AND a.ends_at IS DISTINCT FROM a.starts_at) AS addons
        FROM allocation a WHERE a.agency_id = n.agency_id AND a.service_id = n.id
    ) used
"""
_METERS = """
    SELECT m.offering_code, m.code, m.component_id, m.price_item_id, m.addon_id, min(v.effective_from) AS priced_from
    FROM meter m LEFT JOIN price_version v ON v.price_item_id = m.price_item_id WHERE m.provider_id = $1
    GROUP BY m.id
"""
_ADDON_USED = """
    SELECT a.starts_at, a.ends_at FROM meter m
    LEFT JOIN allocation a ON a.agency_id = $2 AND a.service_id = $3 AND a.addon_id = m.addon_id
        AND a.ends_at IS DISTINCT FROM a.starts_at
    WHERE m.provider_id = $1 AND m.component_id = $4 AND m.addon_id IS NOT NULL
"""
_PRICES = "SELECT price_item_id, effective_from FROM price_version WHERE price_item_id = ANY($1::uuid[])"
_LONG = dt.timedelta(hours=1)

# An add-on, from when it was set aside, and until when: None while it is.
Spell = tuple[uuid.UUID, dt.datetime, dt.datetime | None]


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A service that readings name, and the times in which it and its add-ons were in use."""

    id: uuid.UUID
    agency_id: uuid.UUID
    offering_code: str
    opens: dt.datetime | None
    closes: dt.datetime | None
    addons: Sequence[Spell]

    def was_in_use(self, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
        """Say whether the service was in use at any time of a stretch."""
        return _meet(self.opens, self.closes, starts_at, ends_at)

    def had(self, addon_id: uuid.UUID, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
        """Say whether an add-on of the service was in use at any time of a stretch."""
        return any(
            addon == addon_id and _meet(opens, closes, starts_at, ends_at) for addon, opens, closes in self.addons
        )


@dataclass(frozen=True, slots=True, eq=False)
class Gauge:
    """What a meter measures of every service of its offering or add-on, and since when that has a price."""

    component_id: uuid.UUID
    price_item_id: uuid.UUID
    addon_id: uuid.UUID | None
    priced_from: dt.datetime | None


class Target(NamedTuple):
    """What a reading measures: a component of a service. Each is one object for all readings that name it."""

    service: Measured
    gauge: Gauge


async def targets_of(
    provider_id: uuid.UUID, readings: Sequence[Reading], *, skip: Container[int]
) -> tuple[dict[int, Target], dict[int, Faults]]:
    """Return what each reading measures, by its index, and what is wrong with those that measure nothing.

    Two queries however many the readings, one more where some are longer than an hour.
    """
    subjects = {reading.subject for index, reading in enumerate(readings) if index not in skip}
    services = {
        row["subject"]: Measured(
            row["id"], row["agency_id"], row["offering_code"], row["opens"], row["closes"], row["addons"] or ()
        )
        for row in await rows(_SERVICES, provider_id, sorted(subjects))
    }
    gauges = {
        (row["offering_code"], row["code"]): Gauge(
            row["component_id"],
            row["price_item_id"],
            row["addon_id"],
            midnight(row["priced_from"]).astimezone(dt.UTC) if row["priced_from"] else None,
        )
        for row in await rows(_METERS, provider_id)
    }
    found: dict[int, Target] = {}
    faults: dict[int, Faults] = {}
    long: list[int] = []
    for index, (_, _, subject, meter, _, starts_at, ends_at) in enumerate(readings):
        if index in skip:
            continue
        service = services.get(subject)
        gauge = gauges.get((service.offering_code, meter)) if service else None
        if service is None or gauge is None:
            field = "subject" if service is None else "data.meter"
            faults[index] = {field: _UNKNOWN[field]}
        elif not service.was_in_use(starts_at, ends_at):
            faults[index] = {"data.start": "the service was not in use then"}
        elif gauge.addon_id is not None and not service.had(gauge.addon_id, starts_at, ends_at):
            faults[index] = {"data.start": "the add-on was not in use then"}
        elif gauge.priced_from is None or starts_at < gauge.priced_from:
            faults[index] = {"data.start": "the meter had no price then"}
        else:
            found[index] = Target(service, gauge)
            if ends_at - starts_at > _LONG:
                long.append(index)
    if long:
        faults |= await _across_prices(readings, found, long)
    return found, faults


async def addon_was_in_use(event: Mapping[str, Any]) -> bool:
    """Say whether what an event measures could be measured then: False of an add-on that was not in use. One query.

    `event` is a row of `usage_event`.
    """
    spells = await rows(
        _ADDON_USED, event["provider_id"], event["agency_id"], event["service_id"], event["component_id"]
    )
    return not spells or any(
        spell["starts_at"] and _meet(spell["starts_at"], spell["ends_at"], event["starts_at"], event["ends_at"])
        for spell in spells
    )


def _meet(opens: dt.datetime | None, closes: dt.datetime | None, starts_at: dt.datetime, ends_at: dt.datetime) -> bool:
    after_opening = opens is None or opens < ends_at or opens == starts_at
    return after_opening and (closes is None or starts_at < closes)


_UNKNOWN = {"subject": "names no service of yours", "data.meter": "is not measured for this service"}


async def _across_prices(readings: Sequence[Reading], found: dict[int, Target], long: list[int]) -> dict[int, Faults]:
    items = {found[index].gauge.price_item_id for index in long}
    effective: dict[uuid.UUID, list[dt.date]] = {item: [] for item in items}
    for row in await rows(_PRICES, list(items)):
        effective[row["price_item_id"]].append(row["effective_from"])
    return {
        index: {"data.end": "the price changes within; split the reading there"}
        for index in long
        if bangkok_date(readings[index].starts_at) != bangkok_date(readings[index].ends_at)
        and price_changes_within(readings[index], effective[found[index].gauge.price_item_id])
    }
