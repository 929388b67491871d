"""The words for requests: states, kinds, whose move it is, and what each line of the timeline says (glossary)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from portal.formats import Language, date_short
from portal.i18n import Lazy, gettext, lazy
from services.calendar.rules import Calendar
from services.requests.models import RequestEvent
from services.requests.rules import OPEN, Action, CheckKind, Kind, State

KINDS: Final[dict[Kind, Lazy]] = {
    Kind.NEW: lazy("New service"),
    Kind.NEW_ADDON: lazy("Add-on request"),
    Kind.CHANGE: lazy("Change"),
    Kind.CANCEL: lazy("Cancel service"),
    Kind.CANCEL_ADDON: lazy("Cancel add-on"),
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How a state is shown: its name, its badge, and who has the next move."""

    label: Lazy
    tone: str
    icon: str
    next: Lazy


STATES: Final[dict[State, Standing]] = {
    State.DRAFT: Standing(lazy("Draft"), "neutral", "edit", lazy("The agency submits the request")),
    State.SUBMITTED: Standing(lazy("Submitted"), "info", "send", lazy("The provider takes it under review")),
    State.UNDER_REVIEW: Standing(
        lazy("Under review"), "progress", "zoom-question", lazy("The provider checks and quotes")
    ),
    State.RETURNED: Standing(
        lazy("Returned"), "warning", "arrow-back-up", lazy("The agency corrects and submits again")
    ),
    State.AWAITING_CONFIRMATION: Standing(
        lazy("Awaiting confirmation"), "warning", "user-check", lazy("The agency's approver confirms the quote")
    ),
    State.CONFIRMED: Standing(lazy("Confirmed"), "info", "checkbox", lazy("The provider starts the work")),
    State.IN_PROGRESS: Standing(
        lazy("In progress"), "progress", "progress-check", lazy("The provider carries out the work")
    ),
    State.COMPLETED: Standing(lazy("Completed"), "success", "circle-check", lazy("Nothing more to do")),
    State.REJECTED: Standing(lazy("Rejected"), "danger", "circle-x", lazy("Nothing more to do")),
    State.DECLINED: Standing(lazy("Declined"), "danger", "ban", lazy("Nothing more to do")),
    State.WITHDRAWN: Standing(lazy("Withdrawn"), "neutral", "circle-minus", lazy("Nothing more to do")),
    State.EXPIRED: Standing(lazy("Confirmation expired"), "danger", "clock-x", lazy("Nothing more to do")),
}

CHECKS: Final[dict[CheckKind, Lazy]] = {
    CheckKind.REQUEST: lazy("Check of the request"),
    CheckKind.CAPACITY: lazy("Check of capacity"),
    CheckKind.COST: lazy("Check of cost"),
}

# The way of a request that meets no obstacle, as the step bar shows it.
WAY: Final = (
    State.DRAFT,
    State.SUBMITTED,
    State.UNDER_REVIEW,
    State.AWAITING_CONFIRMATION,
    State.CONFIRMED,
    State.IN_PROGRESS,
    State.COMPLETED,
)

# What the layers below refuse with; they speak no Thai.
REASONS: Final = (
    lazy("Enter a number above zero."),
    lazy("This is less than can be ordered."),
    lazy("This is not offered for that day: choose another day, or leave it out."),
    lazy("For that day there is no more of this: keep what there is, or less."),
    lazy("This service takes no new orders for that day. Choose a day for which it does."),
    lazy("This is more than can be ordered."),
    lazy("This does not fit the steps in which it can be ordered."),
    lazy("This cannot be ordered here."),
    lazy("Nothing is changed by this request."),
    lazy("The effective date has passed."),
    lazy("Say why this is needed."),
    lazy("Say why."),
    lazy("Say why the check did not pass."),
    lazy("This is before the lead time. Choose a later day, or ask for an earlier one."),
    lazy("Say what is not right."),
    lazy("Write something first."),
    lazy("Choose a reviewer."),
    lazy("Choose somebody who does work orders."),
    lazy("What was typed last is not in the request yet. Open it, then submit it there."),
    lazy("The price, the terms or the service changed after the quote was given."),
)

_DONE: Final[dict[str, tuple[Lazy, str, str]]] = {
    "drafted": (lazy("Draft saved"), "neutral", "edit"),
    "edited": (lazy("Request edited"), "neutral", "edit"),
    "submit": (lazy("Submitted to the provider"), "info", "send"),
    "accept": (lazy("Taken under review"), "info", "zoom-question"),
    "return": (lazy("Returned for correction"), "warning", "arrow-back-up"),
    "reject": (lazy("Rejected"), "danger", "circle-x"),
    "quote": (lazy("Quote sent to the agency for confirmation"), "info", "file-text"),
    "void": (lazy("The quote no longer holds; back under review"), "warning", "alert-triangle"),
    "confirm": (lazy("Quote confirmed; work order given"), "success", "checkbox"),
    "decline": (lazy("Quote declined"), "danger", "ban"),
    "expire": (lazy("Not confirmed in time"), "danger", "clock-x"),
    "withdraw": (lazy("Request withdrawn"), "neutral", "circle-minus"),
    "start": (lazy("Work started"), "info", "player-play"),
    "complete": (lazy("Work completed"), "success", "circle-check"),
    "reopen": (lazy("Delivery disputed; the work goes on"), "warning", "history"),
    "undone": (lazy("Cancellation taken back; everything goes on as it was"), "info", "arrow-back-up"),
    "message": (lazy("Message"), "neutral", "message"),
    "progress_note": (lazy("How the work goes"), "info", "progress-check"),
}
# Moves whose reason is the first thing that whoever comes to the request wants to know.
_REASONED: Final = frozenset(
    {Action.RETURN, Action.REJECT, Action.VOID, Action.DECLINE, Action.WITHDRAW, Action.REOPEN}
)
# Events that name something: the word, where its detail has the name, tone and icon.
_NAMED: Final[dict[str, tuple[Lazy, str, str, str]]] = {
    "assigned": (lazy("Assigned to"), "reviewer", "info", "user-check"),
    "work_assigned": (lazy("Work assigned to"), "person", "info", "user-check"),
    "attached": (lazy("File attached"), "name", "neutral", "paperclip"),
    "detached": (lazy("File removed"), "name", "neutral", "trash"),
    "step_failed": (lazy("Step failed and will be tried again"), "step", "warning", "alert-triangle"),
}


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline in words."""

    at: dt.datetime
    who: str
    what: str
    note: str
    tone: str
    icon: str


def told(event: RequestEvent, language: Language, *, inside: bool) -> Told:
    """Put an event into words; what the provider noted with a check is told to its own people only (`inside`)."""
    organisation = event.by_organisation_en if language == "en" else event.by_organisation_th
    who = f"{event.by_name} ({organisation})" if organisation else gettext("The portal, by itself")
    if event.detail.get("on_behalf_of"):
        who = gettext("%(who)s, on behalf of %(colleague)s", who=who, colleague=event.detail["on_behalf_of"])
    what, tone, icon = _deed(event, language)
    by_itself = event.by_id is None and not organisation  # its reasons are messages; a machine's notes are not
    note = gettext(event.note) if by_itself and event.note else event.note
    if event.what.startswith("check_") and not inside:
        note = ""
    return Told(event.at, who, what, note, tone, icon)


def why(events: Sequence[RequestEvent], language: Language) -> Told | None:
    """Return the move that brought a request where it stands, if somebody gave a reason for it; its events in order."""
    moved = next((event for event in reversed(events) if event.action), None)
    return told(moved, language, inside=False) if moved and moved.action in _REASONED and moved.note else None


def _deed(event: RequestEvent, language: Language) -> tuple[str, str, str]:
    if event.what.startswith("check_"):
        check = CHECKS[CheckKind(event.what.removeprefix("check_"))]
        if event.detail["passed"]:
            return gettext("%(check)s: passed", check=check), "success", "checkbox"
        return gettext("%(check)s: not passed", check=check), "danger", "x"
    if event.what == "progress":
        step = event.detail["step_en" if language == "en" else "step_th"]
        return (
            gettext("Work %(percent)s %%: %(step)s", percent=event.detail["percent"], step=step),
            "info",
            "progress-check",
        )
    named = _NAMED.get(event.what)
    if named:
        label, key, tone, icon = named
        key = f"{key}_{language}" if key == "step" else key
        return f"{label}: {event.detail[key]}", tone, icon
    # An event younger than these words still has its place in the timeline.
    done, tone, icon = _DONE.get(event.what, (lazy("Something else happened"), "neutral", "circle-dashed"))
    words = str(done)
    if event.what == "complete" and "in_force_from" in event.detail:
        day = dt.datetime.fromisoformat(event.detail["in_force_from"])
        words = gettext("Work completed; in force from %(day)s", day=date_short(day, language))
    return words, tone, icon


def way(state: State, reached: set[State]) -> list[tuple[str, str]]:
    """Return the step bar: each stage with "done", "now" or "next"; an end off the way stands where it came."""
    if state is State.COMPLETED:
        return [(str(STATES[stage].label), "done") for stage in WAY]
    if state in WAY:
        here = WAY.index(state)
        return [
            (str(STATES[stage].label), "done" if place < here else "now" if place == here else "next")
            for place, stage in enumerate(WAY)
        ]
    past = [stage for stage in WAY if stage in reached or stage is State.DRAFT]
    steps = [(str(STATES[stage].label), "done") for stage in past] + [(str(STATES[state].label), "now")]
    if state in OPEN:
        steps += [(str(STATES[stage].label), "next") for stage in WAY if stage not in past]
    return steps


def left(due_at: dt.datetime | None, now: dt.datetime, calendar: Calendar) -> int | None:
    """Return the working minutes left until a due time, negative when it is past; None without one."""
    return None if due_at is None else calendar.minutes_between(now, due_at)


def name(thing: object, language: Language) -> str:
    """Return the name of something that has one in Thai and in English."""
    return str(getattr(thing, f"name_{language}") or getattr(thing, "name_th"))  # noqa: B009 - both are read by name


def unit(thing: object, language: Language) -> str:
    """Return the unit of something that is counted."""
    return str(getattr(thing, f"unit_{language}"))


def number(text: object) -> Decimal:
    """Read a figure of a frozen document, where figures are text."""
    return Decimal(str(text))
