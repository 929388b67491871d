"""The official holidays, as everybody reads them and the provider's manager keeps them (service level agreement 4)."""

import datetime as dt
from typing import Final

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Conflict, Invalid, NotFound
from auth.rules import Permission
from billing.months import bangkok_date
from portal.formats import NotADate, date_short, parse_date
from portal.i18n import gettext as _
from portal.i18n import language, lazy, ngettext
from portal.refusals import in_words
from portal.visit import Visit
from services.calendar.commands import declare, withdraw
from services.calendar.exchange import NoCalendar, read, written
from services.calendar.models import Holiday
from services.calendar.queries import holidays_between, official, years_known
from services.calendar.rules import Calendar
from services.requests.due_times import Moved, moved_by

_LONGEST_NAME: Final = 200
_LARGEST_FILE: Final = 512 * 1024
_BE: Final = 543
# Raised below pages with these words.
REASONS: Final = (
    lazy("Give the day a name in Thai."),
    lazy("This day is a holiday already."),
    lazy("Choose a file."),
    lazy("This is no calendar file that can be read (.ics)."),
    lazy("This file is too large."),
)


async def show(visit: Visit) -> Response:
    """Show a year's holidays, the withdrawn ones too; a year without any shows none."""
    return await _page(visit, _year(visit), {}, {})


async def announce(visit: Visit) -> Response:
    """Declare a holiday: first shown with how many due times it moves, then done when that was confirmed."""
    values = visit.form.values()
    try:
        day, name_th, name_en = await _given(visit)
        if visit.form.get("confirmed") != "yes":
            return await _question(visit, day, (name_th, name_en), withdrawing=False)
        await declare(day, name_th, name_en, is_special=visit.form.get("special") == "yes", by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, _year(visit), values, in_words(refused), status=422)
    except Conflict:
        return await _page(visit, _year(visit), values, {"day": _("This day is a holiday already.")}, status=409)
    visit.flash(_("%(day)s is a holiday now; what is still open was computed anew.", day=_named(day)))
    return visit.redirect_to(f"{visit.path('holidays')}?year={day.year + _BE}")


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
    visit.flash(_("%(day)s is a working day again; what is still open was computed anew.", day=_named(day)))
    return visit.redirect_to(f"{visit.path('holidays')}?year={day.year + _BE}")


async def download(visit: Visit) -> Response:
    """Return the holidays that stand, of one year or of all, as an iCalendar file."""
    chosen = visit.query.get("year")
    first, last = (dt.date.min, dt.date.max) if not chosen else _span(_year(visit))
    days = [
        (holiday.day, _name(holiday, visit.language), holiday.changed_at)
        for holiday in await holidays_between(first, last)
        if holiday.withdrawn_at is None
    ]
    name = f"holidays-{chosen}.ics" if chosen.isascii() and chosen.isdigit() else "holidays.ics"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    file = written(days, _("Official holidays"))
    return Response(file, media_type="text/calendar; charset=utf-8", headers=headers)


async def upload(visit: Visit) -> Response:
    """Declare every day of an iCalendar file that is no holiday yet; what is one already stays as it is."""
    try:
        days = read(await _file(visit))
    except NoCalendar:
        wrong = {"file": _("This is no calendar file that can be read (.ics).")}
        return await _page(visit, _year(visit), {}, wrong, status=422)
    except Invalid as refused:
        return await _page(visit, _year(visit), {}, in_words(refused), status=422)
    before = await official()
    added = [day for day in days if day.day not in before.holidays]
    async with in_transaction():
        for each in added:
            name = each.name or _("Official holiday")
            await declare(each.day, name, is_special=False, by=visit.by, now=visit.now)
    moved = await moved_by(before, await official())
    visit.flash(
        ngettext("%(num)s holiday was added.", "%(num)s holidays were added.", len(added))
        + " "
        + ngettext("%(num)s was there already.", "%(num)s were there already.", len(days) - len(added))
        + " "
        + ngettext("The due time of %(num)s request moves.", "The due times of %(num)s requests move.", len(moved))
    )
    return visit.redirect_to(f"{visit.path('holidays')}?year={days[0].day.year + _BE}")


async def _question(visit: Visit, day: dt.date, names: tuple[str, str], *, withdrawing: bool) -> Response:
    before = await official()
    others = before.holidays - {day} if withdrawing else before.holidays | {day}
    moved: list[Moved] = await moved_by(before, Calendar(others))
    return visit.render(
        "holidays/confirm.html",
        day=day,
        names=names,
        special=visit.form.get("special"),
        withdrawing=withdrawing,
        moved=moved,
        on_weekend=day.weekday() >= 5,
    )


async def _page(visit: Visit, year: int, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    this = bangkok_date(visit.now).year
    years = sorted({*await years_known(), this, this + 1, year})
    holidays = await holidays_between(*_span(year))
    return visit.render(
        "holidays/show.html",
        status=status,
        year=year,
        years=[(each + _BE, each + _BE if visit.language == "th" else f"{each} ({each + _BE})") for each in years],
        shown_year=year + _BE,
        holidays=holidays,
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


async def _file(visit: Visit) -> bytes:
    files = visit.form.files("file")
    if len(files) != 1:
        raise Invalid({"file": "Choose a file."})
    content = await files[0].read(_LARGEST_FILE + 1)
    if len(content) > _LARGEST_FILE:
        raise Invalid({"file": "This file is too large."})
    return content


async def _stands(day: dt.date) -> Holiday | None:
    return next((each for each in await holidays_between(day, day) if each.withdrawn_at is None), None)


def _day(visit: Visit) -> dt.date:
    try:
        return dt.date.fromisoformat(visit.params["day"])
    except ValueError:
        raise NotFound("Holiday") from None


def _year(visit: Visit) -> int:
    """Return the year of the address, there in the Buddhist Era; this year when it names none that can be."""
    text = visit.query.get("year") or visit.form.get("year")
    year = int(text) - _BE if text.isascii() and text.isdigit() and len(text) == 4 else 0
    return year if 1900 <= year <= 2156 else bangkok_date(visit.now).year


def _span(year: int) -> tuple[dt.date, dt.date]:
    return dt.date(year, 1, 1), dt.date(year, 12, 31)


def _name(holiday: Holiday, chosen: str) -> str:
    return holiday.name_en or holiday.name_th if chosen == "en" else holiday.name_th


def _named(day: dt.date) -> str:
    return date_short(day, language())
