"""Taking usage in, whole batch or nothing; its days are summed up later (`billing/metering/sums.py`)."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from auth.errors import Invalid, NotPermitted
from auth.rules import Actor
from billing.metering import rules
from billing.metering.late import hold_open, mark_late
from billing.metering.models import Meter
from billing.metering.retention import kept_from
from billing.metering.rules import BadReadings, Contradicted, Faults, Reading, Stretch
from billing.metering.storing import Batch, Origin
from billing.metering.targets import targets_of
from billing.tariffs.models import PriceItem


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch: events stored now, and events that were known already."""

    stored: int
    duplicates: int


async def name_meters(
    provider_id: uuid.UUID,
    offering_code: str,
    items: Mapping[str, tuple[uuid.UUID, PriceItem]],
    addons: Mapping[uuid.UUID, uuid.UUID] = MappingProxyType({}),
) -> None:
    """Let events name what of an offering is measured or counted: by code, the component and its price item.

    `addons` names the add-on of each component that belongs to one. What is allocated is passed over. Naming again
    changes nothing.
    """
    measured = {code: (component, item) for code, (component, item) in items.items() if not item.basis.is_allocated}
    if measured:
        await Meter.bulk_create(
            [
                Meter(
                    provider_id=provider_id,
                    offering_code=offering_code,
                    code=code,
                    component_id=component_id,
                    price_item_id=item.id,
                    addon_id=addons.get(component_id),
                )
                for code, (component_id, item) in measured.items()
            ],
            ignore_conflicts=True,
        )


async def take(
    readings: Sequence[Reading],
    origin: Origin,
    *,
    by: Actor,
    now: dt.datetime,
    latest: dt.timedelta | None = rules.LATEST,
) -> Receipt:
    """Store a provider's readings, all or none; those known already are counted and passed over, however late.

    Refuses readings that cannot be (BadReadings, naming every one and its fields) and known identities that say
    something else now (Contradicted). `latest` is how late they may be; None, for staff, asks for a reason. A reading
    of a month already invoiced is stored, marked late, and settled by the next invoice.
    """
    provider_id = by.provider_id
    if provider_id is None:
        raise NotPermitted("only a provider measures")
    if latest is None and not origin.reason:
        raise Invalid({"reason": "Fill in this field."})
    batch = Batch(provider_id, readings)
    stretches, faults = rules.check(readings, now, latest=latest)
    if latest is None:
        faults |= await _let_go_of(stretches)
    targets, unknown = await targets_of(provider_id, readings, skip=faults)
    faults |= unknown
    repeats, contradicting = batch.repeats()
    if contradicting:
        raise Contradicted(contradicting)
    if faults:
        repeats |= await batch.known_among(faults)
        if wrong := {index: why for index, why in faults.items() if index not in repeats}:
            raise BadReadings(wrong)
    chosen = [index for index in range(len(readings)) if index not in repeats]
    if not chosen:
        return Receipt(0, len(readings))
    aims = [(*targets[index], stretches[index]) for index in chosen]
    touched = {(service, stretch.month) for service, stretch in {(service, stretch) for service, _, stretch in aims}}
    invoiced = await hold_open(provider_id, {(service.agency_id, month) for service, month in touched})
    late = [(service.agency_id, stretch.month) in invoiced for service, _, stretch in aims] if invoiced else []
    new = await batch.store(chosen, aims, late, origin, now)
    marks = {
        (service.agency_id, service.id, gauge.component_id, stretch.month)
        for index, (service, gauge, stretch), is_late in zip(chosen, aims, late, strict=False)
        if is_late and index in new
    }
    await mark_late(provider_id, marks, now)
    return Receipt(len(new), len(readings) - len(new))


async def faults_in(
    readings: Sequence[Reading], *, by: Actor, now: dt.datetime, latest: dt.timedelta | None = rules.LATEST
) -> dict[int, Faults]:
    """Return why `take` would refuse each of the readings it would not take, by index; stores nothing."""
    if by.provider_id is None:
        raise NotPermitted("only a provider measures")
    stretches, faults = rules.check(readings, now, latest=latest)
    if latest is None:
        faults |= await _let_go_of(stretches)
    _, unknown = await targets_of(by.provider_id, readings, skip=faults)
    faults |= unknown
    known = await Batch(by.provider_id, readings).known_among(faults) if faults else set()
    return {index: why for index, why in faults.items() if index not in known}


@dataclass(frozen=True, slots=True)
class Repeats:
    """Which readings say what is stored or said before them, and which of them say it otherwise; by index."""

    alike: frozenset[int]
    otherwise: frozenset[int]


async def repeats_in(readings: Sequence[Reading], *, by: Actor) -> Repeats:
    """Return the readings whose identity is known, or came earlier among them; stores nothing."""
    if by.provider_id is None:
        raise NotPermitted("only a provider measures")
    batch = Batch(by.provider_id, readings)
    again, otherwise = batch.repeats()
    asked = set(range(len(readings))) - again
    try:
        known = await batch.known_among(asked)
    except Contradicted as refused:
        otherwise |= set(refused.events)
        known = await batch.known_among(asked - otherwise)
    return Repeats(frozenset((again | known) - otherwise), frozenset(otherwise))


async def _let_go_of(stretches: Mapping[int, Stretch]) -> dict[int, Faults]:
    """Return the readings of months whose events are kept no longer: what they come to could not be checked any more.

    Only what may be late without limit is asked; anything else is of a month that is kept.
    """
    since = await kept_from()
    if since is None:
        return {}
    why = {"data.start": "is of a month whose single events are not kept any more"}
    return {index: why for index, stretch in stretches.items() if stretch.month < since}
