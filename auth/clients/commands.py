"""Letting machines in and shutting them out again."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from auth.clients.models import Client
from auth.clients.rules import SCOPES_OF, Scope, new_token, start_of
from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import Actor, Permission, Seat
from auth.sessions.commands import hashed
from auth.tenancy import record

_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Issued:
    """A client just made, with its token: the only time the token is known."""

    client: Client
    token: str


async def create(name: str, scopes: Iterable[Scope], *, by: Actor, now: dt.datetime) -> Issued:
    """Make a machine of the actor's agency or provider with a token of its own.

    Refuses who may not let machines in (NotPermitted), an empty or long name, and a machine that may do nothing or
    what machines of this kind of organisation never do (Invalid).
    """
    home = _home_of(by)
    name, wanted = name.strip(), sorted(set(scopes))
    if not name:
        raise Invalid({"name": "Fill in this field."})
    if len(name) > _LONGEST_NAME:
        raise Invalid({"name": "This text is too long."})
    if not wanted:
        raise Invalid({"scopes": "Choose at least one."})
    if not set(wanted) <= set(SCOPES_OF[home.kind]):
        raise Invalid({"scopes": "Choose one of the list."})
    token = new_token()
    client = await Client.create(
        organisation_id=home.id,
        name=name,
        scopes=wanted,
        token_hash=hashed(token),
        token_start=start_of(token),
        made_at=now,
        made_by=by.name,
    )
    record("client.made", at=now, subject=("client", client.id), name=name, scopes=wanted)
    return Issued(client, token)


async def revoke(client_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Client:
    """Shut a machine out from its next call on; Conflict when it was already, NotFound for another organisation's."""
    home = _home_of(by)
    client = await Client.filter(id=client_id, organisation_id=home.id).select_for_update().first()
    if client is None:
        raise NotFound("Client")
    if client.revoked_at is not None:
        raise Conflict("this token was revoked before")
    client.revoked_at, client.revoked_by = now, by.name
    await client.save(update_fields=["revoked_at", "revoked_by"])
    record("client.revoked", at=now, subject=("client", client.id), name=client.name)
    return client


def _home_of(by: Actor) -> Seat:
    if by.seat is None or by.seat.kind not in SCOPES_OF or not by.may(Permission.MACHINES_ADMIT):
        raise NotPermitted("machines are let in by the administrator of an agency or a provider")
    return by.seat
