"""The customer's decision on the quote, and what becomes of a quote that no longer holds (annex ก 1.7)."""

import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotPermitted, SameHands
from auth.organisations.models import Organisation
from auth.rules import Actor, Role, system
from auth.tenancy import one, scoped
from services.capacity import commands as capacity
from services.requests import fulfilment
from services.requests.events import move
from services.requests.models import Quote, ServiceRequest, WorkOrder
from services.requests.pricing import takes_effect
from services.requests.queries import askers_of, asks_of, document_of
from services.requests.rules import NEEDS, Action, StaleQuote, State, after, fingerprint
from services.subscriptions.queries import quantities_at

CHANGED = "The price, the terms or the service changed after the quote was given."


@dataclass(frozen=True, slots=True)
class Voided:
    """A confirmation that could not stand: the quote no longer holds, and why; it is with the reviewer again."""

    request: ServiceRequest
    why: str


async def confirm(request_id: uuid.UUID, sha256: str, *, by: Actor, now: dt.datetime) -> WorkOrder | Voided:
    """Confirm the very quote that stands (annex ก 1.7); only then is there a work order.

    Refuses a quote that is not the one that stands or is past its day (StaleQuote), and the hands that
    quoted or, unless the agency allows it, asked or submitted (SameHands). A quote that no longer holds because a price
    or the service changed is voided: the request goes back to the reviewer, and `Voided` says so.
    """
    request = await one(ServiceRequest, lock=True, id=request_id)
    if not by.may(NEEDS[Action.CONFIRM] or "") or by.agency_id != request.agency_id:
        raise NotPermitted("only the agency's approver confirms")
    after(request.state, Action.CONFIRM)
    standing = await one(Quote, id=request.quote_id)
    if standing.sha256 != sha256 or now > standing.valid_until:
        raise StaleQuote("this is not the quote that stands")
    await _separate_hands(request, standing, by)
    if not await _holds(request, now):
        await void(request, CHANGED, now=now)
        return Voided(request, CHANGED)
    await move(
        request,
        Action.CONFIRM,
        by=by,
        now=now,
        quote=standing.number,
        sha256=sha256,
        on_behalf_of=by.stands_in_for(Role.APPROVER),
    )
    return await fulfilment.order_work(request, standing, now=now)


async def decline(request_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Decline a quote, saying why; what was held is given back."""
    if not note:
        raise Invalid({"note": "Say why."})
    request = await one(ServiceRequest, lock=True, id=request_id)
    standing = await one(Quote, id=request.quote_id) if request.quote_id else None
    await move(
        request,
        Action.DECLINE,
        by=by,
        now=now,
        note=note,
        quote=standing.number if standing else None,
        on_behalf_of=by.stands_in_for(Role.APPROVER),
    )
    await capacity.release(request.id)
    return request


async def expire(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """End a request whose quote was not confirmed in time; Conflict while there is time."""
    request = await one(ServiceRequest, lock=True, id=request_id)
    after(request.state, Action.EXPIRE)
    standing = await one(Quote, id=request.quote_id)
    if now <= standing.valid_until:
        raise Conflict("the quote can still be confirmed")
    await move(request, Action.EXPIRE, by=by, now=now)
    await capacity.release(request.id)
    return request


async def void(request: ServiceRequest, why: str, *, now: dt.datetime) -> None:
    """Take back a quote that no longer holds; the locked request is with the reviewer again."""
    request.quote_id = None
    await move(request, Action.VOID, by=system("quotes"), now=now, note=why)
    await capacity.release(request.id)


async def void_stale(*, now: dt.datetime) -> int:
    """Void every quote awaiting confirmation that no longer holds, and return how many; run as the system."""
    voided = 0
    for waiting in await scoped(ServiceRequest).filter(state=State.AWAITING_CONFIRMATION).order_by("id"):
        request = await one(ServiceRequest, lock=True, id=waiting.id)
        if request.state is State.AWAITING_CONFIRMATION and not await _holds(request, now):
            await void(request, CHANGED, now=now)
            voided += 1
    return voided


async def _holds(request: ServiceRequest, now: dt.datetime) -> bool:
    """Return whether a request's quote would be written the same today."""
    standing = await one(Quote, id=request.quote_id)
    document = await document_of(
        request, number=standing.number, valid_until=standing.valid_until, note=standing.document["note"]
    )
    return fingerprint(document) == standing.sha256 and await _still_as_quoted(request, now)


async def _still_as_quoted(request: ServiceRequest, now: dt.datetime) -> bool:
    """Return whether the service still has the quantities the request started from."""
    if request.subscription_id is None:
        return True
    present = await quantities_at(request.subscription_id, max(takes_effect(request.kind, request.effective_on), now))
    return all(present.get(ask.component.id, Decimal(0)) == ask.before for ask in await asks_of(request))


async def _separate_hands(request: ServiceRequest, standing: Quote, by: Actor) -> None:
    if by.person_id == standing.quoted_by:
        raise SameHands("who quoted does not confirm")
    if by.person_id in await askers_of(request):
        agency = await Organisation.get(id=request.agency_id)
        if not agency.asker_may_confirm:
            raise SameHands("who asked does not confirm")
