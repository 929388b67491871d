"""Who writes: a person of exactly one agency of this provider, or somebody the help-desk has to name."""

import uuid
from dataclasses import dataclass

from auth.rules import GRANTS, Permission, Role
from auth.tenancy import rows, scoped
from services.callers.models import Caller
from services.channels.models import Arrival, LineLink
from services.channels.rules import ArrivalState, Why
from services.incidents.models import Incident
from services.incidents.rules import Channel, State
from services.subscriptions.models import Subscription

_SEATS = (
    "SELECT p.id AS person_id, p.name, m.organisation_id AS agency_id, array_agg(m.role) AS roles FROM person p"
    " JOIN membership m ON m.person_id = p.id AND m.revoked_at IS NULL"
    " JOIN organisation o ON o.id = m.organisation_id AND o.kind = 'agency'"
    " WHERE {whose} GROUP BY p.id, p.name, m.organisation_id LIMIT 2"
)


@dataclass(frozen=True, slots=True)
class Sender:
    """Somebody known: a person who signs in, and the one agency they act for."""

    person_id: uuid.UUID
    name: str
    agency_id: uuid.UUID


async def by_address(provider_id: uuid.UUID, address: str) -> Sender | Why:
    """Return who has a mail address, as their agency's identity provider vouches for it; else why nobody is meant."""
    if not address:
        return Why.UNKNOWN
    return await _one(provider_id, await rows(_SEATS.format(whose="lower(p.email) = $1"), address.lower()))


async def by_line(provider_id: uuid.UUID, line_user_id: str) -> Sender | Why:
    """Return who linked a LINE account; else why nobody is meant."""
    link = await scoped(LineLink).filter(provider_id=provider_id, line_user_id=line_user_id).first()
    if link is None:
        return Why.UNKNOWN
    return await _one(provider_id, await rows(_SEATS.format(whose="p.id = $1"), link.person_id))


async def _one(provider_id: uuid.UUID, found: list[dict[str, object]]) -> Sender | Why:
    if not found:
        return Why.UNKNOWN
    if len(found) > 1:
        return Why.SEVERAL
    [seat] = found
    roles = {Role(role) for role in seat["roles"]}  # type: ignore[attr-defined]
    if not any(Permission.INCIDENTS_REPORT in GRANTS[role] for role in roles):
        return Why.MAY_NOT
    agency = {"agency_id": seat["agency_id"], "provider_id": provider_id}
    if not (await Subscription.filter(**agency).exists() or await Caller.filter(**agency).exists()):
        return Why.MAY_NOT
    return Sender(uuid.UUID(str(seat["person_id"])), str(seat["name"]), uuid.UUID(str(seat["agency_id"])))


async def belongs(incident: Incident, channel: Channel, sender: str) -> bool:
    """Say whether a mail address or LINE account is of somebody who has a part in an incident already."""
    column = "line_user_id" if channel is Channel.LINE else "email"
    if incident.caller_id and await Caller.filter(id=incident.caller_id, **{column: sender}).exists():
        return True
    if await Arrival.filter(incident_id=incident.id, sender=sender, state=ArrivalState.TAKEN).exists():
        return True
    if incident.requester_id is None:
        return False
    if channel is Channel.LINE:
        return await LineLink.filter(
            provider_id=incident.provider_id, line_user_id=sender, person_id=incident.requester_id
        ).exists()
    found = await rows("SELECT 1 FROM person WHERE id = $1 AND lower(email) = $2", incident.requester_id, sender)
    return bool(found)


async def open_by_line(provider_id: uuid.UUID, line_user_id: str) -> Incident | None:
    """Return the incident a LINE account is talking about: its latest that is not closed."""
    callers = await Caller.filter(provider_id=provider_id, line_user_id=line_user_id).values_list("id", flat=True)
    talked = Incident.filter(provider_id=provider_id, channel=Channel.LINE, caller_id__in=list(callers))
    return await talked.exclude(state=State.CLOSED).order_by("-changed_at", "-id").first()
