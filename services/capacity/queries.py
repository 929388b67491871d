"""What a provider has, what is taken, and what begins and ends when."""

import uuid
from dataclasses import dataclass

from auth.tenancy import one, scoped
from services.capacity.models import Hold, HoldState, Pool


@dataclass(frozen=True, slots=True)
class Future:
    """A pool with what is held in it and what will be given back, by when."""

    pool: Pool
    held: tuple[Hold, ...]
    returning: tuple[Hold, ...]


async def pools() -> list[Pool]:
    """Return the pools within reach, by code."""
    return await scoped(Pool).order_by("code")


async def future_of(pool_id: uuid.UUID) -> Future:
    """Return a pool with its holds, the oldest first, and its returns, the next first."""
    pool = await one(Pool, id=pool_id)
    live = await scoped(Hold).filter(pool_id=pool_id, state__in=[HoldState.HELD, HoldState.RETURNING])
    held = sorted((h for h in live if h.state is HoldState.HELD), key=lambda h: h.held_at)
    returning = sorted((h for h in live if h.returns_at), key=lambda h: h.returns_at or h.held_at)
    return Future(pool, tuple(held), tuple(returning))
