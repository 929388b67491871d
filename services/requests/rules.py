"""The life of a request: its states, who moves it, and what each move needs (annex ก 1.1–1.8).

No work order exists before the customer confirms the very quote the provider gave (annex ก 1.7). New
services and cancellations follow the path the annex gives for changes (reading 5).
"""

import datetime as dt
import enum
import hashlib
from collections.abc import Sequence
from typing import Any

from auth.errors import Conflict, Refusal
from auth.fields import canonical
from auth.rules import Permission
from services.calendar.rules import WorkingTime

CLOSED = "This service takes no new orders for that day. Choose a day for which it does."
CONFIRM_WITHIN_WORKING_DAYS = 15  # reading 5: the deadline is not given
REVIEW_WITHIN_WORKING_MINUTES = 480
FRESH_SIGN_IN = dt.timedelta(minutes=5)
DISPUTE_WITHIN_WORKING_DAYS = 5
REMIND_BEFORE_WORKING_DAYS = (5, 1)  # of a quote's last day


class Kind(enum.StrEnum):
    """What is asked for (standard 7.5.5–7.5.7)."""

    NEW = "new"
    NEW_ADDON = "new_addon"
    CHANGE = "change"
    CANCEL = "cancel"
    CANCEL_ADDON = "cancel_addon"


class State(enum.StrEnum):
    """Where a request stands."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    UNDER_REVIEW = "under_review"
    RETURNED = "returned"
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    CONFIRMED = "confirmed"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    REJECTED = "rejected"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class Action(enum.StrEnum):
    """What moves a request."""

    SUBMIT = "submit"
    ACCEPT = "accept"
    RETURN = "return"
    REJECT = "reject"
    QUOTE = "quote"
    VOID = "void"
    CONFIRM = "confirm"
    DECLINE = "decline"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    START = "start"
    COMPLETE = "complete"
    REOPEN = "reopen"


TRANSITIONS: dict[tuple[State, Action], State] = {
    (State.DRAFT, Action.SUBMIT): State.SUBMITTED,
    (State.RETURNED, Action.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Action.ACCEPT): State.UNDER_REVIEW,
    (State.UNDER_REVIEW, Action.RETURN): State.RETURNED,
    (State.UNDER_REVIEW, Action.REJECT): State.REJECTED,
    (State.UNDER_REVIEW, Action.QUOTE): State.AWAITING_CONFIRMATION,
    (State.AWAITING_CONFIRMATION, Action.VOID): State.UNDER_REVIEW,
    (State.AWAITING_CONFIRMATION, Action.CONFIRM): State.CONFIRMED,
    (State.AWAITING_CONFIRMATION, Action.DECLINE): State.DECLINED,
    (State.AWAITING_CONFIRMATION, Action.EXPIRE): State.EXPIRED,
    (State.DRAFT, Action.WITHDRAW): State.WITHDRAWN,
    (State.SUBMITTED, Action.WITHDRAW): State.WITHDRAWN,
    (State.UNDER_REVIEW, Action.WITHDRAW): State.WITHDRAWN,
    (State.RETURNED, Action.WITHDRAW): State.WITHDRAWN,
    (State.AWAITING_CONFIRMATION, Action.WITHDRAW): State.WITHDRAWN,
    (State.CONFIRMED, Action.START): State.IN_PROGRESS,
    (State.IN_PROGRESS, Action.COMPLETE): State.COMPLETED,
    (State.COMPLETED, Action.REOPEN): State.IN_PROGRESS,
}

# Whose move it is; None is the portal's own, at a deadline or when a quote no longer holds.
NEEDS: dict[Action, Permission | None] = {
    Action.SUBMIT: Permission.REQUESTS_MAKE,
    Action.WITHDRAW: Permission.REQUESTS_MAKE,
    Action.ACCEPT: Permission.REQUESTS_REVIEW,
    Action.RETURN: Permission.REQUESTS_REVIEW,
    Action.REJECT: Permission.REQUESTS_REVIEW,
    Action.QUOTE: Permission.REQUESTS_REVIEW,
    Action.CONFIRM: Permission.REQUESTS_CONFIRM,
    Action.DECLINE: Permission.REQUESTS_CONFIRM,
    Action.REOPEN: Permission.REQUESTS_MAKE,
    Action.START: Permission.WORK_DO,
    Action.COMPLETE: Permission.WORK_DO,
    Action.VOID: None,
    Action.EXPIRE: None,
}


class Audience(enum.StrEnum):
    """Whom news of a request concerns."""

    ASKER = "asker"
    APPROVERS = "approvers"
    REVIEWERS = "reviewers"
    WORKERS = "workers"
    OTHER_SIDE = "other_side"


OF_AGENCY = frozenset({Audience.ASKER, Audience.APPROVERS})
PERMISSIONS: dict[Audience, Permission] = {
    Audience.APPROVERS: Permission.REQUESTS_CONFIRM,
    Audience.REVIEWERS: Permission.REQUESTS_REVIEW,
    Audience.WORKERS: Permission.WORK_DO,
}
# Each step tells whom it concerns (annex ก 1.4–1.8); what is not here is told by the timeline alone.
CONCERNS: dict[str, tuple[Audience, ...]] = {
    Action.SUBMIT: (Audience.REVIEWERS,),
    Action.RETURN: (Audience.ASKER,),
    Action.REJECT: (Audience.ASKER,),
    Action.QUOTE: (Audience.APPROVERS, Audience.ASKER),
    Action.VOID: (Audience.ASKER, Audience.APPROVERS, Audience.REVIEWERS),
    Action.CONFIRM: (Audience.WORKERS, Audience.ASKER),
    Action.DECLINE: (Audience.REVIEWERS, Audience.ASKER),
    Action.EXPIRE: (Audience.ASKER, Audience.APPROVERS, Audience.REVIEWERS),
    Action.WITHDRAW: (Audience.REVIEWERS,),
    Action.START: (Audience.ASKER,),
    "progress": (Audience.ASKER,),
    "progress_note": (Audience.ASKER,),
    "step_failed": (Audience.ASKER,),
    Action.COMPLETE: (Audience.ASKER, Audience.APPROVERS),
    Action.REOPEN: (Audience.WORKERS,),
    "undone": (Audience.WORKERS,),
    "message": (Audience.OTHER_SIDE,),
}

# Still to be decided or done: at most one such request per service.
OPEN = frozenset(State) - {State.COMPLETED, State.REJECTED, State.DECLINED, State.WITHDRAWN, State.EXPIRED}

# Whose move it is while a request is open; nobody's when it has ended.
AGENCY_MOVES = frozenset({State.DRAFT, State.RETURNED, State.AWAITING_CONFIRMATION})
PROVIDER_MOVES = OPEN - AGENCY_MOVES
ENDED = frozenset(State) - OPEN

_GIVE = (
    ("เตรียมทรัพยากรและแผนดำเนินการ", "Prepare resources and a plan"),
    ("ติดตั้งและตั้งค่าระบบ", "Install and configure"),
    ("ทดสอบร่วมกับผู้ใช้บริการ", "Test with the customer"),
    ("ส่งมอบบริการ", "Deliver"),
)
_ALTER = (
    ("เตรียมแผนปรับเปลี่ยนและแผนย้อนกลับ", "Plan the change and the way back"),
    ("ปรับตั้งค่าระบบ", "Configure"),
    ("ทดสอบหลังปรับเปลี่ยน", "Test after the change"),
    ("ส่งมอบและแจ้งผล", "Deliver and report"),
)
_END = (
    ("แจ้งกำหนดการยุติบริการและการส่งออกข้อมูล", "Announce the end and the export of data"),
    ("ยุติบริการและคืนทรัพยากร", "End the service and free its resources"),
    ("ยืนยันการลบข้อมูลและแจ้งผล", "Confirm erasure and report"),
)
CORRECTION = ("แก้ไขตามที่ผู้ใช้บริการแจ้ง", "Correct what the customer found")
# The steps of a work order by kind, in (Thai, English).
STEPS: dict[Kind, tuple[tuple[str, str], ...]] = {
    Kind.NEW: _GIVE,
    Kind.NEW_ADDON: _GIVE,
    Kind.CHANGE: _ALTER,
    Kind.CANCEL: _END,
    Kind.CANCEL_ADDON: _END,
}


class CheckKind(enum.StrEnum):
    """The provider's three checks (annex ก 1.5), each recorded."""

    REQUEST = "request"
    CAPACITY = "capacity"
    COST = "cost"


class StaleQuote(Conflict):
    """What is confirmed is not the quote that stands, or the quote no longer holds."""


class ChecksMissing(Refusal):
    """A quote needs all three checks passed first (annex ก 1.5)."""


class OpenRequestExists(Conflict):
    """The service has an open request already; `number` names it."""

    def __init__(self, number: str) -> None:
        super().__init__(f"request {number} is still open")
        self.number = number


class EarlierNotAgreed(Refusal):
    """The effective date is before what the lead time allows, and nobody has agreed to it."""


class ProviderNotListed(Refusal):
    """The provider is not, or no longer, on the provider list for this family (standard 12.3, 13.1)."""


class AlreadyPlanned(Conflict):
    """A change agreed earlier takes effect later than this one would; `on` says when."""

    def __init__(self, on: dt.date) -> None:
        super().__init__(f"a change from {on} is already agreed")
        self.on = on


class WrongState(Conflict):
    """The request is not where this move starts from."""


def after(state: State, action: Action) -> State:
    """Return the state the action leads to; WrongState where the table has no such move."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise WrongState(f"{action} does not start from {state}") from None


def possible(state: State) -> frozenset[Action]:
    """Return the actions that start from a state."""
    return frozenset(action for (start, action) in TRANSITIONS if start is state)


def earliest_effective(calendar: WorkingTime, today: dt.date, lead_working_days: int) -> dt.date:
    """Return the first day a request sent today can take effect by its lead time alone."""
    return calendar.add_working_days(today, lead_working_days)


def first_day(calendar: WorkingTime, today: dt.date, leads: Sequence[tuple[dt.date, int | None]]) -> dt.date | None:
    """Return the first day that keeps the lead time in force on that very day; None where there is no such day.

    `leads` are (from when, working days), the oldest first and never empty; the first counts for all days before.
    None in the place of days means that nothing can be ordered for them.
    """
    ends = [start for start, _ in leads[1:]] + [dt.date.max]
    starts = [dt.date.min] + [start for start, _ in leads[1:]]
    days = (
        (max(start, earliest_effective(calendar, today, lead)), end)
        for start, (_, lead), end in zip(starts, leads, ends, strict=True)
        if lead is not None
    )
    return next((day for day, end in days if day < end), None)


def kept_after(last_day: dt.date, kept_days: int) -> tuple[dt.date, dt.date]:
    """Return until when the data of what ended can be exported, and on which day it is erased: the next."""
    until = last_day + dt.timedelta(days=kept_days)
    return until, until + dt.timedelta(days=1)


def fingerprint(document: Any) -> str:
    """Return the SHA-256, in hex, of a quote's canonical text: what the customer confirms."""
    return hashlib.sha256(canonical(document).encode()).hexdigest()
