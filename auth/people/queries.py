"""Who belongs to an organisation, and who asks to."""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.people.models import AccessRequest, AccessState, Membership
from auth.rules import Role


@dataclass(frozen=True, slots=True)
class Member:
    """A person with the roles held now in one organisation."""

    person_id: uuid.UUID
    name: str
    email: str
    roles: tuple[Role, ...]
    since: dt.datetime


async def members_of(organisation_id: uuid.UUID) -> list[Member]:
    """Return who holds a role now, by name."""
    held = (
        await Membership.filter(organisation_id=organisation_id, revoked_at=None)
        .select_related("person")
        .order_by("granted_at")
    )
    people: dict[uuid.UUID, list[Membership]] = {}
    for membership in held:
        people.setdefault(membership.person_id, []).append(membership)
    return [
        Member(
            person_id,
            memberships[0].person.name,
            memberships[0].person.email,
            tuple(membership.role for membership in memberships),
            memberships[0].granted_at,
        )
        for person_id, memberships in people.items()
    ]


async def access_asked_of(organisation_id: uuid.UUID) -> list[AccessRequest]:
    """Return the open wishes for access to an organisation, the oldest first."""
    return (
        await AccessRequest.filter(organisation_id=organisation_id, state=AccessState.PENDING)
        .select_related("person")
        .order_by("asked_at")
    )


async def access_asked_by(person_id: uuid.UUID) -> list[AccessRequest]:
    """Return a person's own wishes for access, the latest first."""
    return await AccessRequest.filter(person_id=person_id).select_related("organisation").order_by("-asked_at")
