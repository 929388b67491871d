"""What time it is: the machine's, or in a demo the story's.

Business time is the machine's everywhere but in a demo, where it may be set and moved forward, never back: what
falls due in between then happens. Sessions, sign-in and the log always keep the machine's time.
"""

import datetime as dt
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from auth.errors import Invalid
from auth.rules import Actor, system
from auth.tenancy import record, unit_of_work
from portal.models import DemoClock
from portal.refusals import database_is_away

_ROW = 1
_READ_EVERY = 1.0  # seconds; a page need not ask the database what time it is
_SPAN = re.compile(r"(?:(\d{1,4})d)?\s*(?:(\d{1,4})h)?\s*(?:(\d{1,5})m)?")
_FURTHEST = dt.timedelta(days=366 * 10)


@dataclass(frozen=True, slots=True)
class Reading:
    """The demo clock as read: the story's time, and whether it stands still."""

    at: dt.datetime
    held: bool


class Clock:
    """Business time and machine time, both with their zone (UTC)."""

    def __init__(self, *, demo: bool = False) -> None:
        self.is_demo = demo
        self._kept: tuple[float, DemoClock | None] | None = None

    def wall(self) -> dt.datetime:
        """Return the machine's time."""
        return dt.datetime.now(dt.UTC)

    async def now(self) -> dt.datetime:
        """Return business time."""
        reading = await self.demo()
        return reading.at if reading else self.wall()

    async def demo(self) -> Reading | None:
        """Return the demo clock, at most a second old while the database answers; None where there is none."""
        if not self.is_demo:
            return None
        if self._kept is None or time.monotonic() - self._kept[0] >= _READ_EVERY:
            try:
                row = await unit_of_work(system("clock"), lambda: DemoClock.get_or_none(id=_ROW))
            except Exception as error:
                if self._kept is None or not database_is_away(error):
                    raise
                return _reading(self._kept[1], self.wall())
            self._kept = (time.monotonic(), row)
        return _reading(self._kept[1], self.wall())

    def forget(self) -> None:
        """Read the demo clock anew at the next question, because it was moved."""
        self._kept = None


async def show(wall: dt.datetime) -> Reading:
    """Return the demo clock as the database has it; the machine's time while nobody has set it."""
    return await unit_of_work(system("clock"), lambda: _read(wall))


async def set_to(at: dt.datetime, *, held: bool, by: Actor, wall: dt.datetime) -> Reading:
    """Set the demo clock, standing still when `held`, and let happen what falls due until then.

    Refuses (Invalid) a time without its zone, one in the story's past, and one more than ten years ahead.
    """
    if at.tzinfo is None:
        raise Invalid({"at": "Give the time with its zone."})
    return await _move(lambda _: Reading(at.astimezone(dt.UTC), held), by=by, wall=wall)


async def advance(span: dt.timedelta, *, by: Actor, wall: dt.datetime) -> Reading:
    """Move the demo clock forward by a span, held or running as it was; refuses (Invalid) a negative one."""
    return await _move(lambda before: Reading(before.at + span, before.held), by=by, wall=wall)


async def hold(*, by: Actor, wall: dt.datetime) -> Reading:
    """Let the demo clock stand still where it is."""
    return await _move(lambda before: Reading(before.at, held=True), by=by, wall=wall)


async def release(*, by: Actor, wall: dt.datetime) -> Reading:
    """Let the demo clock run on from where it stands."""
    return await _move(lambda before: Reading(before.at, held=False), by=by, wall=wall)


async def _move(target: Callable[[Reading], Reading], *, by: Actor, wall: dt.datetime) -> Reading:
    async def work() -> Reading:
        before = await _read(wall, lock=True)
        after = target(before)
        if after.at < before.at:
            raise Invalid({"at": "The demo clock only moves forward."})
        if after.at - before.at > _FURTHEST:
            raise Invalid({"at": "The demo clock moves at most ten years at once."})
        await DemoClock.update_or_create(
            id=_ROW, defaults={"demo_at": after.at, "real_at": wall, "is_held": after.held}
        )
        record("clock.moved", at=after.at, before=before.at, held=after.held)
        return after

    reading = await unit_of_work(by, work)
    await _catch_up(reading.at)
    return reading


def span(text: str) -> dt.timedelta:
    """Read a span such as 2d4h, 90m or 1d; refuses (Invalid) anything else and nothing at all."""
    found = _SPAN.fullmatch(text.strip().lower())
    length = (
        dt.timedelta(days=int(found[1] or 0), hours=int(found[2] or 0), minutes=int(found[3] or 0))
        if found
        else dt.timedelta(0)
    )
    if not length:
        raise Invalid({"span": "Give a span such as 2d4h or 90m."})
    return length


async def _read(wall: dt.datetime, *, lock: bool = False) -> Reading:
    rows = DemoClock.filter(id=_ROW)
    row = await (rows.select_for_update() if lock else rows).first()
    return _reading(row, wall)


def _reading(row: DemoClock | None, wall: dt.datetime) -> Reading:
    if row is None:
        return Reading(wall, held=False)
    return Reading(row.demo_at if row.is_held else row.demo_at + (wall - row.real_at), row.is_held)


async def _catch_up(until: dt.datetime) -> None:
    try:
        from portal.jobs import catch_up  # noqa: PLC0415 - jobs compose the whole product
    except ImportError:
        return
    await catch_up(until)
