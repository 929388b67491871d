"""What a usage event must be, when two are the same, and which of them say different things. Pure.

An event is counted at the moment it starts, in Bangkok's hour, day and month. Its identity is `source` and `id`, for
ever; the same identity with the same content is a repeat, with other content a contradiction.
"""

import datetime as dt
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from auth.errors import Conflict, Invalid
from billing.months import Month, bangkok_date, midnight

LATEST = dt.timedelta(days=35)
FIRST, LAST = Month(2020, 1).starts_at, Month(2100, 1).starts_at
AHEAD = dt.timedelta(minutes=5)  # what two clocks may differ by
LONGEST_TEXT = 200
LONGEST_METER = 48
MOST_AT_ONCE = 10_000
LEAST_MONTHS_KEPT = 3  # longer than anything may be late, and than a month takes to be closed

# field → why, in English words that the portal translates
Faults = dict[str, str]

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # in no attribute of a CloudEvent
_QUANTITY = re.compile(r"[0-9]{1,14}(?:\.[0-9]{1,6})?", re.ASCII)


class Reading(NamedTuple):
    """A usage event as it came: the numbers in plain text, the times with their zone."""

    source: str
    event_id: str
    subject: str
    meter: str
    quantity: str
    starts_at: dt.datetime
    ends_at: dt.datetime


class BadReadings(Invalid):
    """Some events cannot be taken, and so none was; `events` says which, by index, and each one's fields."""

    def __init__(self, events: Mapping[int, Faults]) -> None:
        first = min(events)
        super().__init__({f"[{first}].{field}": why for field, why in events[first].items()})
        self.events = dict(sorted(events.items()))


class Contradicted(Conflict):
    """Events known by these identities said something else; `events` are their indices."""

    def __init__(self, events: Iterable[int]) -> None:
        self.events = sorted(events)
        super().__init__(f"{len(self.events)} events are known with other content")


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """The time of a reading: its moments, and the day and month of Bangkok it counts in; one for all that share it."""

    starts_at: dt.datetime
    ends_at: dt.datetime
    day: dt.date
    month: Month


def check(
    readings: Sequence[Reading], now: dt.datetime, *, latest: dt.timedelta | None = LATEST
) -> tuple[dict[int, Stretch], dict[int, Faults]]:
    """Return the stretch of time each good reading counts in, and what is wrong with the others, both by index.

    A reading lies within one month, ends no earlier than it starts, is not of the future, and is at most `latest`
    late (None for no limit, which is for staff).
    """
    faults: dict[int, Faults] = {}
    stretches: dict[int, Stretch] = {}
    known: dict[tuple[dt.datetime, dt.datetime], Stretch | None] = {}
    horizon, limit = now + AHEAD, now - latest if latest is not None else None
    is_quantity = _QUANTITY.fullmatch
    clean = not _CONTROL.search("".join([f"{source}{event_id}{subject}" for source, event_id, subject, *_ in readings]))
    for index, reading in enumerate(readings):
        source, event_id, subject, meter, quantity, starts_at, ends_at = reading
        moments = starts_at, ends_at
        stretch = known.get(moments)
        if stretch is None and moments not in known:
            stretch = known[moments] = _stretch(starts_at, ends_at, horizon, limit)
        named = 0 < len(source) <= LONGEST_TEXT and 0 < len(event_id) <= LONGEST_TEXT
        fits = 0 < len(subject) <= LONGEST_TEXT and 0 < len(meter) <= LONGEST_METER
        plain = clean or not any(map(_CONTROL.search, (source, event_id, subject)))
        if stretch and named and fits and plain and is_quantity(quantity):
            stretches[index] = stretch
        else:
            faults[index] = faults_of(reading, now, latest=latest)
    return stretches, faults


def _stretch(
    starts_at: dt.datetime, ends_at: dt.datetime, horizon: dt.datetime, limit: dt.datetime | None
) -> Stretch | None:
    """Return the stretch between two moments, None where no usage can be of it."""
    if not (FIRST <= starts_at < LAST and starts_at <= ends_at <= horizon) or (limit and ends_at < limit):
        return None
    day = bangkok_date(starts_at)
    month = Month.of(day)
    return Stretch(starts_at, ends_at, day, month) if ends_at <= month.ends_at else None


def oldest_kept(months: int, now: dt.datetime) -> Month:
    """Return the oldest month whose single events are kept when so many whole months before this one are.

    Refuses (ValueError) fewer than any usage may be late.
    """
    if months < LEAST_MONTHS_KEPT:
        raise ValueError(f"events are kept for {LEAST_MONTHS_KEPT} months at least")
    month = Month.of(now)
    for _ in range(months):
        month = month.previous
    return month


def faults_of(reading: Reading, now: dt.datetime, *, latest: dt.timedelta | None = LATEST) -> Faults:
    """Return what is wrong with one reading, by the field's name in the event; nothing for a good one."""
    found = _faults_of_texts(reading)
    if not FIRST <= reading.starts_at < LAST:
        found["data.start"] = "is outside of the years 2020 to 2099"
    elif reading.ends_at < reading.starts_at:
        found["data.end"] = "is before the start"
    elif reading.ends_at > Month.of(reading.starts_at).ends_at:
        found["data.end"] = "is in another month (of Bangkok) than the start; split the reading"
    elif reading.ends_at > now + AHEAD:
        found["data.end"] = "lies in the future"
    elif latest is not None and reading.ends_at < now - latest:
        found["data.end"] = f"is more than {latest.days} days ago; only staff may enter it, with a reason"
    return found


def _faults_of_texts(reading: Reading) -> Faults:
    found: Faults = {}
    for field, text in (("source", reading.source), ("id", reading.event_id), ("subject", reading.subject)):
        if not 0 < len(text) <= LONGEST_TEXT:
            found[field] = f"must have 1 to {LONGEST_TEXT} characters"
        elif _CONTROL.search(text):
            found[field] = "must hold no control characters"
    if not 0 < len(reading.meter) <= LONGEST_METER:
        found["data.meter"] = f"must have 1 to {LONGEST_METER} characters"
    if not _QUANTITY.fullmatch(reading.quantity):
        found["data.quantity"] = "must be a decimal number in text, not negative, with at most 6 decimals"
    return found


def identity(reading: Reading) -> str:
    """Return the sixteen bytes, in hex, that an event is known by within its provider."""
    return blake2b(f"{reading[0]}\0{reading[1]}".encode(), digest_size=16).hexdigest()


def digest_of(source: str, event_id: str) -> uuid.UUID:
    """Return the identity of an event that came under a source and an id, as it is stored."""
    return uuid.UUID(blake2b(f"{source}\0{event_id}".encode(), digest_size=16).hexdigest())


def said(reading: Reading) -> str:
    """Return the digest of what an event says: 1.50 says what 1.5 says, and so does the same moment in another zone."""
    _, _, subject, meter, quantity, starts_at, ends_at = reading
    quantity = quantity.lstrip("0")
    if "." in quantity:
        quantity = quantity.rstrip("0").rstrip(".")
    text = f"{subject}\0{meter}\0{quantity}\0{_seconds(starts_at)}\0{_seconds(ends_at)}"
    return blake2b(text.encode(), digest_size=16).hexdigest()


@lru_cache
def _seconds(moment: dt.datetime) -> str:
    return repr(moment.timestamp())


def price_changes_within(reading: Reading, effective: Iterable[dt.date]) -> bool:
    """Say whether a price changes inside a reading: nobody could say how much was used before and how much after."""
    return any(reading.starts_at < midnight(day) < reading.ends_at for day in effective)
