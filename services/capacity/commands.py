"""Holding, using and releasing capacity: each a conditional update, so that a pool is never overdrawn."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal

from auth.errors import NotFound, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record, rows, scoped
from services.capacity.models import Hold, HoldState, Pool
from services.capacity.rules import OverCapacity, PoolInUse, Shortfall


async def resize(
    pool_id: uuid.UUID,
    size: Decimal,
    *,
    more_expected: Decimal | None = None,
    more_expected_on: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
) -> Pool:
    """Set a pool's size, and what more is expected when; PoolInUse when more than that is in use or held."""
    if not by.may(Permission.CAPACITY_EDIT):
        raise NotPermitted("capacity is kept by the provider's staff")
    pool = await one(Pool, lock=True, id=pool_id)
    if pool.provider_id != by.provider_id:
        raise NotFound("Pool")
    taken = Decimal(pool.in_use) + Decimal(pool.held)
    if size < taken:
        raise PoolInUse(taken, size)
    before = pool.size
    facts = {"size": size, "more_expected": more_expected, "more_expected_on": more_expected_on}
    await pool.update_from_dict(facts).save(update_fields=list(facts))
    record("pool.resized", at=now, subject=("pool", pool_id), before=before, after=size)
    return pool


async def hold(
    request_id: uuid.UUID,
    agency_id: uuid.UUID,
    provider_id: uuid.UUID,
    wanted: Mapping[uuid.UUID, Decimal],
    *,
    now: dt.datetime,
) -> None:
    """Set capacity aside for a request, all of it or none; OverCapacity names what is short, and by how much."""
    short = []
    for pool_id in sorted(wanted):  # one order for all, so that two requests never wait for each other
        taken = await rows(
            "UPDATE pool SET held = held + $2 WHERE id = $1 AND size - in_use - held >= $2 RETURNING id",
            pool_id,
            wanted[pool_id],
        )
        if not taken:
            pool = await Pool.get(id=pool_id)
            short.append(Shortfall(pool_id, (pool.name_th, pool.name_en), wanted[pool_id], pool.free))
            continue
        await Hold.create(
            agency_id=agency_id,
            provider_id=provider_id,
            request_id=request_id,
            pool_id=pool_id,
            quantity=wanted[pool_id],
            held_at=now,
        )
    if short:
        raise OverCapacity(tuple(short))


async def release(request_id: uuid.UUID) -> None:
    """Give back what a request still holds; giving back twice changes nothing."""
    await _settle(request_id, HoldState.RELEASED)


async def use(request_id: uuid.UUID) -> None:
    """Turn what a request holds into capacity in use."""
    await _settle(request_id, HoldState.USED)


async def give_back(
    request_id: uuid.UUID,
    agency_id: uuid.UUID,
    provider_id: uuid.UUID,
    quantities: Mapping[uuid.UUID, Decimal],
    at: dt.datetime,
    *,
    now: dt.datetime,
) -> None:
    """Free capacity that a request's outcome no longer needs from `at` on, by pool."""
    for pool_id in sorted(quantities):
        returning = await Hold.create(
            agency_id=agency_id,
            provider_id=provider_id,
            request_id=request_id,
            pool_id=pool_id,
            quantity=quantities[pool_id],
            state=HoldState.RETURNING,
            held_at=now,
            returns_at=at,
        )
        if at <= now:
            await _return(returning)


async def return_due(*, now: dt.datetime) -> int:
    """Free what was to be given back by now and return how many; run as the system."""
    due = await scoped(Hold).filter(state=HoldState.RETURNING, returns_at__lte=now).order_by("pool_id")
    return len([held for held in due if await _return(held)])


async def keep(request_id: uuid.UUID) -> None:
    """Take back what a request was to give back later."""
    await scoped(Hold).filter(request_id=request_id, state=HoldState.RETURNING).update(state=HoldState.RELEASED)


async def take(quantities: Mapping[uuid.UUID, Decimal]) -> None:
    """Put free capacity to use at once, for what exists already when the portal learns of it."""
    for pool_id in sorted(quantities):
        await rows("UPDATE pool SET in_use = in_use + $2 WHERE id = $1 RETURNING id", pool_id, quantities[pool_id])


async def _return(held: Hold) -> bool:
    settled = await scoped(Hold).filter(id=held.id, state=HoldState.RETURNING).update(state=HoldState.RETURNED)
    if settled:
        await rows("UPDATE pool SET in_use = in_use - $2 WHERE id = $1 RETURNING id", held.pool_id, held.quantity)
    return bool(settled)


async def _settle(request_id: uuid.UUID, state: HoldState) -> None:
    for held in await scoped(Hold).filter(request_id=request_id, state=HoldState.HELD).order_by("pool_id"):
        settled = await scoped(Hold).filter(id=held.id, state=HoldState.HELD).update(state=state)
        if not settled:
            continue
        await rows(
            "UPDATE pool SET held = held - $2, in_use = in_use + $3 WHERE id = $1 RETURNING id",
            held.pool_id,
            held.quantity,
            held.quantity if state is HoldState.USED else Decimal(0),
        )
