"""An incident's clock as a bar of segments, and as the rows of the table behind it."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from portal.pages.incidents.wording import WHYS
from services.calendar.rules import MINUTE
from services.sla.clock import Clock
from services.sla.facts import Segment, Why

_NARROWEST = Decimal("0.6")  # per cent of the bar: a stretch without working time is still seen
_WHOLE = Decimal(100)
_MICROSECOND = dt.timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One segment as it is drawn and told; `x` and `width` are per cent of the bar."""

    x: Decimal
    width: Decimal
    kind: str  # running, paused, stopped, waiting, ahead
    words: str
    starts_at: dt.datetime
    ends_at: dt.datetime
    counted: int  # working minutes
    note: str


@dataclass(frozen=True, slots=True)
class Bar:
    """A clock as it is drawn."""

    stretches: tuple[Stretch, ...]
    ahead: tuple[Decimal, Decimal] | None  # what is left until the target: x and width
    due_x: Decimal | None  # where the target is reached


_KINDS = {
    Why.WORKING: "running",
    Why.REQUESTER: "paused",
    Why.VENDOR: "stopped",
    Why.NO_TARGET: "stopped",
    Why.RESOLVED: "stopped",
}


def bar(clock: Clock) -> Bar:
    """Return a clock's segments side by side, in working time, with what is left until its target.

    Minutes told are whole; the last segment gets what rounding left, so that they add up to what was used.
    """
    lengths = [_length(clock, segment) for segment in clock.segments]
    left = Decimal(max(clock.left // MINUTE, 0)) if clock.left is not None and clock.ended_at is None else Decimal(0)
    whole = sum(lengths, Decimal(0)) + left
    widths = [_share(length, whole) for length in lengths]
    ahead = _share(left, whole) if left else Decimal(0)
    scale = _WHOLE / max(sum(widths, ahead), Decimal(1))
    stretches: list[Stretch] = []
    x, told, elapsed, due_x = Decimal(0), 0, dt.timedelta(), None
    for segment, width in zip(clock.segments, widths, strict=True):
        drawn = (width * scale).quantize(Decimal("0.01"))
        before, elapsed = elapsed, elapsed + segment.worked
        counted, told = elapsed // MINUTE - told, elapsed // MINUTE
        if clock.target is not None and before < clock.target * MINUTE <= elapsed:
            due_x = x + drawn * _ratio(clock.target * MINUTE - before, segment.worked)
        kind = _KINDS.get(segment.why, "waiting")
        stretches.append(
            Stretch(x, drawn, kind, str(WHYS[segment.why]), segment.starts_at, segment.ends_at, counted, segment.note)
        )
        x += drawn
    return Bar(tuple(stretches), (x, (ahead * scale).quantize(Decimal("0.01"))) if left else None, due_x)


def _length(clock: Clock, segment: Segment) -> Decimal:
    """Return how long a segment is drawn: in working minutes, also where the clock stood."""
    if segment.terms and segment.terms.around_the_clock:
        return Decimal((segment.ends_at - segment.starts_at) // MINUTE)
    return Decimal(clock.calendar.minutes_between(segment.starts_at, segment.ends_at))


def _ratio(part: dt.timedelta, whole: dt.timedelta) -> Decimal:
    """Return a part of a duration as a decimal to four places."""
    ratio = Decimal(part // _MICROSECOND) / Decimal(whole // _MICROSECOND)
    return ratio.quantize(Decimal("0.0001"))


def _share(length: Decimal, whole: Decimal) -> Decimal:
    return max(length / whole * _WHOLE, _NARROWEST) if whole else _NARROWEST
