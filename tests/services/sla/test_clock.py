from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.months import BANGKOK
from services.calendar.rules import MINUTE, Calendar
from services.sla.clock import Clock, clocks
from services.sla.facts import RESPONSES, Fact, FactKind, Standing, Status, Why
from services.sla.rules import Terms

OFFICE = Calendar([date(2026, 12, 7), date(2026, 12, 10), date(2026, 12, 31), date(2027, 1, 1)])
K = FactKind


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=BANGKOK)


def terms(
    code: str,
    breach: int | None,
    amber: int | None = None,
    *,
    waits: bool = False,
    around_the_clock: bool = False,
    response: int | None = None,
    accounts: int = 1,
) -> Terms:
    return Terms(code, 1, amber, breach, response, waits, around_the_clock, accounts)


def of(facts: list[Fact], now: datetime, calendar: Calendar = OFFICE) -> Clock:
    [clock] = clocks(facts, calendar, now).resolution
    return clock


NETWORK = terms("3.2b", 960, waits=True)
S3 = [
    Fact(at(2026, 12, 4, 13, 30), K.OPENED, NETWORK),
    Fact(at(2026, 12, 4, 14, 15), K.ACCEPTED),
    Fact(at(2026, 12, 4, 14, 15), K.CONDITION_MET),
    Fact(at(2026, 12, 4, 15), K.ASSIGNED),
    Fact(at(2026, 12, 8, 10), K.PAUSED),
    Fact(at(2026, 12, 8, 15), K.RESUMED),
    Fact(at(2026, 12, 11, 10), K.RESOLVED),
]


def test_s3_before_the_check_nothing_runs_and_nothing_is_due() -> None:
    clock = of(S3, at(2026, 12, 4, 14, 10))
    assert (clock.status, clock.standing, clock.due_at) == (Status.NOT_STARTED, Standing.NOT_STARTED, None)
    assert clock.why is Why.CONDITION


def test_s3_the_check_starts_it_and_the_pause_moves_it() -> None:
    assert of(S3, at(2026, 12, 4, 14, 15)).due_at == at(2026, 12, 9, 14, 15)
    assert of(S3, at(2026, 12, 8, 9)).due_at == at(2026, 12, 9, 14, 15)
    waiting = of(S3, at(2026, 12, 8, 12))
    assert (waiting.status, waiting.due_is_known) == (Status.PAUSED, False)
    assert waiting.due_at == at(2026, 12, 11, 8, 15)  # were it to run again now
    running = of(S3, at(2026, 12, 9, 9))
    assert (running.due_at, running.due_is_known) == (at(2026, 12, 11, 11, 15), True)


def test_s3_resolved_within_the_sla() -> None:
    clock = of(S3, at(2027, 3, 1))
    assert (clock.used_minutes, clock.target, clock.percent) == (885, 960, Decimal("92.19"))
    assert (clock.status, clock.standing, clock.minutes_over) == (Status.MET, Standing.ENDED, 0)
    assert clock.due_at == at(2026, 12, 11, 11, 15)
    assert [(s.why, s.starts_at, s.ends_at, s.worked // MINUTE) for s in clock.segments] == [
        (Why.CONDITION, at(2026, 12, 4, 13, 30), at(2026, 12, 4, 14, 15), 0),
        (Why.WORKING, at(2026, 12, 4, 14, 15), at(2026, 12, 4, 15), 45),
        (Why.WORKING, at(2026, 12, 4, 15), at(2026, 12, 8, 10), 180),
        (Why.REQUESTER, at(2026, 12, 8, 10), at(2026, 12, 8, 15), 0),
        (Why.WORKING, at(2026, 12, 8, 15), at(2026, 12, 11, 10), 660),
    ]


REPAIR = [
    Fact(at(2026, 12, 21, 15, 30), K.OPENED, terms("1.2a", 60)),
    Fact(at(2026, 12, 21, 15, 50), K.RECLASSIFIED, terms("1.2b", 120)),
    Fact(at(2026, 12, 22, 8, 20), K.SENT_TO_VENDOR),
]


def test_s4_1_a_reclassification_keeps_the_start_and_the_vendor_stops_the_clock() -> None:
    assert of(REPAIR, at(2026, 12, 21, 15, 40)).due_at == at(2026, 12, 22, 8, 30)
    assert of(REPAIR, at(2026, 12, 21, 15, 55)).due_at == at(2026, 12, 22, 9, 30)
    stopped = of(REPAIR, at(2026, 12, 29))
    assert (stopped.used_minutes, stopped.due_at) == (50, None)
    assert (stopped.status, stopped.standing) == (Status.WITHOUT_TARGET, Standing.STOPPED)


def test_s4_1_reclassified_as_sent_to_the_company_it_stops_too() -> None:
    facts = [*REPAIR[:2], Fact(at(2026, 12, 22, 8, 20), K.RECLASSIFIED, terms("1.2c", None))]
    stopped = of(facts, at(2026, 12, 29))
    assert (stopped.used_minutes, stopped.due_at, stopped.status) == (50, None, Status.WITHOUT_TARGET)


def test_back_from_the_vendor_it_goes_on_where_it_stood() -> None:
    facts = [*REPAIR, Fact(at(2026, 12, 28, 10), K.RETURNED)]
    clock = of(facts, at(2026, 12, 28, 10, 5))
    assert (clock.used_minutes, clock.due_at) == (55, at(2026, 12, 28, 11, 10))


def test_back_from_the_vendor_nobody_waits_for_the_requester_any_more() -> None:
    facts = [
        Fact(at(2026, 12, 21, 9), K.OPENED, terms("1.2b", 120)),
        Fact(at(2026, 12, 21, 9, 10), K.PAUSED),
        Fact(at(2026, 12, 21, 10), K.SENT_TO_VENDOR),
        Fact(at(2026, 12, 22, 10), K.RETURNED),
    ]
    assert of(facts, at(2026, 12, 22, 10, 30)).used_minutes == 40


def test_sending_to_the_vendor_does_not_undo_a_breach() -> None:
    facts = [
        Fact(at(2026, 12, 21, 9), K.OPENED, terms("1.2a", 60)),
        Fact(at(2026, 12, 21, 11), K.SENT_TO_VENDOR),
    ]
    clock = of(facts, at(2026, 12, 22))
    assert (clock.status, clock.minutes_over, clock.due_at) == (Status.OVERDUE, 60, at(2026, 12, 21, 10))
    ended = of([*facts, Fact(at(2026, 12, 23), K.RESOLVED)], at(2026, 12, 24))
    assert ended.status is Status.BREACHED


def test_s4_2_a_range_turns_amber_before_it_breaches() -> None:
    facts = [Fact(at(2026, 12, 29, 9), K.OPENED, terms("1.3", 960, 480))]
    clock = of(facts, at(2026, 12, 29, 10))
    assert (clock.amber_at, clock.due_at) == (at(2026, 12, 30, 9), at(2027, 1, 4, 9))
    assert of(facts, at(2026, 12, 30, 9)).status is Status.RUNNING
    assert of(facts, at(2026, 12, 30, 9, 1)).status is Status.DUE_SOON
    done = of([*facts, Fact(at(2026, 12, 30, 14), K.RESOLVED)], at(2027, 2, 1))
    assert done.status is Status.MET_AMBER


def test_s4_3_items_multiply_and_the_breach_is_by_forty_minutes() -> None:
    facts = [
        Fact(at(2026, 12, 28, 14), K.OPENED, terms("1.5", 5 * 30)),
        Fact(at(2026, 12, 29, 9, 10), K.RESOLVED),
    ]
    clock = of(facts, at(2027, 1, 5))
    assert clock.due_at == at(2026, 12, 29, 8, 30)
    assert (clock.status, clock.minutes_over) == (Status.BREACHED, 40)


def test_s6_1_a_serious_incident_runs_day_and_night() -> None:
    detected = at(2026, 12, 12, 2, 10)
    found = clocks([Fact(detected, K.OPENED, terms("P2", 480, around_the_clock=True, response=30))], OFFICE, detected)
    assert found.response.due_at == at(2026, 12, 12, 2, 40)
    assert found.leading.due_at == at(2026, 12, 12, 10, 10)


def test_the_response_clock_ends_with_the_first_response_and_waits_for_no_condition() -> None:
    response = clocks(S3, OFFICE, at(2027, 1, 1)).response
    assert (response.used_minutes, response.target, response.ended_at) == (45, None, at(2026, 12, 4, 14, 15))
    p3 = [Fact(at(2026, 12, 4, 15, 30), K.OPENED, terms("P3", 960, response=240))]
    late = clocks([*p3, Fact(at(2026, 12, 8, 11, 31), K.ACCEPTED)], OFFICE, at(2026, 12, 9)).response
    assert (late.status, late.minutes_over) == (Status.BREACHED, 1)


def test_opened_outside_hours_it_starts_at_the_next_opening_unless_it_is_an_emergency() -> None:
    sunday = at(2026, 12, 6, 3)
    clock = of([Fact(sunday, K.OPENED, terms("4.2", 480))], sunday + timedelta(hours=1))
    assert (clock.segments[0].why, clock.standing) == (Why.OUT_OF_HOURS, Standing.RUNNING)
    assert clock.due_at == at(2026, 12, 8, 16)
    emergency = of([Fact(sunday, K.OPENED, terms("4.2", 480, around_the_clock=True))], sunday)
    assert emergency.due_at == at(2026, 12, 6, 11)


def test_an_emergency_declared_later_runs_day_and_night_from_then_on() -> None:
    facts = [
        Fact(at(2026, 12, 4, 15), K.OPENED, terms("4.2", 480)),
        Fact(at(2026, 12, 4, 20), K.RECLASSIFIED, terms("4.2", 480, around_the_clock=True)),
    ]
    clock = of(facts, at(2026, 12, 4, 21))
    assert (clock.used_minutes, clock.due_at) == (60 + 60, at(2026, 12, 5, 3))


def test_one_clock_for_each_account() -> None:
    facts = [
        Fact(at(2026, 12, 8, 8), K.OPENED, terms("5.1", 2400, 480, waits=True, accounts=3)),
        Fact(at(2026, 12, 8, 9), K.CONDITION_MET, account=1),
        Fact(at(2026, 12, 9, 9), K.CONDITION_MET),
        Fact(at(2026, 12, 9, 10), K.ITEM_DONE, account=1),
    ]
    found = clocks(facts, OFFICE, at(2026, 12, 11, 8))
    first, second, third = found.resolution
    assert (first.status, first.used_minutes) == (Status.MET_AMBER, 540)
    assert (second.status, second.used_minutes, second.due_at) == (Status.RUNNING, 420, third.due_at)
    assert found.leading is second
    ended = clocks([*facts, Fact(at(2026, 12, 11, 8), K.RESOLVED)], OFFICE, at(2027, 1, 1))
    assert [clock.status for clock in ended.resolution] == [Status.MET_AMBER, Status.MET, Status.MET]
    assert ended.status is Status.MET_AMBER


def test_unclassified_it_does_not_run_but_the_first_classification_counts_from_the_contact() -> None:
    facts = [
        Fact(at(2026, 12, 8, 8), K.OPENED),
        Fact(at(2026, 12, 8, 10), K.RECLASSIFIED, terms("4.2", 480)),
        Fact(at(2026, 12, 8, 11), K.RECLASSIFIED, terms("3.2b", 960, waits=True)),
    ]
    assert of(facts, at(2026, 12, 8, 9)).why is Why.UNCLASSIFIED
    assert of(facts, at(2026, 12, 8, 10)).used_minutes == 120
    kept = of(facts, at(2026, 12, 8, 12))
    assert (kept.used_minutes, kept.standing) == (240, Standing.RUNNING)


def test_reopened_it_goes_on_and_a_resolved_one_is_never_on_track() -> None:
    facts = [
        Fact(at(2026, 12, 8, 8), K.OPENED, terms("1.2a", 60)),
        Fact(at(2026, 12, 8, 8, 30), K.RESOLVED),
        Fact(at(2026, 12, 8, 9), K.REOPENED),
    ]
    assert of(facts[:2], at(2026, 12, 30)).status is Status.MET
    again = of(facts, at(2026, 12, 8, 9, 10))
    assert [segment.why for segment in again.segments] == [Why.WORKING, Why.RESOLVED, Why.WORKING]
    assert (again.used_minutes, again.due_at) == (40, at(2026, 12, 8, 9, 30))


@pytest.mark.parametrize("stood", [K.PAUSED, K.SENT_TO_VENDOR])
def test_resolved_while_it_stood_still_it_runs_again_once_reopened(stood: FactKind) -> None:
    facts = [
        Fact(at(2026, 12, 8, 8), K.OPENED, terms("1.2b", 120)),
        Fact(at(2026, 12, 8, 8, 30), stood),
        Fact(at(2026, 12, 8, 9), K.RESOLVED),
        Fact(at(2026, 12, 8, 10), K.REOPENED),
    ]
    assert of(facts, at(2026, 12, 8, 10, 10)).used_minutes == 40


def test_a_due_time_at_closing_is_not_overdue_that_evening() -> None:
    facts = [Fact(at(2026, 12, 4, 15), K.OPENED, terms("1.2a", 60))]
    assert of(facts, at(2026, 12, 4, 22)).due_at == at(2026, 12, 4, 16)
    assert of(facts, at(2026, 12, 4, 22)).status is Status.RUNNING
    assert of(facts, at(2026, 12, 8, 8, 1)).status is Status.OVERDUE


def test_a_holiday_declared_or_withdrawn_moves_what_is_open() -> None:
    facts = [Fact(at(2026, 12, 30, 14), K.OPENED, terms("4.2", 480))]
    now = at(2026, 12, 30, 15)
    assert of(facts, now).due_at == at(2027, 1, 4, 14)
    assert of(facts, now, Calendar([*OFFICE.holidays, date(2027, 1, 4)])).due_at == at(2027, 1, 5, 14)


def test_facts_that_do_not_begin_with_the_opening_are_refused() -> None:
    with pytest.raises(ValueError, match="opened"):
        clocks(S3[1:], OFFICE, at(2027, 1, 1))


# The peer: look at every minute, and count. Facts fall on whole minutes.

TERMS = [
    terms("a", 60),
    terms("b", 300, 120),
    terms("c", 960, 480, waits=True),
    terms("d", None),
    terms("e", 480, around_the_clock=True),
]
MOVES = st.sampled_from(
    [K.CONDITION_MET, K.PAUSED, K.RESUMED, K.SENT_TO_VENDOR, K.RETURNED, K.FORWARDED, K.RESOLVED, K.REOPENED]
)
START = at(2026, 12, 4, 7)


@st.composite
def lives(draw: st.DrawFn) -> list[Fact]:
    minute = draw(st.integers(0, 4000))
    facts = [Fact(START + minute * MINUTE, K.OPENED, draw(st.sampled_from([*TERMS, None])))]
    for _ in range(draw(st.integers(0, 14))):
        minute += draw(st.integers(0, 600))
        new = draw(st.sampled_from([None, None, None, *TERMS]))
        facts.append(Fact(START + minute * MINUTE, K.RECLASSIFIED if new else draw(MOVES), new))
    return facts


class Stepped:
    """What a person with a stopwatch would write down, looking once a minute."""

    def __init__(self, facts: list[Fact], calendar: Calendar, now: datetime) -> None:
        self.used = 0
        self.by_why: dict[Why, int] = {}
        self.reached: dict[int, datetime] = {}
        paused = vendor = started = met = resolved = False
        current = next((fact.terms for fact in facts if fact.terms), None)
        waiting = list(facts)
        minute = facts[0].at
        while True:
            while waiting and waiting[0].at <= minute:
                fact = waiting.pop(0)
                if resolved and fact.kind is not K.REOPENED:
                    continue
                current = fact.terms or current
                met |= fact.kind is K.CONDITION_MET
                paused = (paused or fact.kind is K.PAUSED) and fact.kind not in {
                    K.RESUMED,
                    K.SENT_TO_VENDOR,
                    K.RESOLVED,
                }
                vendor = (vendor or fact.kind is K.SENT_TO_VENDOR) and fact.kind not in {K.RETURNED, K.RESOLVED}
                resolved = (resolved or fact.kind is K.RESOLVED) and fact.kind is not K.REOPENED
                started |= bool(current and current.breach and (met or not current.waits))
            if minute >= now:
                break
            runs = bool(started and current and current.breach) and not (paused or vendor or resolved)
            is_open = bool(current and current.around_the_clock) or calendar.is_open(minute)
            minute += MINUTE
            if runs and is_open:
                self.used += 1
                self.reached.setdefault(self.used, minute)


CALENDARS = st.sets(st.dates(date(2026, 12, 1), date(2027, 1, 31)), max_size=12).map(Calendar)


@settings(max_examples=150, deadline=None)
@given(lives(), CALENDARS, st.integers(0, 3000))
def test_the_clock_agrees_with_looking_at_every_minute(facts: list[Fact], calendar: Calendar, later: int) -> None:
    now = facts[-1].at + later * MINUTE
    clock = of(facts, now, calendar)
    stepped = Stepped(facts, calendar, now)
    assert clock.elapsed == stepped.used * MINUTE
    assert all(segment.worked == timedelta() for segment in clock.segments if segment.why is not Why.WORKING)
    for minutes, moment in ((clock.target, clock.due_at), (clock.terms and clock.terms.amber, clock.amber_at)):
        if minutes is not None and minutes in stepped.reached:
            assert moment == stepped.reached[minutes]
        elif moment is not None and clock.standing is Standing.RUNNING:
            assert Stepped(facts, calendar, moment).used == minutes
            assert Stepped(facts, calendar, moment - MINUTE).used == (minutes or 0) - 1


@settings(max_examples=100, deadline=None)
@given(lives(), CALENDARS, st.integers(0, 3000))
def test_the_segments_leave_no_gap_and_the_past_never_changes(
    facts: list[Fact], calendar: Calendar, later: int
) -> None:
    now = facts[-1].at + later * MINUTE
    clock = of(facts, now, calendar)
    assert all(a.ends_at == b.starts_at for a, b in zip(clock.segments, clock.segments[1:], strict=False))
    if clock.segments:
        assert clock.segments[0].starts_at == facts[0].at
        assert clock.segments[-1].ends_at == min(clock.ended_at or now, now)
    earlier = of(facts, now - timedelta(minutes=later // 2), calendar) if later else clock
    assert earlier.elapsed <= clock.elapsed


@settings(max_examples=60, deadline=None)
@given(lives(), CALENDARS, st.integers(0, 2000))
def test_the_response_agrees_with_looking_at_every_minute(facts: list[Fact], calendar: Calendar, later: int) -> None:
    now = facts[-1].at + later * MINUTE
    response = clocks(facts, calendar, now).response
    answered = next((fact.at for fact in facts if fact.kind in RESPONSES), now)
    told = [fact for fact in facts if fact.at <= answered and fact.terms]
    used, minute = 0, facts[0].at
    while minute < answered:
        current = next((fact.terms for fact in reversed(told) if fact.at <= minute), told[0].terms if told else None)
        used += bool(current and current.around_the_clock) or calendar.is_open(minute)
        minute += MINUTE
    assert response.elapsed == used * MINUTE


@settings(max_examples=60, deadline=None)
@given(lives(), CALENDARS)
def test_reclassifying_loses_no_pause_and_no_minute(facts: list[Fact], calendar: Calendar) -> None:
    now = facts[-1].at
    before = of(facts, now, calendar)
    again = replace(facts[-1], kind=K.RECLASSIFIED, terms=TERMS[1])
    assert of([*facts, again], now, calendar).elapsed >= before.elapsed
