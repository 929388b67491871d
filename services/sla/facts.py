"""What happens to an incident, and the words for how its clock stands."""

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.sla.rules import Terms


class FactKind(enum.StrEnum):
    """What can happen to an incident; those the clock does not heed are there for the timeline."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    CONDITION_MET = "condition_met"
    RECLASSIFIED = "reclassified"  # row, items, severity or urgency: new terms
    FORWARDED = "forwarded"
    ASSIGNED = "assigned"
    TAKEN = "taken"
    APPOINTMENT_PROPOSED = "appointment_proposed"
    APPOINTED = "appointed"
    PAUSED = "paused"
    REMINDED = "reminded"
    RESUMED = "resumed"
    SENT_TO_VENDOR = "sent_to_vendor"
    RETURNED = "returned"
    ITEM_DONE = "item_done"  # one of several accounts
    LINKED = "linked"
    FILE_REMOVED = "file_removed"
    ESCALATED = "escalated"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    MERGED = "merged"
    RATED = "rated"


# A person of the provider has attended to it: the response clock ends.
RESPONSES = frozenset(
    {
        FactKind.ACCEPTED,
        FactKind.TAKEN,
        FactKind.PAUSED,
        FactKind.SENT_TO_VENDOR,
        FactKind.ITEM_DONE,
        FactKind.RESOLVED,
        FactKind.MERGED,
    }
)


class Standing(enum.StrEnum):
    """Whether the clock runs."""

    NOT_STARTED = "not_started"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"
    ENDED = "ended"


class Why(enum.StrEnum):
    """Why it runs or stands still."""

    WORKING = "working"
    OUT_OF_HOURS = "out_of_hours"  # nothing has run yet, and it is closed: runs from the next opening
    UNCLASSIFIED = "unclassified"
    CONDITION = "condition"  # the row's condition is not met yet
    REQUESTER = "requester"  # waiting for the requester
    VENDOR = "vendor"  # ส่งซ่อมบริษัท
    NO_TARGET = "no_target"
    RESOLVED = "resolved"  # between resolving and reopening


class Status(enum.StrEnum):
    """How an incident stands against its target, the lightest first."""

    NOT_STARTED = "not_started"
    WITHOUT_TARGET = "without_target"
    PAUSED = "paused"
    MET = "met"
    RUNNING = "running"
    MET_AMBER = "met_amber"
    DUE_SOON = "due_soon"
    OVERDUE = "overdue"
    BREACHED = "breached"


# Whether the clock runs, by why it does or does not.
STANDING = {
    Why.WORKING: Standing.RUNNING,
    Why.OUT_OF_HOURS: Standing.NOT_STARTED,
    Why.UNCLASSIFIED: Standing.NOT_STARTED,
    Why.CONDITION: Standing.NOT_STARTED,
    Why.REQUESTER: Standing.PAUSED,
    Why.VENDOR: Standing.STOPPED,
    Why.NO_TARGET: Standing.STOPPED,
    Why.RESOLVED: Standing.STOPPED,
}


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that happened, when; `terms` with what sets them, `account` where it is about one of several."""

    at: datetime
    kind: FactKind
    terms: Terms | None = None
    account: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of an incident's life during which its clock ran, or stood still for one reason."""

    starts_at: datetime
    ends_at: datetime
    why: Why
    since: FactKind  # what began it
    worked: timedelta  # by the clock in force; nothing while it stood
    terms: Terms | None
    note: str = ""

    @property
    def standing(self) -> Standing:
        """Whether the clock ran."""
        return STANDING[self.why]
