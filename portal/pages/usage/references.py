"""What a provider's own systems call services in use: listed, given, given to another service, taken back."""

from typing import Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid
from auth.tenancy import one, scoped
from billing.metering.models import ExternalReference
from billing.metering.references import map_reference, move_reference, references, service_numbered, withdraw_reference
from billing.usage.models import BilledService
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.pages.usage.measured import PER_PAGE, page_of
from portal.refusals import in_words
from portal.visit import Visit

REASONS: Final = (
    lazy("No service of yours has this number."),
    lazy("This reference names a service already."),
    lazy("Fill in this field."),
)


async def index(visit: Visit) -> Response:
    """List the references, searched by themselves and by their services."""
    return await _page(visit)


async def map_one(visit: Visit) -> Response:
    """Let a reference name a service."""
    try:
        service = await _service(visit)
        await map_reference(visit.form.get("reference"), service.id, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, errors=in_words(refused), status=422)
    except Conflict:
        return await _page(visit, errors={"reference": _("This reference names a service already.")}, status=422)
    visit.flash(_("The reference was given."))
    return visit.redirect("usage.references")


async def move(visit: Visit) -> Response:
    """Show where a reference may lead instead, or let it name another service."""
    mapped = await one(ExternalReference, id=visit.params["id"])
    errors: dict[str, str] = {}
    if visit.request.method == "POST":
        try:
            await move_reference(mapped.id, (await _service(visit)).id, by=visit.by, now=visit.now)
            visit.flash(_("The reference names another service from now on."))
            return visit.redirect("usage.references")
        except Invalid as refused:
            errors = in_words(refused)
        except Conflict:
            errors = {"service": _("This reference names a service already.")}
    service = await one(BilledService, id=mapped.service_id)
    return visit.render(
        "usage/reference.html",
        status=422 if errors else 200,
        mapped=mapped,
        service=service,
        service_name=service.name_en if visit.language == "en" else service.name_th,
        values=visit.form.values(),
        errors=errors,
    )


async def withdraw(visit: Visit) -> Response:
    """Let a reference name nothing any more."""
    mapped = await withdraw_reference(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The reference %(reference)s names nothing any more.", reference=mapped.reference))
    return visit.redirect("usage.references")


async def _service(visit: Visit) -> BilledService:
    number = visit.form.get("service")
    if not number:
        raise Invalid({"service": "Fill in this field."})
    found = await service_numbered(number)
    if found is None:
        raise Invalid({"service": "No service of yours has this number."})
    return found


async def _page(visit: Visit, *, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    wanted, page = visit.query.get("q")[:200], page_of(visit)
    rows, count = await references(wanted, most=PER_PAGE, skip=(page - 1) * PER_PAGE)
    services = {each.id: each for each in await scoped(BilledService).filter(id__in={row.service_id for row in rows})}
    return visit.render(
        "usage/references.html",
        status=status,
        rows=rows,
        services=services,
        numbers=await scoped(BilledService).order_by("number").limit(1000).values_list("number", "name_th"),
        wanted=wanted,
        page=page,
        pages=max(1, -(-count // PER_PAGE)),
        count=count,
        values=visit.form.values(),
        errors=errors or {},
    )
