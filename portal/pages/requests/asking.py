"""Asking for something: which service, the form with what it comes to, saving and sending it (annex ก 1.1–1.4)."""

import uuid
from typing import Any

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid, NotFound
from auth.fields import new_id
from auth.tenancy import scoped
from billing.months import bangkok_date
from portal.i18n import gettext as _
from portal.pages.requests import form as forms
from portal.pages.requests import wording
from portal.pages.requests.ending import ending_of
from portal.pages.requests.form import Form, Preview
from portal.visit import Fields, Visit
from services.calendar.queries import official
from services.capacity.rules import OverCapacity
from services.catalogue.queries import possible_to_order
from services.requests import commands
from services.requests.concerning import open_requests
from services.requests.models import RequestItem, ServiceRequest
from services.requests.queries import Whole, whole
from services.requests.rules import Kind, OpenRequestExists, State
from services.subscriptions.queries import in_use

_EDITABLE = frozenset({State.DRAFT, State.RETURNED})
_TYPED = frozenset({"label", "justification", "effective_on", "asks_earlier"})


async def new(visit: Visit) -> Response:
    """Show the form for a service in use or an offering; without one, let the person choose (annex ก 1.1–1.2)."""
    kind = _kind(visit.query)
    service_id, offering_id = _id(visit.query, "service"), _id(visit.query, "offering")
    if (offering_id if kind is Kind.NEW else service_id) is None:
        return await _choose(visit, kind)
    form = await _begin(visit, kind, service_id, offering_id)
    if kind is Kind.NEW and not form.orders.are_possible:
        raise NotFound("Offering")
    return await _page(visit, form)


async def create(visit: Visit) -> Response:
    """Take a new request: calculate only, save it as a draft, or submit it. A refused form keeps what was typed."""
    kind = _kind(visit.form)
    kept = await _kept(visit)
    if kept and kept.state not in _EDITABLE:
        return visit.redirect("request", id=kept.id)
    form = await _begin(visit, kind, _id(visit.form, "service"), _id(visit.form, "offering"))
    forms.take(form, visit.form)
    return await _take(visit, form, kept)


async def edit(visit: Visit) -> Response:
    """Show the form of a draft or a returned request; one the provider has is shown as it stands instead."""
    found = await _whole(visit)
    if found.request.state not in _EDITABLE:
        return visit.redirect("request", id=found.request.id)
    form = await forms.again(found, await official(), visit.now)
    if found.request.typed is not None:
        forms.take(form, Fields(found.request.typed.items()))
    return await _page(visit, form, found.request)


async def keep(visit: Visit) -> Response:
    """Keep a form as it stands while it is being typed, as a draft; a piece of the page says when.

    The form brings the number its draft is to have, so that however often it is sent there is one draft. Refuses
    (Conflict) a request that the provider has.
    """
    request = await _kept(visit)
    if request is None:
        kind = _kind(visit.form)
        form = await _begin(visit, kind, _id(visit.form, "service"), _id(visit.form, "offering"))
        forms.take(form, visit.form)
        form.effective_on = form.effective_on or form.earliest
        form.label = "" if "label" in form.errors else form.label
        for row in form.rows:
            row.after = None  # what was typed is kept as typed; it may be no quantity yet
        request = await _draft(visit, form)
    typed = {name: text for name, text in visit.form.values().items() if name in _TYPED or name.startswith("q-")}
    await commands.keep_typed(request.id, typed, by=visit.by, now=visit.now)
    return visit.render("requests/_kept.html", request=request, at=visit.now)


async def copy(visit: Visit) -> Response:
    """Begin a new draft that asks the same; what cannot be ordered any more is told beside its field."""
    request_id = visit.params["id"]
    try:
        async with in_transaction():  # what a refused command began is undone at once
            made = await commands.copy(request_id, by=visit.by, now=visit.now)
    except Invalid:
        made = await commands.copy(request_id, with_quantities=False, by=visit.by, now=visit.now)
        calendar = await official()
        form = await forms.again(await whole(made.id, calendar), calendar, visit.now)
        asked = {item.component_id: item.asked for item in await scoped(RequestItem).filter(request_id=request_id)}
        await commands.keep_typed(made.id, forms.typed_for(form, asked), by=visit.by, now=visit.now)
    visit.flash(_("A new draft was made: %(number)s.", number=made.number))
    return visit.redirect("request.edit", id=made.id)


async def save(visit: Visit) -> Response:
    """Take an edited request: calculate only, save it, or submit it."""
    found = await _whole(visit)
    form = await forms.again(found, await official(), visit.now)
    forms.take(form, visit.form)
    return await _take(visit, form, found.request)


async def preview(visit: Visit) -> Response:
    """Show what a form comes to while it is being typed: a piece of the page."""
    form = await _begin(visit, _kind(visit.query), _id(visit.query, "service"), _id(visit.query, "offering"))
    forms.take(form, visit.query)
    return visit.render("requests/_preview.html", **await _view(visit, form), live=True)


async def _begin(visit: Visit, kind: Kind, service_id: uuid.UUID | None, offering_id: uuid.UUID | None) -> Form:
    return await forms.begin(
        kind, service_id=service_id, offering_id=offering_id, calendar=await official(), now=visit.now
    )


async def _take(visit: Visit, form: Form, request: ServiceRequest | None) -> Response:
    wish = visit.form.get("act")
    if wish not in {"save", "submit"}:
        return await _page(visit, form, request)
    if form.errors or form.effective_on is None:
        return await _page(visit, form, request, status=422)
    try:
        if request is None:
            request_id = (await _draft(visit, form)).id
        else:
            request_id = request.id
            await commands.edit(
                request_id,
                asked=form.asked,
                effective_on=form.effective_on,
                justification=form.justification,
                label=form.label,
                asks_earlier=form.asks_earlier,
                by=visit.by,
                now=visit.now,
            )
        if wish == "save":
            visit.flash(_("The draft was saved. The provider does not see it before you submit it."))
            return visit.redirect("request", id=request_id)
        sent = await commands.submit(request_id, asks_earlier=form.asks_earlier, by=visit.by, now=visit.now)
    except Invalid as refused:
        form.refuse(refused)
    except OverCapacity:
        form.errors[""] = _("The quantity requested exceeds what the provider can supply.")
    except OpenRequestExists as refused:
        form.errors[""] = _(
            "Request %(number)s for this service is still open. Wait until it ends, or withdraw it first.",
            number=refused.number,
        )
        return await _page(visit, form, request, status=409)
    else:
        visit.flash(_("Request %(number)s was submitted to the provider.", number=sent.number))
        return visit.redirect("request", id=request_id)
    return await _page(visit, form, request, status=422)


async def _draft(visit: Visit, form: Form) -> ServiceRequest:
    if form.effective_on is None or visit.by.agency_id is None:
        raise Invalid({"effective_on": "Enter a date such as 16/12/2569."})
    return await commands.draft(
        visit.by.agency_id,
        form.kind,
        subscription_id=form.service.subscription.id if form.service else None,
        offering_id=form.offering.id,
        asked=form.asked,
        effective_on=form.effective_on,
        justification=form.justification,
        label=form.label,
        asks_earlier=form.asks_earlier,
        request_id=_id(visit.form, "draft"),
        by=visit.by,
        now=visit.now,
    )


async def _page(visit: Visit, form: Form, request: ServiceRequest | None = None, status: int = 200) -> Response:
    draft_id = request.id if request else _id(visit.form, "draft") or new_id()
    view = await _view(visit, form)
    return visit.render("requests/form.html", status=status, request=request, draft_id=draft_id, **view, live=False)


async def _view(visit: Visit, form: Form) -> dict[str, Any]:
    ahead: Preview = await forms.look_ahead(form, by=visit.by, now=visit.now)
    in_the_way = None
    if form.service:
        in_the_way = (await open_requests([form.service.subscription.id])).get(form.service.subscription.id)
    return {
        "form": form,
        "ahead": ahead,
        "ending": ending_of(form.kind, form.promised.data_kept_days, form.effective_on, ahead.price),
        "kinds": wording.KINDS,
        "kind_name": wording.KINDS[form.kind],
        "why": wording.why(form.events, visit.language),
        "in_the_way": in_the_way,
        "may_submit": not ahead.is_short or form.promised.takes_waiting_list,
        "name": lambda thing: wording.name(thing, visit.language),
        "unit": lambda thing: wording.unit(thing, visit.language),
    }


async def _choose(visit: Visit, kind: Kind) -> Response:
    services = [] if kind is Kind.NEW else await in_use(at=visit.now, agency_id=visit.by.agency_id)
    offers = await possible_to_order(on=bangkok_date(visit.now)) if kind is Kind.NEW else []
    return visit.render(
        "requests/choose.html",
        kind=kind,
        kind_name=wording.KINDS[kind],
        services=services,
        offers=offers,
        open_requests=await open_requests(service.subscription.id for service in services),
        name=lambda thing: wording.name(thing, visit.language),
    )


async def _whole(visit: Visit) -> Whole:
    """Return a request of the visitor's own agency; NotFound for any other."""
    found = await whole(visit.params["id"], await official())
    if found.request.agency_id != visit.by.agency_id:
        raise NotFound("ServiceRequest")
    return found


async def _kept(visit: Visit) -> ServiceRequest | None:
    """Return the draft that a form was kept as while it was typed; None where there is none yet."""
    draft_id = _id(visit.form, "draft")
    if draft_id is None:
        return None
    return await scoped(ServiceRequest).filter(id=draft_id).select_related("offering").first()


def _kind(fields: Fields) -> Kind:
    try:
        return Kind(fields.get("kind") or Kind.CHANGE)
    except ValueError:
        raise NotFound("Kind") from None


def _id(fields: Fields, name: str) -> uuid.UUID | None:
    text = fields.get(name)
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        raise NotFound(name) from None
