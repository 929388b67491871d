"""How fast a due time across holidays is, against other ways to compute it, in one run.

    python bench/due_times.py [rounds]

First every answer is compared with looking at each minute in turn; a single difference ends the run. Then
the same starts are timed. businesstimedelta and pandas are compared where they are installed.
"""

import random
import sys
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from importlib import import_module, util
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

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

    ours = microseconds(lambda start: calendar.add_minutes(start, MINUTES), starts * 20)
    print(f"{'this calendar':18}{ours:10.2f} µs")
    ratio = None
    for name, peer in (("businesstimedelta", businesstimedelta_due), ("pandas", pandas_due)):
        if not util.find_spec(name):
            print(f"{name:18}       not installed")
            continue
        due_by_peer = peer(holidays)
        taken = microseconds(due_by_peer, starts)
        differing = sum(due_by_peer(start) != calendar.add_minutes(start, MINUTES) for start in starts)
        print(f"{name:18}{taken:10.2f} µs  {taken / ours:6.1f} ×  {differing} due times differ")
        if name == "businesstimedelta":
            ratio = taken / ours
    if ratio is None:
        return 0
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


def businesstimedelta_due(holidays: Sequence[date]) -> Callable[[datetime], datetime]:
    peer, bangkok = import_module("businesstimedelta"), import_module("pytz").timezone("Asia/Bangkok")
    hours = peer.WorkDayRule(start_time=time(8), end_time=time(16), working_days=[0, 1, 2, 3, 4], tz=bangkok)
    off = peer.HolidayRule(dict.fromkeys(holidays, "holiday"), tz=bangkok)
    duration = peer.BusinessTimeDelta(peer.Rules([hours, off]), hours=MINUTES // 60)
    return lambda start: (start + duration).astimezone(BANGKOK)


def pandas_due(holidays: Sequence[date]) -> Callable[[datetime], datetime]:
    pandas = import_module("pandas")
    hour = pandas.offsets.CustomBusinessHour(n=MINUTES // 60, start="08:00", end="16:00", holidays=list(holidays))
    return lambda start: (pandas.Timestamp(start.replace(tzinfo=None)) + hour).to_pydatetime().replace(tzinfo=BANGKOK)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
