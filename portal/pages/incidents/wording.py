"""The words for incidents: states, channels, how the clock stands and why, and what each line of a timeline says."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from portal.formats import Language, date_time
from portal.i18n import Lazy, gettext, lazy
from portal.words import who
from services.incidents.models import DeskFile, IncidentFact, IncidentMessage
from services.incidents.rules import Channel, Side, State
from services.sla.facts import FactKind, Status, Why
from services.sla.models import SlaRow
from services.sla.rules import Mode, Per, Severity


@dataclass(frozen=True, slots=True)
class Mark:
    """A word with its badge."""

    label: Lazy
    tone: str
    icon: str


@dataclass(frozen=True, slots=True)
class Told:
    """One line of the timeline in words."""

    at: dt.datetime
    who: str
    what: str
    note: str
    tone: str
    icon: str
    files: Sequence["FileLine"] = ()


@dataclass(frozen=True, slots=True)
class FileLine:
    """A file as it stands in a list; one removed says so instead of leading to it."""

    id: UUID
    name: str
    size: int
    href: str
    removed: str = ""
    removal: str = ""  # where the reader removes it, else empty
    needs_reason: bool = False
    problem: str | None = None  # what was wrong with removing it


STATES: Final[dict[State, Mark]] = {
    State.REPORTED: Mark(lazy("Reported"), "info", "send"),
    State.ACCEPTED: Mark(lazy("Accepted"), "progress", "clipboard-check"),
    State.ASSIGNED: Mark(lazy("Assigned"), "progress", "user-check"),
    State.APPOINTED: Mark(lazy("Appointment made"), "progress", "calendar-event"),
    State.WAITING: Mark(lazy("Waiting for requester"), "warning", "clock-pause"),
    State.FORWARDED: Mark(lazy("Forwarded"), "info", "switch-horizontal"),
    State.AT_VENDOR: Mark(lazy("Sent to vendor"), "warning", "tool"),
    State.RESOLVED: Mark(lazy("Resolved, to be confirmed"), "success", "checkbox"),
    State.CLOSED: Mark(lazy("Closed"), "neutral", "circle-check"),
    State.REOPENED: Mark(lazy("Reopened"), "warning", "history"),
}

# Who has the next move, in each state.
NEXT: Final[dict[State, Lazy]] = {
    State.REPORTED: lazy("The help-desk takes a first look"),
    State.ACCEPTED: lazy("The section's head assigns somebody"),
    State.ASSIGNED: lazy("The technician works on it"),
    State.APPOINTED: lazy("The technician comes at the time agreed"),
    State.WAITING: lazy("The requester answers; the clock is paused until then"),
    State.FORWARDED: lazy("The section it was sent to takes it up"),
    State.AT_VENDOR: lazy("The vendor repairs it; there is no due time meanwhile"),
    State.RESOLVED: lazy("The requester confirms that it is solved, or opens it again"),
    State.CLOSED: lazy("Nothing more to do"),
    State.REOPENED: lazy("The desk works on it again"),
}

STATUSES: Final[dict[Status, Mark]] = {
    Status.NOT_STARTED: Mark(lazy("Clock not started"), "neutral", "clock"),
    Status.WITHOUT_TARGET: Mark(lazy("No target"), "neutral", "circle-minus"),
    Status.PAUSED: Mark(lazy("Clock paused"), "warning", "clock-pause"),
    Status.MET: Mark(lazy("Within SLA"), "success", "circle-check"),
    Status.RUNNING: Mark(lazy("Within SLA"), "info", "clock-play"),
    Status.MET_AMBER: Mark(lazy("Within SLA, past the lower target"), "success", "circle-check"),
    Status.DUE_SOON: Mark(lazy("Due soon"), "warning", "alarm"),
    Status.OVERDUE: Mark(lazy("Overdue"), "danger", "clock-x"),
    Status.BREACHED: Mark(lazy("Ended overdue"), "danger", "clock-x"),
}

# Why the clock ran or stood still, for somebody who has never seen a service level agreement.
WHYS: Final[dict[Why, Lazy]] = {
    Why.WORKING: lazy("The clock runs during working time"),
    Why.OUT_OF_HOURS: lazy("Outside working time; the clock starts at the next opening"),
    Why.UNCLASSIFIED: lazy("Nobody has said yet what kind of work it is"),
    Why.CONDITION: lazy("The clock starts once the condition of the agreement is met"),
    Why.REQUESTER: lazy("Paused: waiting for the requester"),
    Why.VENDOR: lazy("Stopped: at the vendor for repair"),
    Why.NO_TARGET: lazy("This kind of work has no target"),
    Why.RESOLVED: lazy("Resolved; the clock stood still until it was opened again"),
}

CHANNELS: Final[dict[Channel, Mark]] = {
    Channel.PHONE: Mark(lazy("Telephone"), "neutral", "phone"),
    Channel.LINE: Mark(lazy("LINE"), "neutral", "message-circle"),
    Channel.EMAIL: Mark(lazy("E-mail"), "neutral", "mail"),
    Channel.PORTAL: Mark(lazy("The portal"), "neutral", "world"),
    Channel.WALK_IN: Mark(lazy("At the counter"), "neutral", "user"),
    Channel.MONITORING: Mark(lazy("Monitoring"), "neutral", "bell-ringing"),
}

SEVERITIES: Final[dict[Severity, Lazy]] = {
    Severity.LOW: lazy("Low"),
    Severity.MEDIUM: lazy("Medium"),
    Severity.HIGH: lazy("High"),
    Severity.CRITICAL: lazy("Critical"),
}

GRADES: Final[tuple[tuple[str, Lazy], ...]] = (
    ("5", lazy("5 – very satisfied")),
    ("4", lazy("4 – satisfied")),
    ("3", lazy("3 – neither")),
    ("2", lazy("2 – dissatisfied")),
    ("1", lazy("1 – very dissatisfied")),
)

_DEEDS: Final[dict[FactKind, tuple[Lazy, str, str]]] = {
    FactKind.OPENED: (lazy("Reported to the help-desk"), "info", "send"),
    FactKind.ACCEPTED: (lazy("Accepted after a first look"), "info", "clipboard-check"),
    FactKind.CONDITION_MET: (lazy("The condition is met: the clock runs"), "info", "clock-play"),
    FactKind.RECLASSIFIED: (lazy("Put under another row of the agreement"), "info", "tag"),
    FactKind.FORWARDED: (lazy("Forwarded"), "info", "switch-horizontal"),
    FactKind.ASSIGNED: (lazy("Assigned"), "info", "user-check"),
    FactKind.TAKEN: (lazy("The technician took up the work"), "info", "player-play"),
    FactKind.APPOINTMENT_PROPOSED: (lazy("A time was proposed"), "info", "calendar"),
    FactKind.APPOINTED: (lazy("Appointment made"), "success", "calendar-event"),
    FactKind.PAUSED: (lazy("Waiting for the requester: the clock is paused"), "warning", "clock-pause"),
    FactKind.REMINDED: (lazy("The requester was reminded"), "neutral", "bell"),
    FactKind.RESUMED: (lazy("The work goes on: the clock runs again"), "info", "clock-play"),
    FactKind.SENT_TO_VENDOR: (lazy("Sent to the vendor: the clock stopped"), "warning", "tool"),
    FactKind.RETURNED: (lazy("Back from the vendor: the clock runs again"), "info", "arrow-back-up"),
    FactKind.ITEM_DONE: (lazy("One account is done"), "success", "checkbox"),
    FactKind.LINKED: (lazy("Tied to a known outage"), "info", "link"),
    FactKind.FILE_REMOVED: (lazy("File removed"), "neutral", "trash"),
    FactKind.ESCALATED: (lazy("The section's head and the manager were told of the time"), "warning", "urgent"),
    FactKind.RESOLVED: (lazy("Resolved"), "success", "circle-check"),
    FactKind.REOPENED: (lazy("Opened again: it is not solved"), "warning", "history"),
    FactKind.CLOSED: (lazy("Closed"), "neutral", "circle-check"),
    FactKind.MERGED: (lazy("Merged into another incident about the same"), "neutral", "arrows-exchange"),
    FactKind.RATED: (lazy("Satisfaction given"), "neutral", "star"),
}

# Where a fact keeps the name that says more about it.
_NAMED: Final = {
    FactKind.ASSIGNED: "to",
    FactKind.SENT_TO_VENDOR: "vendor",
    FactKind.MERGED: "into",
    FactKind.FILE_REMOVED: "name",
}

# What the head and the manager were told: whether of the first response, and whether it was too late.
_LEVELS: Final[dict[tuple[bool, bool], Lazy]] = {
    (False, False): lazy("it comes near its due time"),
    (False, True): lazy("it is past its due time"),
    (True, False): lazy("it still waits for a first response"),
    (True, True): lazy("it had no first response in time"),
}

# What the layers below refuse with; they speak no Thai.
REASONS: Final = (
    lazy("Say in a few words what is wrong."),
    lazy("Say it in at most 200 signs; the rest belongs in the description."),
    lazy("Give a number between 1 and 1000."),
    lazy("This service level is no longer offered."),
    lazy("This service is not in use there."),
    lazy("This outage is over."),
    lazy("Say whose help is wanted."),
    lazy("Say for which agency."),
    lazy("The contact cannot be in the future."),
    lazy("Say who is calling."),
    lazy("Say why."),
    lazy("Say what was done."),
    lazy("Write something."),
    lazy("This is too long."),
    lazy("Give the minutes of one day at most."),
    lazy("This time has passed."),
    lazy("It ends before it starts."),
    lazy("Choose a grade from 1 to 5."),
    lazy("Choose another incident of the same agency."),
    lazy("This belongs to another section: forward it there."),
    lazy("Nothing is changed by this."),
    lazy("Say what kind of work this is."),
    lazy("There is no such service level."),
    lazy("There is no such account."),
    lazy("Give a whole number."),
    lazy("Fifty files are the most one incident can carry."),
)


def told(entry: IncidentFact | IncidentMessage, language: Language, files: Sequence[FileLine] = ()) -> Told:
    """Put what happened, or what was said, into words, with the files that came with it."""
    if isinstance(entry, IncidentMessage):
        what = lazy("Message from the requester") if entry.side is Side.REQUESTER else lazy("Message from the desk")
        return Told(entry.at, _teller(entry), str(what), entry.text, "neutral", "message", files)
    label, tone, icon = _DEEDS[entry.kind]
    return Told(entry.at, _teller(entry), _more(entry, str(label), language), entry.note, tone, icon)


def removed(file: DeskFile, language: Language) -> str:
    """Say of a file that it is gone: who removed it, when, and why; nothing of one that is there."""
    if file.removed_at is None:
        return ""
    said = gettext(
        "removed by %(name)s, %(moment)s", name=file.removed_by_name, moment=date_time(file.removed_at, language)
    )
    return f"{said}: {file.removed_why}" if file.removed_why else said


def _teller(entry: IncidentFact | IncidentMessage) -> str:
    return who(entry.by_name) if entry.by_id is None else entry.by_name


def _more(fact: IncidentFact, label: str, language: Language) -> str:
    """Add to a deed what it was about."""
    detail = fact.detail or {}
    more = ""
    match fact.kind:
        case FactKind.RECLASSIFIED:
            more = f"{detail.get('before') or '–'} → {detail.get('code')} {detail.get(f'process_{language}') or ''}"
        case FactKind.FORWARDED:
            more = str(detail.get(f"to_{language}") or detail.get("to_th") or "")
        case FactKind.APPOINTMENT_PROPOSED | FactKind.APPOINTED if detail.get("starts_at"):
            more = date_time(dt.datetime.fromisoformat(str(detail["starts_at"])), language)
        case FactKind.LINKED:
            more = str(detail.get(f"title_{language}") or detail.get("title_th") or "")
        case kind if kind in _NAMED:
            more = str(detail.get(_NAMED[kind]) or "")
        case FactKind.ESCALATED:
            more = str(_LEVELS[detail.get("clock") == "response", detail.get("level") == "breach"])
        case FactKind.RATED:
            more = f"{detail.get('grade')}/5"
        case FactKind.ITEM_DONE | FactKind.CONDITION_MET if fact.account:
            more = gettext("account %(number)s", number=fact.account)
    return f"{label}: {more.strip()}" if more.strip() else label


def name(thing: object, language: Language) -> str:
    """Return the name of something that has one in Thai and maybe in English."""
    return _either(thing, "name", language)


def title(thing: object, language: Language) -> str:
    """Return the title of something that has one in Thai and maybe in English."""
    return _either(thing, "title", language)


def text(thing: object, language: Language) -> str:
    """Return the text of something that has one in Thai and maybe in English."""
    return _either(thing, "text", language)


def process(row: SlaRow, language: Language) -> str:
    """Return what kind of work a row of the agreement is about, with its code."""
    return f"{row.code} {_either(row, 'process', language)}"


def category(row: SlaRow, language: Language) -> str:
    """Return the category of a row of the agreement."""
    return _either(row, "category", language)


def by_category(rows: list[SlaRow], language: Language) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return rows of the agreement as (category, [(code, words)]), in the agreement's order."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for row in rows:
        groups.setdefault(category(row, language), []).append((row.code, process(row, language)))
    return list(groups.items())


def _either(thing: object, what: str, language: Language) -> str:
    return str(getattr(thing, f"{what}_{language}") or getattr(thing, f"{what}_th"))


MODES: Final[dict[Mode, Lazy]] = {
    Mode.FIXED: lazy("One target"),
    Mode.RANGE: lazy("From a lower to an upper target"),
    Mode.PER_ITEM: lazy("A target for each item"),
    Mode.PER_SEVERITY: lazy("By severity"),
    Mode.NONE: lazy("No target"),
}
PERS: Final[dict[Per, Lazy]] = {
    Per.ITEM: lazy("for each item"),
    Per.ACCOUNT: lazy("for each account, each with its own clock"),
}
