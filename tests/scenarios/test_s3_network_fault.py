"""S3: a network fault logged from a phone call, paused for the requester, resolved within the agreement."""

from decimal import Decimal

from services.calendar.rules import MINUTE
from services.incidents.commands import assign, first_analysis, resume, take, wait_for_requester
from services.incidents.ending import confirm, resolve
from services.incidents.queries import whole
from services.incidents.rules import Channel, State
from services.sla.facts import Standing, Status, Why
from tests.services.incidents.desk import Desk, at, person_of, staffed


async def test_s3(database: str) -> None:
    await live_through_s3(await staffed())


async def live_through_s3(desk: Desk) -> None:
    opened = await desk.call("3.2b", at(2026, 12, 4, 13, 30), logged=at(2026, 12, 4, 13, 36))
    assert (opened.channel, opened.contacted_at) == (Channel.PHONE, at(2026, 12, 4, 13, 30))
    assert (opened.logged_by, opened.requester_id) == (desk.helpdesk.person_id, desk.official.person_id)
    assert (opened.standing, opened.due_at) == (Standing.NOT_STARTED, None)

    checked = await desk.do(
        desk.helpdesk, first_analysis(opened.id, condition_met=True, by=desk.helpdesk, now=at(2026, 12, 4, 14, 15))
    )
    assert checked.due_at == at(2026, 12, 9, 14, 15)

    now = at(2026, 12, 4, 15)
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=now))
    await desk.do(desk.technician, take(opened.id, by=desk.technician, now=at(2026, 12, 8, 9)))
    waiting = await desk.do(
        desk.technician,
        wait_for_requester(opened.id, note="ขอหมายเลขจุดติดตั้ง", by=desk.technician, now=at(2026, 12, 8, 10)),
    )
    assert (waiting.state, waiting.standing, waiting.due_at) == (State.WAITING, Standing.PAUSED, None)
    resumed = await desk.do(desk.technician, resume(opened.id, by=desk.technician, now=at(2026, 12, 8, 15)))
    assert (resumed.state, resumed.due_at) == (State.ASSIGNED, at(2026, 12, 11, 11, 15))

    now = at(2026, 12, 11, 10)
    resolved = await desk.do(
        desk.technician, resolve(opened.id, resolution="เปลี่ยนสายสัญญาณ", by=desk.technician, now=now)
    )
    assert (resolved.outcome, resolved.used_minutes) == (Status.MET, 885)
    assert resolved.closes_at == at(2026, 12, 18, 16)

    # The agency and the desk see the very same segments.
    seen = [await desk.do(who, whole(opened.id, by=who, now=now)) for who in (desk.official, desk.head)]
    assert seen[0].clocks.leading.segments == seen[1].clocks.leading.segments
    clock = seen[0].clocks.leading
    assert (clock.used_minutes, clock.target, clock.percent) == (885, 960, Decimal("92.19"))
    assert seen[0].outcome["percent"] == "92.19"
    assert [segment.why for segment in clock.segments].count(Why.REQUESTER) == 1
    assert sum(segment.worked // MINUTE for segment in clock.segments) == 885

    closed = await desk.do(desk.official, confirm(opened.id, grade=5, by=desk.official, now=at(2026, 12, 11, 11)))
    assert (closed.state, closed.grade, closed.outcome) == (State.CLOSED, 5, Status.MET)
