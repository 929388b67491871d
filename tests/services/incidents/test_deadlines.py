import datetime as dt
from collections.abc import Awaitable

from auth.rules import Role, system
from auth.tenancy import acting_as
from services.calendar.commands import declare, withdraw
from services.calendar.models import Holiday
from services.incidents.commands import assign, first_analysis, wait_for_requester
from services.incidents.deadlines import News, Notice, due_work, holidays_changed
from services.incidents.ending import resolve
from services.incidents.models import Incident
from services.incidents.queries import whole
from services.incidents.rules import State
from services.sla.facts import FactKind
from tests.services.incidents.desk import Desk, at, person_of

CABINET = system("cabinet")
SPECIAL = dt.date(2027, 1, 4)


async def fall_due(now: dt.datetime) -> list[Notice]:
    async with acting_as(system("jobs")):
        return (await due_work(now)).notices


async def test_the_head_and_the_manager_hear_before_the_breach_and_at_it_once_each(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 8, 9))
    assert await fall_due(at(2026, 12, 8, 9, 44)) == []
    [before] = await fall_due(at(2026, 12, 8, 9, 46))
    assert (before.news, before.people, before.roles) == (
        News.BEFORE_BREACH,
        (desk.head.person_id,),
        (Role.MANAGER,),
    )
    assert await fall_due(at(2026, 12, 8, 9, 50)) == []
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=at(2026, 12, 8, 9, 55)))
    [breach] = await fall_due(at(2026, 12, 8, 10, 1))
    assert (breach.news, breach.people) == (News.BREACH, (desk.head.person_id, desk.technician.person_id))
    assert await fall_due(at(2026, 12, 8, 15)) == []
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2026, 12, 8, 15)))
    assert [fact.detail["level"] for fact in seen.facts if fact.kind is FactKind.ESCALATED] == ["before", "breach"]


async def test_at_night_only_what_runs_day_and_night(desk: Desk) -> None:
    await desk.call("1.2a", at(2026, 12, 8, 15, 10))
    serious = await desk.call("P1", at(2026, 12, 8, 20))
    assert [notice.incident.id for notice in await fall_due(at(2026, 12, 9, 1))] == [serious.id]
    [morning] = await fall_due(at(2026, 12, 9, 8))
    assert morning.news is News.BEFORE_BREACH


async def test_who_is_waited_for_is_reminded_every_second_working_day(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 8, 9))
    now = at(2026, 12, 8, 10)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=now))
    await desk.do(desk.helpdesk, wait_for_requester(opened.id, note="รุ่นใด", by=desk.helpdesk, now=now))
    assert await fall_due(at(2026, 12, 11, 9, 59)) == []
    [reminder] = await fall_due(at(2026, 12, 11, 10))
    assert (reminder.news, reminder.people) == (News.REMINDER, (desk.official.person_id,))
    assert await fall_due(at(2026, 12, 14, 10)) == []
    assert len(await fall_due(at(2026, 12, 15, 10))) == 1


async def test_what_nobody_answers_closes_after_five_working_days(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 4, 9))
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=at(2026, 12, 4, 9)))
    await desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=at(2026, 12, 4, 10)))
    assert await fall_due(at(2026, 12, 15, 16)) == []
    [closed] = await fall_due(at(2026, 12, 15, 16, 1))
    assert (closed.news, closed.incident.state) == (News.CLOSED, State.CLOSED)


async def holidays_untouched(now: dt.datetime) -> list[Notice]:
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


async def test_a_special_holiday_moves_what_is_open_and_says_whom_it_concerns(desk: Desk) -> None:
    now = at(2026, 12, 30, 14)
    open_, done = await desk.call("4.2", now), await desk.call("4.2", now)
    await desk.do(desk.helpdesk, first_analysis(done.id, by=desk.helpdesk, now=now))
    later = at(2027, 1, 4, 8, 30)
    resolved = await desk.do(desk.helpdesk, resolve(done.id, resolution="x", by=desk.helpdesk, now=later))
    assert open_.due_at == at(2027, 1, 4, 14)

    async def recompute(change: Awaitable[Holiday]) -> list[Notice]:
        async with acting_as(CABINET):
            return await holidays_changed((await change).day, by=CABINET, now=later)

    [moved] = await recompute(declare(SPECIAL, "วันหยุดพิเศษ", by=CABINET, now=later))
    assert (moved.news, moved.incident.id, moved.people) == (News.DUE_MOVED, open_.id, (desk.official.person_id,))
    assert (moved.before, moved.incident.due_at) == (at(2027, 1, 4, 14), at(2027, 1, 5, 14))
    async with acting_as(desk.helpdesk):
        stored = await Incident.get(id=open_.id)
        kept = await Incident.get(id=done.id)
    assert (stored.due_at, stored.queue_at) == (at(2027, 1, 5, 14), at(2027, 1, 5, 14))
    assert (kept.outcome, kept.used_minutes) == (resolved.outcome, 150)
    seen = await desk.do(desk.official, whole(done.id, by=desk.official, now=later))
    assert seen.clocks.leading.used_minutes == 150  # measured by the calendar it was resolved under
    assert await holidays_untouched(later) == []
    [back] = await recompute(withdraw(SPECIAL, by=CABINET, now=later))
    assert back.incident.due_at == at(2027, 1, 4, 14)
    assert await recompute(declare(dt.date(2027, 6, 1), "ไกล", by=CABINET, now=later)) == []
