"""What happened to an incident: each fact appended with the move it tells of, and the clock computed anew."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tortoise.queryset import QuerySet

from auth.errors import NotFound, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import record, scoped
from billing.months import bangkok_date
from services.calendar.queries import official
from services.calendar.rules import Calendar
from services.incidents.models import Incident, IncidentFact
from services.incidents.news import spread
from services.incidents.rules import LEAVES, UNDONE, Action, Side, State, after, check
from services.sections.queries import led_by
from services.sla.clock import Clock, Clocks, clocks
from services.sla.facts import Fact, FactKind, Standing
from services.sla.rules import Terms

END_OF_TIME = dt.datetime(9999, 1, 1, tzinfo=dt.UTC)  # what is not due is last in every queue


def within_reach(by: Actor) -> QuerySet[Incident]:
    """Return the incidents the actor may know of.

    A requester's own; all of the agency for whoever answers for it; all of the provider's for its desk
    (seed B 3(1), 3(5)). Refuses who has nothing to do with incidents, the administrator among them (3(6)).
    """
    if by.is_system:
        return Incident.all()
    if not by.may(Permission.INCIDENTS_READ):
        raise NotPermitted("incidents are not this role's")
    incidents = scoped(Incident)
    if by.agency_id and not by.may(Permission.INCIDENTS_READ_AGENCY):
        incidents = incidents.filter(requester_id=by.person_id)
    return incidents


async def found(incident_id: uuid.UUID, by: Actor, *, lock: bool = False) -> Incident:
    """Return one incident within reach; NotFound for another's too."""
    incidents = within_reach(by).filter(id=incident_id)
    incident = await (incidents.select_for_update() if lock else incidents).first()
    if incident is None:
        raise NotFound("Incident")
    return incident


async def grasp(incident_id: uuid.UUID, action: Action, *, by: Actor, now: dt.datetime) -> Incident:
    """Return one incident, locked, for what the actor is about to do to it; NotPermitted when it is not theirs."""
    incident = await found(incident_id, by, lock=True)
    check(by, action, incident.whose, await led_by(by, now) if by.provider_id else frozenset())
    return incident


async def facts_of(incident_id: uuid.UUID) -> list[IncidentFact]:
    """Return what happened to an incident, in order."""
    return await IncidentFact.filter(incident_id=incident_id).order_by("number")


def calendar_for(facts: Sequence[IncidentFact], standing_now: Calendar) -> Calendar:
    """Return the working time an incident is measured by.

    For one that is open, the calendar as it stands; for one that is resolved, as it stood then: a holiday
    declared afterwards does not change how it ended.
    """
    for fact in reversed(facts):
        if fact.kind is FactKind.REOPENED:
            break
        if fact.kind is FactKind.RESOLVED and "holidays" in fact.detail:
            return Calendar(dt.date.fromisoformat(day) for day in fact.detail["holidays"])
    return standing_now


async def advance(
    incident: Incident,
    action: Action,
    *,
    by: Actor,
    now: dt.datetime,
    note: str = "",
    terms: Terms | None = None,
    account: int | None = None,
    **detail: Any,
) -> IncidentFact:
    """Take a locked incident through one move, told and reckoned in the same breath; WrongState where there is none."""
    incident.state = after(incident.state, action, is_assigned=incident.assignee_id is not None)
    return await tell(incident, LEAVES[action], by=by, now=now, note=note, terms=terms, account=account, **detail)


async def tell(
    incident: Incident,
    kind: FactKind,
    *,
    by: Actor,
    now: dt.datetime,
    at: dt.datetime | None = None,
    note: str = "",
    terms: Terms | None = None,
    account: int | None = None,
    news: str | None = None,
    recorded: Mapping[str, Any] | None = None,
    **detail: Any,
) -> IncidentFact:
    """Append one fact, store what the clock comes to with it, and tell whom it concerns.

    The incident must be locked, or new. `at` is when it happened, where that is earlier than now; `news`
    under which name it is told, where that is not the fact's own; `recorded` what the trail keeps beside. A
    resolution keeps how it ended, and the holidays it was measured by.
    """
    told = await facts_of(incident.id)
    if told:
        # What happened stays in its order, however late the worker is and whichever machine's clock is behind.
        now = max(now, told[-1].at)
    at = at or now
    heard = [*(fact.heard for fact in told), Fact(at, kind, terms, account, note)]
    calendar = await official()
    measured = clocks(heard, calendar if kind is FactKind.REOPENED else calendar_for(told, calendar), now)
    if kind is FactKind.RESOLVED:
        detail |= _outcome(measured, calendar, now)
    incident.changed_at = now
    keep_reckoning(incident, measured, now)
    await incident.save(force_create=not told)
    record(
        f"incident.{kind}",
        at=now,
        subject=("incident", incident.id),
        agency_id=incident.agency_id,
        number=incident.number,
        state=incident.state,
        **(recorded or {}),
    )
    fact = await IncidentFact.create(
        agency_id=incident.agency_id,
        provider_id=incident.provider_id,
        incident_id=incident.id,
        number=len(told) + 1,
        at=at,
        recorded_at=now,
        kind=kind,
        state=incident.state,
        by_id=by.person_id,
        by_name=by.name,
        by_side=side_of(by),
        account=account,
        terms=terms.document() if terms else None,
        note=note,
        detail=detail,
    )
    what = news if news is not None else kind.value
    await spread(incident, what, str(fact.number), side=side_of(by), by=by, now=now)
    return fact


def side_of(by: Actor) -> Side:
    """Return which side the actor speaks for; the portal's own work is the desk's."""
    return Side.REQUESTER if by.agency_id else Side.DESK


def keep_reckoning(incident: Incident, measured: Clocks, now: dt.datetime) -> None:
    """Set what an incident keeps of its clocks, for the queues and the reports."""
    response = measured.response
    incident.is_open = incident.state in UNDONE
    kept: dict[str, Any] = {
        "response_due_at": response.due_at if response.target else None,
        "responded_at": response.ended_at,
        "response_warn_at": response.warn_at if response.target and response.ended_at is None else None,
        "response_escalation": _still_holds(incident.response_escalation, response, now),
        "closes_at": incident.closes_at if incident.state is State.RESOLVED else None,
        "remind_at": incident.remind_at if incident.state is State.WAITING else None,
    }
    kept |= _while_open(incident, measured, now) if incident.is_open else _once_done(incident, measured)
    incident.update_from_dict(kept)


def _while_open(incident: Incident, measured: Clocks, now: dt.datetime) -> dict[str, Any]:
    running = [clock for clock in measured.resolution if clock.ended_at is None and clock.due_is_known]
    first = min(running, key=lambda clock: clock.due_at or END_OF_TIME, default=None)
    return {
        "standing": measured.leading.standing,
        "due_at": first.due_at if first else None,
        "overdue_from": first.overdue_from if first else None,
        "amber_at": first.amber_at if first else None,
        "warn_at": first.warn_at if first else None,
        "queue_at": (first and first.due_at) or END_OF_TIME,
        "escalation": _still_holds(incident.escalation, first, now),
        "runs_always": bool(measured.leading.terms and measured.leading.terms.around_the_clock),
        "outcome": None,
        "used_minutes": None,
    }


def _still_holds(escalation: int, clock: Clock | None, now: dt.datetime) -> int:
    """Return how far what was told of a clock still holds, now that it may be reclassified or moved by a holiday."""
    if clock is None or clock.over:
        return escalation
    return min(escalation, int(clock.warn_at is not None and now > clock.warn_at))


def _once_done(incident: Incident, measured: Clocks) -> dict[str, Any]:
    return {
        "standing": Standing.ENDED,
        "due_at": measured.leading.due_at,
        "overdue_from": None,
        "amber_at": None,
        "warn_at": None,
        "queue_at": END_OF_TIME,
        "outcome": None if incident.merged_into_id else measured.status,
        "used_minutes": measured.leading.used_minutes,
    }


def clocks_of(facts: Iterable[IncidentFact], standing_now: Calendar, now: dt.datetime) -> Clocks:
    """Return the clocks of stored facts as of now."""
    told = list(facts)
    return clocks([fact.heard for fact in told], calendar_for(told, standing_now), now)


def _outcome(measured: Clocks, calendar: Calendar, now: dt.datetime) -> dict[str, Any]:
    """Return what a resolution keeps of how it ended."""
    leading = measured.leading
    last = bangkok_date(max([now, *(clock.due_at for clock in measured.resolution if clock.due_at)]))
    first = bangkok_date(leading.segments[0].starts_at if leading.segments else now)
    return {
        "outcome": measured.status,
        "used_minutes": leading.used_minutes,
        "target_minutes": leading.target,
        "percent": leading.percent,
        "minutes_over": leading.minutes_over,
        "holidays": sorted(day.isoformat() for day in calendar.holidays if first <= day <= last),
    }
