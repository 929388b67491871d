"""Holidays taken over from a calendar file: shown what it would change and every event it cannot take, then done."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid
from billing.months import bangkok_date
from portal.i18n import Lazy, lazy, ngettext
from portal.i18n import gettext as _
from portal.pages.holidays import BUDDHIST, page, year_of, year_span
from portal.recomputing import recompute
from portal.refusals import in_words
from portal.visit import Visit
from services.calendar.commands import declare, withdraw
from services.calendar.exchange import LONGEST_NAME, MOST, Day, NoCalendar, Taken, Why, read
from services.calendar.models import Holiday
from services.calendar.queries import holidays_between, official
from services.calendar.rules import Calendar
from services.incidents.holidays import would_move
from services.requests.due_times import moved_by

_LARGEST: Final = 512 * 1024
_LAST_DAY: Final = dt.date(2156, 12, 31)
WHYS: Final[Mapping[Why, Lazy]] = {
    Why.NO_DAY: lazy("It names no day that can be read."),
    Why.TIME_OF_DAY: lazy("It is at a time of day, not a whole day."),
    Why.REPEATS: lazy("It repeats; each day must be an event of its own."),
    Why.TOO_LONG: lazy("It lasts longer than a month."),
    Why.NAME_TOO_LONG: lazy("Its name is longer than 200 signs."),
    Why.TWICE: lazy("Its day stands in the file already."),
}
# Raised below pages with these words.
REASONS: Final = (
    lazy("Choose a file."),
    lazy("This is no calendar file that can be read (.ics)."),
    lazy("This file is too large."),
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a file would change: days to declare, to withdraw, that stand already, and that it leaves out."""

    declared: list[Day]
    withdrawn: list[Holiday]  # the file says that they are cancelled
    absent: list[Holiday]  # they stand in a year of the file, from today on, and the file does not have them
    unchanged: list[tuple[Holiday, str]]  # each with the name the file gives it


async def preview(visit: Visit) -> Response:
    """Show what a file would declare, withdraw and leave as it is, and every event it cannot take; changes nothing."""
    try:
        taken = read(await _file(visit))
    except NoCalendar:
        wrong = {"file": _("This is no calendar file that can be read (.ics).")}
        return await page(visit, year_of(visit), {}, wrong, status=422)
    except Invalid as refused:
        return await page(visit, year_of(visit), {}, in_words(refused), status=422)
    plan = await _plan(taken, bangkok_date(visit.now))
    before = await official()
    after = Calendar(before.holidays.union(each.day for each in plan.declared) - {each.day for each in plan.withdrawn})
    days = [*(each.day for each in plan.declared), *(each.day for each in plan.withdrawn)]
    return visit.render(
        "holidays/import.html",
        plan=plan,
        bad=[(each, str(WHYS[each.why])) for each in taken.bad],
        moved=len(await moved_by(before, after)),
        incidents=len(await would_move(days, after, by=visit.by, now=visit.now)) if days else 0,
        names=json.dumps({each.day.isoformat(): each.name for each in plan.declared}, ensure_ascii=False),
        name=lambda holiday: holiday.name_en or holiday.name_th if visit.language == "en" else holiday.name_th,
        year=(taken.days or taken.cancelled)[0].day.year + BUDDHIST if taken.days or taken.cancelled else None,
    )


async def take_over(visit: Visit) -> Response:
    """Declare and withdraw the days ticked, all of them in one unit; what somebody else did meanwhile stays so."""
    standing = (await official()).holidays
    names = _names(visit.form.get("names"))
    declared = [day for day in _days(visit.form.all("declare")) if day not in standing]
    withdrawn = [day for day in _days(visit.form.all("withdraw")) if day in standing]
    for day in declared:
        name = names.get(day.isoformat()) or _("Official holiday")
        await declare(day, name, is_special=False, by=visit.by, now=visit.now)
    for day in withdrawn:
        await withdraw(day, by=visit.by, now=visit.now)
    moved = await recompute([*declared, *withdrawn], by=visit.by, now=visit.now)
    visit.flash(
        ngettext("%(num)s holiday was added.", "%(num)s holidays were added.", len(declared))
        + " "
        + ngettext("%(num)s was withdrawn.", "%(num)s were withdrawn.", len(withdrawn))
        + " "
        + ngettext("The due time of %(num)s incident moved.", "The due times of %(num)s incidents moved.", moved)
    )
    changed = sorted([*declared, *withdrawn])
    year = changed[0].year if changed else year_of(visit)
    return visit.redirect_to(f"{visit.path('holidays')}?year={year + BUDDHIST}")


async def _plan(taken: Taken, today: dt.date) -> Plan:
    known = [each for each in await holidays_between(dt.date.min, _LAST_DAY) if each.withdrawn_at is None]
    standing = {each.day: each for each in known}
    named = {each.day: each.name for each in taken.days}
    cancelled = {each.day for each in taken.cancelled}
    absent = [
        holiday
        for year in sorted({day.year for day in named})
        for holiday in known
        if year_span(year)[0] <= holiday.day <= year_span(year)[1] and holiday.day >= today
        if holiday.day not in named and holiday.day not in cancelled
    ]
    return Plan(
        declared=[each for each in taken.days if each.day not in standing],
        withdrawn=[standing[day] for day in sorted(cancelled) if day in standing],
        absent=absent,
        unchanged=[(standing[day], name) for day, name in named.items() if day in standing],
    )


async def _file(visit: Visit) -> bytes:
    files = visit.form.files("file")
    if len(files) != 1:
        raise Invalid({"file": "Choose a file."})
    content = await files[0].read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise Invalid({"file": "This file is too large."})
    return content


def _names(text: str) -> dict[str, str]:
    """Return the names by day as the form carried them; they come from the browser, so nothing is taken on trust."""
    try:
        found = json.loads(text or "{}")
    except ValueError:
        return {}
    pairs = found.items() if isinstance(found, dict) else ()
    return {day: name.strip()[:LONGEST_NAME] for day, name in pairs if isinstance(name, str)}


def _days(texts: list[str]) -> list[dt.date]:
    days = set()
    for text in texts[:MOST]:
        try:
            day = dt.date.fromisoformat(text)
        except ValueError:
            continue
        if 1900 <= day.year <= _LAST_DAY.year:
            days.add(day)
    return sorted(days)
