"""Who a browser's token stands for, asked anew at every request so that a revoked role acts at once."""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.people.delegations import lent_to
from auth.rules import Actor, OrganisationKind, Role, Seat
from auth.sessions.commands import Limits, hashed
from auth.sessions.models import Session
from auth.tenancy import rows

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
    session = await Session.filter(token_hash=hashed(token), ended_at=None).first()
    if session is None or now >= session.expires_at or now - session.last_seen_at >= limits.idle:
        return None
    if now - session.last_seen_at >= _TOUCH_EVERY:
        await Session.filter(id=session.id).update(last_seen_at=now)
    person = await rows("SELECT name FROM person WHERE id = $1", session.person_id)
    seats, roles = await _seats_of(session.person_id)
    seat = next((seat for seat in seats if seat.id == session.organisation_id), seats[0] if seats else None)
    lent = await lent_to(session.person_id, seat.id, business_now or now) if seat else ()
    actor = Actor(
        name=person[0]["name"],
        person_id=session.person_id,
        seat=seat,
        roles=frozenset(roles[seat.id]) | {role for role, _ in lent} if seat else frozenset(),
        lent=tuple((role, name) for role, name in lent if role not in roles[seat.id]) if seat else (),
        authenticated_at=session.authenticated_at,
        session_id=session.id,
    )
    return Visitor(actor, session, tuple(seats))


async def sessions_of(person_id: uuid.UUID, *, now: dt.datetime) -> list[Session]:
    """Return a person's live sessions, the latest visit first."""
    return await Session.filter(person_id=person_id, ended_at=None, expires_at__gt=now).order_by("-last_seen_at")


async def _seats_of(person_id: uuid.UUID) -> tuple[list[Seat], dict[uuid.UUID, set[Role]]]:
    held = await rows(
        "SELECT o.id, o.kind, o.code, o.name_th, o.name_en, array_agg(m.role) AS roles"
        " FROM membership m JOIN organisation o ON o.id = m.organisation_id"
        " WHERE m.person_id = $1 AND m.revoked_at IS NULL GROUP BY o.id ORDER BY o.code",
        person_id,
    )
    seats = [
        Seat(row["id"], OrganisationKind(row["kind"]), row["code"], row["name_th"], row["name_en"]) for row in held
    ]
    return seats, {row["id"]: {Role(role) for role in row["roles"]} for row in held}
