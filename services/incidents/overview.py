"""The manager's overview (seed B 3(5)): volume, compliance, times, satisfaction, and the incidents behind each.

An incident counts in the period in which the desk was reached. What has no target is left out of the rate and
counted apart; what was merged away counts nowhere.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from auth.errors import NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import rows
from services.incidents.rules import Channel, State


class Outcome(enum.StrEnum):
    """How an incident counts."""

    MET = "met"
    MET_AMBER = "met_amber"
    BREACHED = "breached"
    WITHOUT_TARGET = "without_target"
    OPEN = "open"  # not over, and not past its target: too early to say


class By(enum.StrEnum):
    """What the figures are broken down by."""

    SECTION = "section"
    PROCESS = "process"
    AGENCY = "agency"


class Only(enum.StrEnum):
    """What a figure counts besides how incidents ended."""

    IN_TIME = "in_time"
    DECIDED = "decided"
    REOPENED = "reopened"
    GRADED = "graded"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many incidents ended how."""

    met: int = 0
    met_amber: int = 0
    breached: int = 0
    without_target: int = 0
    open: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.met + self.met_amber + self.breached + self.without_target + self.open

    @property
    def in_time(self) -> int:
        """Those that kept their target, amber or not."""
        return self.met + self.met_amber

    @property
    def counted(self) -> int:
        """Those the rate is of: with a target, and decided."""
        return self.in_time + self.breached

    @property
    def compliance(self) -> Decimal | None:
        """Which part kept its target, in percent to two decimals; None where there is nothing to rate."""
        if not self.counted:
            return None
        return (Decimal(100 * self.in_time) / self.counted).quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Part:
    """The tally of one section, process or agency; `key` is its id or code, empty where there is none yet."""

    key: str
    name_th: str
    name_en: str
    tally: Tally


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of a period."""

    tally: Tally
    by_section: Sequence[Part]
    by_process: Sequence[Part]
    by_agency: Sequence[Part]
    by_channel: Mapping[str, int]
    hours_in_state: Mapping[State, Decimal]  # the average of those that were in it
    reopened: int  # incidents reopened at least once
    graded: int
    satisfaction: Decimal | None  # the average grade, to two decimals


# Decided once, for the figures and for the incidents behind them alike; $3 is now.
_OUTCOME = """
    CASE
        WHEN i.outcome IS NOT NULL THEN i.outcome
        WHEN i.overdue_from < $3 THEN 'breached'
        WHEN i.standing = 'stopped' THEN 'without_target'
        ELSE 'open'
    END
"""
_ONLY = {
    Only.IN_TIME: f"{_OUTCOME} IN ('met', 'met_amber')",
    Only.DECIDED: f"{_OUTCOME} IN ('met', 'met_amber', 'breached')",
    Only.REOPENED: "i.reopened_count > 0",
    Only.GRADED: "i.grade IS NOT NULL",
}
_PERIOD = "i.contacted_at >= $1 AND i.contacted_at < $2 AND i.contacted_at <= $3 AND i.merged_into_id IS NULL"
_KEYS = {
    By.SECTION: (
        "coalesce(i.section_id::text, '')",
        "LEFT JOIN section n ON n.id = i.section_id",
        "coalesce(n.name_th, '')",
        "coalesce(n.name_en, '')",
    ),
    By.PROCESS: (
        "i.row_code",
        "LEFT JOIN sla_row n ON n.id = i.sla_row_id",
        "coalesce(n.process_th, '')",
        "coalesce(n.process_en, '')",
    ),
    By.AGENCY: (
        "i.agency_id::text",
        "LEFT JOIN organisation n ON n.id = i.agency_id",
        "coalesce(n.name_th, '')",
        "coalesce(n.name_en, '')",
    ),
}


async def overview(first: dt.datetime, last: dt.datetime, *, by: Actor, now: dt.datetime) -> Overview:
    """Return the figures of the incidents that reached the desk from `first` until before `last`.

    A provider's manager sees the provider's, the central agency and auditors all, whoever answers for an
    agency its own; anybody else is refused (NotPermitted).
    """
    scope, values = _scope(by, first, last, now)
    parts = {each: await _parts(each, scope, values) for each in By}
    totals = parts[By.AGENCY]
    [graded] = await rows(
        f"SELECT count(i.grade) AS graded, avg(i.grade) AS satisfaction,"  # noqa: S608 - conditions are this module's, values are bound
        f" count(*) FILTER (WHERE i.reopened_count > 0) AS reopened FROM incident i WHERE {scope}",
        *values,
    )
    channels = await rows(
        f"SELECT i.channel, count(*) AS n FROM incident i WHERE {scope}"  # noqa: S608 - as above
        " GROUP BY 1 ORDER BY 2 DESC",
        *values,
    )
    return Overview(
        tally=_sum(part.tally for part in totals),
        by_section=parts[By.SECTION],
        by_process=parts[By.PROCESS],
        by_agency=totals,
        by_channel={row["channel"]: row["n"] for row in channels},
        hours_in_state=await _hours_in_state(scope, values),
        reopened=graded["reopened"],
        graded=graded["graded"],
        satisfaction=_two(graded["satisfaction"]) if graded["graded"] else None,
    )


async def behind(
    first: dt.datetime,
    last: dt.datetime,
    *,
    outcome: Outcome | None = None,
    part: tuple[By, str] | None = None,
    only: Only | None = None,
    channel: Channel | None = None,
    was_in: State | None = None,
    limit: int = 1000,
    by: Actor,
    now: dt.datetime,
) -> list[dict[str, Any]]:
    """Return the incidents behind a figure: id, number, title, row, outcome, contact, due, used minutes.

    `was_in` are those that were in a state at any time: what its average hours are of.
    """
    scope, values = _scope(by, first, last, now)
    conditions = [scope]
    if part is not None:
        values.append(part[1])
        conditions.append(f"{_KEYS[part[0]][0]} = ${len(values)}")
    if outcome is not None:
        values.append(outcome.value)
        conditions.append(f"{_OUTCOME} = ${len(values)}")
    if only is not None:
        conditions.append(_ONLY[only])
    if channel is not None:
        values.append(channel.value)
        conditions.append(f"i.channel = ${len(values)}")
    if was_in is not None:
        values.append(was_in.value)
        conditions.append(
            f"EXISTS (SELECT FROM incident_fact f WHERE f.incident_id = i.id AND f.state = ${len(values)})"
        )
    return await rows(
        f"SELECT i.id, i.agency_id, i.number, i.title, i.row_code, i.state, {_OUTCOME} AS outcome, i.contacted_at,"  # noqa: S608 - as above
        f" i.due_at, i.resolved_at, i.used_minutes, i.section_id FROM incident i WHERE {' AND '.join(conditions)}"
        f" ORDER BY i.contacted_at, i.id LIMIT {int(limit)}",
        *values,
    )


def _scope(by: Actor, first: dt.datetime, last: dt.datetime, now: dt.datetime) -> tuple[str, list[Any]]:
    values: list[Any] = [first, last, now]
    if by.oversees and by.may(Permission.DESK_OVERVIEW):
        return _PERIOD, values
    if by.provider_id and by.may(Permission.DESK_OVERVIEW):
        return f"{_PERIOD} AND i.provider_id = $4", [*values, by.provider_id]
    if by.agency_id and by.may(Permission.INCIDENTS_READ_AGENCY):
        return f"{_PERIOD} AND i.agency_id = $4", [*values, by.agency_id]
    raise NotPermitted("the overview is the manager's")


async def _parts(each: By, scope: str, values: Sequence[Any]) -> list[Part]:
    key, join, name_th, name_en = _KEYS[each]
    found = await rows(
        f"SELECT {key} AS key, {_OUTCOME} AS outcome, count(*) AS n, max({name_th}) AS name_th,"  # noqa: S608 - as above
        f" max({name_en}) AS name_en FROM incident i {join} WHERE {scope} GROUP BY 1, 2 ORDER BY 1",
        *values,
    )
    tallies: dict[str, dict[str, int]] = {}
    names: dict[str, tuple[str, str]] = {}
    for row in found:
        tallies.setdefault(row["key"], {})[row["outcome"]] = row["n"]
        names[row["key"]] = row["name_th"], row["name_en"]
    return [Part(key, *names[key], Tally(**counted)) for key, counted in tallies.items()]


async def _hours_in_state(scope: str, values: Sequence[Any]) -> dict[State, Decimal]:
    """Return the average hours, by the wall, that incidents spent in each state; the last one lasts until now."""
    found = await rows(
        f"""
        WITH stays AS (
            SELECT f.incident_id, f.state,
                coalesce(lead(f.at) OVER (PARTITION BY f.incident_id ORDER BY f.number), $3) - f.at AS stayed
            FROM incident_fact f JOIN incident i ON i.id = f.incident_id
            WHERE {scope}
        ), sums AS (
            SELECT incident_id, state, sum(stayed) AS stayed FROM stays WHERE state <> 'closed' GROUP BY 1, 2
        )
        SELECT state, avg(extract(epoch FROM stayed)) / 3600 AS hours FROM sums GROUP BY 1
        """,  # noqa: S608 - as above
        *values,
    )
    hours = {State(row["state"]): _two(row["hours"]) for row in found}
    return {state: hours[state] for state in State if state in hours}


def _sum(tallies: Any) -> Tally:
    together = [(each.met, each.met_amber, each.breached, each.without_target, each.open) for each in tallies]
    return Tally(*(sum(column) for column in zip(*together, strict=True))) if together else Tally()


def _two(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)
