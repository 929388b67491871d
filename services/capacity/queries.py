"""Reading what a provider has, and what comes back to it."""

import datetime as dt

from auth.tenancy import scoped
from services.capacity.models import Hold, HoldState


async def next_return() -> dt.datetime | None:
    """Return when the next capacity is given back, None while none is to be."""
    first = await scoped(Hold).filter(state=HoldState.RETURNING).order_by("returns_at").first()
    return first.returns_at if first else None
