from decimal import Decimal

import pytest

from auth.errors import NotPermitted
from services.incidents.commands import first_analysis, wait_for_requester
from services.incidents.ending import reopen, resolve
from services.incidents.overview import By, Outcome, Tally, behind, overview
from services.incidents.rules import State
from tests.cast import actor
from tests.services.incidents.desk import Desk, at

FIRST, LAST = at(2026, 12, 1), at(2027, 1, 1)
NOW = at(2026, 12, 9, 12)


def test_nothing_to_rate_has_no_rate() -> None:
    assert Tally(without_target=3, open=1).compliance is None
    assert Tally(met=1, met_amber=1, breached=1, without_target=1).compliance == Decimal("66.67")


async def test_what_counts_and_what_is_behind_it(desk: Desk) -> None:
    late = await desk.call("1.2a", at(2026, 12, 8, 9))  # open, and past its target
    young = await desk.call("4.2", at(2026, 12, 9, 9))
    without = await desk.call("1.2c", at(2026, 12, 8, 9))
    await desk.call("4.2", at(2026, 11, 30, 15))  # of November
    done = await desk.call("4.2", at(2026, 12, 8, 8))
    await desk.do(desk.helpdesk, first_analysis(done.id, by=desk.helpdesk, now=at(2026, 12, 8, 9)))
    await desk.do(desk.helpdesk, wait_for_requester(done.id, note="x", by=desk.helpdesk, now=at(2026, 12, 8, 10)))
    await desk.do(desk.helpdesk, resolve(done.id, resolution="x", by=desk.helpdesk, now=at(2026, 12, 8, 14)))
    await desk.do(desk.official, reopen(done.id, note="x", by=desk.official, now=at(2026, 12, 8, 15)))
    await desk.do(desk.helpdesk, resolve(done.id, resolution="x", by=desk.helpdesk, now=at(2026, 12, 8, 15)))

    seen = await desk.do(desk.manager, overview(FIRST, LAST, by=desk.manager, now=NOW))
    assert seen.tally == Tally(met=1, breached=1, without_target=1, open=1)
    assert seen.tally.compliance == Decimal("50.00")
    assert seen.reopened == 1
    assert (seen.graded, seen.satisfaction) == (0, None)
    assert seen.hours_in_state[State.WAITING] == Decimal("4.00")
    assert seen.by_channel == {"phone": 4}
    assert {part.key: part.tally.total for part in seen.by_process} == {"1.2a": 1, "1.2c": 1, "4.2": 2}

    async def ids(outcome: Outcome | None = None, part: tuple[By, str] | None = None) -> set[object]:
        found = await desk.do(desk.manager, behind(FIRST, LAST, outcome=outcome, part=part, by=desk.manager, now=NOW))
        return {row["id"] for row in found}

    assert await ids(Outcome.BREACHED) == {late.id}
    assert await ids(Outcome.OPEN) == {young.id}
    assert await ids(Outcome.WITHOUT_TARGET) == {without.id}
    assert await ids(part=(By.PROCESS, "4.2")) == {young.id, done.id}
    for each, parts in ((By.SECTION, seen.by_section), (By.PROCESS, seen.by_process), (By.AGENCY, seen.by_agency)):
        assert sum([len(await ids(part=(each, part.key))) for part in parts]) == seen.tally.total


async def test_whose_overview_it_is(desk: Desk) -> None:
    await desk.call("1.2a", at(2026, 12, 8, 9))
    for name, expected in (("manager", 1), ("central", 1), ("auditor", 1), ("approver-a", 1), ("approver-b", 0)):
        who = await actor(name)
        assert (await desk.do(who, overview(FIRST, LAST, by=who, now=NOW))).tally.total == expected
    for name in ("official-a", "helpdesk", "technician", "admin"):
        who = await actor(name)
        with pytest.raises(NotPermitted):
            await desk.do(who, overview(FIRST, LAST, by=who, now=NOW))
