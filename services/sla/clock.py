"""The SLA clock: computed from what happened, never stored, so that no pause is ever lost.

What happened comes as facts in the order recorded; what comes out are the segments everyone sees (when the
clock ran, when it stood still, and why), the working time used, when it is due, and how it stands. A
reclassification keeps the start and everything that ran; a resolved incident that is reopened goes on where
it stood. Durations are exact to the microsecond.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

from billing.months import BANGKOK
from services.calendar.rules import MINUTE, AroundTheClock, WorkingTime
from services.sla.facts import RESPONSES, STANDING, Fact, FactKind, Segment, Standing, Status, Why
from services.sla.rules import Terms

WARN_PERCENT = 75  # of the target used: the head and the manager hear of it before the breach
_ALWAYS = AroundTheClock()
_NOTHING = timedelta()
_WAITING = {
    Why.UNCLASSIFIED: Status.NOT_STARTED,
    Why.CONDITION: Status.NOT_STARTED,
    Why.REQUESTER: Status.PAUSED,
}


@dataclass(frozen=True)
class Clock:
    """One clock of an incident at a moment."""

    segments: tuple[Segment, ...]
    terms: Terms | None
    why: Why  # it runs or stands, last of all
    ended_at: datetime | None
    calendar: WorkingTime
    as_of: datetime

    @property
    def target(self) -> int | None:
        """The minutes it may take; None without a target."""
        return self.terms.breach if self.terms else None

    @cached_property
    def elapsed(self) -> timedelta:
        """The working time used."""
        return sum((segment.worked for segment in self.segments), _NOTHING)

    @property
    def used_minutes(self) -> int:
        """The whole working minutes used."""
        return self.elapsed // MINUTE

    @property
    def percent(self) -> Decimal | None:
        """How much of the target is used, in percent to two decimals; None without a target."""
        if self.target is None:
            return None
        # Multiplied first and divided last, in whole microseconds: nothing is lost before the one rounding.
        used = Decimal(self.elapsed // timedelta(microseconds=1)) * 100
        return (used / (self.target * 60_000_000)).quantize(Decimal("0.01"), ROUND_HALF_UP)

    @property
    def over(self) -> timedelta:
        """By how much working time the target is passed; nothing while it is not."""
        if self.target is None:
            return _NOTHING
        return max(self.elapsed - self.target * MINUTE, _NOTHING)

    @property
    def minutes_over(self) -> int:
        """By how many minutes the target is passed; one begun counts."""
        return -(-self.over // MINUTE)

    @property
    def left(self) -> timedelta | None:
        """The working time left; None without a target, negative once passed."""
        return None if self.target is None else self.target * MINUTE - self.elapsed

    @property
    def standing(self) -> Standing:
        """Whether it runs; outside hours too, for it is known when it will be due."""
        return Standing.ENDED if self.ended_at is not None else STANDING[self.why]

    @property
    def status(self) -> Status:
        """How it stands against its target. What has breached stays so, at the vendor too."""
        has_ended = self.ended_at is not None
        if self.over:
            return Status.BREACHED if has_ended else Status.OVERDUE
        if not has_ended and self.why in _WAITING:
            return _WAITING[self.why]
        if self.target is None or self.why is Why.VENDOR:
            return Status.WITHOUT_TARGET
        if self._is_amber:
            return Status.MET_AMBER if has_ended else Status.DUE_SOON
        return Status.MET if has_ended else Status.RUNNING

    @cached_property
    def due_at(self) -> datetime | None:
        """When the target is reached; None while nothing is due: no target, at the vendor, not started.

        While it waits for the requester this is the moment it would be were it to run again now.
        """
        return self._reaches(self.target, 100)

    @cached_property
    def amber_at(self) -> datetime | None:
        """When the lower target is reached; None for a row without one, and where nothing is due."""
        return self._reaches(self.terms.amber if self.terms else None, 100)

    @cached_property
    def warn_at(self) -> datetime | None:
        """When so much of the target is used that the head and the manager hear of it."""
        return self._reaches(self.target, WARN_PERCENT)

    @property
    def overdue_from(self) -> datetime | None:
        """When time first runs past the target: the due time, or the opening after one that falls at closing."""
        return self.due_at and _hours(self.terms, self.calendar).next_opening(self.due_at)

    @property
    def due_is_known(self) -> bool:
        """Whether the due time moves no more by itself: the clock runs, or is past it."""
        return self.due_at is not None and (self.standing in {Standing.RUNNING, Standing.ENDED} or bool(self.over))

    @property
    def _is_amber(self) -> bool:
        return self.terms is not None and self.terms.amber is not None and self.elapsed > self.terms.amber * MINUTE

    def _reaches(self, minutes: int | None, percent: int) -> datetime | None:
        """Return the first moment at which so much of the minutes was, or will be, used."""
        if minutes is None:
            return None
        rest = minutes * MINUTE * percent / 100
        for segment in self.segments:
            if segment.why is not Why.WORKING:
                continue
            if segment.worked >= rest:
                return _hours(segment.terms, self.calendar).add(segment.starts_at, rest)
            rest -= segment.worked
        if self.why in {Why.UNCLASSIFIED, Why.CONDITION, Why.VENDOR, Why.NO_TARGET}:
            return None
        return _hours(self.terms, self.calendar).add(self.ended_at or self.as_of, rest)


@dataclass(frozen=True, slots=True)
class Clocks:
    """All clocks of an incident: the response, and one resolution clock for each account asked for."""

    response: Clock
    resolution: tuple[Clock, ...]

    @property
    def leading(self) -> Clock:
        """The resolution clock that matters most: the worst of those still open, else the worst of all."""
        open_ = [clock for clock in self.resolution if clock.ended_at is None]
        return max(open_ or self.resolution, key=lambda clock: _ORDER[clock.status])

    @property
    def status(self) -> Status:
        """The worst status of all: an incident keeps its target when every account does."""
        worst = max((clock.status for clock in self.resolution), key=_ORDER.__getitem__)
        is_open = any(clock.ended_at is None for clock in self.resolution)
        return Status.OVERDUE if worst is Status.BREACHED and is_open else worst


_ORDER = {status: place for place, status in enumerate(Status)}


def clocks(facts: Sequence[Fact], calendar: WorkingTime, now: datetime) -> Clocks:
    """Return an incident's clocks as of `now`: what was recorded later is left out.

    `calendar` is the official working time; what runs on the 24×7 clock says so in its terms. Refuses facts
    that do not begin with the opening.
    """
    told = [fact for fact in facts if fact.at <= now]
    if not told or told[0].kind is not FactKind.OPENED:
        raise ValueError("an incident begins by being opened")
    latest = next((fact.terms for fact in reversed(told) if fact.terms), None)
    accounts = range(1, (latest.clocks if latest else 1) + 1)
    return Clocks(
        response=_response(told, calendar, now),
        resolution=tuple(_follow(_about(told, account), calendar, now) for account in accounts),
    )


def _about(facts: Iterable[Fact], account: int) -> list[Fact]:
    """Return the facts about one account, in which its being done is what resolves it."""
    mine = (fact for fact in facts if fact.account in {None, account})
    return [replace(fact, kind=FactKind.RESOLVED) if fact.kind is FactKind.ITEM_DONE else fact for fact in mine]


def _response(facts: Iterable[Fact], calendar: WorkingTime, now: datetime) -> Clock:
    """Return the clock from the contact to the first response; it waits for no condition and no requester."""
    heard: list[Fact] = []
    for fact in facts:
        if fact.kind in RESPONSES:
            heard.append(replace(fact, kind=FactKind.RESOLVED, terms=None))
            break
        if fact.terms or not heard:
            terms = fact.terms and replace(fact.terms, waits=False, amber=None, breach=fact.terms.response)
            heard.append(replace(fact, terms=terms))
    return _follow(heard, calendar, now, always_runs=True)


def _follow(facts: Sequence[Fact], calendar: WorkingTime, now: datetime, *, always_runs: bool = False) -> Clock:
    """Follow the facts of one clock from the opening to `now`, or to where it ended."""
    # The first classification holds from the opening: time does not wait for the desk to find the row.
    state = _State(next((fact.terms for fact in facts if fact.terms), None), always_runs)
    segments: list[Segment] = []
    for fact, following in zip(facts, [*facts[1:], None], strict=True):
        state.hear(fact)
        _lay(segments, state, fact, following.at if following else now, calendar)
    if state.ended_at is not None:
        while segments and segments[-1].why is Why.RESOLVED:
            segments.pop()
    why = state.why_at_end if state.ended_at is not None else state.why
    return Clock(tuple(segments), state.terms, why, state.ended_at, calendar, now)


class _State:
    """What the facts heard so far come to."""

    def __init__(self, terms: Terms | None, always_runs: bool) -> None:
        self.terms = terms
        self.always_runs = always_runs  # a response is measured even where it has no target
        self.started = self.condition_met = self.paused = self.at_vendor = False
        self.ended_at: datetime | None = None
        self.why_at_end = Why.UNCLASSIFIED

    def hear(self, fact: Fact) -> None:
        """Take one fact in; what does not move a clock, and what comes after its end, changes nothing."""
        if self.ended_at is not None and fact.kind is not FactKind.REOPENED:
            return
        match fact.kind:
            case FactKind.CONDITION_MET:
                self.condition_met = True
            case FactKind.PAUSED:
                self.paused = True
            case FactKind.RESUMED:
                self.paused = False
            case FactKind.SENT_TO_VENDOR:
                self.at_vendor, self.paused = True, False
            case FactKind.RETURNED:
                self.at_vendor = False
            case FactKind.RESOLVED | FactKind.MERGED | FactKind.CLOSED:
                self.why_at_end, self.ended_at = self.why, fact.at
                self.at_vendor = self.paused = False
            case FactKind.REOPENED:
                self.ended_at = None
        self.terms = fact.terms or self.terms
        if self.terms and self.terms.breach is not None and (self.condition_met or not self.terms.waits):
            self.started = True  # and stays so, whatever it is reclassified as

    @property
    def why(self) -> Why:
        """Why the clock runs or stands now."""
        standing_still = (
            (self.ended_at is not None, Why.RESOLVED),
            (self.at_vendor, Why.VENDOR),
            (self.always_runs, Why.WORKING),
            (self.terms is None, Why.UNCLASSIFIED),
            (self.terms is not None and self.terms.breach is None, Why.NO_TARGET),
            (not self.started, Why.CONDITION),
            (self.paused, Why.REQUESTER),
        )
        return next((why for so, why in standing_still if so), Why.WORKING)


def _lay(segments: list[Segment], state: _State, fact: Fact, until: datetime, calendar: WorkingTime) -> None:
    """Add the segment that a fact begins; one more in front where the clock waits for its first opening."""
    start = fact.at.astimezone(BANGKOK)
    until = until.astimezone(BANGKOK)
    why, terms = state.why, state.terms
    if until <= start:
        return
    hours = _hours(terms, calendar)
    if why is Why.WORKING and not any(segment.worked for segment in segments):
        opening = min(hours.next_opening(start), until)
        if opening > start:
            segments.append(Segment(start, opening, Why.OUT_OF_HOURS, fact.kind, _NOTHING, terms, fact.note))
        start = opening
    if until > start:
        worked = hours.between(start, until) if why is Why.WORKING else _NOTHING
        segments.append(Segment(start, until, why, fact.kind, worked, terms, fact.note))


def _hours(terms: Terms | None, calendar: WorkingTime) -> WorkingTime:
    return _ALWAYS if terms and terms.around_the_clock else calendar
