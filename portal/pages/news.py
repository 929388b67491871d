"""Notifications: what concerns whoever looks, in plain words, each with the way to what it is about."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import NoMatchFound

from billing.months import Month
from portal.formats import Language, date_short, date_time, month_name
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.visit import Visit
from services.notifications.commands import mark_read
from services.notifications.queries import News, news_for

PER_PAGE: Final = 50

# What is told, by its code: the words, the tone, the icon. A code without words here is told as "something new".
WORDS: Final[dict[str, tuple[Lazy, str, str]]] = {
    "request.submit": (lazy("A request was submitted and waits for your review"), "info", "send"),
    "request.return": (lazy("Your request was returned for correction"), "warning", "arrow-back-up"),
    "request.reject": (lazy("Your request was rejected"), "danger", "circle-x"),
    "request.quote": (lazy("A quote waits for your agency's confirmation"), "warning", "file-text"),
    "request.void": (lazy("A quote no longer holds; the request is under review again"), "warning", "alert-triangle"),
    "request.confirm": (lazy("A quote was confirmed; the work order is given"), "success", "checkbox"),
    "request.decline": (lazy("A quote was declined"), "danger", "ban"),
    "request.expire": (lazy("A quote was not confirmed in time"), "danger", "clock-x"),
    "request.withdraw": (lazy("A request was withdrawn"), "neutral", "circle-minus"),
    "request.start": (lazy("The work on your request has started"), "info", "player-play"),
    "request.progress": (lazy("The work on your request goes on"), "info", "progress-check"),
    "request.progress_note": (lazy("There is news of the work on your request"), "info", "message"),
    "request.step_failed": (lazy("A step of the work failed and will be tried again"), "warning", "alert-triangle"),
    "request.complete": (lazy("Your request is completed"), "success", "circle-check"),
    "request.reopen": (lazy("The agency says that the delivery is not right"), "warning", "history"),
    "request.undone": (lazy("A cancellation was taken back"), "info", "arrow-back-up"),
    "request.message": (lazy("There is a new message on a request"), "info", "message"),
    "request.remind": (lazy("The time to confirm a quote is running out"), "warning", "alarm"),
    "dispute.open": (lazy("An agency disputes a line of an invoice"), "warning", "alert-triangle"),
    "dispute.message": (lazy("There is a new message in a dispute"), "info", "message"),
    "dispute.explain": (lazy("A disputed line was explained"), "info", "info-circle"),
    "dispute.credit": (lazy("A dispute ended with a credit note"), "success", "circle-check"),
    "dispute.withdraw": (lazy("An agency withdrew its dispute"), "neutral", "circle-minus"),
    "billing.drafts_wait": (lazy("Drafts of invoices wait for your review"), "warning", "eye"),
    "budget.actual": (lazy("A budget is spent to this share"), "warning", "alert-triangle"),
    "budget.forecast": (lazy("The forecast exceeds this share of a budget"), "warning", "alert-triangle"),
    "incident.opened": (lazy("An incident was reported"), "info", "headset"),
    "incident.accepted": (lazy("The help-desk accepted an incident after a first look"), "info", "clipboard-check"),
    "incident.condition_met": (lazy("The condition of an incident is met; its clock runs"), "info", "clock-play"),
    "incident.reclassified": (lazy("An incident was put under another row of the agreement"), "info", "tag"),
    "incident.forwarded": (lazy("An incident was forwarded to another section"), "info", "switch-horizontal"),
    "incident.withdrawn_from": (lazy("An incident went from you to somebody else"), "neutral", "switch-horizontal"),
    "incident.assigned": (lazy("An incident was assigned"), "info", "user-check"),
    "incident.taken": (lazy("A technician took up your incident"), "info", "player-play"),
    "incident.appointment_proposed": (lazy("A time was proposed to you"), "warning", "calendar"),
    "incident.appointed": (lazy("An appointment was accepted"), "success", "calendar-event"),
    "incident.paused": (
        lazy("The desk waits for the requester's answer"),
        "warning",
        "clock-pause",
    ),
    "incident.reminded": (lazy("The desk still waits for your answer"), "warning", "bell"),
    "incident.resumed": (lazy("The work on an incident goes on; its clock runs again"), "info", "clock-play"),
    "incident.sent_to_vendor": (lazy("An incident was sent to the vendor for repair"), "warning", "tool"),
    "incident.returned": (lazy("An incident is back from the vendor"), "info", "arrow-back-up"),
    "incident.item_done": (lazy("One of the accounts you asked for is done"), "success", "checkbox"),
    "incident.linked": (lazy("An incident was tied to a known outage"), "info", "link"),
    "incident.file_removed": (lazy("A file was removed from an incident"), "neutral", "trash"),
    "incident.resolved": (
        lazy("An incident is resolved and is to be confirmed"),
        "success",
        "circle-check",
    ),
    "incident.reopened": (lazy("The requester says that it is not solved"), "warning", "history"),
    "incident.closed": (lazy("An incident is closed"), "neutral", "circle-check"),
    "incident.merged": (lazy("An incident goes on in another one about the same"), "neutral", "arrows-exchange"),
    "incident.rated": (lazy("The requester graded the help received"), "neutral", "star"),
    "incident.message": (lazy("There is a new message on an incident"), "info", "message"),
    "incident.before_breach": (lazy("An incident comes near its due time"), "warning", "alarm"),
    "incident.breach": (lazy("An incident is past its due time"), "danger", "clock-x"),
    "incident.response_before_breach": (lazy("An incident still waits for a first response"), "warning", "alarm"),
    "incident.response_breach": (lazy("An incident had no first response in time"), "danger", "clock-x"),
    "incident.due_moved": (lazy("A changed holiday moves an incident's due time"), "info", "calendar-event"),
    "service.contract_ends": (lazy("A service's contract is about to end"), "warning", "calendar-due"),
}
# Where a subject is looked at, by its type; one whose page is not there is told without a link.
PLACES: Final[dict[str, str]] = {
    "request": "request",
    "subscription": "service",
    "incident": "incident",
    "statement": "statement",
    "budget": "costs",
    "billing": "billing",
    "dispute": "dispute",
}


@dataclass(frozen=True, slots=True)
class Told:
    """One notification as it is read."""

    what: str
    about: str
    until: str
    at: dt.datetime
    tone: str
    icon: str
    href: str | None
    is_read: bool


async def show(visit: Visit) -> Response:
    """Show what the visitor has been told, the latest first."""
    page = _page_of(visit.query.get("page"))
    found = await news_for(visit.by, limit=PER_PAGE + 1, offset=(page - 1) * PER_PAGE)
    return visit.render(
        "news/list.html",
        told=[told(news, visit.language, visit.path) for news in found[:PER_PAGE]],
        page=page,
        has_more=len(found) > PER_PAGE,
        unread=visit.look.unread or 0,
    )


async def read(visit: Visit) -> Response:
    """Mark everything as read."""
    await mark_read(visit.by, now=visit.now)
    visit.flash(_("Everything is marked as read."))
    return visit.redirect("news")


def told(news: News, language: Language, path: Callable[..., str]) -> Told:
    """Put one notification into words, with the way to its subject where there is one."""
    what, tone, icon = WORDS.get(news.what, (lazy("Something new concerns you"), "neutral", "bell"))
    month = news.detail.get("month")
    parts = (
        month and month_name(Month.parse(month).first, language),
        news.detail.get("number"),
        news.detail.get("label"),
    )
    about = " · ".join(str(part) for part in parts if part)
    return Told(str(what), about, _until(news.detail, language), news.at, tone, icon, _way(news, path), news.is_read)


def _until(detail: dict[str, Any], language: Language) -> str:
    if ends := detail.get("ends_on"):
        return _("ends on %(day)s", day=date_short(dt.date.fromisoformat(ends), language))
    before, until = detail.get("before"), detail.get("until")
    if before and until:
        moved = [date_time(dt.datetime.fromisoformat(moment), language) for moment in (until, before)]
        return _("due %(after)s instead of %(before)s", after=moved[0], before=moved[1])
    if until:
        return _("until %(time)s", time=date_time(dt.datetime.fromisoformat(until), language))
    return ""


def _way(news: News, path: Callable[..., str]) -> str | None:
    route = PLACES.get(news.subject_type)
    if route is None:
        return None
    for params in ({"id": news.subject_id}, {}):
        try:
            return path(route, **params)
        except NoMatchFound:
            continue
    return None


def _page_of(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 6 and int(text) > 0 else 1
