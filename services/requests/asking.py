"""The agency's side before it is the provider's turn: drafting, sending, taking back (standard 7.5.5–7.5.7)."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.fields import new_id
from auth.organisations.models import Organisation
from auth.rules import Actor, Permission
from auth.tenancy import one, scoped
from billing.months import Month, bangkok_date
from billing.numbers.commands import next_number
from services.calendar.queries import official
from services.capacity import commands as capacity
from services.capacity.rules import OverCapacity
from services.catalogue.models import Component, Offering
from services.catalogue.queries import bounds_on, is_open_on, terms_on
from services.catalogue.rules import Bounds
from services.oversight.queries import is_listed
from services.requests.events import move, tell
from services.requests.models import RequestItem, ServiceRequest
from services.requests.pricing import Ask, takes_effect
from services.requests.queries import asks_of, lead_days_of, shortfalls_of
from services.requests.rules import (
    CLOSED,
    NEEDS,
    OPEN,
    Action,
    AlreadyPlanned,
    Kind,
    OpenRequestExists,
    ProviderNotListed,
    State,
    earliest_effective,
)
from services.subscriptions.models import Subscription, SubscriptionState
from services.subscriptions.queries import planned_after, quantities_at


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
    asks_earlier: bool = False,
    request_id: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
) -> ServiceRequest:
    """Begin a request (standard 7.5.5–7.5.7): of a service in use, or for a new one of an offering.

    `asked` maps components to the quantity there is to be; one not named stays as it is. `asks_earlier` is remembered
    until it is sent. Refuses quantities that cannot be ordered (Invalid, by component), another agency's service
    (NotFound) and a `request_id` that is taken (Conflict).
    """
    if agency_id != by.agency_id:
        raise NotPermitted("a request is made for one's own agency")
    subscription = await _active(subscription_id) if subscription_id else None
    offering = await Offering.get(id=subscription.offering_id if subscription else offering_id)
    agency = await Organisation.get(id=agency_id)
    year = Month.of(now).fiscal_year
    given = await next_number(agency_id, "REQ", year)
    request = ServiceRequest(
        id=request_id or new_id(),
        agency_id=agency_id,
        provider_id=offering.provider_id,
        number=f"{agency.short_code}-{year}-{given:04d}",
        kind=kind,
        offering_id=offering.id,
        subscription_id=subscription.id if subscription else None,
        label=label or (subscription.label if subscription else offering.name_th),
        effective_on=effective_on,
        justification=justification,
        asks_earlier=asks_earlier,
        asked_by=by.person_id,
        asked_by_name=by.name,
        created_at=now,
        changed_at=now,
    )
    try:
        async with in_transaction():
            await request.save(force_create=True)
    except IntegrityError:
        raise Conflict("there is such a request already") from None
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
    asks_earlier: bool = False,
    by: Actor,
    now: dt.datetime,
) -> ServiceRequest:
    """Change a draft, or a request returned for correction; Conflict once it is with the provider."""
    request = await own(request_id, by)
    if request.state not in {State.DRAFT, State.RETURNED}:
        raise Conflict("only a draft or a returned request can be edited")
    request.effective_on, request.justification, request.changed_at = effective_on, justification, now
    request.label = label or request.label
    request.asks_earlier, request.typed = asks_earlier, None
    await request.save()
    await _set_items(request, asked, now=now)
    if request.state is State.RETURNED:
        await tell(request, "edited", by=by, now=now)
    return request


async def keep_typed(request_id: uuid.UUID, typed: Mapping[str, str], *, by: Actor, now: dt.datetime) -> None:
    """Keep a draft's form as it stands, whether it could be sent or not; told to nobody."""
    request = await own(request_id, by)
    if request.state not in {State.DRAFT, State.RETURNED}:
        raise Conflict("only a draft or a returned request can be edited")
    request.typed, request.changed_at = dict(typed), now
    await request.save(update_fields=["typed", "changed_at"])


async def copy(request_id: uuid.UUID, *, with_quantities: bool = True, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Begin a new draft that asks what another request asked, from what there is today.

    Refuses quantities that cannot be ordered any more (Invalid, by component) unless it begins without any.
    """
    request = await one(ServiceRequest, id=request_id)
    items = await scoped(RequestItem).filter(request_id=request_id)
    return await draft(
        request.agency_id,
        request.kind,
        subscription_id=request.subscription_id if request.kind is not Kind.NEW else None,
        offering_id=request.offering_id,
        asked={item.component_id: item.asked for item in items} if with_quantities else {},
        effective_on=max(request.effective_on, bangkok_date(now)),
        justification=request.justification,
        label=request.label,
        by=by,
        now=now,
    )


async def say(request_id: uuid.UUID, text: str, *, by: Actor, now: dt.datetime) -> None:
    """Add a message to a request's timeline; the other side is told. Either side may, the provider once it was sent."""
    if not text.strip():
        raise Invalid({"text": "Write something first."})
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.submitted_at is None and by.agency_id is None:
        raise NotFound("ServiceRequest")
    if not (by.may(Permission.REQUESTS_MAKE) or by.may(Permission.REQUESTS_REVIEW) or by.may(Permission.WORK_DO)):
        raise NotPermitted("messages are the two sides'")
    await tell(request, "message", by=by, now=now, note=text.strip())


async def submit(request_id: uuid.UUID, *, asks_earlier: bool = False, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Send a request to the provider (annex ก 1.4).

    Refuses a provider that is not on the list (ProviderNotListed, standard 13.1) except to cancel; more than is
    free (OverCapacity) unless the offering takes a waiting list, a second open request
    of the same service (OpenRequestExists), an effective date before a change already agreed takes effect
    (AlreadyPlanned), and as Invalid: a request that changes nothing, or of which something typed was not saved yet;
    what cannot be ordered for its effective date; an effective date in the past, or for which the offering takes no
    new orders; and one before the lead time unless an earlier one is asked for, which staff must then agree to.
    """
    request = await own(request_id, by)
    if request.typed is not None:
        raise Invalid({"typed": "What was typed last is not in the request yet. Open it, then submit it there."})
    asks_earlier = asks_earlier or request.asks_earlier
    offering = await request.offering
    if request.kind not in {Kind.CANCEL, Kind.CANCEL_ADDON} and not await is_listed(
        offering.provider_id, offering.family
    ):
        raise ProviderNotListed(f"{offering.code} is of a family its provider is not listed for")
    asks = await asks_of(request)
    terms = await terms_on(offering.id, request.effective_on)
    earliest = earliest_effective(await official(), bangkok_date(now), lead_days_of(request.kind, terms))
    is_open = request.kind is not Kind.NEW or await is_open_on(offering.id, request.effective_on)
    _complete(request, asks, now, None if asks_earlier else earliest, is_open=is_open)
    _orderable(
        {ask.component.id: ask.after for ask in asks},
        {ask.component.id: ask.before for ask in asks},
        await bounds_on([ask.component.id for ask in asks], request.effective_on),
    )
    request.asks_earlier = request.effective_on < earliest
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
        planned = await planned_after(request.subscription_id, takes_effect(request.kind, request.effective_on))
        if planned:
            raise AlreadyPlanned(bangkok_date(planned))
    short = await shortfalls_of(asks)
    if short and not terms.takes_waiting_list:
        raise OverCapacity(short)
    request.waits_for_capacity = bool(short)
    request.submitted_at, request.typed = now, None
    await move(request, Action.SUBMIT, by=by, now=now, waits=bool(short), asks_earlier=request.asks_earlier)
    return request


async def withdraw(request_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a request back before it is confirmed; what is held for it is given back."""
    request = await own(request_id, by)
    await move(request, Action.WITHDRAW, by=by, now=now, note=note)
    await capacity.release(request.id)
    return request


async def _active(subscription_id: uuid.UUID) -> Subscription:
    subscription = await one(Subscription, id=subscription_id)
    if subscription.state is not SubscriptionState.ACTIVE:
        raise Conflict("this service has ended")
    return subscription


async def own(request_id: uuid.UUID, by: Actor) -> ServiceRequest:
    """Return a request of the actor's own agency, locked; NotPermitted for who may not make requests."""
    request = await one(ServiceRequest, lock=True, id=request_id)
    if by.agency_id != request.agency_id or not by.may(NEEDS[Action.SUBMIT] or ""):
        raise NotPermitted("only the agency's officials do this")
    return request


async def _set_items(request: ServiceRequest, asked: Mapping[uuid.UUID, Decimal], *, now: dt.datetime) -> None:
    """Store what is asked, against what there is; complaints come back by component."""
    at = max(takes_effect(request.kind, request.effective_on), now)
    present = await quantities_at(request.subscription_id, at) if request.subscription_id else {}
    components = {c.id: c for c in await Component.filter(offering_id=request.offering_id)}
    wanted = _wanted(request.kind, asked, present, components)
    _orderable(wanted, present, await bounds_on(wanted, request.effective_on))
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


def _orderable(
    wanted: Mapping[uuid.UUID, Decimal], present: Mapping[uuid.UUID, Decimal], bounds: Mapping[uuid.UUID, Bounds]
) -> None:
    """Refuse (Invalid, by component) quantities that cannot be ordered for their day; what stays as it is can."""
    complaints = {
        str(id_): why
        for id_, amount in wanted.items()
        if amount
        and amount != present.get(id_, Decimal(0))
        and (why := bounds[id_].complaint(amount, present.get(id_, Decimal(0))))
    }
    if complaints:
        raise Invalid(complaints)


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


def _complete(
    request: ServiceRequest, asks: Sequence[Ask], now: dt.datetime, earliest: dt.date | None, *, is_open: bool
) -> None:
    missing = {}
    if not any(ask.before != ask.after for ask in asks):
        missing["items"] = "Nothing is changed by this request."
    if request.effective_on < bangkok_date(now):
        missing["effective_on"] = "The effective date has passed."
    elif not is_open:
        missing["effective_on"] = CLOSED
    elif earliest is not None and request.effective_on < earliest:
        missing["effective_on"] = "This is before the lead time. Choose a later day, or ask for an earlier one."
    if not request.justification.strip():
        missing["justification"] = "Say why this is needed."
    if missing:
        raise Invalid(missing)
