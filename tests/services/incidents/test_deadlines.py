import datetime as dt
from collections.abc import Awaitable

from auth.rules import Actor, system
from auth.tenancy import acting_as, unit_of_work
from services.calendar.commands import declare, withdraw
from services.calendar.models import Holiday
from services.incidents.commands import assign, first_analysis, take, wait_for_requester
from services.incidents.deadlines import due_work, next_due
from services.incidents.ending import reopen, resolve
from services.incidents.history import facts_of
from services.incidents.holidays import Moved, holidays_changed
from services.incidents.models import Incident
from services.incidents.queries import whole
from services.incidents.rules import State
from services.notifications.models import Notification
from services.notifications.queries import news_for
from services.sla.facts import FactKind
from tests.services.incidents.desk import Desk, at, person_of

CABINET = system("cabinet")
SPECIAL = dt.date(2027, 1, 4)
MICROSECOND = dt.timedelta(microseconds=1)


async def fall_due(until: dt.datetime) -> list[dt.datetime]:
    """Do what falls due, each as of its moment; return the moments."""
    moments = []
    while True:
        now = await unit_of_work(system("jobs"), next_due)
        if now is None or now > until:
            return moments
        assert moments[-1:] != [now], "it stays due"
        moments.append(now)
        while await unit_of_work(system("jobs"), lambda now=now: due_work(now)):
            pass


async def heard(who: Actor, what: str) -> list[dt.datetime]:
    """Return when somebody was told of it, the first time first."""
    async with acting_as(who):
        return sorted(news.at for news in await news_for(who) if news.what == f"incident.{what}")


async def test_the_head_and_the_manager_hear_before_the_breach_and_at_it_once_each(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 8, 9))
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=at(2026, 12, 8, 9, 5)))
    before, breach = at(2026, 12, 8, 9, 45) + MICROSECOND, at(2026, 12, 8, 10) + MICROSECOND
    assert await fall_due(at(2026, 12, 8, 15)) == [before, breach]
    for who in (desk.head, desk.manager, desk.technician):
        assert await heard(who, "before_breach") == [before], who.name
        assert await heard(who, "breach") == [breach], who.name
    for other in (desk.official, desk.helpdesk):
        assert await heard(other, "breach") == [], other.name
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2026, 12, 8, 15)))
    assert [fact.detail["level"] for fact in seen.facts if fact.kind is FactKind.ESCALATED] == ["before", "breach"]


async def test_at_night_only_what_runs_day_and_night(desk: Desk) -> None:
    await desk.call("1.2a", at(2026, 12, 8, 15, 10))  # 75 % are used at 15:55, all at 10 minutes of the next morning
    await desk.call("1.2a", at(2026, 12, 8, 15))  # due at closing
    serious = await desk.call("P1", at(2026, 12, 8, 20))
    night = await fall_due(at(2026, 12, 9, 7))
    assert night[:2] == [at(2026, 12, 8, 15, 45) + MICROSECOND, at(2026, 12, 8, 15, 55) + MICROSECOND]
    # P1: 15 minutes to respond, 240 to restore; nobody did either.
    assert night[2:] == [
        at(2026, 12, 8, 20, 11) + dt.timedelta(seconds=15) + MICROSECOND,
        at(2026, 12, 8, 20, 15) + MICROSECOND,
        at(2026, 12, 8, 23) + MICROSECOND,
        at(2026, 12, 9) + MICROSECOND,
    ]
    for what, when in zip(
        ("response_before_breach", "response_breach", "before_breach", "breach"), night[2:], strict=True
    ):
        assert when in await heard(desk.manager, what), what
    assert await fall_due(at(2026, 12, 9, 8, 5)) == [at(2026, 12, 9, 8) + MICROSECOND]
    assert await fall_due(at(2026, 12, 9, 15)) == [at(2026, 12, 9, 8, 10) + MICROSECOND]
    async with acting_as(desk.helpdesk):
        assert (await Incident.get(id=serious.id)).escalation == 2


async def test_a_response_in_time_is_not_told_of(desk: Desk) -> None:
    serious = await desk.call("P1", at(2026, 12, 8, 20))
    await desk.do(desk.helpdesk, first_analysis(serious.id, by=desk.helpdesk, now=at(2026, 12, 8, 20, 5)))
    assert await fall_due(at(2026, 12, 8, 22)) == []
    assert await heard(desk.manager, "response_breach") == []


async def test_who_is_waited_for_is_reminded_every_second_working_day(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 8, 9))
    now = at(2026, 12, 8, 10)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=now))
    await desk.do(desk.helpdesk, wait_for_requester(opened.id, note="รุ่นใด", by=desk.helpdesk, now=now))
    reminders = [at(2026, 12, 11, 10), at(2026, 12, 15, 10)]
    assert await fall_due(at(2026, 12, 16)) == [at(2026, 12, 8, 9, 45) + MICROSECOND, *reminders][-2:]
    assert await heard(desk.official, "reminded") == reminders


async def test_what_nobody_answers_closes_after_five_working_days(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 4, 9))
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=at(2026, 12, 4, 9)))
    await desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=at(2026, 12, 4, 9, 30)))
    assert await fall_due(at(2026, 12, 15, 16)) == []
    closes = at(2026, 12, 15, 16) + MICROSECOND
    assert await fall_due(at(2026, 12, 15, 17)) == [closes]
    assert await heard(desk.official, "closed") == [closes]
    async with acting_as(desk.official):
        assert (await Incident.get(id=opened.id)).state is State.CLOSED


async def test_reopened_after_a_breach_it_is_not_told_again(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 8, 9))
    await fall_due(at(2026, 12, 8, 10, 30))
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=at(2026, 12, 8, 10, 30)))
    await desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=at(2026, 12, 8, 11)))
    await desk.do(desk.official, reopen(opened.id, note="ยัง", by=desk.official, now=at(2026, 12, 8, 12)))
    assert await fall_due(at(2026, 12, 8, 15)) == []


async def test_a_worker_that_is_late_counts_no_minute_twice(desk: Desk) -> None:
    opened = await desk.call("1.2b", at(2026, 12, 8, 9))  # 120 minutes: warned at 10:30
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=at(2026, 12, 8, 10, 45)))
    assert await fall_due(at(2026, 12, 8, 10, 50)) == [at(2026, 12, 8, 10, 30) + MICROSECOND]
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2026, 12, 8, 10, 55)))
    assert [fact.at for fact in seen.facts] == sorted(fact.at for fact in seen.facts)
    assert (seen.clocks.leading.used_minutes, seen.clocks.leading.due_at) == (115, at(2026, 12, 8, 11))
    async with acting_as(desk.helpdesk):
        assert (await Incident.get(id=opened.id)).due_at == at(2026, 12, 8, 11)


async def test_a_thousand_at_one_moment_are_all_told(desk: Desk, monkeypatch) -> None:
    monkeypatch.setattr("services.incidents.deadlines.AT_ONCE", 2)
    opened = [await desk.call("1.2a", at(2026, 12, 8, 9)) for _ in range(5)]
    assert await fall_due(at(2026, 12, 8, 9, 50)) == [at(2026, 12, 8, 9, 45) + MICROSECOND]
    async with acting_as(desk.manager):
        for each in opened:
            assert [fact.kind for fact in await facts_of(each.id)] == [FactKind.OPENED, FactKind.ESCALATED]


async def holidays_untouched(now: dt.datetime) -> list[Moved]:
    """Compute everything anew where nothing has changed."""
    async with acting_as(CABINET):
        return await holidays_changed(by=CABINET, now=now)


async def test_a_due_time_at_closing_is_touched_by_the_day_after(desk: Desk) -> None:
    late = await desk.call("1.2a", at(2026, 12, 8, 15))
    assert (late.due_at, late.overdue_from) == (at(2026, 12, 8, 16), at(2026, 12, 9, 8))
    wednesday = dt.date(2026, 12, 9)
    async with acting_as(CABINET):
        await declare(wednesday, "วันหยุดพิเศษ", by=CABINET, now=at(2026, 12, 8, 15, 30))
        assert await holidays_changed(wednesday, by=CABINET, now=at(2026, 12, 8, 15, 30)) == []
        assert (await Incident.get(id=late.id)).overdue_from == at(2026, 12, 11, 8)


async def test_a_special_holiday_moves_what_is_open_and_tells_whom_it_concerns(desk: Desk) -> None:
    now = at(2026, 12, 30, 14)
    open_, done = await desk.call("4.2", now), await desk.call("4.2", now)
    await desk.do(desk.helpdesk, first_analysis(done.id, by=desk.helpdesk, now=now))
    later = at(2027, 1, 4, 8, 30)
    resolved = await desk.do(desk.helpdesk, resolve(done.id, resolution="x", by=desk.helpdesk, now=later))
    assert open_.due_at == at(2027, 1, 4, 14)

    async def recompute(change: Awaitable[Holiday], when: dt.datetime) -> list[Moved]:
        async with acting_as(CABINET):
            return await holidays_changed((await change).day, by=CABINET, now=when)

    [moved] = await recompute(declare(SPECIAL, "วันหยุดพิเศษ", by=CABINET, now=later), later)
    assert (moved.incident.id, moved.before, moved.after) == (open_.id, at(2027, 1, 4, 14), at(2027, 1, 5, 14))
    assert await heard(desk.official, "due_moved") == [later]
    async with acting_as(desk.helpdesk):
        stored = await Incident.get(id=open_.id)
        kept = await Incident.get(id=done.id)
    assert (stored.due_at, stored.queue_at) == (at(2027, 1, 5, 14), at(2027, 1, 5, 14))
    assert (kept.outcome, kept.used_minutes) == (resolved.outcome, 150)
    seen = await desk.do(desk.official, whole(done.id, by=desk.official, now=later))
    assert seen.clocks.leading.used_minutes == 150  # measured by the calendar it was resolved under
    assert await holidays_untouched(later) == []
    again = later + dt.timedelta(minutes=1)
    [back] = await recompute(withdraw(SPECIAL, by=CABINET, now=again), again)
    assert back.incident.due_at == at(2027, 1, 4, 14)
    assert await heard(desk.official, "due_moved") == [later, again]
    assert await recompute(declare(dt.date(2027, 6, 1), "ไกล", by=CABINET, now=again), again) == []


async def test_each_move_is_told_to_whom_it_concerns_and_not_to_who_made_it(desk: Desk) -> None:
    now = at(2026, 12, 8, 9)
    opened = await desk.call("3.2b", now)
    assert await heard(desk.official, "opened") == [now]
    assert await heard(desk.head, "opened") == [now]
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=now))
    assert (await heard(desk.technician, "assigned"), await heard(desk.official, "assigned")) == ([now], [now])
    await desk.do(desk.technician, take(opened.id, by=desk.technician, now=now))
    assert await heard(desk.technician, "taken") == []
    assert await heard(desk.stranger, "opened") == []
    async with acting_as(system("tests")):
        told = await Notification.filter(subject_id=opened.id, organisation_id=desk.stranger.agency_id)
    assert told == []
