"""The list of requests: the agency's own, or the provider's queue by what is due next."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.responses import Response

from auth.rules import Permission
from portal.i18n import Lazy, lazy
from portal.pages.requests import wording
from portal.visit import Visit
from services.calendar.queries import official
from services.requests.listing import Page, counts, listed
from services.requests.rules import AGENCY_MOVES, ENDED, PROVIDER_MOVES, State

_REVIEWING = frozenset({State.SUBMITTED, State.UNDER_REVIEW})


@dataclass(frozen=True, slots=True)
class View:
    """A tab over the list: which states it shows."""

    label: Lazy
    states: frozenset[State]


_AGENCY_VIEWS: Mapping[str, View] = {
    "all": View(lazy("All"), frozenset(State)),
    "ours": View(lazy("Waiting for us"), AGENCY_MOVES),
    "theirs": View(lazy("Waiting for the provider"), PROVIDER_MOVES),
    "ended": View(lazy("Ended"), ENDED),
}
_STAFF_VIEWS: Mapping[str, View] = {
    "review": View(lazy("To review"), _REVIEWING),
    "agency": View(lazy("Waiting for the agency"), AGENCY_MOVES - {State.DRAFT}),
    "work": View(lazy("In work"), PROVIDER_MOVES - _REVIEWING),
    "ended": View(lazy("Ended"), ENDED),
    "all": View(lazy("All"), frozenset(State) - {State.DRAFT}),
}


async def listed_page(visit: Visit) -> Response:
    """Show the requests within reach: staff by what is due next, approvers what awaits them first."""
    calendar = await official()
    views = _AGENCY_VIEWS if visit.by.agency_id else _STAFF_VIEWS
    text, chosen = visit.query.get("q")[:100], visit.query.get("view")
    state = _state(visit.query.get("state"))
    if chosen not in views:
        chosen = "all" if state or text or not visit.by.may(Permission.REQUESTS_REVIEW) else "review"
    states = frozenset({state}) if state else views[chosen].states
    many = await counts()
    first = {State.AWAITING_CONFIRMATION} if visit.by.may(Permission.REQUESTS_CONFIRM) else set()
    number = max(1, _whole_number(visit.query.get("page")))
    by_due = chosen == "review" and not state
    page: Page = await listed(calendar, states, text=text, first=first, by_due=by_due, page=number)
    return visit.render(
        "requests/list.html",
        page=page,
        number=min(number, page.pages),
        left={row.request.id: wording.left(row.due_at, visit.now, calendar) for row in page.rows},
        tabs=[
            (f"{view.label} ({sum(many.get(one, 0) for one in view.states)})", f"?view={key}", key == chosen)
            for key, view in views.items()
        ],
        options=[
            (one.value, f"{wording.STATES[one].label} ({many.get(one, 0)})")
            for one in State
            if one in views["all"].states and many.get(one)
        ],
        text=text,
        state=state.value if state else "",
        chosen=chosen,
        is_filtered=bool(text or state),
        has_any=bool(many),
        states=wording.STATES,
        ended=ENDED,
        kinds=wording.KINDS,
        for_agency=visit.by.agency_id is not None,
        name=lambda thing: wording.name(thing, visit.language),
    )


def _state(text: str) -> State | None:
    return State(text) if text in set(State) else None


def _whole_number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 1
