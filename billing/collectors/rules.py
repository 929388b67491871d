"""When usage is pulled, hour by hour, and what a collector must be. Pure."""

import datetime as dt
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth.addresses import may_be_called

HOUR: Final = dt.timedelta(hours=1)
SETTLES: Final = dt.timedelta(minutes=5)  # after an hour is over, so that its last samples are in
TRIES_AGAIN: Final = dt.timedelta(minutes=10)
INTERVALS: Final = (1, 2, 3, 4, 6, 8, 12, 24)
MOST_QUERIES: Final = 20
_LONGEST = {"name": 120, "address": 500, "text": 2000}
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,99}", re.ASCII)

Asked = Mapping[str, str]
"""A query: `meter`, `text`, and `label`, the one that names the service in each answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What staff say of a collector; `since` is the first hour to pull from now on."""

    name: str
    address: str
    queries: Sequence[Asked]
    every_hours: int
    since: dt.datetime


def hours_due(collected_until: dt.datetime, now: dt.datetime, *, most: int) -> list[dt.datetime]:
    """Return the hours that are over and not pulled yet, the earliest first, `most` of them at once."""
    found = list[dt.datetime]()
    while len(found) < most and collected_until + HOUR + SETTLES <= now:
        found.append(collected_until)
        collected_until += HOUR
    return found


def next_run(collected_until: dt.datetime, every_hours: int) -> dt.datetime:
    """Return when the next hours are to be pulled: when so many of them are over."""
    return collected_until + every_hours * HOUR + SETTLES


def full_hour(moment: dt.datetime) -> dt.datetime:
    """Return the beginning of the hour a moment is in."""
    return moment.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0)


def faults_of(plan: Plan, meters: Collection[str], *, to_this_machine: bool) -> dict[str, str]:
    """Return what is wrong with a plan, by field; the queries' fields carry their place, such as "text-1"."""
    found = _faults_of_text("name", plan.name) | _faults_of_text("address", plan.address)
    if "address" not in found and not may_be_called(plan.address, to_this_machine=to_this_machine):
        found["address"] = "Enter an address that begins with https://."
    if plan.every_hours not in INTERVALS:
        found["every_hours"] = "Choose one of the list."
    if not plan.queries:
        found["text-1"] = "Give a query for one meter at least."
    seen = set[str]()
    for place, query in enumerate(plan.queries, 1):
        found |= _faults_of_text(f"text-{place}", query["text"])
        if query["meter"] not in meters:
            found[f"meter-{place}"] = "Choose one of the list."
        elif query["meter"] in seen:
            found[f"meter-{place}"] = "This meter has a query already; add them up in one."
        if not _LABEL.fullmatch(query["label"]):
            found[f"label-{place}"] = "A label has letters, digits and underscores."
        seen.add(query["meter"])
    return found


def _faults_of_text(field: str, text: str) -> dict[str, str]:
    if not text:
        return {field: "Fill in this field."}
    return {field: "This text is too long."} if len(text) > _LONGEST[field.partition("-")[0]] else {}
