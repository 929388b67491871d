"""S4: hardware. A repair that goes to the vendor, a reinstallation that turns amber, a write-off check that is late."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from services.incidents.commands import assign, first_analysis, reclassify, send_to_vendor
from services.incidents.ending import resolve
from services.incidents.overview import Outcome, Tally, behind, overview
from services.incidents.queries import whole
from services.incidents.rules import State
from services.sla.facts import Standing, Status
from tests.scenarios.test_s3_network_fault import live_through_s3
from tests.services.incidents.desk import Desk, at, person_of, staffed


async def repair(desk: Desk) -> None:
    opened = await desk.call("1.2a", at(2026, 12, 21, 15, 30))
    assert opened.due_at == at(2026, 12, 22, 8, 30)
    now = at(2026, 12, 21, 15, 40)
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=now))
    harder = await desk.do(
        desk.technician, reclassify(opened.id, code="1.2b", by=desk.technician, now=at(2026, 12, 21, 15, 50))
    )
    assert harder.due_at == at(2026, 12, 22, 9, 30)
    now = at(2026, 12, 22, 8, 20)
    sent = await desk.do(desk.technician, send_to_vendor(opened.id, vendor="บริษัท", by=desk.technician, now=now))
    assert (sent.state, sent.standing, sent.due_at) == (State.AT_VENDOR, Standing.STOPPED, None)
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2026, 12, 29)))
    assert (seen.clocks.leading.used_minutes, seen.clocks.status) == (50, Status.WITHOUT_TARGET)


async def reinstall(desk: Desk) -> None:
    opened = await desk.call("1.3", at(2026, 12, 29, 9))
    assert (opened.amber_at, opened.due_at) == (at(2026, 12, 30, 9), at(2027, 1, 4, 9))
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=at(2026, 12, 29, 9, 5)))
    done = await desk.do(
        desk.helpdesk, resolve(opened.id, resolution="ติดตั้งใหม่แล้ว", by=desk.helpdesk, now=at(2026, 12, 30, 14))
    )
    assert done.outcome is Status.MET_AMBER


async def write_off(desk: Desk) -> None:
    opened = await desk.call("1.5", at(2026, 12, 28, 14), items=5)
    assert opened.due_at == at(2026, 12, 29, 8, 30)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=at(2026, 12, 28, 14, 5)))
    done = await desk.do(
        desk.helpdesk, resolve(opened.id, resolution="ประเมินแล้ว 5 เครื่อง", by=desk.helpdesk, now=at(2026, 12, 29, 9, 10))
    )
    assert done.outcome is Status.BREACHED
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2027, 1, 2)))
    assert (seen.clocks.leading.minutes_over, seen.outcome["minutes_over"]) == (40, 40)


@pytest.mark.parametrize("part", [repair, reinstall, write_off])
async def test_s4(database: str, part: Callable[[Desk], Awaitable[None]]) -> None:
    await part(await staffed())


async def test_the_four_tickets_of_december_are_two_thirds_in_time(database: str) -> None:
    """S6.2: 4 tickets = 2 met, 1 breached, 1 without target, 66.67 %."""
    desk = await staffed()
    await live_through_s3(desk)
    for part in (repair, reinstall, write_off):
        await part(desk)
    first, last, now = at(2026, 12, 1), at(2027, 1, 1), at(2027, 1, 8, 9)
    seen = await desk.do(desk.manager, overview(first, last, by=desk.manager, now=now))
    assert seen.tally == Tally(met=1, met_amber=1, breached=1, without_target=1)
    assert (seen.tally.total, seen.tally.in_time, seen.tally.compliance) == (4, 2, Decimal("66.67"))
    assert {part.name_en: part.tally.total for part in seen.by_section} == {
        "Hardware section": 3,
        "Network and security section": 1,
    }
    [late] = await desk.do(desk.manager, behind(first, last, outcome=Outcome.BREACHED, by=desk.manager, now=now))
    assert late["row_code"] == "1.5"
    assert seen.satisfaction == Decimal("5.00")
