"""Who a browser's token stands for, asked anew at every request so that a revoked role acts at once."""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.people.delegations import lent_roles
from auth.rules import Actor, OrganisationKind, Role, Seat
from auth.sessions.commands import Limits, hashed
from auth.sessions.models import Session
from auth.tenancy import matching, rows

# A visit within this of the last is not written down again: a page costs no UPDATE.
_TOUCH_EVERY = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in browser: the actor, the session, and the organisations to switch between."""

    actor: Actor
    session: Session
    seats: tuple[Seat, ...]


async def identify(
    token: str, *, now: dt.datetime, limits: Limits, business_now: dt.datetime | None = None
) -> Visitor | None:
    """Return who holds the token; None when it is unknown, ended, idle too long or too old.

    `now` is the machine's time; a role lent for an absence is held by `business_now`, the portal's.
    """
    found = await matching(Session, "token_hash = $1 AND ended_at IS NULL", hashed(token))
    session = found[0] if found else None
    if session is None or now >= session.expires_at or now - session.last_seen_at >= limits.idle:
        return None
    if now - session.last_seen_at >= _TOUCH_EVERY:
        await Session.filter(id=session.id).update(last_seen_at=now)
    name, places = await _known_as(session.person_id, business_now or now)
    at = next((place for place in places if place.seat.id == session.organisation_id), places[0] if places else None)
    actor = Actor(
        name=name,
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


# A row for each organisation a person belongs to; one for who belongs to none.
_KNOWN_AS = f"""
    SELECT p.name, o.id, o.kind, o.code, o.name_th, o.name_en, array_agg(m.role) AS roles,
        ARRAY({lent_roles("p.id", "o.id", "$2")}) AS lent
    FROM person p
    LEFT JOIN (membership m JOIN organisation o ON o.id = m.organisation_id)
        ON m.person_id = p.id AND m.revoked_at IS NULL
    WHERE p.id = $1 GROUP BY p.id, o.id ORDER BY o.code
"""  # noqa: S608 - our own text


async def _known_as(person_id: uuid.UUID, at: dt.datetime) -> tuple[str, list[_Place]]:
    """Return a person's name, and the organisations they belong to with what they may there at a moment."""
    found = await rows(_KNOWN_AS, person_id, at)
    return found[0]["name"], [
        _Place(
            Seat(row["id"], OrganisationKind(row["kind"]), row["code"], row["name_th"], row["name_en"]),
            frozenset(map(Role, row["roles"])),
            tuple((Role(role), lender) for role, lender in row["lent"]),
        )
        for row in found
        if row["id"] is not None
    ]
