"""Telling people what concerns them, in the portal; other channels carry the same news on."""

import datetime as dt
import uuid
from typing import Any

from auth.fields import canonical, new_id
from auth.rules import Actor, Permission
from auth.tenancy import current, rows


async def notify(
    organisation_id: uuid.UUID,
    what: str,
    *,
    identity: str,
    subject: tuple[str, uuid.UUID],
    permission: Permission | None = None,
    person_id: uuid.UUID | None = None,
    section_id: uuid.UUID | None = None,
    now: dt.datetime,
    **detail: Any,
) -> None:
    """Tell one person, or all of an organisation who hold a permission; the same identity is told once.

    With a section only those hear of it who hold the permission and head that section.
    """
    await current().connection.execute_query(
        "INSERT INTO notification"
        " (id, organisation_id, person_id, permission, section_id, what, subject_type, subject_id, detail, identity,"
        " at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9::jsonb, $10, $11) ON CONFLICT DO NOTHING",
        [
            new_id(),
            organisation_id,
            person_id,
            permission or "",
            section_id,
            what,
            subject[0],
            subject[1],
            canonical(detail),
            identity,
            now,
        ],
    )


async def mark_read(actor: Actor, *, now: dt.datetime) -> None:
    """Mark everything an actor has been told as read."""
    if actor.seat is None or actor.person_id is None:
        return
    await rows(
        "INSERT INTO notification_read (id, organisation_id, notification_id, person_id, read_at)"  # noqa: S608 - our own words
        " SELECT gen_random_uuid(), n.organisation_id, n.id, $2, $3 FROM notification n"
        f" WHERE n.organisation_id = $1 AND {concerns('$2', '$4')}"
        " AND NOT EXISTS (SELECT FROM notification_read r WHERE r.organisation_id = $1"
        "   AND r.person_id = $2 AND r.notification_id = n.id)"
        " ON CONFLICT DO NOTHING RETURNING 1",
        actor.seat.id,
        actor.person_id,
        now,
        permissions_of(actor),
    )


def concerns(person: str, permissions: str) -> str:
    """Return the condition, in SQL, under which a notification `n` is somebody's; given as places of the query."""
    return (
        f"(n.person_id = {person} OR (n.permission = ANY({permissions}) AND (n.section_id IS NULL OR EXISTS ("
        "SELECT FROM section_member m WHERE m.section_id = n.section_id AND m.person_id = "
        f"{person} AND m.position IN ('head', 'delegate') AND m.until IS NULL))))"
    )


def permissions_of(actor: Actor) -> list[str]:
    """Return the permissions an actor is told by."""
    return [permission.value for permission in Permission if actor.may(permission)]
