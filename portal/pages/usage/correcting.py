"""Voiding and replacing events: first what it would change is shown, then it is done; and the history of it all."""

import uuid
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid
from auth.tenancy import scoped
from billing.metering.adjustments import carriers_of
from billing.metering.corrections import replace, void
from billing.metering.effects import effect_of
from billing.metering.events import Row
from billing.metering.models import UsageCorrection
from billing.metering.queries import measured_of
from billing.metering.references import service_named
from billing.usage.models import BilledService
from portal.formats import NotANumber, parse_number
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.usage.event import event_at, event_page
from portal.pages.usage.measured import PER_PAGE, measured_at, micros, page_of
from portal.refusals import in_words
from portal.visit import Visit

VOID, REPLACE = "void", "replace"
REASONS: Final = (
    lazy("Give a number."),
    lazy("The add-on was not in use then; the event can only be voided."),
    lazy("Choose what is to be done."),
    lazy("The event counts for that already."),
    lazy("The event was corrected since you looked. Look again at what would change."),
)


async def preview(visit: Visit) -> Response:
    """Show what a correction would change; changes nothing."""
    measured = await measured_at(visit)
    event = await event_at(visit, measured)
    try:
        quantity = _quantity(visit)
        effect = await effect_of(
            event, quantity, visit.form.get("reason"), basis=measured.basis, by=visit.by, now=visit.now
        )
    except Invalid as refused:
        return await event_page(visit, measured, event, errors=in_words(refused), status=422)
    except Conflict:
        return await event_page(visit, measured, event, errors=_already(), status=422)
    return await event_page(visit, measured, event, effect=effect)


async def correct(visit: Visit) -> Response:
    """Void an event or replace its quantity, as it was previewed; refuses where it was corrected since."""
    measured = await measured_at(visit)
    event = await event_at(visit, measured)
    if visit.form.get("seen") != _seen(event):
        why = {"": _("The event was corrected since you looked. Look again at what would change.")}
        return await event_page(visit, measured, event, errors=why, status=409)
    try:
        quantity = _quantity(visit)
        if quantity is None:
            await void(event, visit.form.get("reason"), by=visit.by, now=visit.now)
        else:
            await replace(event, quantity, visit.form.get("reason"), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await event_page(visit, measured, event, errors=in_words(refused), status=422)
    except Conflict:
        return await event_page(visit, measured, event, errors=_already(), status=422)
    visit.flash(_("The correction was recorded."))
    return visit.redirect("usage.event", **visit.params)


async def corrections(visit: Visit) -> Response:
    """List the corrections within reach, the latest first; of one service where one is named."""
    wanted = visit.query.get("service")[:200]
    found = scoped(UsageCorrection)
    if wanted:
        service = await service_named(wanted)
        found = found.filter(service_id__in=[service.id] if service else [])
    if visit.query.get("late") == "yes":
        found = found.filter(is_late=True)
    count, page = await found.count(), page_of(visit)
    rows = await found.order_by("-made_at", "-id").offset((page - 1) * PER_PAGE).limit(PER_PAGE)
    services = {each.id: each for each in await scoped(BilledService).filter(id__in={row.service_id for row in rows})}
    return visit.render(
        "usage/corrections.html",
        rows=rows,
        services=services,
        meters=await measured_of(services.values()),
        before=await _before(rows),
        carriers=await carriers_of(rows),
        wanted=wanted,
        only_late=visit.query.get("late") == "yes",
        page=page,
        pages=max(1, -(-count // PER_PAGE)),
        count=count,
        micros=micros,
    )


async def _before(rows: list[UsageCorrection]) -> Mapping[uuid.UUID, UsageCorrection]:
    """Return the correction each one followed, where it followed one."""
    later = [row for row in rows if row.number > 1]
    earlier = await scoped(UsageCorrection).filter(event_id__in=[row.event_id for row in later])
    by_number = {(each.event_id, each.number): each for each in earlier}
    return {row.id: by_number[row.event_id, row.number - 1] for row in later}


def _quantity(visit: Visit) -> object | None:
    """Return the quantity typed, None to void; refuses (Invalid) what is neither."""
    match visit.form.get("deed"):
        case "void":
            return None
        case "replace":
            try:
                return parse_number(visit.form.get("quantity"))
            except NotANumber:
                raise Invalid({"quantity": "Give a number."}) from None
    raise Invalid({"deed": "Choose what is to be done."})


def _already() -> dict[str, str]:
    return {"quantity": _("The event counts for that already.")}


def _seen(event: Row) -> str:
    return str(event["corrections"] or 0)
