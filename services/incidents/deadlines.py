"""What falls due by itself: escalations, reminders, closings, each as of the moment it does."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Final

from tortoise.queryset import QuerySet

from auth.rules import system
from auth.tenancy import rows
from services.calendar.queries import official
from services.calendar.rules import MICROSECOND, Calendar
from services.channels.answering import pass_on
from services.channels.rules import Kind
from services.incidents.history import advance, clocks_of, facts_of, tell
from services.incidents.models import Incident
from services.incidents.rules import REMINDS_AFTER_WORKING_DAYS, Action
from services.sla.facts import FactKind
from services.sla.rules import WORKING_DAY_MINUTES

AT_ONCE = 200  # a unit of work stays short; the duty comes again while there is more
_DESK = system("help desk")


@dataclass(frozen=True, slots=True)
class _Watched:
    """A clock whose target is watched over: where its moments are kept, and how far it was told of."""

    clock: str
    level: str
    warn_at: str
    late_from: str
    only: str = "is_open"

    def waiting(self, now: dt.datetime, *, is_night: bool) -> list[QuerySet[Incident]]:
        """Return the incidents past their target, and those past the warning, that nobody was told of."""
        heeded = Incident.filter(is_open=True, runs_always__in=[True] if is_night else [True, False])
        if self.clock == "response":
            heeded = heeded.filter(responded_at=None)
        late = heeded.filter(**{f"{self.late_from}__lt": now, f"{self.level}__lt": 2})
        soon = heeded.filter(**{f"{self.warn_at}__lt": now, self.level: 0})
        return [late.order_by(self.late_from), soon.order_by(self.warn_at)]


_WATCHED: Final = (
    _Watched("resolution", "escalation", "warn_at", "overdue_from"),
    _Watched(
        "response", "response_escalation", "response_warn_at", "response_due_at", "is_open AND responded_at IS NULL"
    ),
)


async def due_work(now: dt.datetime) -> int:
    """Do what is due by now, some at a time, and return how much was done; run as the system until nothing is.

    The head and the manager hear before a breach and at it, of the response and of the resolution: at night too
    for what runs on the 24×7 clock, never at night for what does not. Requesters who are waited for are reminded
    every second working day. What nobody answers closes.
    """
    calendar = await official()
    return await _escalate(calendar, now) + await _remind(calendar, now) + await _close(now)


async def next_due() -> dt.datetime | None:
    """Return the next moment at which there is something to do, None while there is nothing; run as the system.

    Each kind of moment is the first entry of an index. One of office hours that comes at night waits for the
    opening.
    """
    [found] = await rows(f"SELECT {', '.join(_first(*each) for each in _MOMENTS)}")
    calendar = await official()
    moments = [found["remind"], found["close"] and found["close"] + MICROSECOND]
    for name, at in found.items():
        if at is not None and name not in {"remind", "close"}:
            moments.append(_once_open(at + MICROSECOND, None if name.endswith("always") else calendar))
    return min((at for at in moments if at is not None), default=None)


def _first(name: str, column: str, condition: str) -> str:
    return f"(SELECT {column} FROM incident WHERE {condition} ORDER BY {column} LIMIT 1) AS {name}"  # noqa: S608 - our own words


def _moments() -> list[tuple[str, str, str]]:
    found = [
        ("remind", "remind_at", "remind_at IS NOT NULL"),
        ("close", "closes_at", "closes_at IS NOT NULL"),
    ]
    for each in _WATCHED:
        for column, told in ((each.warn_at, f"{each.level} = 0"), (each.late_from, f"{each.level} < 2")):
            for hours, runs in (("always", "runs_always"), ("office", "NOT runs_always")):
                known = f"{each.only} AND {told} AND {runs} AND {column} IS NOT NULL"
                found.append((f"{column}_{hours}", column, known))
    return found


_MOMENTS: Final = _moments()


def _once_open(at: dt.datetime, hours: Calendar | None) -> dt.datetime:
    """Return the moment itself where it may be told of then, else just after the next opening."""
    return at if hours is None or hours.is_open(at) else hours.next_opening(at) + MICROSECOND


async def _escalate(calendar: Calendar, now: dt.datetime) -> int:
    found: dict[uuid.UUID, Incident] = {}
    for watched in _WATCHED:
        for waiting in watched.waiting(now, is_night=not calendar.is_open(now)):
            for incident in await waiting.limit(AT_ONCE).select_for_update():
                found[incident.id] = incident
    told = [await _tell_of_time(incident, calendar, now) for incident in found.values()]
    return sum(told)


async def _tell_of_time(incident: Incident, calendar: Calendar, now: dt.datetime) -> int:
    """Tell how an incident stands against each of its targets, where that was not told; return how often it was."""
    facts = await facts_of(incident.id)
    measured = clocks_of(facts, calendar, max(now, facts[-1].at))
    running = [clock for clock in measured.resolution if clock.ended_at is None]
    by_name = {"resolution": running, "response": [measured.response] if incident.responded_at is None else []}
    told = 0
    for watched in _WATCHED:
        open_ = [clock for clock in by_name[watched.clock] if clock.target is not None and clock.due_is_known]
        is_late = any(clock.over for clock in open_)
        is_near = any(clock.warn_at is not None and clock.as_of > clock.warn_at for clock in open_)
        level = 2 if is_late else int(is_near)
        if level <= getattr(incident, watched.level):
            continue
        setattr(incident, watched.level, level)
        worst = max(open_, key=lambda clock: clock.elapsed)
        news = "breach" if is_late else "before_breach"
        await tell(
            incident, FactKind.ESCALATED, by=_DESK, now=now, level="breach" if is_late else "before",
            clock=watched.clock, used_minutes=worst.used_minutes, target_minutes=worst.target,
            news=news if watched.clock == "resolution" else f"response_{news}",
        )  # fmt: skip
        told += 1
    return told


async def _remind(calendar: Calendar, now: dt.datetime) -> int:
    waiting = await Incident.filter(remind_at__lte=now).order_by("remind_at").limit(AT_ONCE).select_for_update()
    for incident in waiting:
        asked = [fact.note for fact in await facts_of(incident.id) if fact.kind is FactKind.PAUSED]
        incident.remind_at = calendar.add_minutes(now, REMINDS_AFTER_WORKING_DAYS * WORKING_DAY_MINUTES)
        await tell(incident, FactKind.REMINDED, by=_DESK, now=now)
        await pass_on(incident, asked[-1].strip(), kind=Kind.ASKED, now=now)
    return len(waiting)


async def _close(now: dt.datetime) -> int:
    unanswered = await Incident.filter(closes_at__lt=now).order_by("closes_at").limit(AT_ONCE).select_for_update()
    for incident in unanswered:
        await advance(incident, Action.CLOSE, by=_DESK, now=now)
    return len(unanswered)
