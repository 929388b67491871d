"""Requests as an agency's or a provider's own systems read, draft, submit and withdraw them (annex ก 1.1–1.4).

Confirming a quote is a person's act with a fresh sign-in and is not to be had here.
"""

import datetime as dt
import uuid
from decimal import Decimal
from typing import Any

import msgspec
from starlette.responses import Response

from auth.clients.rules import Scope
from auth.errors import Invalid, NotFound, NotPermitted
from auth.organisations.models import Organisation
from auth.tenancy import one, scoped, unit_of_work
from portal.api.bodies import number, plain, read
from portal.api.machines import Call, for_machines, json_response
from portal.api.once import Made, once
from services.calendar.queries import official
from services.capacity.rules import Shortfall
from services.catalogue.models import Component, Offering
from services.catalogue.queries import is_open_on
from services.requests import commands
from services.requests.listing import listed
from services.requests.models import ServiceRequest
from services.requests.queries import Whole, asks_of, shortfalls_of, whole
from services.requests.rules import CLOSED, Kind, State
from services.subscriptions.models import Subscription

_LONGEST_TEXT = 4000
_LONGEST_LABEL = 150
_YEARS = range(2000, 2401)  # a year beyond is one of the Buddhist era


class Draft(msgspec.Struct, forbid_unknown_fields=True):
    """A request to be drafted: of a `service` in use by its number, or for a new one of an `offering` by its id.

    `quantities` say by component code how much there is to be; a component not named stays as it is.
    """

    kind: Kind
    effective_on: dt.date
    justification: str
    service: str = ""
    offering: uuid.UUID | None = None
    quantities: dict[str, str] = {}
    label: str = ""


class Submission(msgspec.Struct, forbid_unknown_fields=True):
    """How a draft is sent: `asks_earlier` where it is to take effect before the lead time allows."""

    asks_earlier: bool = False


class Withdrawal(msgspec.Struct, forbid_unknown_fields=True):
    """Why a request is taken back."""

    note: str = ""


@for_machines(Scope.REQUESTS_READ)
async def list_requests(call: Call) -> Response:
    """Answer a page of the requests within reach, the latest moved first; `state`, `q` and `page` narrow it."""
    query = call.visit.query
    states = [_state(query.get("state"))] if query.get("state") else list(State)
    page = _page_number(query.get("page"))
    text = query.get("q")[:100]

    async def work() -> dict[str, Any]:
        found = await listed(await official(), states, text=text, page=page)
        numbers = await _service_numbers([row.request for row in found.rows])
        rows = [
            _brief(row.request, row.agency.code, numbers) | {"due_at": row.due_at, "percent": row.percent}
            for row in found.rows
        ]
        return {"requests": rows, "page": page, "pages": found.pages, "total": found.total}

    return json_response(await unit_of_work(call.by, work))


@for_machines(Scope.REQUESTS_READ)
async def show_request(call: Call) -> Response:
    """Answer one request within reach with its items, quote, work and timeline; 404 for another organisation's."""
    return json_response(await unit_of_work(call.by, lambda: _document(call.visit.params["id"])))


@for_machines(Scope.REQUESTS_WRITE)
async def draft_request(call: Call) -> Response:
    """Draft a request; the provider does not see it before it is submitted.

    201 with the request and where it is; 404 for another agency's service; 422 by field for what cannot be ordered.
    """
    said = await read(call, Draft)
    now = call.visit.now

    async def work() -> Made:
        agency_id = call.by.agency_id
        if agency_id is None:
            raise NotPermitted("requests are made by agencies")
        _check(said)
        service = await one(Subscription, number=said.service) if said.service else None
        offering_id = service.offering_id if service else await _on_offer(said.offering, said.effective_on)
        codes = {each.code: each.id for each in await Component.filter(offering_id=offering_id)}
        try:
            made = await commands.draft(
                agency_id,
                said.kind,
                subscription_id=service.id if service else None,
                offering_id=offering_id,
                asked=_quantities(said.quantities, codes),
                effective_on=said.effective_on,
                justification=said.justification.strip(),
                label=said.label.strip(),
                by=call.by,
                now=now,
            )
        except Invalid as refused:
            raise Invalid(_by_code(refused.fields, codes)) from None
        return Made(await _document(made.id), 201, call.visit.path("api.request", id=made.id))

    return await once(call, said, work)


@for_machines(Scope.REQUESTS_WRITE)
async def submit_request(call: Call) -> Response:
    """Send a draft, or a request returned for correction, to the provider.

    422 over capacity, from a provider not listed, or incomplete; 409 while the service has an open request.
    """
    said = await read(call, Submission)

    async def work() -> Made:
        request_id = call.visit.params["id"]
        try:
            await commands.submit(request_id, asks_earlier=said.asks_earlier, by=call.by, now=call.visit.now)
        except Invalid as refused:
            request = await one(ServiceRequest, id=request_id)
            codes = {each.code: each.id for each in await Component.filter(offering_id=request.offering_id)}
            raise Invalid(_by_code(refused.fields, codes)) from None
        return Made(await _document(request_id))

    return await once(call, said, work)


@for_machines(Scope.REQUESTS_WRITE)
async def withdraw_request(call: Call) -> Response:
    """Take a request back before it is confirmed; 409 for one that is confirmed or has ended."""
    said = await read(call, Withdrawal)
    if len(said.note) > _LONGEST_TEXT:
        raise Invalid({"note": "This text is too long."})

    async def work() -> Made:
        await commands.withdraw(call.visit.params["id"], note=said.note.strip(), by=call.by, now=call.visit.now)
        return Made(await _document(call.visit.params["id"]))

    return await once(call, said, work)


def _check(said: Draft) -> None:
    faults = {}
    if said.kind is Kind.NEW and (said.service or said.offering is None):
        faults["offering"] = "A new service names its offering and no service in use."
    if said.kind is not Kind.NEW and (not said.service or said.offering is not None):
        faults["service"] = "This kind of request names a service in use and no offering."
    if said.effective_on.year not in _YEARS:
        faults["effective_on"] = "Give the year by the Gregorian calendar."
    longest = {"justification": _LONGEST_TEXT, "label": _LONGEST_LABEL}
    faults |= {name: "This text is too long." for name, most in longest.items() if len(getattr(said, name)) > most}
    if faults:
        raise Invalid(faults)


async def _on_offer(offering_id: uuid.UUID | None, on: dt.date) -> uuid.UUID:
    if offering_id is None or not await Offering.filter(id=offering_id).exists():
        raise NotFound("Offering")
    if not await is_open_on(offering_id, on):
        raise Invalid({"effective_on": CLOSED})
    return offering_id


def _quantities(said: dict[str, str], codes: dict[str, uuid.UUID]) -> dict[uuid.UUID, Decimal]:
    unknown = {_field(code): "This cannot be ordered here." for code in said if code not in codes}
    if unknown:
        raise Invalid(unknown)
    return {codes[code]: number(text, _field(code)) for code, text in said.items()}


def _by_code(fields: dict[str, str], codes: dict[str, uuid.UUID]) -> dict[str, str]:
    names = {str(id_): _field(code) for code, id_ in codes.items()}
    return {names.get(name, name): why for name, why in fields.items()}


def _field(code: str) -> str:
    return f"quantities.{code[:48]}"


async def _document(request_id: uuid.UUID) -> dict[str, Any]:
    found = await whole(request_id, await official())
    request = found.request
    agency = await Organisation.get(id=request.agency_id)
    short: tuple[Shortfall, ...] = ()
    if request.state in {State.DRAFT, State.RETURNED}:
        short = await shortfalls_of(await asks_of(request))
    return (
        _brief(request, agency.code, {found.subscription.id: found.subscription.number} if found.subscription else {})
        | {
            "justification": request.justification,
            "asks_earlier": request.asks_earlier,
            "waits_for_capacity": request.waits_for_capacity,
            "asked_by": request.asked_by_name,
            "review_due_at": found.review_due_at,
            "shortfalls": [
                {"pool_th": each.names[0], "pool_en": each.names[1], "short_by": plain(each.short_by)} for each in short
            ],
        }
        | _parts(found)
    )


def _parts(found: Whole) -> dict[str, Any]:
    quote, work = found.quote, found.work
    return {
        "items": [
            {
                "component": item.component.code,
                "unit_th": item.component.unit_th,
                "unit_en": item.component.unit_en,
                "before": plain(item.before),
                "asked": plain(item.asked),
                "confirmed": None if item.confirmed is None else plain(item.confirmed),
            }
            for item in found.items
        ],
        "quote": quote
        and {
            "number": quote.number,
            "sha256": quote.sha256,
            "quoted_at": quote.quoted_at,
            "valid_until": quote.valid_until,
            "document": quote.document,
        },
        "work": work
        and {
            "id": work.order.id,
            "percent": work.percent,
            "due_at": work.due_at,
            "started_at": work.order.started_at,
            "delivered_at": work.order.delivered_at,
        },
        "timeline": [
            {
                "number": event.number,
                "at": event.at,
                "what": event.what,
                "state": event.state,
                "by": event.by_name,
                "organisation_th": event.by_organisation_th,
                "organisation_en": event.by_organisation_en,
                "note": event.note,
            }
            for event in found.events
        ],
    }


def _brief(request: ServiceRequest, agency: str, numbers: dict[uuid.UUID, str]) -> dict[str, Any]:
    return {
        "id": request.id,
        "number": request.number,
        "agency": agency,
        "kind": request.kind,
        "state": request.state,
        "offering": request.offering.code,
        "service": numbers.get(request.subscription_id) if request.subscription_id else None,
        "label": request.label,
        "effective_on": request.effective_on,
        "created_at": request.created_at,
        "submitted_at": request.submitted_at,
        "changed_at": request.changed_at,
    }


async def _service_numbers(requests: list[ServiceRequest]) -> dict[uuid.UUID, str]:
    ids = [request.subscription_id for request in requests if request.subscription_id]
    return dict(await scoped(Subscription).filter(id__in=ids).values_list("id", "number"))


def _state(text: str) -> State:
    try:
        return State(text)
    except ValueError:
        raise Invalid({"state": "Choose one of the list."}) from None


def _page_number(text: str) -> int:
    if text and not (text.isascii() and text.isdigit() and len(text) <= 6 and int(text)):
        raise Invalid({"page": "Enter a number."})
    return int(text or 1)
