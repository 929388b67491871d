"""The manager's overview (seed B 3(5)): figures of a period, the incidents behind each, and both as CSV."""

import csv
import datetime as dt
import io
from typing import Any, Final
from uuid import UUID

from starlette.responses import Response

from auth.errors import Invalid
from billing.months import bangkok_date, midnight
from portal.formats import NotADate, clock_time, date_numeric, parse_date
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.refusals import in_words
from portal.visit import Visit
from services.incidents.overview import By, Only, Outcome, Overview, Part, behind, overview
from services.incidents.rules import Channel, State

_MOST: Final = 1000
_FIRST_SIGNS: Final = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would take for a formula
OUTCOMES: Final[dict[Outcome, Lazy]] = {
    Outcome.MET: lazy("Within SLA"),
    Outcome.MET_AMBER: lazy("Within SLA, past the lower target"),
    Outcome.BREACHED: lazy("Overdue"),
    Outcome.WITHOUT_TARGET: lazy("No target"),
    Outcome.OPEN: lazy("Open, too early to say"),
}
BREAKDOWNS: Final[dict[By, Lazy]] = {
    By.SECTION: lazy("By section"),
    By.PROCESS: lazy("By kind of work"),
    By.AGENCY: lazy("By agency"),
}


async def show(visit: Visit) -> Response:
    """Show the figures of a period; the month so far unless the address names its days."""
    first, last, errors = _period(visit)
    seen = await overview(first, last, by=visit.by, now=visit.now)
    return visit.render(
        "desk_overview/show.html",
        seen=seen,
        errors=errors,
        first=bangkok_date(first),
        last=_last_day(last),
        outcomes=OUTCOMES,
        breakdowns=[(by, words, _parts(seen, by)) for by, words in BREAKDOWNS.items()],
        states=wording.STATES,
        channels={Channel(key): many for key, many in seen.by_channel.items()},
        channel_words=wording.CHANNELS,
        part_name=lambda part: _part_name(part, visit),
        query=_query(first, last),
    )


async def incidents(visit: Visit) -> Response:
    """Show the incidents behind one figure."""
    first, last, _errors = _period(visit)
    found = await _behind(visit, first, last)
    return visit.render(
        "desk_overview/behind.html",
        found=found,
        most=_MOST,
        outcomes={each.value: words for each, words in OUTCOMES.items()},
        outcome=visit.query.get("outcome"),
        states={each.value: mark for each, mark in wording.STATES.items()},
        first=bangkok_date(first),
        last=_last_day(last),
        query=_query(first, last),
        csv=f"{visit.path('overview.file')}?{visit.request.url.query}",
    )


async def export(visit: Visit) -> Response:
    """Return the incidents of a period, or behind one figure of it, as CSV that spreadsheets open in Thai."""
    first, last, _errors = _period(visit)
    text = io.StringIO()
    lines = csv.writer(text)
    heads = (_("Number"), _("Subject"), _("Kind of work"), _("State"), _("Outcome"))
    times = (_("Time of contact"), _("Due"), _("Resolved"), _("Minutes used"))
    lines.writerow((*heads, *times))
    for row in await _behind(visit, first, last):
        words = (row["number"], row["title"], row["row_code"], str(wording.STATES[State(row["state"])].label))
        moments = (_moment(row[name], visit) for name in ("contacted_at", "due_at", "resolved_at"))
        used = "" if row["used_minutes"] is None else row["used_minutes"]
        lines.writerow([*map(_plain, words), str(OUTCOMES[Outcome(row["outcome"])]), *moments, used])
    name = f"incidents-{bangkok_date(first).isoformat()}-{_last_day(last).isoformat()}.csv"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    # The byte order mark tells spreadsheets that this is UTF-8.
    return Response("\ufeff" + text.getvalue(), media_type="text/csv; charset=utf-8", headers=headers)


async def _behind(visit: Visit, first: dt.datetime, last: dt.datetime) -> list[dict[str, Any]]:
    outcome, by, key = visit.query.get("outcome"), visit.query.get("by"), visit.query.get("key")
    only, channel, was_in = visit.query.get("only"), visit.query.get("channel"), visit.query.get("state")
    return await behind(
        first,
        last,
        outcome=Outcome(outcome) if outcome in set(Outcome) else None,
        part=(By(by), key[:64]) if by in set(By) else None,
        only=Only(only) if only in set(Only) else None,
        channel=Channel(channel) if channel in set(Channel) else None,
        was_in=State(was_in) if was_in in set(State) else None,
        limit=_MOST,
        by=visit.by,
        now=visit.now,
    )


def _period(visit: Visit) -> tuple[dt.datetime, dt.datetime, dict[str, str]]:
    """Return from when until before when, with what could not be read; the month so far when nothing is asked."""
    today = bangkok_date(visit.now)
    days, wrong = {"first": today.replace(day=1), "last": today}, {}
    for name in days:
        if visit.query.get(name):
            try:
                days[name] = parse_date(visit.query.get(name))
            except NotADate:
                wrong[name] = "Give a day such as 16/12/2569."
    if days["last"] < days["first"]:
        wrong["last"] = "The last day is before the first."
        days["last"] = days["first"]
    first, last = midnight(days["first"]), midnight(days["last"] + dt.timedelta(days=1))
    return first, last, in_words(Invalid(wrong)) if wrong else {}


def _query(first: dt.datetime, last: dt.datetime) -> str:
    return f"first={bangkok_date(first).isoformat()}&last={_last_day(last).isoformat()}"


def _last_day(until: dt.datetime) -> dt.date:
    """Return the last day of a period that ends before a midnight."""
    return bangkok_date(until - dt.timedelta(microseconds=1))


def _parts(seen: Overview, by: By) -> list[Part]:
    parts = {By.SECTION: seen.by_section, By.PROCESS: seen.by_process, By.AGENCY: seen.by_agency}[by]
    return sorted(parts, key=lambda part: (-part.tally.total, part.key))


def _part_name(part: Part, visit: Visit) -> str:
    found = part.name_en if visit.language == "en" and part.name_en else part.name_th
    is_code = found and not _is_id(part.key)
    return f"{part.key} {found}" if is_code else found or _("Not classified yet")


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _moment(at: dt.datetime | None, visit: Visit) -> str:
    return "" if at is None else f"{date_numeric(at, visit.language)} {clock_time(at, 'en')}"


def _plain(text: str) -> str:
    """Keep a spreadsheet from taking what people wrote for a formula."""
    return f"'{text}" if text.startswith(_FIRST_SIGNS) else text


REASONS: Final = (lazy("The last day is before the first."), lazy("Tick at least one incident."))
