"""One request as both sides see it: what is asked, where it stands, whose move it is, and what happened."""

import datetime as dt
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Refusal
from auth.organisations.models import Organisation
from auth.rules import Actor, Permission
from billing.months import bangkok_date
from billing.tariffs.rules import NoPrice
from portal import refusals
from portal.i18n import gettext as _
from portal.pages.requests import wording
from portal.pages.requests.ending import ending_of
from portal.visit import Visit
from services.calendar.queries import official
from services.calendar.rules import Calendar
from services.requests import commands
from services.requests.attachments import attachments_of
from services.requests.commitments import committed_in
from services.requests.fulfilment import WORK_SHARED_BY, workers_of
from services.requests.models import ServiceRequest
from services.requests.pricing import Ask, Price, takes_effect
from services.requests.queries import (
    Effect,
    Whole,
    data_kept_days,
    effect_on_budget,
    price_request,
    prospective,
    whole,
    year_of,
)
from services.requests.rules import (
    DISPUTE_WITHIN_WORKING_DAYS,
    ENDED,
    NEEDS,
    OPEN,
    Kind,
    OpenRequestExists,
    State,
    possible,
)
from services.staff.queries import clearances

_UNPRICED = frozenset({State.DRAFT, State.RETURNED, State.SUBMITTED, State.UNDER_REVIEW})
_BEFORE_CONFIRMATION = _UNPRICED | {State.AWAITING_CONFIRMATION}
_CAME_TO_NOTHING = ENDED - {State.COMPLETED}
_ENDING = frozenset({Kind.CANCEL, Kind.CANCEL_ADDON})
_AT_WORK = frozenset({State.CONFIRMED, State.IN_PROGRESS})
WORKING_DAY_MINUTES = 480


@dataclass(frozen=True, slots=True)
class Comes:
    """What a stored request comes to as things stand, and to the agency what it does to its budget."""

    price: Price | None
    effect: Effect | None


async def show(visit: Visit) -> Response:
    """Show one request; another agency's, and to the provider a draft, is NotFound."""
    return await shown(visit)


async def submit(visit: Visit) -> Response:
    """Send a draft or a corrected request to the provider (annex ก 1.4)."""
    return await attempt(
        visit,
        commands.submit(visit.params["id"], by=visit.by, now=visit.now),
        _("The request was submitted to the provider."),
    )


async def withdraw(visit: Visit) -> Response:
    """Take a request back before it is confirmed."""
    note = visit.form.get("note")[:4000]
    return await attempt(
        visit,
        commands.withdraw(visit.params["id"], note=note, by=visit.by, now=visit.now),
        _("The request was withdrawn."),
    )


async def say(visit: Visit) -> Response:
    """Add a message to the timeline; the other side is told."""
    return await attempt(
        visit,
        commands.say(visit.params["id"], visit.form.get("text")[:4000], by=visit.by, now=visit.now),
        _("The message was sent."),
    )


async def dispute(visit: Visit) -> Response:
    """Say that what was delivered is not right: its work goes on."""
    return await attempt(
        visit,
        commands.dispute_delivery(visit.params["id"], visit.form.get("note")[:4000], by=visit.by, now=visit.now),
        _("The provider was told; the work goes on."),
    )


async def undo(visit: Visit) -> Response:
    """Take a completed cancellation back before its last day is over."""
    return await attempt(
        visit,
        commands.undo_cancellation(visit.params["id"], by=visit.by, now=visit.now),
        _("The cancellation was taken back; everything goes on as it was."),
    )


async def attempt(visit: Visit, doing: Awaitable[object], said: str, *, way: str = "request") -> Response:
    """Do something to the request of the address and go on to it.

    What is refused because the request has moved on, or because of what was entered, is told on the request's own
    page, which shows how it stands now; what is not found or not permitted is the edge's to tell.
    """
    try:
        async with in_transaction():  # within the unit of work: what a refused command began is undone at once
            await doing
    except Refusal as refused:
        answer = refusals.answer_to(refused)
        if answer is None or answer.status not in {409, 422}:
            raise
        return await shown(visit, problem=problem_of(refused), status=answer.status)
    visit.flash(said)
    return visit.redirect(way, id=visit.params["id"])


def problem_of(refused: Refusal) -> str:
    """Return what was refused as a sentence in the visitor's language."""
    if isinstance(refused, OpenRequestExists):
        return _(
            "Request %(number)s for this service is still open. Wait until it ends, or withdraw it first.",
            number=refused.number,
        )
    answer = refusals.answer_to(refused)
    sentence = refusals.sentence_for(refused, answer) if answer else None
    return sentence or _("The request has moved on since you opened this page. This is how it stands now.")


async def shown(visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    """Draw a request's page, with what was refused above it where something was."""
    calendar = await official()
    found = await whole(visit.params["id"], calendar)
    request = found.request
    comes = await come_to(visit, found) if request.state in _BEFORE_CONFIRMATION else Comes(None, None)
    ended = comes if comes.price or request.kind not in _ENDING else await come_to(visit, found)
    organisations = {one.id: one for one in await Organisation.filter(id__in=[request.agency_id, request.provider_id])}
    due_at = due_of(found)
    may = moves(visit.by, found, calendar, visit)
    return visit.render(
        "requests/show.html",
        status=status,
        problem=problem,
        found=found,
        request=request,
        comes=comes,
        standing=wording.STATES[request.state],
        states=wording.STATES,
        kind_name=wording.KINDS[request.kind],
        agency=organisations[request.agency_id],
        provider=organisations[request.provider_id],
        way=wording.way(request.state, {event.state for event in found.events}),
        due_at=due_at,
        left=wording.left(due_at, visit.now, calendar),
        why=wording.why(found.events, visit.language),
        events=[wording.told(e, visit.language, inside=visit.by.agency_id is None) for e in reversed(found.events)],
        checks=wording.CHECKS,
        may=may,
        files=await attachments_of(request.id),
        me=visit.by.person_id,
        monthly=figures(found),
        workers=await workers_of(request.provider_id, visit.now) if "share" in may else [],
        may_be_given_work=await _may_be_given_work(visit) if "start" in may else False,
        ending=None
        if request.undone_at or request.state in _CAME_TO_NOTHING
        else ending_of(request.kind, await data_kept_days(found), request.effective_on, ended.price),
        inside=visit.by.agency_id is None,
        name=lambda thing: wording.name(thing, visit.language),
        unit=lambda thing: wording.unit(thing, visit.language),
    )


async def _may_be_given_work(visit: Visit) -> bool:
    """Say whether the staff register lets the visitor take work up."""
    me = visit.by.person_id
    return me is not None and (await clearances([me], bangkok_date(visit.now)))[me].is_whole


def moves(by: Actor, found: Whole, calendar: Calendar, visit: Visit) -> frozenset[str]:
    """Return what the visitor may do to a request now, by the names of the moves."""
    request = found.request
    if by.agency_id != request.agency_id and by.provider_id != request.provider_id:
        return frozenset()
    may = {action.value for action in possible(request.state) if by.may(NEEDS[action] or "")}
    if "submit" in may:
        may.add("edit")
    may |= _of_provider(by, request)
    speaks = any(by.may(one) for one in (Permission.REQUESTS_MAKE, Permission.REQUESTS_REVIEW, Permission.WORK_DO))
    if speaks and request.state in OPEN and request.submitted_at:
        may.add("say")
    attaches = by.may(Permission.REQUESTS_MAKE) or by.may(Permission.REQUESTS_REVIEW)
    if attaches and request.state in OPEN:
        may.add("attach")
    if by.may(Permission.REQUESTS_MAKE):
        if request.submitted_at:
            may.add("copy")
        if request.state is State.COMPLETED:
            may -= {"reopen"}
            may |= _afterwards(request, calendar, visit)
    return frozenset(may)


def _of_provider(by: Actor, request: ServiceRequest) -> set[str]:
    may = set()
    if by.may(Permission.REQUESTS_REVIEW) and request.state is State.UNDER_REVIEW:
        may.add("review")
    if by.may(Permission.WORK_DO) and request.state is State.IN_PROGRESS:
        may.add("work")
    if by.may(Permission.WORK_DO) and by.roles & WORK_SHARED_BY and request.state in _AT_WORK:
        may.add("share")
    return may


def _afterwards(request: ServiceRequest, calendar: Calendar, visit: Visit) -> set[str]:
    may = set()
    until = calendar.add_minutes(request.changed_at, DISPUTE_WITHIN_WORKING_DAYS * WORKING_DAY_MINUTES)
    if visit.now <= until and not request.undone_at:
        may.add("dispute")
    if can_be_undone(request, visit.now):
        may.add("undo")
    return may


def can_be_undone(request: ServiceRequest, now: dt.datetime) -> bool:
    """Say whether a request is a cancellation carried out that can still be taken back."""
    is_done = request.kind in _ENDING and request.state is State.COMPLETED and not request.undone_at
    return is_done and now < takes_effect(request.kind, request.effective_on)


def due_of(found: Whole) -> Any:
    """Return by when the next move is due; None where nothing is."""
    match found.request.state:
        case State.SUBMITTED | State.UNDER_REVIEW:
            return found.review_due_at
        case State.AWAITING_CONFIRMATION:
            return found.quote.valid_until if found.quote else None
        case State.CONFIRMED | State.IN_PROGRESS:
            return found.work.due_at if found.work else None
        case _:
            return None


def asks_in(found: Whole) -> list[Ask]:
    """Return what a request asks, by the confirmed quantity where the provider gave one."""
    return [
        Ask(item.component, item.before, item.asked if item.confirmed is None else item.confirmed)
        for item in found.items
    ]


async def come_to(visit: Visit, found: Whole, asks: list[Ask] | None = None) -> Comes:
    """Return what a request comes to as things stand; the budget only for whom the agency's costs concern."""
    request = found.request
    service = request.subscription_id or prospective(request.id, request.agency_id, request.offering, request.label)
    asks = asks_in(found) if asks is None else asks
    if not asks:
        return Comes(None, None)
    try:
        book, price = await price_request(
            request.agency_id, service, request.kind, asks, request.effective_on, today=bangkok_date(visit.now)
        )
    except NoPrice:
        return Comes(None, None)
    if visit.by.agency_id is None or not visit.by.may(Permission.COSTS_READ):
        return Comes(price, None)
    committed = await committed_in(request.agency_id, year_of(price), now=visit.now, but_for=request.id)
    return Comes(price, await effect_on_budget(request.agency_id, book, price, committed))


def figures(found: Whole) -> dict[str, Any] | None:
    """Return the figures of the latest quote as numbers; None before there is one."""
    if found.request.state in _UNPRICED or not found.quotes:
        return None
    document = (found.quote or found.quotes[0]).document
    return {name: wording.number(text) for name, text in document["monthly"].items()}
