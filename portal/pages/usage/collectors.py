"""Where usage is pulled from: set up, changed, run at once, stopped; and how each collector fares."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid
from auth.tenancy import one, scoped
from billing.collectors import commands
from billing.collectors.models import Collector
from billing.collectors.rules import INTERVALS, MOST_QUERIES, Plan, SignIn, faults_of_secret, full_hour
from billing.months import BANGKOK
from portal.formats import Language, NotADate, parse_date
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.usage.meters import meter_names
from portal.refusals import in_words
from portal.sealing import seal
from portal.settings import Mode
from portal.visit import Visit

FAILURES: Final[dict[str, Lazy]] = {
    "unread": lazy("The server did not answer, or its answer holds no usage that can be read."),
    "not_let_in": lazy("The server refused the user name, the password or the token."),
    "unreadable": lazy("The password or token cannot be read any more. Enter it again."),
    "refused": lazy("The readings of the hour cannot be taken."),
    "contradicted": lazy("The hour was pulled before with other quantities; correct the events instead."),
    "fault": lazy("Something went wrong on our side. It has been recorded."),
}
REASONS: Final = (
    lazy("Give a query for one meter at least."),
    lazy("This meter has a query already; add them up in one."),
    lazy("A label has letters, digits and underscores."),
    lazy("There is one of this name already."),
    lazy("This lies in the future."),
    lazy("Give an hour from 0 to 23."),
    lazy("Enter the user name and password in their own fields, not in the address."),
    lazy("Enter the user name, without a colon."),
    lazy("Enter the password or token."),
    lazy("The address leads to another server. Enter the password or token again."),
    lazy("This cannot be sent; check that it was copied whole."),
)
SIGN_INS: Final = {
    SignIn.NONE: lazy("Not needed"),
    SignIn.BASIC: lazy("User name and password"),
    SignIn.BEARER: lazy("Token (Bearer)"),
}
_SPARE: Final = 3  # empty rows for more queries
_LABEL: Final = "service"
_PLACES: Final = range(1, MOST_QUERIES + 1)
_FIELDS: Final = ("meter", "text", "label")


async def index(visit: Visit) -> Response:
    """List the collectors with how each fares, and set up another."""
    return await _list(visit)


async def set_up(visit: Visit) -> Response:
    """Set up a collector."""
    try:
        made = await commands.set_up(_plan(visit), to_this_machine=_here(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _list(visit, errors=in_words(refused), status=422)
    visit.flash(_("The collector was set up."))
    return visit.redirect("usage.collector", id=made.id)


async def collector(visit: Visit) -> Response:
    """Show one collector: its last run, its next, its last failure, and its queries."""
    return await _one(visit)


async def save(visit: Visit) -> Response:
    """Change a collector."""
    id_: uuid.UUID = visit.params["id"]
    await one(Collector, id=id_)
    try:
        await commands.change(id_, _plan(visit), to_this_machine=_here(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _one(visit, errors=in_words(refused), status=422)
    visit.flash(_("The collector was changed."))
    return visit.redirect("usage.collector", id=id_)


async def run_one(visit: Visit) -> Response:
    """Let a collector run at once."""
    found = await commands.run_now(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The collector runs within moments. Load the page again to see what came of it."))
    return visit.redirect("usage.collector", id=found.id)


async def stop_one(visit: Visit) -> Response:
    """Let a collector pull nothing more."""
    found = await one(Collector, id=visit.params["id"])
    try:
        await commands.stop(found.id, by=visit.by, now=visit.now)
    except Conflict:
        visit.flash(_("The collector is stopped already."), "info")
    else:
        visit.flash(_("The collector was stopped; running it again goes on where it stands."))
    return visit.redirect("usage.collector", id=found.id)


async def _list(visit: Visit, *, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    since = full_hour(visit.now).astimezone(BANGKOK)
    blank = {"since": since.date(), "hour": str(since.hour), "every_hours": "1"}
    values = visit.form.values() or blank
    return visit.render(
        "usage/collectors.html",
        status=status,
        collectors=await scoped(Collector).order_by("name"),
        has_secret=False,
        **await _form(values, errors, visit.language),
    )


async def _one(visit: Visit, *, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    found = await one(Collector, id=visit.params["id"])
    since = found.collected_until.astimezone(BANGKOK)
    kept = {
        "name": found.name,
        "address": found.address,
        "signs_in": found.signs_in,
        "user_name": found.user_name,
        "every_hours": str(found.every_hours),
        "since": since.date(),
        "hour": str(since.hour),
    } | {f"{name}-{place}": query[name] for place, query in enumerate(found.queries, 1) for name in _FIELDS}
    return visit.render(
        "usage/collector.html",
        status=status,
        collector=found,
        has_secret=bool(found.sealed_secret),
        **await _form(visit.form.values() or kept, errors, visit.language),
    )


async def _form(values: Mapping[str, Any], errors: dict[str, str] | None, language: Language) -> dict[str, Any]:
    used = [place for place in _PLACES if values.get(f"text-{place}") or values.get(f"meter-{place}")]
    return {
        "values": values,
        "errors": errors or {},
        "places": range(1, min(max(used, default=0) + _SPARE, MOST_QUERIES) + 1),
        "meters": [(code, f"{code}: {', '.join(names)}") for code, names in (await meter_names(language)).items()],
        "sign_ins": list(SIGN_INS.items()),
        "intervals": [(str(hours), hours) for hours in INTERVALS],
        "failures": FAILURES,
        "default_label": _LABEL,
    }


def _plan(visit: Visit) -> Plan:
    """Return what was typed; refuses (Invalid) a day or an hour that is none."""
    form, wrong = visit.form, dict[str, str]()
    since = visit.now
    try:
        day = parse_date(form.get("since"))
        hour = int(form.get("hour")) if form.get("hour").isascii() and form.get("hour").isdigit() else 24
        since = dt.datetime.combine(day, dt.time(hour), BANGKOK)
    except NotADate:
        wrong["since"] = "Give a day such as 16/12/2569."
    except (ValueError, OverflowError):
        wrong["hour"] = "Give an hour from 0 to 23."
    signs_in = next((each for each in SignIn if form.get("signs_in") == each), SignIn.NONE)
    secret = form.get("secret") if signs_in is not SignIn.NONE else ""
    wrong |= faults_of_secret(signs_in, secret)
    if wrong:
        raise Invalid(wrong)
    queries = [
        {"meter": meter, "text": form.get(f"text-{place}"), "label": form.get(f"label-{place}") or _LABEL}
        for place in _PLACES
        if (meter := form.get(f"meter-{place}")) or form.get(f"text-{place}")
    ]
    every = next((hours for hours in INTERVALS if form.get("every_hours") == str(hours)), 0)
    sealed = seal(secret, visit.request.app.state.settings.secret_keys)
    return Plan(form.get("name"), form.get("address"), queries, every, since, signs_in, form.get("user_name"), sealed)


def _here(visit: Visit) -> bool:
    """Say whether the machine's own addresses may be called, which is for demonstrations."""
    return visit.request.app.state.settings.mode is not Mode.PRODUCTION
