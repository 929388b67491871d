"""Automation of an offering: where its work orders go by themselves, and what became of each (annex ก 1.8)."""

from typing import Final

from starlette.responses import Response

from auth.errors import Invalid
from auth.tenancy import one
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.settings import Mode
from portal.visit import Visit
from services.automation import commands
from services.automation.models import DispatchState
from services.automation.queries import automation_of, dispatches_of
from services.catalogue.models import Offering

STATES: Final[dict[DispatchState, tuple[Lazy, str, str]]] = {
    DispatchState.PENDING: (lazy("To be sent"), "info", "send"),
    DispatchState.DELIVERED: (lazy("Received"), "success", "circle-check"),
    DispatchState.FAILED: (lazy("Given up"), "danger", "circle-x"),
}
# Raised below pages with these words.
REASONS: Final = (lazy("Enter an address that begins with https://."),)


async def show(visit: Visit) -> Response:
    """Show where an offering's work orders go, and the messages sent; NotFound for another provider's."""
    return await _page(visit)


async def set_up(visit: Visit) -> Response:
    """Send the work orders to an address from now on; the secret they are signed with is shown this one time."""
    url = visit.form.get("url")
    try:
        here = visit.request.app.state.settings.mode is not Mode.PRODUCTION
        automation = await commands.automate(visit.params["id"], url, to_this_machine=here, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, url=url, errors=in_words(refused), status=422)
    return await _page(visit, secret=automation.secret)


async def stop(visit: Visit) -> Response:
    """Let the work orders be done by hand again; what was not sent yet is not sent any more."""
    await commands.stop(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The work orders are done by hand from now on."))
    return visit.redirect("automation", id=visit.params["id"])


async def send_again(visit: Visit) -> Response:
    """Try a message again that was given up."""
    sent = await commands.send_again(visit.params["id"], by=visit.by, now=visit.now, wall=visit.wall)
    visit.flash(_("The message is sent again."))
    return visit.redirect("automation", id=sent.offering_id)


async def _page(
    visit: Visit, *, url: str | None = None, secret: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    offering = await one(Offering, id=visit.params["id"])
    automation = await automation_of(offering.id)
    return visit.render(
        "automation/show.html",
        status=status,
        offering=offering,
        automation=automation,
        secret=secret,
        dispatches=await dispatches_of(offering.id),
        states=STATES,
        url=url if url is not None else automation.url if automation else "",
        callback=f"{visit.request.app.state.settings.public_url}/api/v1/work-orders/…/progress",
        errors=errors or {},
    )
