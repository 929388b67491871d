"""Two at once: one effect, and the other is told why not."""

import asyncio
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from services.capacity.models import Hold, HoldState
from services.capacity.rules import OverCapacity
from services.requests import commands as requests
from services.requests.models import RequestEvent, WorkOrder
from services.requests.rules import CheckKind, Kind, OpenRequestExists, State, WrongState
from tests.stage import Stage, at

NOW = at("2026-12-08", "10:05")


async def test_two_confirmations_at_once_have_one_effect(stage: Stage) -> None:
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    outcomes = await asyncio.gather(
        *(stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW) for _ in range(4)),
        return_exceptions=True,
    )
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["WorkOrder", *["WrongState"] * 3]
    async with acting_as(system("test")):
        assert await WorkOrder.filter(request_id=request.id).count() == 1
        assert await RequestEvent.filter(request_id=request.id, what="confirm").count() == 1


async def test_confirming_and_withdrawing_at_once_ends_in_one_of_the_two(stage: Stage) -> None:
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    outcomes = await asyncio.gather(
        stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW),
        stage.as_("official-a", requests.withdraw, request.id, now=NOW),
        return_exceptions=True,
    )
    [refused] = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert isinstance(refused, WrongState)
    state = (await stage.request(request.id)).state
    async with acting_as(system("test")):
        orders = await WorkOrder.filter(request_id=request.id).count()
        held = await Hold.filter(request_id=request.id, state=HoldState.HELD).count()
    assert (state, orders, held) in {(State.CONFIRMED, 1, 1), (State.WITHDRAWN, 0, 0)}


async def test_as_many_quotes_succeed_as_there_are_units(stage: Stage) -> None:
    await stage.leave_free("VM", "vcpu", "3")
    waiting = []
    for _ in range(8):
        machine = {"vcpu": "1", "ram": "2", "ssd": "50"}
        request = await stage.draft("a", Kind.NEW, "VM", machine, "2026-12-16", now=NOW)
        await stage.as_("official-a", requests.submit, request.id, now=NOW)
        await stage.as_("reviewer", requests.accept, request.id, now=NOW)
        for kind in CheckKind:
            await stage.as_("reviewer", requests.check, request.id, kind, True, now=NOW)
        waiting.append(request.id)
    outcomes = await asyncio.gather(
        *(stage.as_("reviewer", requests.quote, id_, now=NOW) for id_ in waiting), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(each) for each in refused] == [OverCapacity] * 5
    assert await stage.free("VM", "vcpu") == 0
    async with acting_as(system("test")):
        pool = stage.component("VM", "vcpu").pool_id
        assert sum(h.quantity for h in await Hold.filter(pool_id=pool, state=HoldState.HELD)) == 3
        # All or nothing: a quote refused for its processors holds no memory either.
        memory = stage.component("VM", "ram").pool_id
        assert sum(h.quantity for h in await Hold.filter(pool_id=memory, state=HoldState.HELD)) == 6
    # One gives up: exactly its unit can be had again.
    succeeded = next(id_ for id_, outcome in zip(waiting, outcomes, strict=True) if outcome not in refused)
    await stage.as_("official-a", requests.withdraw, succeeded, now=NOW)
    assert await stage.free("VM", "vcpu") == Decimal(1)


async def test_a_service_has_one_open_request_whoever_sends_at_the_same_moment(stage: Stage) -> None:
    drafts = [
        await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": amount}, "2026-12-16", now=NOW)
        for amount in ("300", "400", "500")
    ]
    outcomes = await asyncio.gather(
        *(stage.as_("official-a", requests.submit, each.id, now=NOW) for each in drafts), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(each) for each in refused] == [OpenRequestExists] * 2
