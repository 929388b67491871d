"""A thousand times several at once: one effect each time, and never more held than there is."""

import asyncio
import uuid
from collections import Counter
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as, rows, unit_of_work
from services.capacity import commands as capacity
from services.capacity.models import Hold, HoldState
from services.capacity.rules import OverCapacity
from services.requests import commands as requests
from services.requests.models import WorkOrder
from services.requests.rules import State, WrongState
from tests.services.requests.cloning import NOW, awaiting
from tests.stage import Stage

CONFIRMERS = 4
PARTS = 8  # of a thousand, so that several workers share them
THROUGH_PAGES = 200  # of the double clicks; tests/scenarios/test_double_clicks.py


@pytest.mark.parametrize("part", range(PARTS))
async def test_of_four_confirmers_at_once_one_gives_the_work_order(stage: Stage, part: int) -> None:
    waiting = await awaiting(stage, 1000 // PARTS)
    for each in waiting:
        outcomes = await asyncio.gather(
            *(
                stage.as_("approver-a", requests.confirm, each.request.id, each.sha256, now=NOW)
                for _ in range(CONFIRMERS)
            ),
            return_exceptions=True,
        )
        assert Counter(type(outcome) for outcome in outcomes) == {WorkOrder: 1, WrongState: CONFIRMERS - 1}
    await one_effect_each([each.request.id for each in waiting])


@pytest.mark.parametrize("part", range(PARTS))
async def test_a_confirmation_clicked_twice_has_one_effect(stage: Stage, part: int) -> None:
    waiting = await awaiting(stage, (1000 - THROUGH_PAGES) // PARTS)
    for each in waiting:
        doing = [stage.as_("approver-a", requests.confirm, each.request.id, each.sha256, now=NOW) for _ in range(2)]
        outcomes = await asyncio.gather(*doing, return_exceptions=True)
        assert Counter(type(outcome) for outcome in outcomes) == {WorkOrder: 1, WrongState: 1}
    await one_effect_each([each.request.id for each in waiting])


@pytest.mark.parametrize("part", range(PARTS))
async def test_of_four_who_want_the_last_unit_one_holds_it(stage: Stage, part: int) -> None:
    pool_id = stage.component("VM", "vcpu").pool_id
    assert pool_id is not None
    reviewer = stage.cast["reviewer"]
    wanting = [each.request.id for each in await awaiting(stage, CONFIRMERS)]
    for id_ in wanting:
        await unit_of_work(reviewer, lambda id_=id_: capacity.release(id_))  # type: ignore[misc]
    await stage.leave_free("VM", "vcpu", "1")

    async def hold(request_id: uuid.UUID) -> None:
        wanted = {pool_id: Decimal(1)}
        await unit_of_work(
            reviewer,
            lambda: capacity.hold(request_id, stage.agency("a"), stage.provider, wanted, now=NOW),
        )

    for _ in range(1000 // PARTS):
        outcomes = await asyncio.gather(*(hold(id_) for id_ in wanting), return_exceptions=True)
        assert Counter(type(outcome) for outcome in outcomes) == {type(None): 1, OverCapacity: CONFIRMERS - 1}
        assert await stage.free("VM", "vcpu") == 0
        async with acting_as(system("test")):
            [held] = await Hold.filter(request_id__in=wanting, state=HoldState.HELD)
        # Given back twice at once, it comes back once.
        id_ = held.request_id
        await asyncio.gather(*(unit_of_work(reviewer, lambda id_=id_: capacity.release(id_)) for _ in range(2)))  # type: ignore[misc]
        assert await stage.free("VM", "vcpu") == 1


async def one_effect_each(ids: list[uuid.UUID]) -> None:
    """Hold that each request is confirmed, has one work order with its steps, and was confirmed once."""
    async with acting_as(system("test")):
        found = await rows(
            "SELECT r.state,"
            " (SELECT count(*) FROM work_order w WHERE w.request_id = r.id) orders,"
            " (SELECT count(*) FROM work_step s JOIN work_order w ON w.id = s.work_order_id"
            "  WHERE w.request_id = r.id) steps,"
            " (SELECT count(*) FROM request_event e WHERE e.request_id = r.id AND e.action = 'confirm') confirmed,"
            " (SELECT count(*) FROM audit_record a WHERE a.action = 'request.confirm'"
            "  AND a.subject_id = r.id::text) recorded"
            " FROM service_request r WHERE r.id = ANY($1::uuid[])",
            ids,
        )
    counted = Counter((row["state"], row["orders"], row["steps"], row["confirmed"], row["recorded"]) for row in found)
    assert counted == {(State.CONFIRMED.value, 1, 4, 1, 1): len(ids)}
