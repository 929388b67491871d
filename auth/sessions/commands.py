"""Beginning, keeping and ending sessions. All of it is the system's own work, before anybody is known.

Times here are the machine's, also where the demo clock runs: a browser's session is not part of the story.
"""

import datetime as dt
import hashlib
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from auth.errors import NotFound
from auth.people.models import Membership, Person
from auth.rules import Actor
from auth.sessions.models import PendingSignIn, Session
from auth.tenancy import record, rows

SIGN_IN_WITHIN = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a session lasts: without a visit, and in all."""

    idle: dt.timedelta
    absolute: dt.timedelta


def hashed(token: str) -> str:
    """Return what is stored of a token: its SHA-256, in hex."""
    return hashlib.sha256(token.encode()).hexdigest()


async def remember_sign_in(state: str, pending: Any, now: dt.datetime) -> None:
    """Keep what the identity provider's answer will be checked against, and forget what is too old."""
    await PendingSignIn.filter(started_at__lt=now - SIGN_IN_WITHIN).delete()
    await PendingSignIn.create(state_hash=hashed(state), pending=pending, started_at=now)


async def recall_sign_in(state: str, now: dt.datetime) -> Any | None:
    """Return what was kept for this state, once; None when unknown, used or too old."""
    found = await rows(
        "DELETE FROM pending_sign_in WHERE state_hash = $1 RETURNING pending::text AS pending, started_at",
        hashed(state),
    )
    if not found or found[0]["started_at"] < now - SIGN_IN_WITHIN:
        return None
    return json.loads(found[0]["pending"])


async def begin(
    person: Person,
    *,
    id_token: str,
    provider_session: str,
    authenticated_at: dt.datetime,
    user_agent: str,
    now: dt.datetime,
    limits: Limits,
) -> tuple[Session, str]:
    """Begin a session and return it with its token, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    memberships = await Membership.filter(person_id=person.id, revoked_at=None).order_by("granted_at")
    session = await Session.create(
        token_hash=hashed(token),
        person_id=person.id,
        organisation_id=memberships[0].organisation_id if memberships else None,
        csrf_secret=secrets.token_urlsafe(32),
        issuer=person.issuer,
        subject=person.subject,
        provider_session=provider_session,
        id_token=id_token,
        user_agent=user_agent[:255],
        created_at=now,
        authenticated_at=authenticated_at,
        last_seen_at=now,
        expires_at=now + limits.absolute,
    )
    who = Actor(name=person.name, person_id=person.id)
    record("session.began", at=now, subject=("person", person.id), agency_id=session.organisation_id, by=who)
    return session, token


async def end(session_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End one of the person's own sessions; ending it again changes nothing, and neither does another's."""
    ended = await Session.filter(id=session_id, person_id=by.person_id, ended_at=None).update(ended_at=now)
    if ended:
        record("session.ended", at=now, subject=("session", session_id), by=by)


async def end_all(person_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> int:
    """End every session of a person and return how many there were."""
    ended = await Session.filter(person_id=person_id, ended_at=None).update(ended_at=now)
    record("session.ended_everywhere", at=now, subject=("person", person_id), by=by, sessions=ended)
    return ended


async def end_by_notice(issuer: str, subject: str | None, sid: str | None, jti: str, *, now: dt.datetime) -> int:
    """End what the identity provider's logout notice names and return how many; the same notice counts once."""
    fresh = await rows(
        "INSERT INTO logout_notice_seen (jti_hash, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING 1",
        hashed(f"{issuer} {jti}"),
        now,
    )
    if not fresh:
        return 0
    named = Session.filter(issuer=issuer, ended_at=None)
    named = named.filter(provider_session=sid) if sid else named.filter(subject=subject)
    ended = await named.update(ended_at=now)
    record("session.ended_by_provider", at=now, sessions=ended, issuer=issuer)
    return ended


async def switch(session_id: uuid.UUID, organisation_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Act for another organisation the person belongs to; NotFound for any other."""
    held = Membership.filter(person_id=by.person_id, organisation_id=organisation_id, revoked_at=None)
    if not await held.exists():
        raise NotFound("Organisation")
    await Session.filter(id=session_id, person_id=by.person_id).update(organisation_id=organisation_id)
    record("session.switched", at=now, subject=("person", by.person_id), agency_id=organisation_id, by=by)
