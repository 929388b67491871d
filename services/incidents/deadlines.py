"""What falls due by itself: escalations, reminders, closings; and what a changed holiday moves."""

import datetime as dt
import enum
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from tortoise.expressions import Q

from auth.errors import NotPermitted
from auth.fields import canonical
from auth.rules import Actor, Role, system
from auth.tenancy import record, rows, scoped
from billing.months import midnight
from services.calendar.queries import official
from services.calendar.rules import Calendar
from services.incidents.ending import closing_time
from services.incidents.history import advance, clocks_of, keep_reckoning, tell
from services.incidents.models import Incident, IncidentFact
from services.incidents.rules import REMINDS_AFTER_WORKING_DAYS, Action, State
from services.sections.queries import leads_of
from services.sla.facts import FactKind, Status
from services.sla.rules import WORKING_DAY_MINUTES

AT_ONCE = 200  # a unit of work stays short; the job comes again while there is more
_DESK = system("help desk")
_DUE_FIELDS = (
    "standing", "due_at", "overdue_from", "amber_at", "warn_at", "queue_at", "response_due_at", "closes_at",
    "escalation", "runs_always",
)  # fmt: skip


class News(enum.StrEnum):
    """What somebody should hear of."""

    BEFORE_BREACH = "before_breach"
    BREACH = "breach"
    REMINDER = "reminder"
    CLOSED = "closed"
    DUE_MOVED = "due_moved"


@dataclass(frozen=True, slots=True)
class Notice:
    """News of an incident, for these people, and for everybody of the provider in these roles."""

    news: News
    incident: Incident
    people: tuple[uuid.UUID, ...] = ()
    roles: tuple[Role, ...] = ()
    before: dt.datetime | None = None  # the due time before it moved


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, and whether more is waiting."""

    notices: list[Notice] = field(default_factory=list)
    has_more: bool = False


async def due_work(now: dt.datetime) -> Done:
    """Do what is due by now, some at a time, and say who should hear of it; run as the system.

    The head and the manager hear before a breach and at it: at night too for what runs on the 24×7 clock,
    never at night for what does not. Requesters who are waited for are reminded every second working day.
    What nobody answers closes.
    """
    calendar = await official()
    notices: list[Notice] = []
    taken = [
        await _escalate(calendar, now, notices),
        await _remind(calendar, now, notices),
        await _close(now, notices),
    ]
    return Done(notices, has_more=max(taken) >= AT_ONCE)


async def holidays_changed(*days: dt.date, by: Actor, now: dt.datetime) -> list[Notice]:
    """Compute what is still open anew by the calendar as it stands, and say whom a moved due time concerns.

    Given the days that were declared or withdrawn, it looks only at what they can touch.

    To be run right after a holiday was declared or withdrawn: as the system, for all providers; as one of a
    provider's staff, for that provider's alone. What is resolved keeps its outcome.
    """
    if by.provider_id is None and not by.is_system:
        raise NotPermitted("holidays are the provider's to declare")
    calendar = await official()
    touched = scoped(Incident).filter(state__not=State.CLOSED)
    if days:
        first, end = midnight(min(days)), midnight(max(days)) + dt.timedelta(days=1)
        ahead = Q(overdue_from__gte=first) | Q(response_due_at__gte=first) | Q(closes_at__gte=first)
        touched = touched.filter(ahead, contacted_at__lt=end)
    moved: list[Notice] = []
    last = uuid.UUID(int=0)
    while True:
        chunk = await touched.filter(id__gt=last).order_by("id").limit(1000).select_for_update()
        if not chunk:
            break
        last = chunk[-1].id
        moved += await _reckon_anew(chunk, calendar, now)
    record("incident.holidays_changed", at=now, moved=len(moved))
    return moved


async def _reckon_anew(chunk: Sequence[Incident], calendar: Calendar, now: dt.datetime) -> list[Notice]:
    facts: dict[uuid.UUID, list[IncidentFact]] = {incident.id: [] for incident in chunk}
    for fact in await IncidentFact.filter(incident_id__in=list(facts)).order_by("incident_id", "number"):
        facts[fact.incident_id].append(fact)
    moved, changed = [], []
    for incident in chunk:
        before = {name: getattr(incident, name) for name in _DUE_FIELDS}
        keep_reckoning(incident, clocks_of(facts[incident.id], calendar, now), now)
        if incident.state is State.RESOLVED and incident.resolved_at is not None:
            incident.closes_at = closing_time(calendar, incident.resolved_at)
        if any(before[name] != getattr(incident, name) for name in _DUE_FIELDS):
            changed.append(incident)
        if incident.is_open and before["due_at"] != incident.due_at:
            moved.append(Notice(News.DUE_MOVED, incident, _concerned(incident), before=before["due_at"]))
    if changed:
        await rows(
            "UPDATE incident SET (standing, due_at, overdue_from, amber_at, warn_at, queue_at, response_due_at,"
            " closes_at, escalation, runs_always) = (new.standing, new.due_at, new.overdue_from, new.amber_at,"
            " new.warn_at, new.queue_at, new.response_due_at, new.closes_at, new.escalation, new.runs_always)"
            " FROM jsonb_to_recordset($1::jsonb) AS new(id uuid, standing text, due_at timestamptz,"
            " overdue_from timestamptz, amber_at timestamptz, warn_at timestamptz, queue_at timestamptz,"
            " response_due_at timestamptz, closes_at timestamptz, escalation int, runs_always boolean)"
            " WHERE incident.id = new.id",
            canonical([{name: getattr(incident, name) for name in ("id", *_DUE_FIELDS)} for incident in changed]),
        )
    return moved


async def _escalate(calendar: Calendar, now: dt.datetime, notices: list[Notice]) -> int:
    heeded = Incident.filter(is_open=True)
    if not calendar.is_open(now):
        heeded = heeded.filter(runs_always=True)
    late = heeded.filter(overdue_from__lt=now, escalation__lt=2)
    soon = heeded.filter(warn_at__lt=now, escalation=0)
    found: dict[uuid.UUID, Incident] = {}
    for waiting in (late.order_by("overdue_from"), soon.order_by("warn_at")):
        for incident in await waiting.limit(AT_ONCE).select_for_update(skip_locked=True):
            found[incident.id] = incident
    for incident in found.values():
        measured = clocks_of(await IncidentFact.filter(incident_id=incident.id).order_by("number"), calendar, now)
        is_late = measured.status is Status.OVERDUE
        incident.escalation = 2 if is_late else 1
        await tell(
            incident, FactKind.ESCALATED, by=_DESK, now=now, level="breach" if is_late else "before",
            used_minutes=measured.leading.used_minutes, target_minutes=measured.leading.target,
        )  # fmt: skip
        heads = await leads_of(incident.section_id, now) if incident.section_id else []
        people = dict.fromkeys([*heads, *([incident.assignee_id] if incident.assignee_id else [])])
        news = News.BREACH if is_late else News.BEFORE_BREACH
        notices.append(Notice(news, incident, tuple(people), (Role.MANAGER,)))
    return len(found)


async def _remind(calendar: Calendar, now: dt.datetime, notices: list[Notice]) -> int:
    waiting = await Incident.filter(remind_at__lte=now).limit(AT_ONCE).select_for_update(skip_locked=True)
    for incident in waiting:
        incident.remind_at = calendar.add_minutes(now, REMINDS_AFTER_WORKING_DAYS * WORKING_DAY_MINUTES)
        await tell(incident, FactKind.REMINDED, by=_DESK, now=now)
        notices.append(Notice(News.REMINDER, incident, _requester(incident)))
    return len(waiting)


async def _close(now: dt.datetime, notices: list[Notice]) -> int:
    unanswered = await Incident.filter(closes_at__lt=now).limit(AT_ONCE).select_for_update(skip_locked=True)
    for incident in unanswered:
        await advance(incident, Action.CLOSE, by=_DESK, now=now)
        notices.append(Notice(News.CLOSED, incident, _requester(incident)))
    return len(unanswered)


def _requester(incident: Incident) -> tuple[uuid.UUID, ...]:
    return (incident.requester_id,) if incident.requester_id else ()


def _concerned(incident: Incident) -> tuple[uuid.UUID, ...]:
    return (*_requester(incident), *((incident.assignee_id,) if incident.assignee_id else ()))
