"""The desk's queues, and a requester's list: filtered, searched, paged by index however many there are."""

import base64
import datetime as dt
import enum
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth.errors import Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import rows
from billing.months import aware
from services.incidents.rules import Channel, State
from services.sections.queries import places_of
from services.sla.facts import Standing, Status

PAGE = 50
MOST_COUNTED = 200  # a count beyond is shown as "200+": nobody reads on, the overview has the figures


class Queue(enum.StrEnum):
    """A way to look at the desk's incidents."""

    MINE = "mine"
    SECTION = "section"
    UNASSIGNED = "unassigned"
    DUE_NEXT = "due_next"
    BREACHED = "breached"
    ALL = "all"  # closed ones too, the latest contact first


_COUNTED = tuple(which for which in Queue if which is not Queue.ALL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a list is narrowed to; nothing given is everything."""

    text: str = ""
    state: State | None = None
    section_id: uuid.UUID | None = None
    agency_id: uuid.UUID | None = None
    assignee_id: uuid.UUID | None = None
    subscription_id: uuid.UUID | None = None
    channel: Channel | None = None
    code: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One incident in a list, with how it stands."""

    id: uuid.UUID
    agency_id: uuid.UUID
    number: str
    title: str
    requester_name: str
    section_id: uuid.UUID | None
    row_code: str
    state: State
    assignee_name: str
    channel: Channel
    contacted_at: dt.datetime
    due_at: dt.datetime | None
    status: Status | None  # none for one merged away
    is_emergency: bool
    disruption_id: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of a list; `after` is where the next one goes on, none at the end."""

    lines: tuple[Line, ...]
    after: str | None


_COLUMNS = (
    "id, agency_id, number, title, requester_name, section_id, row_code, state, assignee_name, channel,"
    " contacted_at, due_at, is_emergency, disruption_id, standing, amber_at, overdue_from, outcome, queue_at"
)


class _Query:
    """The conditions of a query in SQL, with their values; `values` are those of the statement it is a part of."""

    def __init__(self, values: list[Any] | None = None) -> None:
        self.conditions: list[str] = []
        self.values: list[Any] = [] if values is None else values

    def where(self, condition: str, *values: Any) -> None:
        """Add a condition whose places are written {}."""
        places = []
        for value in values:
            self.values.append(value)
            places.append(f"${len(self.values)}")
        self.conditions.append(condition.format(*places))

    @property
    def text(self) -> str:
        """All conditions, joined."""
        return " AND ".join(f"({condition})" for condition in self.conditions) or "true"


async def queue(
    which: Queue,
    *,
    wanted: Wanted | None = None,
    after: str | None = None,
    size: int = PAGE,
    by: Actor,
    now: dt.datetime,
) -> Page:
    """Return a page of one of the desk's queues: what is due next first, what is not due last.

    Refuses who is not of the desk (NotPermitted).
    """
    query = _Query()
    _of_desk(query, which, by, await _sections_of(by, now), now)
    _narrow(query, wanted or Wanted())
    if which is Queue.ALL:
        return await _page(query, "contacted_at DESC, id DESC", ("contacted_at", "<"), after, size, now)
    return await _page(query, "queue_at, id", ("queue_at", ">"), after, size, now)


async def counts(*, by: Actor, now: dt.datetime) -> Mapping[Queue, int]:
    """Return how many incidents each queue but the last holds, counted up to 201: more is "200+"."""
    sections = await _sections_of(by, now)
    values: list[Any] = []
    counted = []
    for which in _COUNTED:
        query = _Query(values)
        _of_desk(query, which, by, sections, now)
        few = f"SELECT FROM incident WHERE {query.text} LIMIT {MOST_COUNTED + 1}"
        counted.append(f"(SELECT count(*) FROM ({few}) few) AS {which}")  # noqa: S608 - conditions are this module's, values are bound
    [found] = await rows(f"SELECT {', '.join(counted)}", *values)
    return {which: found[which] for which in _COUNTED}


async def awaited_from(*, by: Actor) -> Mapping[State, int]:
    """Return how many incidents wait for their requester: for an answer, and for saying whether it is solved."""
    found = await rows(
        "SELECT state, count(*) AS n FROM incident WHERE agency_id = $1 AND requester_id = $2"
        " AND state IN ('waiting', 'resolved') GROUP BY state",
        by.agency_id,
        by.person_id,
    )
    return {State(row["state"]): row["n"] for row in found}


async def reported(
    *,
    wanted: Wanted | None = None,
    only_open: bool = False,
    after: str | None = None,
    size: int = PAGE,
    by: Actor,
    now: dt.datetime,
) -> Page:
    """Return an agency's incidents, the latest first: one's own, or all for whoever answers for it (seed B 3(1))."""
    if by.agency_id is None or not by.may(Permission.INCIDENTS_READ):
        raise NotPermitted("this list is an agency's")
    query = _Query()
    query.where("agency_id = {}", by.agency_id)
    if not by.may(Permission.INCIDENTS_READ_AGENCY):
        query.where("requester_id = {}", by.person_id)
    if only_open:
        query.where("state <> 'closed'")
    _narrow(query, wanted or Wanted())
    return await _page(query, "contacted_at DESC, id DESC", ("contacted_at", "<"), after, size, now)


async def overseen(
    *, wanted: Wanted | None = None, after: str | None = None, size: int = PAGE, by: Actor, now: dt.datetime
) -> Page:
    """Return every agency's incidents, the latest first, for the central agency and the auditors."""
    if not by.oversees:
        raise NotPermitted("this list is for oversight")
    query = _Query()
    _narrow(query, wanted or Wanted())
    return await _page(query, "contacted_at DESC, id DESC", ("contacted_at", "<"), after, size, now)


def glance(
    standing: Standing,
    outcome: Status | None,
    amber_at: dt.datetime | None,
    overdue_from: dt.datetime | None,
    now: dt.datetime,
) -> Status | None:
    """Return how an incident stands, from what it keeps; None for one merged away."""
    if standing is Standing.ENDED:
        return outcome
    if overdue_from is not None and now > overdue_from:
        return Status.OVERDUE
    if standing is Standing.RUNNING:
        return Status.DUE_SOON if amber_at is not None and now > amber_at else Status.RUNNING
    return {
        Standing.NOT_STARTED: Status.NOT_STARTED,
        Standing.PAUSED: Status.PAUSED,
        Standing.STOPPED: Status.WITHOUT_TARGET,
    }[standing]


async def _sections_of(by: Actor, now: dt.datetime) -> list[uuid.UUID]:
    """Return the sections somebody of the desk is in; refuses who is not of one (NotPermitted)."""
    if by.provider_id is None or not by.may(Permission.INCIDENTS_READ):
        raise NotPermitted("these queues are the desk's")
    return [place.section_id for place in await places_of(by.person_id, now)]


def _of_desk(query: _Query, which: Queue, by: Actor, sections: list[uuid.UUID], now: dt.datetime) -> None:
    """Narrow a query to one of the desk's queues, as somebody of these sections sees it."""
    query.where("provider_id = {}", by.provider_id)
    if which is not Queue.ALL:
        query.where("is_open")  # as it stands in the indexes, never as a value
    if which is Queue.MINE:
        query.where("assignee_id = {}", by.person_id)
    elif which is Queue.UNASSIGNED:
        query.where("assignee_id IS NULL")
    elif which is Queue.BREACHED:
        query.where("overdue_from < {}", now)
    sees_all = by.may(Permission.INCIDENTS_LOG) or by.may(Permission.DESK_OVERVIEW)
    if which is Queue.SECTION:
        query.where("section_id = ANY({}::uuid[])" if sections else "{}::uuid IS NULL", sections or by.provider_id)
    elif which is not Queue.MINE and not sees_all:
        query.where("section_id = ANY({}::uuid[]) OR assignee_id = {}", sections, by.person_id)


def _narrow(query: _Query, wanted: Wanted) -> None:
    for column, value in (
        ("state", wanted.state and wanted.state.value),
        ("section_id", wanted.section_id),
        ("agency_id", wanted.agency_id),
        ("assignee_id", wanted.assignee_id),
        ("subscription_id", wanted.subscription_id),
        ("channel", wanted.channel and wanted.channel.value),
        ("row_code", wanted.code or None),
    ):
        if value is not None:
            query.where(f"{column} = {{}}", value)
    # Thai is written without spaces between words: a search looks for the text anywhere. No index serves that
    # behind row-level security, where only the plainest comparisons may; it looks at the provider's rows.
    for word in wanted.text.split()[:5]:
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        query.where("concat_ws(' ', number, title, requester_name, location, description) ILIKE {}", pattern)


async def _page(
    query: _Query, order: str, cursor: tuple[str, str], after: str | None, size: int, now: dt.datetime
) -> Page:
    column, direction = cursor
    if after is not None:
        moment, last = _read_cursor(after)
        query.where(f"({column}, id) {direction} ({{}}, {{}})", moment, last)
    size = max(1, min(size, 200))
    found = await rows(
        f"SELECT {_COLUMNS} FROM incident WHERE {query.text} ORDER BY {order} LIMIT {size + 1}",  # noqa: S608 - all names are this module's, values are bound
        *query.values,
    )
    lines = tuple(_line(row, now) for row in found[:size])
    more = len(found) > size
    return Page(lines, _cursor(found[size - 1][column], found[size - 1]["id"]) if more else None)


def _line(row: Mapping[str, Any], now: dt.datetime) -> Line:
    outcome = Status(row["outcome"]) if row["outcome"] else None
    return Line(
        id=row["id"],
        agency_id=row["agency_id"],
        number=row["number"],
        title=row["title"],
        requester_name=row["requester_name"],
        section_id=row["section_id"],
        row_code=row["row_code"],
        state=State(row["state"]),
        assignee_name=row["assignee_name"],
        channel=Channel(row["channel"]),
        contacted_at=row["contacted_at"],
        due_at=row["due_at"],
        status=glance(Standing(row["standing"]), outcome, row["amber_at"], row["overdue_from"], now),
        is_emergency=row["is_emergency"],
        disruption_id=row["disruption_id"],
    )


def _cursor(moment: dt.datetime, last: uuid.UUID) -> str:
    text = json.dumps([moment.isoformat(), str(last)])
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_cursor(text: str) -> tuple[dt.datetime, uuid.UUID]:
    try:
        moment, last = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        return aware(dt.datetime.fromisoformat(moment)), uuid.UUID(last)
    except (ValueError, TypeError):
        raise Invalid({"after": "This place in the list is not known."}) from None
