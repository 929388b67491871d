"""The provider's side: taking a request up, checking it, answering it (annex ก 1.5–1.6)."""

import datetime as dt
import uuid
from collections.abc import Mapping
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotPermitted
from auth.people.queries import members_of
from auth.rules import Actor, Permission, Role
from auth.tenancy import one, scoped
from billing.months import bangkok_date
from services.calendar.queries import official
from services.calendar.rules import WorkingTime
from services.capacity import commands as capacity
from services.catalogue.queries import bounds_on, is_open_on, terms_on
from services.requests.events import move, tell
from services.requests.models import Check, Quote, RequestItem, ServiceRequest
from services.requests.pricing import takes_effect
from services.requests.queries import asks_of, checks_of, document_of, lead_days_of, pool_deltas
from services.requests.rules import (
    CLOSED,
    CONFIRM_WITHIN_WORKING_DAYS,
    NEEDS,
    Action,
    CheckKind,
    ChecksMissing,
    EarlierNotAgreed,
    Kind,
    State,
    after,
    earliest_effective,
    fingerprint,
)
from services.subscriptions.queries import quantities_at


async def accept(request_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Take a submitted request under review; the reviewer's name stands on it."""
    request = await one(ServiceRequest, lock=True, id=request_id)
    request.reviewer_id, request.reviewer_name = by.person_id, by.name
    await move(request, Action.ACCEPT, by=by, now=now)
    return request


async def assign(request_id: uuid.UUID, reviewer_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    """Put a request into a colleague's hands; refuses one who may not review (Invalid)."""
    if not by.may(Permission.REQUESTS_REVIEW):
        raise NotPermitted("requests are the reviewers' to share out")
    request = await one(ServiceRequest, lock=True, id=request_id)
    if request.state not in {State.SUBMITTED, State.UNDER_REVIEW}:
        raise Conflict("this request is not with the reviewers")
    colleagues = {member.person_id: member for member in await members_of(request.provider_id)}
    reviewer = colleagues.get(reviewer_id)
    if reviewer is None or Role.REVIEWER not in reviewer.roles:
        raise Invalid({"reviewer": "Choose a reviewer."})
    request.reviewer_id, request.reviewer_name = reviewer_id, reviewer.name
    await request.save(update_fields=["reviewer_id", "reviewer_name"])
    await tell(request, "assigned", by=by, now=now, reviewer=reviewer.name)
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
    agree_earlier: bool = False,
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> Quote:
    """Answer a request (annex ก 1.6): freeze quantities and cost in a quote, and hold the capacity for it.

    `quantities` and `effective_on` amend what was asked. Refuses while a check is missing or failed
    (ChecksMissing), more than is free (OverCapacity): of many quotes for the last unit one succeeds; an effective
    date before the lead time unless it is agreed to (EarlierNotAgreed); and as Invalid what the amendment makes of it
    where that is not on offer for its day. What was on offer when it was asked for is answered as it was asked.
    """
    if not by.may(NEEDS[Action.QUOTE] or ""):
        raise NotPermitted("quotes are the reviewer's")
    request = await one(ServiceRequest, lock=True, id=request_id)
    after(request.state, Action.QUOTE)
    checks = await checks_of(request)
    missing = [kind for kind in CheckKind if kind not in checks or not checks[kind].passed]
    if missing:
        raise ChecksMissing(", ".join(missing))
    is_moved = effective_on is not None and effective_on != request.effective_on
    if effective_on and is_moved:
        request.effective_on = effective_on
        if request.kind is Kind.NEW and not await is_open_on(request.offering_id, effective_on):
            raise Invalid({"effective_on": CLOSED})
    await _confirm_quantities(request, quantities or {}, now, is_moved=is_moved)
    calendar = await official()
    await _agree_to_date(request, calendar, agree_earlier)
    asks = await asks_of(request)
    raised = {pool_id: delta for pool_id, delta in pool_deltas(asks).items() if delta > 0}
    await capacity.hold(request.id, request.agency_id, request.provider_id, raised, now=now)
    valid_until = calendar.closing(calendar.add_working_days(bangkok_date(now), CONFIRM_WITHIN_WORKING_DAYS))
    number = await scoped(Quote).filter(request_id=request_id).count() + 1
    document = await document_of(request, number=number, valid_until=valid_until, note=note)
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


async def _refuse(request_id: uuid.UUID, action: Action, note: str, *, by: Actor, now: dt.datetime) -> ServiceRequest:
    if not note.strip():
        raise Invalid({"note": "Say why."})
    request = await one(ServiceRequest, lock=True, id=request_id)
    await move(request, action, by=by, now=now, note=note)
    return request


async def _confirm_quantities(
    request: ServiceRequest, quantities: Mapping[uuid.UUID, Decimal], now: dt.datetime, *, is_moved: bool
) -> None:
    """Store what the provider confirms, against what there will be when it takes effect."""
    at = max(takes_effect(request.kind, request.effective_on), now)
    present = await quantities_at(request.subscription_id, at) if request.subscription_id else {}
    items = await scoped(RequestItem).filter(request_id=request.id)
    bounds = await bounds_on([item.component_id for item in items], request.effective_on)
    for item in items:
        item.confirmed = quantities.get(item.component_id, item.asked)
        item.before = present.get(item.component_id, Decimal(0))
        had = item.before if is_moved else max(item.before, item.asked)
        if item.confirmed and (why := bounds[item.component_id].complaint(item.confirmed, had)):
            raise Invalid({str(item.component_id): why})
        await item.save(update_fields=["before", "confirmed"])


async def _agree_to_date(request: ServiceRequest, calendar: WorkingTime, agreed: bool) -> None:
    submitted_on = bangkok_date(request.submitted_at or request.created_at)
    terms = await terms_on(request.offering_id, request.effective_on)
    earliest = earliest_effective(calendar, submitted_on, lead_days_of(request.kind, terms))
    if request.effective_on < earliest and not agreed:
        raise EarlierNotAgreed(f"{request.effective_on} is before {earliest}")
