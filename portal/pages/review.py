"""The provider's review: three checks with what helps to make them, and the answer (annex ก 1.5–1.6)."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid, NotFound, Refusal
from auth.organisations.models import Organisation
from auth.people.queries import members_of
from auth.rules import Role
from billing.months import bangkok_date
from billing.tariffs.queries import ceilings_of
from billing.tariffs.rules import Ceiling, NoPrice
from portal import refusals
from portal.formats import NotADate, NotANumber, parse_date, parse_number
from portal.i18n import gettext as _
from portal.pages.requests import wording
from portal.pages.requests.page import Comes, asks_in, attempt, come_to, problem_of, shown
from portal.visit import Visit
from services.calendar.queries import official
from services.capacity.rules import OverCapacity
from services.catalogue.queries import bounds_on, terms_on
from services.requests import commands
from services.requests.pricing import Ask
from services.requests.queries import Whole, demands_of, lead_days_of, whole
from services.requests.rules import CheckKind, ChecksMissing, EarlierNotAgreed, State, earliest_effective

_LONGEST = 4000


@dataclass(slots=True)
class Answer:
    """What the reviewer would answer: quantities and day, as asked or amended, with every text as typed."""

    typed: dict[str, str]
    asks: list[Ask]
    quantities: dict[uuid.UUID, Decimal]
    effective_on: dt.date
    day: str | dt.date
    agrees_earlier: bool
    note: str
    errors: dict[str, str]


async def show(visit: Visit) -> Response:
    """Show a request under review with its checks and its answer; one in another state as it stands instead."""
    found = await _found(visit)
    if found.request.state is not State.UNDER_REVIEW:
        return visit.redirect("request", id=found.request.id)
    return await _page(visit, found)


async def accept(visit: Visit) -> Response:
    """Take a submitted request under review."""
    doing = commands.accept(visit.params["id"], by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The request is under your review."), way="request.review")


async def assign(visit: Visit) -> Response:
    """Put a request into a colleague's hands."""
    doing = commands.assign(visit.params["id"], visit.form.uuid("reviewer"), by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The request was assigned."))


async def check(visit: Visit) -> Response:
    """Record one of the three checks; one that did not pass says why."""
    try:
        kind = CheckKind(visit.params["kind"])
    except ValueError:
        raise NotFound("Check") from None
    outcome = visit.form.get("outcome")
    request_id, note = visit.params["id"], visit.form.get("note")[:_LONGEST]
    if outcome not in {"passed", "failed"}:
        raise Invalid({f"{kind}_outcome": "Choose one of the list."})
    try:
        async with in_transaction():
            await commands.check(request_id, kind, outcome == "passed", note=note, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, await _found(visit), errors=refusals.in_words(refused), status=422)
    except Refusal as refused:
        return await _told(visit, refused)
    visit.flash(_("%(check)s was recorded.", check=wording.CHECKS[kind]))
    return visit.redirect("request.review", id=request_id)


async def send_back(visit: Visit) -> Response:
    """Return a request for correction, saying what is missing."""
    note = visit.form.get("note")[:_LONGEST]
    doing = commands.send_back(visit.params["id"], note=note, by=visit.by, now=visit.now)
    return await _refused_or(visit, "return_note", doing, _("The request was returned to the agency."))


async def reject(visit: Visit) -> Response:
    """Refuse a request, saying why."""
    note = visit.form.get("note")[:_LONGEST]
    doing = commands.reject(visit.params["id"], note=note, by=visit.by, now=visit.now)
    return await _refused_or(visit, "reject_note", doing, _("The request was rejected."))


async def answer(visit: Visit) -> Response:
    """Show what the answer would be, or send it: a quote frozen, its capacity held for the agency."""
    found = await _found(visit)
    if found.request.state is not State.UNDER_REVIEW:
        return await shown(visit, problem=_not_where_it_was(), status=409)
    given = await _answer(found, visit)
    if given.errors:
        return await _page(visit, found, given=given, errors=given.errors, status=422)
    if visit.form.get("act") != "send":
        return await _page(visit, found, given=given)
    try:
        async with in_transaction():
            await commands.quote(
                found.request.id,
                quantities=given.quantities,
                effective_on=given.effective_on,
                agree_earlier=given.agrees_earlier,
                note=given.note,
                by=visit.by,
                now=visit.now,
            )
    except (Refusal, NoPrice) as refused:
        errors = _unanswered(refused)
        if errors is None:
            return await _told(visit, refused)
        return await _page(visit, found, given=given, errors=errors, status=422)
    visit.flash(_("The quote was sent to the agency, and the capacity is held for it."))
    return visit.redirect("request.quote", id=found.request.id)


def _unanswered(refused: Exception) -> dict[str, str] | None:
    """Return beside which field a refused answer is explained; None where it is no matter of what was entered."""
    if isinstance(refused, EarlierNotAgreed):
        return {"agrees_earlier": _("The effective date is before the lead time: agree to it or choose a later day.")}
    if isinstance(refused, NoPrice):
        return {"effective_on": _("There is no price for that day.")}
    if isinstance(refused, (ChecksMissing, OverCapacity)):
        return {"": problem_of(refused)}
    if isinstance(refused, Invalid):
        words = refusals.in_words(refused)
        return {name if name == "effective_on" else f"q-{name}": why for name, why in words.items()}
    return None


async def _refused_or(visit: Visit, field: str, doing: Any, said: str) -> Response:
    try:
        async with in_transaction():
            await doing
    except Invalid as refused:
        errors = {field: next(iter(refusals.in_words(refused).values()))}
        return await _page(visit, await _found(visit), errors=errors, status=422)
    except Refusal as refused:
        return await _told(visit, refused)
    visit.flash(said)
    return visit.redirect("request", id=visit.params["id"])


async def _told(visit: Visit, refused: Exception) -> Response:
    """Tell on the request's own page what was refused because it has moved on; the rest is the edge's to tell."""
    told = refusals.answer_to(refused)
    if told is None or told.status not in {409, 422} or not isinstance(refused, Refusal):
        raise refused
    return await shown(visit, problem=problem_of(refused), status=told.status)


async def _found(visit: Visit) -> Whole:
    found = await whole(visit.params["id"], await official())
    if found.request.provider_id != visit.by.provider_id:
        raise NotFound("ServiceRequest")
    return found


def _not_where_it_was() -> str:
    return _("The request has moved on since you opened this page. This is how it stands now.")


async def _answer(found: Whole, visit: Visit) -> Answer:
    """Read the amended quantities and day; a field not sent stays as it was asked."""
    form = visit.form
    typed, asks, quantities, errors = {}, [], {}, dict[str, str]()
    effective_on, day = found.request.effective_on, form.get("effective_on")
    if day:
        try:
            effective_on = parse_date(day)
        except NotADate:
            errors["effective_on"] = _("Enter a date such as 16/12/2569.")
    if effective_on < bangkok_date(visit.now):
        errors["effective_on"] = _("The effective date has passed.")
    bounds = await bounds_on([item.component_id for item in found.items], effective_on)
    for item in found.items:
        name = f"q-{item.component.id}"
        text = form.get(name)
        typed[name] = text
        amount = item.asked if item.confirmed is None else item.confirmed
        if text:
            try:
                amount = parse_number(text)
            except NotANumber:
                errors[name] = _("Enter a number.")
        had = max(item.before, item.asked)
        complaint = bounds[item.component_id].complaint(amount, had) if amount and amount != item.asked else None
        if amount and amount >= Decimal(10) ** 12:
            complaint = "This is more than can be ordered."
        if complaint:
            errors[name] = _(complaint)
        if name in errors:
            amount = item.asked  # nothing can be computed from what was typed
        quantities[item.component.id] = amount
        asks.append(Ask(item.component, item.before, amount))
    return Answer(
        typed,
        asks,
        quantities,
        effective_on,
        day or effective_on,
        bool(form.get("agrees_earlier")),
        form.get("note")[:_LONGEST],
        errors,
    )


def _as_asked(found: Whole) -> Answer:
    asks = asks_in(found)
    return Answer(
        {f"q-{ask.component.id}": format(ask.after.normalize(), "f") for ask in asks},
        asks,
        {ask.component.id: ask.after for ask in asks},
        found.request.effective_on,
        found.request.effective_on,
        agrees_earlier=False,
        note="",
        errors={},
    )


async def _page(
    visit: Visit,
    found: Whole,
    *,
    given: Answer | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    calendar, request = await official(), found.request
    is_preview = given is not None and not given.errors
    given = given or _as_asked(found)
    asked_on = request.effective_on
    request.effective_on = given.effective_on  # priced as it would be answered; nothing is saved here
    comes: Comes = await come_to(visit, found, given.asks)
    agency = await Organisation.get(id=request.agency_id)
    submitted_on = bangkok_date(request.submitted_at or request.created_at)
    terms = await terms_on(request.offering_id, given.effective_on)
    bounds = await bounds_on([item.component_id for item in found.items], given.effective_on)
    earliest = earliest_effective(calendar, submitted_on, lead_days_of(request.kind, terms))
    demands = await demands_of(given.asks)
    reviewers = [one for one in await members_of(request.provider_id) if Role.REVIEWER in one.roles]
    return visit.render(
        "review/show.html",
        status=status,
        found=found,
        request=request,
        asked_on=asked_on,
        given=given,
        errors=dict(errors or {}),
        is_preview=is_preview,
        price=comes.price,
        ceilings=await _ceilings(given.asks, given.effective_on),
        demands=demands,
        is_short=any(demand.short_by for demand in demands),
        bounds={
            item.component.id: bounds[item.component_id].complaint(item.asked, item.before)
            for item in found.items
            if item.asked
        },
        earliest=earliest,
        is_early=given.effective_on < earliest,
        agency=agency,
        reviewers=reviewers,
        kind_name=wording.KINDS[request.kind],
        checks=wording.CHECKS,
        is_ready=all(kind in found.checks and found.checks[kind].passed for kind in CheckKind),
        due_at=found.review_due_at,
        left=wording.left(found.review_due_at, visit.now, calendar),
        name=lambda thing: wording.name(thing, visit.language),
        unit=lambda thing: wording.unit(thing, visit.language),
    )


async def _ceilings(asks: list[Ask], on: dt.date) -> dict[uuid.UUID, Ceiling | None]:
    """Return each component's ceiling price in force on a day; None of one that has none."""
    found: dict[uuid.UUID, Ceiling | None] = {}
    for ask in asks:
        known = [each for each in await ceilings_of(ask.component.price_item_id) if each.effective_from <= on]
        found[ask.component.id] = known[-1] if known else None
    return found
