"""Capacity is never overdrawn, and never given back twice."""

import uuid
from decimal import Decimal

import pytest
from tortoise.exceptions import IntegrityError

from auth.rules import system
from auth.tenancy import acting_as
from services.capacity import commands as capacity
from services.capacity.models import Pool
from services.capacity.rules import OverCapacity
from services.requests.rules import Kind
from tests.stage import Stage, at

NOW = at("2026-12-08")


async def hold(stage: Stage, request_id: uuid.UUID, name: str, amount: str) -> None:
    async with acting_as(stage.cast["reviewer"]):
        pool = stage.component("VM", name).pool_id
        assert pool is not None
        await capacity.hold(request_id, stage.agency("a"), stage.provider, {pool: Decimal(amount)}, now=NOW)


@pytest.fixture
async def request_id(stage: Stage) -> uuid.UUID:
    machine = {"vcpu": "1", "ram": "2", "ssd": "50"}
    return (await stage.draft("a", Kind.NEW, "VM", machine, "2026-12-16", now=NOW)).id


async def test_holding_takes_exactly_what_is_free_and_no_more(stage: Stage, request_id: uuid.UUID) -> None:
    await stage.leave_free("VM", "vcpu", "6")
    with pytest.raises(OverCapacity) as refused:
        await hold(stage, request_id, "vcpu", "7")
    [short] = refused.value.shortfalls
    assert (short.asked, short.available, short.short_by) == (7, 6, 1)
    await hold(stage, request_id, "vcpu", "6")
    assert await stage.free("VM", "vcpu") == 0
    with pytest.raises(OverCapacity):
        await hold(stage, request_id, "vcpu", "1")


@pytest.mark.parametrize("settle", [capacity.release, capacity.use])
async def test_what_is_held_is_settled_once(stage: Stage, request_id: uuid.UUID, settle: object) -> None:
    await stage.leave_free("VM", "vcpu", "6")
    await hold(stage, request_id, "vcpu", "4")
    for _ in range(2):
        async with acting_as(stage.cast["reviewer"]):
            await settle(request_id)  # type: ignore[operator]
    assert await stage.free("VM", "vcpu") == (6 if settle is capacity.release else 2)
    async with acting_as(system("test")):
        assert (await Pool.get(id=stage.component("VM", "vcpu").pool_id)).held == 0


async def test_the_database_refuses_to_overdraw_whatever_the_code_says(stage: Stage) -> None:
    async with acting_as(system("test")):
        pool = await Pool.get(id=stage.component("VM", "vcpu").pool_id)
    for overdrawn in ({"in_use": pool.size + 1}, {"held": pool.size}, {"held": Decimal(-1)}):
        with pytest.raises(IntegrityError, match="pool_never_overdrawn"):
            async with acting_as(system("test")):
                await Pool.filter(id=pool.id).update(**overdrawn)
