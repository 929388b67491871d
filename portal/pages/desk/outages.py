"""Known outages: announced once, their news told once, and every incident that comes from one is told."""

from collections.abc import Awaitable, Callable, Mapping

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid, Refusal
from auth.rules import Permission
from portal import refusals
from portal.i18n import gettext as _
from portal.i18n import ngettext
from portal.pages.incidents import wording
from portal.pages.incidents.entering import moment, prose
from portal.visit import Visit
from services.catalogue.models import Offering
from services.disruptions import commands
from services.disruptions.queries import disruption, known_now
from services.incidents.models import Incident


async def outages(visit: Visit) -> Response:
    """Show what is known to be out of order, and to the help-desk the forms to tell of it."""
    return await _shown(visit)


async def begin(visit: Visit) -> Response:
    """Announce an outage; everybody signed in sees it before they report."""

    async def doing() -> str:
        form = visit.form
        made = await commands.begin(
            form.get("title_th")[:200],
            title_en=form.get("title_en")[:200],
            text_th=prose(form, "text_th"),
            text_en=prose(form, "text_en"),
            began_at=moment(form, "began"),
            expected_end_at=moment(form, "expected"),
            offering_id=form.uuid("offering") if form.get("offering") else None,
            by=visit.by,
            now=visit.now,
        )
        return _("The outage was announced: %(title)s", title=made.title_th)

    return await _attempt(visit, doing)


async def update(visit: Visit) -> Response:
    """Tell the news of an outage once; every open incident that comes from it gets it."""

    async def doing() -> str:
        told: list[Incident] = await commands.update(
            visit.params["id"],
            prose(visit.form, "text"),
            expected_end_at=moment(visit.form, "expected"),
            by=visit.by,
            now=visit.now,
        )
        return ngettext("%(num)s incident was told.", "%(num)s incidents were told.", len(told))

    return await _attempt(visit, doing)


async def end(visit: Visit) -> Response:
    """Say that an outage is over, and with `resolves` resolve what comes from it."""

    async def doing() -> str:
        told = await commands.end(
            visit.params["id"],
            prose(visit.form, "text"),
            resolves=visit.form.get("resolves") == "yes",
            by=visit.by,
            now=visit.now,
        )
        return ngettext("%(num)s incident was told.", "%(num)s incidents were told.", len(told))

    return await _attempt(visit, doing)


async def _attempt(visit: Visit, doing: Callable[[], Awaitable[str]]) -> Response:
    try:
        async with in_transaction():
            said = await doing()
    except Refusal as refused:
        answer = refusals.answer_to(refused)
        if answer is None or answer.status not in {409, 422}:
            raise
        errors = refusals.in_words(refused) if isinstance(refused, Invalid) else {}
        return await _shown(visit, errors or {"": _("This outage is over.")}, status=answer.status)
    visit.flash(said)
    return visit.redirect("outages")


async def _shown(visit: Visit, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    known = await known_now(visit.now, provider_id=visit.by.provider_id)
    may_tell = visit.by.may(Permission.INCIDENTS_LOG)
    offerings = await Offering.filter(provider_id=visit.by.provider_id).order_by("position") if may_tell else []
    return visit.render(
        "desk/outages.html",
        status=status,
        errors=errors or {},
        values=visit.form.values(),
        known=[await disruption(each.id) for each in known],
        may_tell=may_tell,
        offerings=[(each.id, wording.name(each, visit.language)) for each in offerings],
        title_of=lambda thing: wording.title(thing, visit.language),
        text_of=lambda thing: wording.text(thing, visit.language),
    )
