"""The worked examples of docs/sla.md, computed anew from the page itself: it cannot say what is not so."""

import datetime as dt
import re
from pathlib import Path

import pytest

from services.calendar.rules import MINUTE, AroundTheClock, Calendar, WorkingTime
from services.sla.clock import clocks
from services.sla.facts import Why
from tests.services.sla.test_clock import OFFICE, S3, at

PAGE = Path(__file__).parents[3].joinpath("docs", "sla.md").read_text("utf-8")
_MONTHS = {"Dec": (2026, 12), "Jan": (2027, 1)}
_MOMENT = re.compile(r"(?:(?P<weekday>\w{3}) (?P<day>\d+) (?P<month>Dec|Jan) )?(?P<hour>\d\d):(?P<minute>\d\d)")


def table(heading: str, first_column: str) -> list[list[str]]:
    """Return the rows of the first table below a heading whose first column is called so."""
    below = PAGE.split(f"\n{heading}\n", 1)[1]
    rows = [line.strip("|").split("|") for line in below.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    start = next(place for place, row in enumerate(cells) if row[0] == first_column)
    following = re.split(r"\n\n", below.split("\n|", 1)[1], maxsplit=1)[0].count("\n") + 1
    return cells[start + 2 : start + following]


def moment(text: str, on: dt.datetime | None = None) -> dt.datetime:
    found = _MOMENT.fullmatch(text)
    assert found, text
    time = int(found["hour"]), int(found["minute"])
    if found["day"] is None:
        assert on is not None
        return on.replace(hour=time[0], minute=time[1])
    that = at(*_MONTHS[found["month"]], int(found["day"]), *time)
    assert f"{that:%a}" == found["weekday"], text
    return that


def minutes(text: str) -> list[int]:
    """Return what "960 + 300", "5 × 30" or "30 and 480" come to."""
    if "×" in text:
        many, each = text.split("×")
        return [int(many) * int(each)]
    if "+" in text:
        return [sum(int(part) for part in text.split("+"))]
    return [int(part) for part in text.split("and")]


EXAMPLES = table("### Examples", "")


def test_the_examples_are_found() -> None:
    assert len(EXAMPLES) == 12


@pytest.mark.parametrize("row", EXAMPLES, ids=lambda row: str(row[0]))
def test_a_due_time_of_the_page_is_so(row: list[str]) -> None:
    what, start, wanted, how, due = row
    calendar: WorkingTime = AroundTheClock() if "24×7" in what else OFFICE
    if "declared a holiday" in what:
        calendar = Calendar([*OFFICE.holidays, dt.date(2027, 1, 4)])
    begins = moment(start)
    ends = [moment(text, begins) for text in due.split(" and ")]
    assert [calendar.add_minutes(begins, each) for each in minutes(wanted)] == ends
    days = re.findall(r"(\w{3}) (\d+)", how)
    assert sum(int(ran) for _, ran in days) in {0, *minutes(wanted)}
    if days:
        assert [(weekday, int(ran)) for weekday, ran in days] == worked_by_day(calendar, begins, ends[-1])


def worked_by_day(calendar: WorkingTime, begins: dt.datetime, ends: dt.datetime) -> list[tuple[str, int]]:
    worked = []
    day = begins.replace(hour=0, minute=0)
    while day < ends:
        following = day + dt.timedelta(days=1)
        ran = calendar.minutes_between(max(begins, day), min(ends, following))
        worked += [(f"{day:%a}", ran)] if ran else []
        day = following
    return worked


def test_the_stretches_of_s3_are_so() -> None:
    [clock] = clocks(S3, OFFICE, at(2027, 1, 1)).resolution
    stretches = table("S3, row 3.2b, 960 minutes from the preliminary check:", "From")
    told = [(moment(row[0]), moment(row[1]), Why(row[2]), int(row[4])) for row in stretches]
    # The page joins what follows without a change of reason.
    joined: list[tuple[dt.datetime, dt.datetime, Why, int]] = []
    used = 0
    for segment in clock.segments:
        used += segment.worked // MINUTE
        if joined and joined[-1][2] is segment.why:
            joined[-1] = (joined[-1][0], segment.ends_at, segment.why, used)
        else:
            joined.append((segment.starts_at, segment.ends_at, segment.why, used))
    assert told == joined
    assert f"{clock.used_minutes} of {clock.target} are {clock.percent} %: met" in PAGE
