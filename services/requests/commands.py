"""Moving a request through its life: one verb per function, each atomic, each leaving an event.

Every command locks its request first, so that of two at once the second finds the first's outcome and is
refused by the state table.
"""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.errors import Conflict, Invalid, NotPermitted, SameHands
from auth.organisations.models import Organisation
from auth.rules import Actor, system
from auth.tenancy import one, scoped
from billing.months import Month, bangkok_date
from billing.numbers.commands import next_number
from services.calendar.queries import official
from services.capacity import commands as capacity
from services.capacity.rules import OverCapacity
from services.catalogue.models import Component, Offering
from services.requests import fulfilment
from services.requests.documents import quote_document
from services.requests.events import move, tell
from services.requests.models import Check, Quote, RequestItem, ServiceRequest, WorkOrder
from services.requests.queries import asks_of, pool_deltas, price_of, shortfalls_of
from services.requests.rules import (
    CONFIRM_WITHIN_WORKING_DAYS,
    NEEDS,
    OPEN,
    Action,
    CheckKind,
    ChecksMissing,
    Kind,
    OpenRequestExists,
    StaleQuote,
    State,
    after,
    fingerprint,
)
from services.subscriptions.models import Subscription, SubscriptionState
from services.subscriptions.queries import quantities_at


@dataclass(frozen=True, slots=True)
class Voided:
    """A confirmation that could not stand: the quote no longer holds, and why; it is with the reviewer again."""

    request: ServiceRequest
    why: str


async def draft(
    agency_id: uuid.UUID,
    kind: Kind,
    *,
    subscription_id: uuid.UUID | None = None,
    offering_id: uuid.UUID | None = None,
    asked: Mapping[uuid.UUID, Decimal],
    effective_on: dt.date,
    justification: str = "",
    label: str = "",
    by: Actor,
    now: dt.datetime,
) -> ServiceRequest:
    """Begin a request (standard 7.5.5–7.5.7): of a service in use, or for a new one of an offering.

    `asked` maps components to the quantity there is to be; one not named stays as it is. Refuses
    quantities that cannot be ordered (Invalid, by component) and another agency's service (NotFound).
    """
    if agency_id != by.agency_id:
        raise NotPermitted("a request is made for one's own agency")
    subscription = await _active(subscription_id) if subscription_id else None
    offering = await Offering.get(id=subscription.offering_id if subscription else offering_id)
    agency = await Organisation.get(id=agency_id)
    year = Month.of(now).fiscal_year
    given = await next_number(agency_id, "REQ", year)
    request = await ServiceRequest.create(
        agency_id=agency_id,
        provider_id=offering.provider_id,
        number=f"{agency.short_code}-{year}-{given:04d}",
        kind=kind,
        offering_id=offering.id,
        subscription_id=subscription.id if subscription else None,
        label=label or (subscription.label if subscription else offering.name_th),
        effective_on=effective_on,
        justification=justification,
        asked_by=by.person_id,
        asked_by_name=by.name,
        created_at=now,
        changed_at=now,
    )
    await _set_items(request, asked, now=now)
    await tell(request, "drafted", by=by, now=now)
    return request


async def edit(
    request_id: uuid.UUID,
    *,
    asked: Mapping[uuid.UUID, Decimal],
    effective_on: dt.date,
    justification: str,
    label: str = "",
    by: Actor,
    now: dt.datetime,
) -> ServiceRequest:
    """Change a draft, or a request returned for correction; Conflict once it is with the provider."""
    request = await _own(request_id, by)
    if request.state not in {State.DRAFT, State.RETURNED}:
        raise Conflict("only a draft or a returned request can be edited")
    request.effective_on, request.justification, request.changed_at = effective_on, justification, now
    request.label = label or request.label
    await request.save()
    await _set_items(request, asked, now=now)
    await tell(request, "edited", by=by, now=now)
    return request


async def submit(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Send a request to the provider (annex ก 1.4).

    Refuses more than is free (OverCapacity), a second open request of the same service
    (OpenRequestExists), an effective date in the past and a request that changes nothing (Invalid).
    """
    request = await _own(request_id, by)
    asks = await asks_of(request)
    _complete(request, asks, now)
    if request.subscription_id:
        await one(Subscription, lock=True, id=request.subscription_id)
        in_the_way = (
            await scoped(ServiceRequest)
            .filter(subscription_id=request.subscription_id, state__in=OPEN - {State.DRAFT})
            .exclude(id=request.id)
            .first()
        )
        if in_the_way:
            raise OpenRequestExists(in_the_way.number)
    short = await shortfalls_of(asks)
    if short:
        raise OverCapacity(short)
    request.submitted_at = now
    await move(request, Action.SUBMIT, by=by, now=now)
    return request


async def withdraw(request_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a request back before it is confirmed; what is held for it is given back."""
    request = await _own(request_id, by)
    await move(request, Action.WITHDRAW, by=by, now=now, note=note)
    await capacity.release(request.id)
    return request


async def accept(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a submitted request under review; the reviewer's name stands on it."""
    request = await one(ServiceRequest, lock=True, id=request_id)
    request.reviewer_id, request.reviewer_name = by.person_id, by.name
    await move(request, Action.ACCEPT, by=by, now=now)
    return request


async def check(
    request_id: uuid.UUID, kind: CheckKind, passed: bool, *, note: str = "", by: Actor, now: dt.datetime
) -> Check:
    """Record one of the three checks (annex ก 1.5), by name, time and note; checking again replaces nothing."""
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.state is not State.UNDER_REVIEW:
        raise Conflict("only a request under review is checked")
    if not by.may(NEEDS[Action.QUOTE] or ""):
        raise NotPermitted("checks are the reviewer's")
    if not passed and not note:
        raise Invalid({f"{kind}_note": "Say why the check did not pass."})
    made = await Check.create(
        agency_id=request.agency_id,
        provider_id=request.provider_id,
        request_id=request.id,
        kind=kind,
        passed=passed,
        note=note,
        by_id=by.person_id,
        by_name=by.name,
        at=now,
    )
    await tell(request, f"check_{kind}", by=by, now=now, note=note, passed=passed)
    return made


async def send_back(request_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Return a request for correction, saying what is missing."""
    return await _refuse(request_id, Action.RETURN, note, by=by, now=now)


async def reject(request_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Refuse a request, saying why."""
    return await _refuse(request_id, Action.REJECT, note, by=by, now=now)


async def quote(
    request_id: uuid.UUID,
    *,
    quantities: Mapping[uuid.UUID, Decimal] | None = None,
    effective_on: dt.date | None = None,
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> Quote:
    """Answer a request (annex ก 1.6): freeze quantities and cost in a quote, and hold the capacity for it.

    `quantities` and `effective_on` amend what was asked. Refuses while a check is missing or failed
    (ChecksMissing), and more than is free (OverCapacity): of many quotes for the last unit one succeeds.
    """
    request = await one(ServiceRequest, lock=True, id=request_id)
    checks = {made.kind: made for made in await scoped(Check).filter(request_id=request_id).order_by("at")}
    missing = [kind for kind in CheckKind if kind not in checks or not checks[kind].passed]
    if missing:
        raise ChecksMissing(", ".join(missing))
    if effective_on:
        request.effective_on = effective_on
    await _confirm_quantities(request, quantities or {})
    asks = await asks_of(request)
    raised = {pool_id: delta for pool_id, delta in pool_deltas(asks).items() if delta > 0}
    await capacity.hold(request.id, request.agency_id, request.provider_id, raised, now=now)
    calendar = await official()
    valid_until = calendar.closing(calendar.add_working_days(bangkok_date(now), CONFIRM_WITHIN_WORKING_DAYS))
    number = await scoped(Quote).filter(request_id=request_id).count() + 1
    document = await _document(request, number=number, valid_until=valid_until, note=note)
    made = await Quote.create(
        agency_id=request.agency_id,
        provider_id=request.provider_id,
        request_id=request.id,
        number=number,
        document=document,
        sha256=fingerprint(document),
        valid_until=valid_until,
        quoted_by=by.person_id,
        quoted_by_name=by.name,
        quoted_at=now,
    )
    request.quote_id = made.id
    await move(request, Action.QUOTE, by=by, now=now, note=note, quote=number, sha256=made.sha256)
    return made


async def confirm(request_id: uuid.UUID, sha256: str, *, by: Actor, now: dt.datetime) -> WorkOrder | Voided:
    """Confirm the very quote that stands (annex ก 1.7); only then is there a work order.

    Refuses a quote that is not the one that stands or is past its day (StaleQuote), and the hands that
    quoted or, unless the agency allows it, asked (SameHands). A quote that no longer holds because a price
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
    document = await _document(
        request, number=standing.number, valid_until=standing.valid_until, note=standing.document["note"]
    )
    if fingerprint(document) != standing.sha256 or not await _still_as_quoted(request, now):
        await void(request, "the price or the service changed after the quote", now=now)
        return Voided(request, "the price or the service changed after the quote")
    await move(request, Action.CONFIRM, by=by, now=now, quote=standing.number, sha256=sha256)
    return await fulfilment.order_work(request, now=now)


async def decline(request_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Decline a quote, saying why; what was held is given back."""
    if not note:
        raise Invalid({"note": "Say why."})
    request = await one(ServiceRequest, lock=True, id=request_id)
    await move(request, Action.DECLINE, by=by, now=now, note=note)
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


async def _active(subscription_id: uuid.UUID) -> Subscription:
    subscription = await one(Subscription, id=subscription_id)
    if subscription.state is not SubscriptionState.ACTIVE:
        raise Conflict("this service has ended")
    return subscription


async def _own(request_id: uuid.UUID, by: Actor) -> ServiceRequest:
    request = await one(ServiceRequest, lock=True, id=request_id)
    if by.agency_id != request.agency_id or not by.may(NEEDS[Action.SUBMIT] or ""):
        raise NotPermitted("only the agency's officials do this")
    return request


async def _refuse(request_id: uuid.UUID, action: Action, note: str, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    if not note.strip():
        raise Invalid({"note": "Say why."})
    request = await one(ServiceRequest, lock=True, id=request_id)
    await move(request, action, by=by, now=now, note=note)
    return request


async def _set_items(request: ServiceRequest, asked: Mapping[uuid.UUID, Decimal], *, now: dt.datetime) -> None:
    """Store what is asked, against what there is; complaints come back by component."""
    present = await quantities_at(request.subscription_id, now) if request.subscription_id else {}
    components = {c.id: c for c in await Component.filter(offering_id=request.offering_id)}
    wanted = _wanted(request.kind, asked, present, components)
    complaints = {
        str(id_): why for id_, amount in wanted.items() if amount and (why := components[id_].bounds.complaint(amount))
    }
    if complaints:
        raise Invalid(complaints)
    await scoped(RequestItem).filter(request_id=request.id).delete()
    await RequestItem.bulk_create(
        [
            RequestItem(
                agency_id=request.agency_id,
                provider_id=request.provider_id,
                request_id=request.id,
                component_id=id_,
                before=present.get(id_, Decimal(0)),
                asked=amount,
            )
            for id_, amount in wanted.items()
        ]
    )


def _wanted(
    kind: Kind,
    asked: Mapping[uuid.UUID, Decimal],
    present: Mapping[uuid.UUID, Decimal],
    components: Mapping[uuid.UUID, Component],
) -> dict[uuid.UUID, Decimal]:
    """Return the quantities a request comes to, refusing what its kind does not speak of."""
    if kind is Kind.CANCEL:
        return dict.fromkeys(present, Decimal(0))
    unknown = [str(id_) for id_ in asked if id_ not in components]
    if unknown:
        raise Invalid(dict.fromkeys(unknown, "This cannot be ordered here."))
    wanted = {id_: amount for id_, amount in asked.items() if amount != present.get(id_, Decimal(0))}
    misplaced = [
        str(id_)
        for id_, amount in wanted.items()
        if (kind is Kind.NEW_ADDON and (components[id_].addon_id is None or id_ in present))
        or (kind is Kind.CHANGE and (id_ not in present or not amount))
        or (kind is Kind.CANCEL_ADDON and (components[id_].addon_id is None or amount))
    ]
    if misplaced:
        raise Invalid(dict.fromkeys(misplaced, "This cannot be ordered here."))
    return wanted


def _complete(request: ServiceRequest, asks: Sequence[Any], now: dt.datetime) -> None:
    missing = {}
    if not any(ask.before != ask.after for ask in asks):
        missing["items"] = "Nothing is changed by this request."
    if request.effective_on < bangkok_date(now):
        missing["effective_on"] = "The effective date has passed."
    if not request.justification.strip():
        missing["justification"] = "Say why this is needed."
    if missing:
        raise Invalid(missing)


async def _confirm_quantities(request: ServiceRequest, quantities: Mapping[uuid.UUID, Decimal]) -> None:
    for item in await scoped(RequestItem).filter(request_id=request.id).select_related("component"):
        item.confirmed = quantities.get(item.component_id, item.asked)
        if item.confirmed and (why := item.component.bounds.complaint(item.confirmed)):
            raise Invalid({str(item.component_id): why})
        await item.save(update_fields=["confirmed"])


async def _document(request: ServiceRequest, *, number: int, valid_until: dt.datetime, note: str) -> dict[str, Any]:
    offering = await request.offering
    lead = offering.lead_working_days if request.kind is Kind.NEW else offering.change_lead_working_days
    price = await price_of(request)
    return quote_document(request, price, number=number, valid_until=valid_until, lead_working_days=lead, note=note)


async def _still_as_quoted(request: ServiceRequest, now: dt.datetime) -> bool:
    """Return whether the service still has the quantities the request started from."""
    if request.subscription_id is None:
        return True
    present = await quantities_at(request.subscription_id, now)
    return all(present.get(ask.component.id, Decimal(0)) == ask.before for ask in await asks_of(request))


async def _separate_hands(request: ServiceRequest, standing: Quote, by: Actor) -> None:
    if by.person_id == standing.quoted_by:
        raise SameHands("who quoted does not confirm")
    if by.person_id == request.asked_by:
        agency = await Organisation.get(id=request.agency_id)
        if not agency.asker_may_confirm:
            raise SameHands("who asked does not confirm")
