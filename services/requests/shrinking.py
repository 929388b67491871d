"""Making a pool smaller than its quotes need: the newest of them are void (annex ก 1.5: capacity is checked)."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, scoped
from services.capacity.commands import resize
from services.capacity.models import Hold, HoldState, Pool
from services.capacity.rules import PoolInUse
from services.requests.deciding import void
from services.requests.models import ServiceRequest
from services.requests.rules import State

SHRUNK = "The capacity became less after the quote was given."


async def shrink_pool(
    pool_id: uuid.UUID,
    size: Decimal,
    *,
    more_expected: Decimal | None = None,
    more_expected_on: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
) -> list[ServiceRequest]:
    """Set a pool's size, voiding quotes that nobody has confirmed, the newest first, until the rest fits.

    Returns the requests whose quotes are void; each goes back to its reviewer with the reason. Refuses a size below
    what is in use or promised by confirmed quotes (PoolInUse), and then voids none.
    """
    if not by.may(Permission.CAPACITY_EDIT):
        raise NotPermitted("capacity is kept by the provider's staff")
    pool = await one(Pool, id=pool_id)
    held = await scoped(Hold).filter(pool_id=pool_id, state=HoldState.HELD).order_by("-held_at", "-id")
    standing = {
        request.id: request
        # Locked in one order, and before the pool: as quoting and confirming do it.
        for request in await scoped(ServiceRequest)
        .filter(id__in=[each.request_id for each in held], state=State.AWAITING_CONFIRMATION)
        .order_by("id")
        .select_for_update()
    }
    over = Decimal(pool.in_use) + Decimal(pool.held) - size
    chosen: list[ServiceRequest] = []
    for each in held:
        if over > 0 and each.request_id in standing:
            chosen.append(standing[each.request_id])
            over -= each.quantity
    if over > 0:
        raise PoolInUse(size + over, size)
    for request in chosen:
        await void(request, SHRUNK, now=now)
    # Settles it by the pool's own row, whatever happened to it since it was read.
    await resize(pool_id, size, more_expected=more_expected, more_expected_on=more_expected_on, by=by, now=now)
    return chosen
