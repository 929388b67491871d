"""The list of incidents: one's own, the whole agency's for whoever answers for it, every agency's for oversight."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from starlette.responses import Response

from auth.organisations.models import Organisation
from auth.rules import Permission
from portal.pages.incidents import wording
from portal.visit import Visit
from services.incidents.queues import Line, Page, Wanted, overseen, reported
from services.incidents.rules import State

SIZE = 25


async def index(visit: Visit) -> Response:
    """Show the incidents within reach, the latest first; the desk's people go to their queues."""
    if visit.by.provider_id:
        return visit.redirect("desk")
    text, state = visit.query.get("q")[:100], _state(visit.query.get("state"))
    service = _service(visit.query.get("service"))
    after = visit.query.get("after") or None
    only_open = visit.query.get("view") == "open"
    wanted = Wanted(text=text, state=state, subscription_id=service)
    page: Page = (
        await reported(wanted=wanted, only_open=only_open, after=after, size=SIZE, by=visit.by, now=visit.now)
        if visit.by.agency_id
        else await overseen(wanted=wanted, after=after, size=SIZE, by=visit.by, now=visit.now)
    )
    return visit.render(
        "incidents/list.html",
        page=page,
        agencies=await agency_names(page.lines, visit) if visit.by.oversees else {},
        text=text,
        state=state.value if state else "",
        only_open=only_open,
        is_filtered=bool(text or state or service),
        options=[(each.value, str(mark.label)) for each, mark in wording.STATES.items()],
        states=wording.STATES,
        statuses=wording.STATUSES,
        sees_all=visit.by.may(Permission.INCIDENTS_READ_AGENCY),
        is_agency=visit.by.agency_id is not None,
        is_first=after is None,
    )


async def agency_names(lines: Iterable[Line], visit: Visit) -> Mapping[UUID, str]:
    """Return the names of the agencies in a list."""
    found = await Organisation.filter(id__in={line.agency_id for line in lines})
    return {each.id: wording.name(each, visit.language) for each in found}


def _state(text: str) -> State | None:
    return State(text) if text in set(State) else None


def _service(text: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError:
        return None
