import datetime as dt

import pytest

from auth.errors import Invalid, NotPermitted
from auth.tenancy import rows
from services.incidents.commands import assign, first_analysis, wait_for_requester
from services.incidents.queues import Line, Queue, Wanted, counts, overseen, queue
from services.incidents.rules import Channel, State
from services.sla.facts import Status
from tests.cast import actor
from tests.services.incidents.desk import Desk, at, person_of

NOW = at(2026, 12, 8, 9)
HOUR = dt.timedelta(hours=1)


async def lines(desk: Desk, which: Queue, wanted: Wanted | None = None, *, now: dt.datetime = NOW) -> list[Line]:
    page = await desk.do(desk.helpdesk, queue(which, wanted=wanted, by=desk.helpdesk, now=now))
    return list(page.lines)


async def test_what_is_due_next_comes_first_and_what_is_not_due_last(desk: Desk) -> None:
    day = await desk.call("4.2", NOW)
    waits = await desk.call("3.1", NOW)
    hour = await desk.call("1.2a", NOW)
    assert [line.id for line in await lines(desk, Queue.DUE_NEXT)] == [hour.id, day.id, waits.id]
    assert [line.status for line in await lines(desk, Queue.DUE_NEXT)] == [
        Status.RUNNING,
        Status.RUNNING,
        Status.NOT_STARTED,
    ]


async def test_pages_follow_each_other_without_gap_or_repeat(desk: Desk) -> None:
    made = [await desk.call(code, NOW) for code in ("4.2", "3.1", "1.2a", "3.1", "1.2a", "4.2", "1.3")]
    for which in (Queue.DUE_NEXT, Queue.ALL):
        seen: list[Line] = []
        after = None
        while True:
            page = await desk.do(desk.helpdesk, queue(which, after=after, size=2, by=desk.helpdesk, now=NOW))
            seen += page.lines
            after = page.after
            if after is None:
                break
        assert len(seen) == len(made)
        assert {line.id for line in seen} == {each.id for each in made}
    with pytest.raises(Invalid):
        await desk.do(desk.helpdesk, queue(Queue.ALL, after="%%%", by=desk.helpdesk, now=NOW))


async def test_the_queues_and_their_counts(desk: Desk) -> None:
    network, hardware, website = [await desk.call(code, NOW) for code in ("3.2b", "1.2a", "4.2")]
    await desk.do(desk.head, assign(hardware.id, person_of(desk.technician), by=desk.head, now=NOW))

    async def ids(who: object, which: Queue, now: dt.datetime = NOW) -> set[object]:
        page = await desk.do(who, queue(which, by=who, now=now))  # type: ignore[arg-type]
        return {line.id for line in page.lines}

    assert await ids(desk.technician, Queue.MINE) == {hardware.id}
    assert await ids(desk.head, Queue.SECTION) == {network.id, hardware.id}
    assert await ids(desk.head, Queue.UNASSIGNED) == {network.id}
    assert await ids(desk.helpdesk, Queue.UNASSIGNED) == {network.id, website.id}
    assert await ids(desk.helpdesk, Queue.BREACHED) == set()
    assert await ids(desk.helpdesk, Queue.BREACHED, NOW + 2 * HOUR) == {hardware.id}
    assert await ids(desk.manager, Queue.ALL) == {network.id, hardware.id, website.id}
    counted = await desk.do(desk.head, counts(by=desk.head, now=NOW + 2 * HOUR))
    assert counted == {Queue.MINE: 0, Queue.SECTION: 2, Queue.UNASSIGNED: 1, Queue.DUE_NEXT: 2, Queue.BREACHED: 1}


async def test_filters_and_search_in_thai(desk: Desk) -> None:
    one = await desk.call("1.2a", NOW)
    await desk.call("4.2", NOW)
    await desk.do(desk.helpdesk, first_analysis(one.id, by=desk.helpdesk, now=NOW))
    await desk.do(desk.helpdesk, wait_for_requester(one.id, note="รอ", by=desk.helpdesk, now=NOW))
    for wanted in (Wanted(state=State.WAITING), Wanted(code="1.2a"), Wanted(text=one.number.lower())):
        assert [line.id for line in await lines(desk, Queue.ALL, wanted)] == [one.id]
    assert len(await lines(desk, Queue.ALL, Wanted(text="เครือข่าย ไม่ได้", channel=Channel.PHONE))) == 2
    for nothing in ("100%", "_", "เครื่องพิมพ์"):
        assert await lines(desk, Queue.ALL, Wanted(text=nothing)) == []


async def test_a_due_time_at_closing_is_breached_only_from_the_next_opening(desk: Desk) -> None:
    await desk.call("1.2a", at(2026, 12, 8, 15))
    assert await lines(desk, Queue.BREACHED, now=at(2026, 12, 8, 20)) == []
    assert len(await lines(desk, Queue.BREACHED, now=at(2026, 12, 9, 8, 1))) == 1


async def test_oversight_sees_all_agencies(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    central = await actor("central")
    page = await desk.do(central, overseen(by=central, now=NOW))
    assert [line.id for line in page.lines] == [opened.id]
    with pytest.raises(NotPermitted):
        await desk.do(desk.helpdesk, overseen(by=desk.helpdesk, now=NOW))


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("provider_id = '{}' AND is_open", "incident_queue"),
        ("provider_id = '{}' AND is_open AND assignee_id IS NULL", "incident_unassigned_queue"),
    ],
)
async def test_the_queue_is_read_from_its_index(desk: Desk, condition: str, index: str) -> None:
    where = condition.format(desk.helpdesk.provider_id)

    async def plan() -> str:
        await rows("SET LOCAL enable_seqscan = off")
        await rows("SET LOCAL enable_sort = off")
        text = f"EXPLAIN SELECT id FROM incident WHERE {where} ORDER BY queue_at, id LIMIT 51"  # noqa: S608 - from this file
        return str(await rows(text))

    assert index in await desk.do(desk.helpdesk, plan())
