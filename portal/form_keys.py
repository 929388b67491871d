"""One form, one effect: a form sent twice is answered as it was the first time.

A form's key is stored in the same transaction as its effect. Whoever sends the same form while the first is still
being worked on waits for it here. Machine time throughout: a form is the browser's business.
"""

import datetime as dt
import uuid

from auth.errors import Conflict
from auth.tenancy import rows
from portal.models import FormKey

_KEPT_FOR = dt.timedelta(days=2)  # longer than any session


async def take(key: str, session_id: uuid.UUID, route: str, said: str, *, wall: dt.datetime) -> str | None:
    """Take a form and return None, or where it led if it was taken already (run inside the unit of work).

    Refuses (Conflict) a key that came with another session, to another route, or with other words.
    """
    taken = await rows(
        "INSERT INTO form_key (key, session_id, route, said, location, taken_at) VALUES ($1, $2, $3, $4, '', $5)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        key,
        session_id,
        route,
        said,
        wall,
    )
    if taken:
        return None
    first = await FormKey.get(key=key)
    if (first.session_id, first.route, first.said) != (session_id, route, said):
        raise Conflict("this form was sent before, with other content")
    return first.location


async def settle(key: str, location: str) -> None:
    """Keep where a taken form led."""
    await FormKey.filter(key=key).update(location=location)


async def give_back(key: str) -> None:
    """Let a form be sent again, because its answer was no redirect and so had no lasting effect."""
    await FormKey.filter(key=key).delete()


async def forget_old(wall: dt.datetime) -> int:
    """Delete the keys that no session can send any more, and return how many."""
    return await FormKey.filter(taken_at__lt=wall - _KEPT_FOR).delete()
