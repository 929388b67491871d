"""The desk's queues: mine, my section's, unassigned, due next, breached; filtered, searched, paged."""

import datetime as dt
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from starlette.responses import Response

from auth.rules import Permission
from billing.months import bangkok_date, midnight
from portal.i18n import Lazy, lazy
from portal.pages.incidents import wording
from portal.pages.incidents.listing import agency_names
from portal.visit import Visit
from services.channels.queries import waiting_count
from services.incidents.appointments import agenda
from services.incidents.queues import MOST_COUNTED, Queue, Wanted, counts, queue
from services.incidents.rules import Channel, State
from services.sections.queries import led_by, places_of, sections_of

SIZE: Final = 50
_MOST_LISTED: Final = 200
_AHEAD: Final = dt.timedelta(days=7)
NAMES: Final[Mapping[Queue, Lazy]] = {
    Queue.MINE: lazy("My work"),
    Queue.SECTION: lazy("My section's"),
    Queue.UNASSIGNED: lazy("Unassigned"),
    Queue.DUE_NEXT: lazy("Due next"),
    Queue.BREACHED: lazy("Overdue"),
    Queue.ALL: lazy("All, closed ones too"),
}


async def index(visit: Visit) -> Response:
    """Show one queue of the desk; whoever is not of a desk goes to the incidents within their reach."""
    if visit.by.provider_id is None:
        return visit.redirect("incidents")
    held = await _held(visit)
    which = _which(visit, held)
    query = visit.query
    state, channel = query.get("state"), query.get("channel")
    wanted = Wanted(
        text=query.get("q")[:100],
        state=State(state) if state in set(State) else None,
        section_id=_id(query.get("section")),
        channel=Channel(channel) if channel in set(Channel) else None,
        subscription_id=_id(query.get("service")),
    )
    after = query.get("after") or None
    page = await queue(which, wanted=wanted, after=after, size=SIZE, by=visit.by, now=visit.now)
    sections = await sections_of(visit.by.provider_id)
    today = midnight(bangkok_date(visit.now))
    is_technician = visit.by.may(Permission.INCIDENTS_WORK) and visit.by.person_id is not None
    return visit.render(
        "desk/queues.html",
        which=which,
        page=page,
        names=held,
        counts=await _counts(visit, held),
        agencies=await agency_names(page.lines, visit),
        sections={each.id: wording.name(each, visit.language) for each in sections},
        wanted=wanted,
        is_filtered=wanted != Wanted(),
        is_first=after is None,
        states=wording.STATES,
        statuses=wording.STATUSES,
        channels=wording.CHANNELS,
        leads=await led_by(visit.by, visit.now),
        to_sort=await waiting_count() if visit.by.may(Permission.INCIDENTS_LOG) else 0,
        agenda=await agenda(visit.by.person_id, today, today + _AHEAD) if is_technician and visit.by.person_id else [],
    )


async def counted(visit: Visit) -> Response:
    """Return the queues with how many each holds; the piece of the page that refreshes itself."""
    if visit.by.provider_id is None:
        return visit.redirect("incidents")
    held = await _held(visit)
    return visit.render("desk/_tabs.html", which=_which(visit, held), names=held, counts=await _counts(visit, held))


async def _held(visit: Visit) -> dict[Queue, Lazy]:
    """Return the visitor's queues; a section's only for who is in one."""
    in_a_section = bool(await places_of(visit.by.person_id, visit.now))
    return {which: words for which, words in NAMES.items() if which is not Queue.SECTION or in_a_section}


async def _counts(visit: Visit, held: Mapping[Queue, Lazy]) -> dict[Queue, str]:
    """Return how many each queue holds, in words; "200+" where nobody would read on."""
    found = await counts(by=visit.by, now=visit.now)
    return {
        which: f"{MOST_COUNTED}+" if many > MOST_COUNTED else f"{many:,}"
        for which, many in found.items()
        if which in held
    }


def _which(visit: Visit, held: Mapping[Queue, Lazy]) -> Queue:
    """Return the queue asked for; else the one that suits the role: a technician's own, a head's section."""
    asked = visit.query.get("queue")
    if asked in held:
        return Queue(asked)
    if visit.by.may(Permission.INCIDENTS_WORK):
        return Queue.MINE
    is_head = visit.by.may(Permission.INCIDENTS_ASSIGN) and Queue.SECTION in held
    return Queue.SECTION if is_head else Queue.DUE_NEXT


def _id(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
