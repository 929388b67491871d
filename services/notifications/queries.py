"""What an actor has been told."""

import datetime as dt
import json
import uuid
from dataclasses import dataclass
from typing import Any

from auth.rules import Actor
from auth.tenancy import rows
from services.notifications.commands import concerns, permissions_of

_MINE = (
    " FROM notification n LEFT JOIN notification_read r"
    "   ON r.organisation_id = n.organisation_id AND r.person_id = $2 AND r.notification_id = n.id"
    f" WHERE n.organisation_id = $1 AND {concerns('$2', '$3')}"
)


@dataclass(frozen=True, slots=True)
class News:
    """One notification as its reader sees it."""

    id: uuid.UUID
    what: str
    subject_type: str
    subject_id: uuid.UUID
    detail: dict[str, Any]
    at: dt.datetime
    is_read: bool


async def news_for(actor: Actor, *, limit: int = 50, offset: int = 0) -> list[News]:
    """Return what an actor has been told, the latest first, `limit` of them after the first `offset`."""
    if actor.seat is None:
        return []
    found = await rows(
        "SELECT n.id, n.what, n.subject_type, n.subject_id, n.detail::text AS detail, n.at,"
        f" r.id IS NOT NULL AS is_read{_MINE} ORDER BY n.at DESC, n.id DESC LIMIT $4 OFFSET $5",
        actor.seat.id,
        actor.person_id,
        permissions_of(actor),
        limit,
        offset,
    )
    return [News(**row | {"detail": json.loads(row["detail"])}) for row in found]


async def unread_count(actor: Actor) -> int:
    """Return how much an actor has not read yet."""
    if actor.seat is None:
        return 0
    [found] = await rows(
        f"SELECT count(*) AS unread{_MINE} AND r.id IS NULL", actor.seat.id, actor.person_id, permissions_of(actor)
    )
    count: int = found["unread"]
    return count
