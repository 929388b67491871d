"""The rows of the service level agreement, and what one of them means for one incident (seed B 6).

Targets are in working minutes, 480 to the working day; on the 24×7 clock they are minutes.
"""

import enum
from dataclasses import dataclass
from typing import Any, Protocol, Self

WORKING_DAY_MINUTES = 480


class Mode(enum.StrEnum):
    """How a row's target is given."""

    FIXED = "fixed"
    RANGE = "range"  # passing the lower turns amber, passing the upper breaches
    PER_ITEM = "per_item"  # the target is multiplied by the number of items
    PER_SEVERITY = "per_severity"
    NONE = "none"  # ไม่กำหนดระยะเวลา: no due time, counted apart


class ClockStart(enum.StrEnum):
    """What starts the clock of a row."""

    RECEIVED = "start_on_received"
    CONDITION_MET = "start_on_condition_met"
    NO_CLOCK = "no_clock"


class Per(enum.StrEnum):
    """What a target is counted by."""

    ITEM = "item"  # "ต่อ 1 เครื่อง": one clock, the target times the number
    ACCOUNT = "account"  # "ต่อ 1 รหัสผู้ใช้งาน": one clock for each account asked for


class Severity(enum.StrEnum):
    """How bad it is, for the rows whose target depends on it (reading 8)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Agreed(Protocol):
    """What a version of a row says; the stored row is one."""

    code: str
    number: int
    mode: Mode
    target_min_minutes: int | None
    target_max_minutes: int | None
    response_minutes: int | None
    clock_start: ClockStart
    severity_minutes: Any
    around_the_clock: bool

    @property
    def per(self) -> Per | None:
        """What the target is counted by, if by anything."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for one incident: its row's version applied to its items, severity and urgency.

    Minutes are of working time, or of all time when `around_the_clock`. `breach` None is no target;
    `amber` None is a row without a lower bound.
    """

    code: str
    version: int
    amber: int | None
    breach: int | None
    response: int | None
    waits: bool  # for the row's condition to be met
    around_the_clock: bool
    clocks: int = 1  # one for each account asked for

    def document(self) -> dict[str, Any]:
        """Return what is stored with the fact that set these terms, so that they never change."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def read(cls, document: dict[str, Any]) -> Self:
        """Read what `document` wrote."""
        return cls(**document)


def terms_of(row: Agreed, *, items: int = 1, severity: Severity | None = None, emergency: bool = False) -> Terms:
    """Return what a row means for an incident.

    A target per item is multiplied by the items; a target by severity is the one of the severity, and until
    that is judged the whole range. An emergency runs on the 24×7 clock (seed B 4). Refuses fewer items than one.
    """
    if items < 1:
        raise ValueError(f"an incident is about one item at least, not {items}")
    breach, amber = row.target_max_minutes, row.target_min_minutes
    if row.mode is Mode.NONE:
        breach = amber = None
    elif row.mode is Mode.PER_SEVERITY and severity is not None:
        breach = amber = row.severity_minutes[severity.value]
    if row.per is Per.ITEM and breach is not None and amber is not None:
        breach, amber = breach * items, amber * items
    return Terms(
        code=row.code,
        version=row.number,
        amber=None if amber == breach else amber,
        breach=breach,
        response=row.response_minutes,
        waits=row.clock_start is ClockStart.CONDITION_MET,
        around_the_clock=row.around_the_clock or emergency,
        clocks=items if row.per is Per.ACCOUNT else 1,
    )


def complaints(row: Agreed) -> dict[str, str]:
    """Return what is wrong with a row's targets, by field; empty when it can stand."""
    low, high = row.target_min_minutes, row.target_max_minutes
    if row.mode is Mode.NONE:
        has_minutes = low is not None or high is not None
        return {"target_max_minutes": "A process without a target has no minutes."} if has_minutes else {}
    found: dict[str, str] = {}
    if low is None or high is None or low < 1:
        found["target_max_minutes"] = "Give the target in minutes, one at least."
    elif low > high:
        found["target_min_minutes"] = "The lower target is above the upper one."
    elif low != high and row.mode not in {Mode.RANGE, Mode.PER_SEVERITY}:
        found["target_min_minutes"] = "Only a range has two different targets."
    if row.mode is Mode.PER_SEVERITY and not _is_complete(row.severity_minutes):
        found["severity_minutes"] = "Give a target in minutes for every severity."
    if (row.mode is Mode.PER_ITEM) != (row.per is Per.ITEM):
        found["per"] = "Say what the target is counted by."
    if row.clock_start is ClockStart.NO_CLOCK:
        found["clock_start"] = "A process with a target has a clock."
    if row.response_minutes is not None and row.response_minutes < 1:
        found["response_minutes"] = "Give the target in minutes, one at least."
    return found


def _is_complete(table: Any) -> bool:
    """Return whether every severity has its minutes."""
    return (
        isinstance(table, dict)
        and set(table) == set(Severity)
        and all(type(minutes) is int and minutes > 0 for minutes in table.values())
    )
