"""The demo clock's page: to see the story's time and move it forward. It exists in demonstrations only."""

import datetime as dt
import re
from collections.abc import Awaitable, Callable

from starlette.responses import Response

from auth.errors import Invalid
from portal import clock
from portal.clock import Reading
from portal.formats import BANGKOK, NotADate, date_time, parse_date
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit

_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")


async def show(visit: Visit) -> Response:
    """Show the demo clock and the ways to move it."""
    return _page(visit)


async def set_to(visit: Visit) -> Response:
    """Set the clock to a later day and time of Bangkok, standing still if asked."""
    return await _move(
        visit,
        lambda: clock.set_to(_moment(visit), held=visit.form.get("held") == "yes", by=visit.by, wall=visit.wall),
    )


async def advance(visit: Visit) -> Response:
    """Move the clock forward by a span such as 2d4h."""
    return await _move(visit, lambda: clock.advance(clock.span(visit.form.get("span")), by=visit.by, wall=visit.wall))


async def hold(visit: Visit) -> Response:
    """Let the clock stand still."""
    return await _move(visit, lambda: clock.hold(by=visit.by, wall=visit.wall))


async def release(visit: Visit) -> Response:
    """Let the clock run on."""
    return await _move(visit, lambda: clock.release(by=visit.by, wall=visit.wall))


async def _move(visit: Visit, move: Callable[[], Awaitable[Reading]]) -> Response:
    try:
        reading = await move()
    except Invalid as refused:
        return _page(visit, in_words(refused))
    visit.request.app.state.clock.forget()
    visit.flash(_("The demo clock now says %(time)s.", time=date_time(reading.at, visit.language)))
    return visit.redirect("clock")


def _moment(visit: Visit) -> dt.datetime:
    found = _TIME.fullmatch(visit.form.get("time"))
    if found is None:
        raise Invalid({"time": "Give a time such as 15:20."})
    try:
        day = parse_date(visit.form.get("day"))
    except NotADate:
        raise Invalid({"day": "Give a day such as 16/12/2569."}) from None
    return dt.datetime.combine(day, dt.time(int(found[1]), int(found[2])), BANGKOK)


def _page(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    return visit.render(
        "clock/show.html",
        status=422 if errors else 200,
        held=visit.demo_clock.held if visit.demo_clock else False,
        today=visit.now.astimezone(BANGKOK).date(),
        values=visit.form.values(),
        errors=errors or {},
    )
