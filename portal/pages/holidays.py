"""The official holidays, as everybody reads them and the provider's manager keeps them (service level agreement 4)."""

import datetime as dt
from typing import Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid, NotFound
from auth.rules import Permission
from billing.months import bangkok_date
from portal.formats import NotADate, date_short, parse_date
from portal.i18n import gettext as _
from portal.i18n import language, lazy
from portal.recomputing import recompute
from portal.refusals import in_words
from portal.visit import Visit
from portal.words import who
from services.calendar.commands import declare, withdraw
from services.calendar.exchange import written
from services.calendar.models import Holiday
from services.calendar.queries import holidays_between, official, years_known
from services.calendar.rules import Calendar
from services.incidents.holidays import would_move
from services.requests.due_times import Moved, moved_by

_LONGEST_NAME: Final = 200
BUDDHIST: Final = 543  # years before the Common Era in which the Buddhist one began
# Raised below pages with these words.
REASONS: Final = (
    lazy("Give the day a name in Thai."),
    lazy("This day is a holiday already."),
)


async def show(visit: Visit) -> Response:
    """Show a year's holidays, the withdrawn ones too; a year without any shows none."""
    return await page(visit, year_of(visit), {}, {})


async def announce(visit: Visit) -> Response:
    """Declare a holiday: first shown with how many due times it moves, then done when that was confirmed."""
    values = visit.form.values()
    try:
        day, name_th, name_en = await _given(visit)
        if visit.form.get("confirmed") != "yes":
            return await _question(visit, day, (name_th, name_en), withdrawing=False)
        await declare(day, name_th, name_en, is_special=visit.form.get("special") == "yes", by=visit.by, now=visit.now)
        await recompute([day], by=visit.by, now=visit.now)
    except Invalid as refused:
        return await page(visit, year_of(visit), values, in_words(refused), status=422)
    except Conflict:
        return await page(visit, year_of(visit), values, {"day": _("This day is a holiday already.")}, status=409)
    visit.flash(_("%(day)s is a holiday now; what is still open was computed anew.", day=_named(day)))
    return visit.redirect_to(f"{visit.path('holidays')}?year={day.year + BUDDHIST}")


async def ask_withdrawal(visit: Visit) -> Response:
    """Ask before a holiday is withdrawn, with how many due times that moves; NotFound for a day that is none."""
    day = _day(visit)
    holiday = await _stands(day)
    if holiday is None:
        raise NotFound("Holiday")
    return await _question(visit, day, (holiday.name_th, holiday.name_en), withdrawing=True)


async def take_back(visit: Visit) -> Response:
    """Withdraw a holiday; it stays on the list, struck out."""
    day = _day(visit)
    await withdraw(day, by=visit.by, now=visit.now)
    await recompute([day], by=visit.by, now=visit.now)
    visit.flash(_("%(day)s is a working day again; what is still open was computed anew.", day=_named(day)))
    return visit.redirect_to(f"{visit.path('holidays')}?year={day.year + BUDDHIST}")


async def download(visit: Visit) -> Response:
    """Return the holidays that stand, of one year or of all, as an iCalendar file."""
    chosen = visit.query.get("year")
    first, last = (dt.date.min, dt.date.max) if not chosen else year_span(year_of(visit))
    days = [
        (holiday.day, _name(holiday, visit.language), holiday.changed_at)
        for holiday in await holidays_between(first, last)
        if holiday.withdrawn_at is None
    ]
    name = f"holidays-{chosen}.ics" if chosen.isascii() and chosen.isdigit() else "holidays.ics"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    file = written(days, _("Official holidays"))
    return Response(file, media_type="text/calendar; charset=utf-8", headers=headers)


async def _question(visit: Visit, day: dt.date, names: tuple[str, str], *, withdrawing: bool) -> Response:
    before = await official()
    others = Calendar(before.holidays - {day} if withdrawing else before.holidays | {day})
    moved: list[Moved] = await moved_by(before, others)
    return visit.render(
        "holidays/confirm.html",
        day=day,
        names=names,
        special=visit.form.get("special"),
        withdrawing=withdrawing,
        moved=moved,
        incidents=await would_move([day], others, by=visit.by, now=visit.now),
        on_weekend=day.weekday() >= 5,
    )


async def page(visit: Visit, year: int, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    """Draw a year's holidays, with what was typed and refused where something was."""
    this = bangkok_date(visit.now).year
    years = sorted({*await years_known(), this, this + 1, year})
    holidays = await holidays_between(*year_span(year))
    return visit.render(
        "holidays/show.html",
        status=status,
        year=year,
        years=[
            (each + BUDDHIST, each + BUDDHIST if visit.language == "th" else f"{each} ({each + BUDDHIST})")
            for each in years
        ],
        shown_year=year + BUDDHIST,
        holidays=holidays,
        who=who,
        name=lambda holiday: _name(holiday, visit.language),
        standing=len([each for each in holidays if each.withdrawn_at is None]),
        today=bangkok_date(visit.now),
        may_edit=visit.by.may(Permission.HOLIDAYS_EDIT),
        values=values,
        errors=errors,
    )


async def _given(visit: Visit) -> tuple[dt.date, str, str]:
    form, faults = visit.form, {}
    day = dt.date.min
    try:
        day = parse_date(form.get("day"))
        if await _stands(day):
            faults["day"] = "This day is a holiday already."
    except NotADate:
        faults["day"] = "Give a day such as 16/12/2569."
    if not form.get("name_th"):
        faults["name_th"] = "Give the day a name in Thai."
    faults |= {name: "This text is too long." for name in ("name_th", "name_en") if len(form.get(name)) > _LONGEST_NAME}
    if faults:
        raise Invalid(faults)
    return day, form.get("name_th"), form.get("name_en")


async def _stands(day: dt.date) -> Holiday | None:
    return next((each for each in await holidays_between(day, day) if each.withdrawn_at is None), None)


def _day(visit: Visit) -> dt.date:
    try:
        return dt.date.fromisoformat(visit.params["day"])
    except ValueError:
        raise NotFound("Holiday") from None


def year_of(visit: Visit) -> int:
    """Return the year of the address, there in the Buddhist Era; this year when it names none that can be."""
    text = visit.query.get("year") or visit.form.get("year")
    year = int(text) - BUDDHIST if text.isascii() and text.isdigit() and len(text) == 4 else 0
    return year if 1900 <= year <= 2156 else bangkok_date(visit.now).year


def _in_words(year: int, chosen: str) -> str:
    return str(year + BUDDHIST) if chosen == "th" else f"{year} ({year + BUDDHIST})"


def year_span(year: int) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a year."""
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _name(holiday: Holiday, chosen: str) -> str:
    return holiday.name_en or holiday.name_th if chosen == "en" else holiday.name_th


def _named(day: dt.date) -> str:
    return date_short(day, language())
