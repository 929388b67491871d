"""How fast a due time across holidays is, against other ways to compute it, in one run.

    python bench/due_times.py [rounds]

First every answer is compared with looking at each minute in turn; a single difference ends the run. Then
the same starts are timed, for this calendar and for the library businesstimedelta, whose answers must be the same.
"""

import random
import resource
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import businesstimedelta
import pytz

from billing.months import BANGKOK
from services.calendar.rules import Calendar

TARGET = 40  # times businesstimedelta
MINUTES = 960
YEAR = date(2026, 10, 1)
MINUTE = timedelta(minutes=1)


def main(rounds: int) -> int:
    rng = random.Random(2570)
    holidays = sorted({YEAR + timedelta(days=rng.randrange(365)) for _ in range(20)})
    starts = [datetime.combine(YEAR, time(), BANGKOK) + rng.randrange(300 * 1440) * MINUTE for _ in range(rounds)]
    calendar = Calendar(holidays)

    for start in starts:
        due, stepped = calendar.add_minutes(start, MINUTES), step(start, calendar)
        if due != stepped:
            print(f"differs from minute-stepping: {start} + {MINUTES} min: {due}, not {stepped}")
            return 1
    print(f"{len(starts)} due times of {MINUTES} working minutes, none differs from minute-stepping")

    due_by_peer = by_businesstimedelta(holidays)
    differing = [start for start in starts if due_by_peer(start) != calendar.add_minutes(start, MINUTES)]
    if differing:
        print(f"differs from businesstimedelta: {len(differing)}, the first from {differing[0]}")
        return 1
    ours = microseconds(lambda start: calendar.add_minutes(start, MINUTES), starts * 20)
    taken = microseconds(due_by_peer, starts)
    print(f"this calendar      {ours:10.2f} µs, {1e6 / ours:,.0f} a second")
    print(f"businesstimedelta  {taken:10.2f} µs, {1e6 / taken:,.0f} a second")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    ratio = taken / ours
    print(f"{'reached' if ratio >= TARGET else 'missed'}: {ratio:.1f} of at least {TARGET} × businesstimedelta")
    return 0 if ratio >= TARGET else 1


def step(start: datetime, calendar: Calendar) -> datetime:
    """Walk minute by minute; off days are passed in one go to keep the comparison short."""
    moment, left = start, MINUTES
    while left:
        day = moment.date()
        if day.weekday() > 4 or day in calendar.holidays:
            moment = datetime.combine(day + timedelta(days=1), time(), BANGKOK)
            continue
        left -= time(8) <= moment.time() < time(16)
        moment += MINUTE
    return moment


def microseconds(due: Callable[[datetime], datetime], starts: Sequence[datetime]) -> float:
    best = float("inf")
    for _ in range(3):
        began = perf_counter()
        for start in starts:
            due(start)
        best = min(best, perf_counter() - began)
    return best / len(starts) * 1e6


def by_businesstimedelta(holidays: Sequence[date]) -> Callable[[datetime], datetime]:
    """Return the library's way to a due time, of the same working days and hours."""
    bangkok = pytz.timezone("Asia/Bangkok")
    hours = businesstimedelta.WorkDayRule(
        start_time=time(8), end_time=time(16), working_days=[0, 1, 2, 3, 4], tz=bangkok
    )
    off = businesstimedelta.HolidayRule(dict.fromkeys(holidays, "holiday"), tz=bangkok)
    rules = businesstimedelta.Rules([hours, off])
    duration = businesstimedelta.BusinessTimeDelta(rules, hours=MINUTES // 60)
    return lambda start: (start + duration).astimezone(BANGKOK)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
