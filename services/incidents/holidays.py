"""What a holiday declared or withdrawn does to incidents that are open, and whom that concerns."""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from auth.errors import NotPermitted
from auth.fields import canonical
from auth.rules import Actor
from auth.tenancy import record, rows, scoped
from billing.months import midnight
from services.calendar.queries import official
from services.calendar.rules import Calendar
from services.incidents.ending import closing_time
from services.incidents.history import clocks_of, keep_reckoning
from services.incidents.models import Incident, IncidentFact
from services.incidents.news import spread
from services.incidents.rules import Side, State

_DUE_FIELDS = (
    "standing", "due_at", "overdue_from", "amber_at", "warn_at", "queue_at", "response_due_at", "response_warn_at",
    "closes_at", "escalation", "response_escalation", "runs_always",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """An open incident whose due time a changed calendar moves."""

    incident: Incident
    before: dt.datetime | None
    after: dt.datetime | None


async def holidays_changed(*days: dt.date, by: Actor, now: dt.datetime) -> list[Moved]:
    """Compute what is still open anew by the calendar as it stands, and tell whom a moved due time concerns.

    Given the days that were declared or withdrawn, it looks only at what they can touch.

    To be run right after a holiday was declared or withdrawn: as the system, for all providers; as one of a
    provider's staff, for that provider's alone. What is resolved keeps its outcome.
    """
    moved: list[Moved] = []
    async for chunk, found in _chunks(_touched(days, by), await official(), now, lock=True):
        await _keep(chunk)
        moved += found
    for each in moved:
        await spread(
            each.incident, "due_moved", now.isoformat(), side=Side.DESK, by=by, now=now,
            before=each.before, until=each.after,
        )  # fmt: skip
    record("incident.holidays_changed", at=now, moved=len(moved))
    return moved


async def would_move(days: Iterable[dt.date], calendar: Calendar, *, by: Actor, now: dt.datetime) -> list[Moved]:
    """Return the incidents whose due time another calendar would move; nothing is changed."""
    return [each async for _, found in _chunks(_touched(tuple(days), by), calendar, now) for each in found]


def _touched(days: Sequence[dt.date], by: Actor) -> QuerySet[Incident]:
    if by.provider_id is None and not by.is_system:
        raise NotPermitted("holidays are the provider's to declare")
    touched = scoped(Incident).filter(state__not=State.CLOSED)
    if not days:
        return touched
    first, end = midnight(min(days)), midnight(max(days)) + dt.timedelta(days=1)
    ahead = Q(overdue_from__gte=first) | Q(response_due_at__gte=first) | Q(closes_at__gte=first)
    return touched.filter(ahead, contacted_at__lt=end)


async def _chunks(
    touched: QuerySet[Incident], calendar: Calendar, now: dt.datetime, *, lock: bool = False
) -> AsyncIterator[tuple[list[tuple[Incident, dict[str, Any]]], list[Moved]]]:
    """Reckon incidents anew, a thousand at a time: each with what it kept before, and those that are moved."""
    last = uuid.UUID(int=0)
    while True:
        page = touched.filter(id__gt=last).order_by("id").limit(1000)
        chunk = await (page.select_for_update() if lock else page)
        if not chunk:
            return
        last = chunk[-1].id
        facts: dict[uuid.UUID, list[IncidentFact]] = {incident.id: [] for incident in chunk}
        for fact in await IncidentFact.filter(incident_id__in=list(facts)).order_by("incident_id", "number"):
            facts[fact.incident_id].append(fact)
        kept = [(incident, {name: getattr(incident, name) for name in _DUE_FIELDS}) for incident in chunk]
        for incident in chunk:
            keep_reckoning(incident, clocks_of(facts[incident.id], calendar, now), now)
            if incident.state is State.RESOLVED and incident.resolved_at is not None:
                incident.closes_at = closing_time(calendar, incident.resolved_at)
        yield (
            kept,
            [
                Moved(incident, before["due_at"], incident.due_at)
                for incident, before in kept
                if incident.is_open and before["due_at"] != incident.due_at
            ],
        )


async def _keep(chunk: Sequence[tuple[Incident, dict[str, Any]]]) -> None:
    changed = [
        {name: getattr(incident, name) for name in ("id", *_DUE_FIELDS)}
        for incident, before in chunk
        if any(before[name] != getattr(incident, name) for name in _DUE_FIELDS)
    ]
    if changed:
        await rows(
            "UPDATE incident SET (standing, due_at, overdue_from, amber_at, warn_at, queue_at, response_due_at,"
            " response_warn_at, closes_at, escalation, response_escalation, runs_always) = (new.standing, new.due_at,"
            " new.overdue_from, new.amber_at, new.warn_at, new.queue_at, new.response_due_at, new.response_warn_at,"
            " new.closes_at, new.escalation, new.response_escalation, new.runs_always)"
            " FROM jsonb_to_recordset($1::jsonb) AS new(id uuid, standing text, due_at timestamptz,"
            " overdue_from timestamptz, amber_at timestamptz, warn_at timestamptz, queue_at timestamptz,"
            " response_due_at timestamptz, response_warn_at timestamptz, closes_at timestamptz, escalation int,"
            " response_escalation int, runs_always boolean) WHERE incident.id = new.id",
            canonical(changed),
        )
