"""Who a token stands for, asked anew at every call so that a revoked one ends at once."""

import datetime as dt
import uuid

from auth.clients.models import Client
from auth.clients.rules import Machine, Scope, is_token
from auth.rules import OrganisationKind, Seat
from auth.sessions.commands import hashed

# A call within this of the last is not written down again: a machine that calls often costs no UPDATE.
_TOUCH_EVERY = dt.timedelta(minutes=1)


async def machine_of(token: str, *, wall: dt.datetime) -> Machine | None:
    """Return the machine that holds a token; None when it is unknown or revoked. Run as the system.

    `wall` is the machine's time: when a token was last used is no part of a demonstration's story.
    """
    if not is_token(token):
        return None
    client = await Client.filter(token_hash=hashed(token), revoked_at=None).select_related("organisation").first()
    if client is None:
        return None
    if client.last_used_at is None or wall - client.last_used_at >= _TOUCH_EVERY:
        await Client.filter(id=client.id).update(last_used_at=wall)
    home = client.organisation
    seat = Seat(home.id, OrganisationKind(home.kind), home.code, home.name_th, home.name_en)
    known = {scope.value for scope in Scope}
    return Machine(client.id, client.name, seat, frozenset(Scope(each) for each in client.scopes if each in known))


async def clients_of(organisation_id: uuid.UUID) -> list[Client]:
    """Return an organisation's machines, those still let in first, then by when they were made."""
    found = await Client.filter(organisation_id=organisation_id).order_by("made_at")
    return sorted(found, key=lambda client: client.revoked_at is not None)
