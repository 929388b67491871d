import asyncio
from collections.abc import Awaitable, Callable

from auth.errors import Conflict
from auth.tenancy import acting_as
from services.incidents.commands import first_analysis
from services.incidents.ending import confirm, resolve
from services.incidents.models import IncidentFact
from services.sla.facts import FactKind
from tests.services.incidents.desk import Desk, at

NOW = at(2026, 12, 8, 9)


async def test_of_many_at_once_one_succeeds_and_the_others_are_told(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    moves: tuple[tuple[FactKind, Callable[[], Awaitable[object]]], ...] = (
        (FactKind.ACCEPTED, lambda: desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=NOW))),
        (
            FactKind.RESOLVED,
            lambda: desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=NOW)),
        ),
        (FactKind.CLOSED, lambda: desk.do(desk.official, confirm(opened.id, by=desk.official, now=NOW))),
    )
    for kind, move in moves:
        results = await asyncio.gather(*(move() for _ in range(6)), return_exceptions=True)
        assert len([each for each in results if not isinstance(each, BaseException)]) == 1
        assert all(isinstance(each, Conflict) for each in results if isinstance(each, BaseException))
        async with acting_as(desk.helpdesk):
            assert await IncidentFact.filter(kind=kind).count() == 1


async def test_numbers_have_no_gap_when_many_report_at_once(desk: Desk) -> None:
    made = await asyncio.gather(*(desk.call("1.2a", NOW) for _ in range(8)))
    assert sorted(each.number for each in made) == [f"INC-A01-2570-{number:04d}" for number in range(1, 9)]
