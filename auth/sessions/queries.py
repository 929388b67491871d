"""Who a browser's token stands for, asked anew at every request so that a revoked role acts at once."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any, NamedTuple

from auth.people.delegations import lent_roles
from auth.rules import Actor, OrganisationKind, Role, Seat
from auth.sessions.commands import Limits, hashed
from auth.sessions.models import Session
from auth.tenancy import rows

# A visit within this of the last is not written down again: a page costs no UPDATE.
_TOUCH_EVERY = dt.timedelta(minutes=1)


class OpenSession(NamedTuple):
    """A session as every request reads it."""

    id: uuid.UUID
    person_id: uuid.UUID
    organisation_id: uuid.UUID | None
    csrf_secret: str
    subject: str
    id_token: str
    authenticated_at: dt.datetime
    last_seen_at: dt.datetime
    expires_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in browser: the actor, the session, and the organisations to switch between."""

    actor: Actor
    session: OpenSession
    seats: tuple[Seat, ...]


async def identify(
    token: str, *, now: dt.datetime, limits: Limits, business_now: dt.datetime | None = None
) -> Visitor | None:
    """Return who holds the token; None when it is unknown, ended, idle too long or too old.

    `now` is the machine's time; a role lent for an absence is held by `business_now`, the portal's.
    """
    found = await rows(_VISITOR, hashed(token), business_now or now)
    session = OpenSession(*(found[0][name] for name in OpenSession._fields)) if found else None
    if session is None or now >= session.expires_at or now - session.last_seen_at >= limits.idle:
        return None
    if now - session.last_seen_at >= _TOUCH_EVERY:
        await Session.filter(id=session.id).update(last_seen_at=now)
    places = [_place(row) for row in found if row["seat_id"] is not None]
    at = next((place for place in places if place.seat.id == session.organisation_id), places[0] if places else None)
    actor = Actor(
        name=found[0]["name"],
        person_id=session.person_id,
        seat=at.seat if at else None,
        roles=at.roles | {role for role, _ in at.lent} if at else frozenset(),
        lent=tuple((role, lender) for role, lender in at.lent if role not in at.roles) if at else (),
        authenticated_at=session.authenticated_at,
        session_id=session.id,
    )
    return Visitor(actor, session, tuple(place.seat for place in places))


async def sessions_of(person_id: uuid.UUID, *, now: dt.datetime) -> list[Session]:
    """Return a person's live sessions, the latest visit first."""
    return await Session.filter(person_id=person_id, ended_at=None, expires_at__gt=now).order_by("-last_seen_at")


@dataclass(frozen=True, slots=True)
class _Place:
    """An organisation a person belongs to, with the roles held there, and those lent with each lender's name."""

    seat: Seat
    roles: frozenset[Role]
    lent: tuple[tuple[Role, str], ...]


# A row for each organisation the person belongs to; one for who belongs to none.
_VISITOR = f"""
    SELECT {", ".join(f"s.{name}" for name in OpenSession._fields)}, p.name,
        o.id AS seat_id, o.kind, o.code, o.name_th, o.name_en, array_agg(m.role) AS roles,
        ARRAY({lent_roles("p.id", "o.id", "$2")}) AS lent
    FROM session s JOIN person p ON p.id = s.person_id
    LEFT JOIN (membership m JOIN organisation o ON o.id = m.organisation_id)
        ON m.person_id = p.id AND m.revoked_at IS NULL
    WHERE s.token_hash = $1 AND s.ended_at IS NULL
    GROUP BY s.id, p.id, o.id ORDER BY o.code
"""  # noqa: S608 - our own text


def _place(row: dict[str, Any]) -> _Place:
    return _Place(
        Seat(row["seat_id"], OrganisationKind(row["kind"]), row["code"], row["name_th"], row["name_en"]),
        frozenset(map(Role, row["roles"])),
        tuple((Role(role), lender) for role, lender in row["lent"]),
    )
