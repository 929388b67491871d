"""What a changed holiday moves: the own provider's in the same unit of work, every other's by a job right after."""

import datetime as dt
from collections.abc import Iterable

from auth.rules import Actor
from portal.job_queue import enqueue
from services.incidents.holidays import holidays_changed


async def recompute(days: Iterable[dt.date], *, by: Actor, now: dt.datetime) -> int:
    """Compute open incidents anew after days were declared or withdrawn, and tell whom it moves; return how many.

    To be called in the unit of work of the change. Requests keep no due time: theirs is computed when looked at.
    """
    changed = sorted(set(days))
    if not changed:
        return 0
    moved = await holidays_changed(*changed, by=by, now=now)
    # Holidays are everybody's; another provider's incidents are out of this unit's reach.
    await enqueue("recompute_everywhere", {"days": [day.isoformat() for day in changed], "now": now.isoformat()})
    return len(moved)
