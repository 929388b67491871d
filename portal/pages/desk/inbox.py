"""What arrived by mail and LINE and belongs to nobody yet, for the help-desk to sort."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Conflict, Invalid, NotFound
from portal.files import to_be_saved
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.desk.calls import agencies_by_name
from portal.pages.incidents import wording
from portal.refusals import in_words
from portal.visit import Visit
from services.callers.queries import caller_by, find_callers
from services.channels import queries, sorting
from services.channels.models import Arrival
from services.channels.rules import ArrivalState, Why, numbers_in
from services.incidents.models import Incident
from services.incidents.queries import by_number
from services.incidents.rules import Channel

SIZE = 25
VIEWS: Final[dict[ArrivalState, Lazy]] = {
    ArrivalState.WAITING: lazy("To be sorted"),
    ArrivalState.AUTOMATIC: lazy("Written by machines"),
    ArrivalState.DISMISSED: lazy("Dismissed"),
}
WHYS: Final[dict[Why, Lazy]] = {
    Why.UNKNOWN: lazy("The sender is not known"),
    Why.SEVERAL: lazy("The sender belongs to several agencies"),
    Why.MAY_NOT: lazy("The sender does not report incidents to this provider"),
    Why.UNVOUCHED: lazy("The mail server does not vouch for the sender"),
    Why.TOO_MANY: lazy("The sender opened many incidents within the hour"),
    Why.UNREADABLE: lazy("It cannot be read as it should be"),
}
REASONS: Final = (lazy("There is no incident of this number."),)


async def inbox(visit: Visit) -> Response:
    """Show what waits to be sorted, or with `view` what machines wrote or was dismissed."""
    named = visit.query.get("view")
    view = ArrivalState(named) if named in {each.value for each in VIEWS} else ArrivalState.WAITING
    asked = visit.query.get("page")
    page = int(asked) if asked.isascii() and asked.isdecimal() and 0 < len(asked) < 7 and int(asked) else 1
    found, total = await queries.arrivals(view, page=page, size=SIZE)
    return visit.render(
        "desk/inbox.html",
        lines=found,
        total=total,
        page=page,
        pages=max(1, -(-total // SIZE)),
        view=view,
        views=VIEWS,
        whys=WHYS,
        channels=wording.CHANNELS,
    )


async def arrived(visit: Visit) -> Response:
    """Show one thing that arrived, with what can be done about it; NotFound for another provider's."""
    return await _page(visit)


async def file(visit: Visit) -> Response:
    """Send a file of something that arrived to be saved."""
    return to_be_saved(await queries.arrival_file(visit.params["id"], visit.params["file"]))


async def sort(visit: Visit) -> Response:
    """Open an incident, add to one, dismiss or take back; NotFound for anything else that is asked."""
    try:
        async with in_transaction():
            done = await _done(visit)
    except Invalid as refused:
        return await _page(visit, errors=in_words(refused), status=422)
    except Conflict:
        return await _page(visit, errors={"": _("Somebody else has sorted this meanwhile.")}, status=409)
    if isinstance(done, Incident):
        visit.flash(_("It is on %(number)s now.", number=done.number))
        return visit.redirect("incident", id=done.id)
    if done.state is ArrivalState.DISMISSED:
        visit.flash(_("Dismissed. It stays under “Dismissed” and can be taken back."))
    return visit.redirect("desk.inbox")


async def _done(visit: Visit) -> Incident | Arrival:
    id_, form, by, now = visit.params["id"], visit.form, visit.by, visit.now
    match visit.params["deed"]:
        case "incident":
            if not form.get("agency"):
                raise Invalid({"agency": "Say for which agency."})
            agency, name, title = form.uuid("agency"), form.get("name")[:200], form.get("title")
            return await sorting.open_incident(id_, agency_id=agency, name=name, title=title, by=by, now=now)
        case "message":
            return await sorting.add_to(id_, form.get("number")[:64], by=by, now=now)
        case "dismissal":
            return await sorting.dismiss(id_, by=by, now=now)
        case "return":
            return await sorting.take_back(id_, by=by, now=now)
    raise NotFound("deed")


async def _page(visit: Visit, *, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    found, files = await queries.arrival(visit.params["id"])
    is_line = found.channel is Channel.LINE
    known = await caller_by(
        found.provider_id,
        email="" if is_line else found.sender,
        line_user_id=found.sender if is_line else "",
    )
    callers = [known] if known else await find_callers(found.sender_name, limit=5) if found.sender_name else []
    named = [await by_number(number, by=visit.by) for number in numbers_in(f"{found.title} {found.text[:20_000]}")[:5]]
    values = {"name": known.name if known else found.sender_name, "title": found.title}
    if known:
        values["agency"] = str(known.agency_id)
    return visit.render(
        "desk/arrived.html",
        status=status,
        arrival=found,
        files=[
            wording.FileLine(each.id, each.name, each.size, visit.path("desk.inbox.file", id=found.id, file=each.id))
            for each in files
        ],
        agencies=await agencies_by_name(visit),
        callers=callers,
        named=[each for each in named if each],
        values=values | visit.form.values(),
        errors=errors or {},
        channel=wording.CHANNELS[found.channel],
        states=wording.STATES,
        why=WHYS[found.why] if found.why else "",
        view=VIEWS.get(found.state, ""),
    )
