"""What waits for whom: requests, incidents, and what finance has to look at, each with the way there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from auth.rules import Permission
from billing.disputes.queries import open_disputes
from billing.months import Month
from billing.statements.closing import waiting_for_review
from portal.i18n import Lazy, lazy
from portal.visit import Visit
from services.channels.queries import waiting_count
from services.incidents import queues
from services.incidents.queues import MOST_COUNTED, Queue
from services.incidents.rules import State as IncidentState
from services.requests.listing import counts
from services.requests.rules import State

_P = Permission


@dataclass(frozen=True, slots=True)
class Duty:
    """Requests in a state that wait for whoever holds a permission."""

    state: State
    permission: Permission
    label: Lazy
    icon: str
    route: str = "requests"


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many wait in one way, and where they are; `has_more` where nobody counted on."""

    count: int
    label: Lazy
    icon: str
    path: str
    has_more: bool = False


DUTIES: Final = (
    Duty(State.AWAITING_CONFIRMATION, _P.REQUESTS_CONFIRM, lazy("Quotes to confirm or decline"), "user-check"),
    Duty(State.RETURNED, _P.REQUESTS_MAKE, lazy("Requests returned for correction"), "arrow-back-up"),
    Duty(State.DRAFT, _P.REQUESTS_MAKE, lazy("Drafts not submitted yet"), "edit"),
    Duty(State.SUBMITTED, _P.REQUESTS_REVIEW, lazy("Requests to take under review"), "inbox"),
    Duty(State.UNDER_REVIEW, _P.REQUESTS_REVIEW, lazy("Requests to check and quote"), "zoom-question"),
    Duty(State.CONFIRMED, _P.WORK_DO, lazy("Work orders to start"), "player-play", "work"),
    Duty(State.IN_PROGRESS, _P.WORK_DO, lazy("Work orders in progress"), "progress-check", "work"),
)
_QUEUES: Final[Mapping[Queue, tuple[frozenset[Permission], Lazy, str]]] = {
    Queue.BREACHED: (
        frozenset({_P.INCIDENTS_ASSIGN, _P.INCIDENTS_LOG, _P.DESK_OVERVIEW, _P.INCIDENTS_WORK}),
        lazy("Incidents past their due time"),
        "clock-x",
    ),
    Queue.MINE: (frozenset({_P.INCIDENTS_WORK}), lazy("Incidents assigned to you"), "headset"),
    Queue.UNASSIGNED: (
        frozenset({_P.INCIDENTS_ASSIGN, _P.INCIDENTS_LOG}),
        lazy("Incidents that nobody is assigned to"),
        "user-check",
    ),
}
_FROM_REQUESTERS: Final[Mapping[IncidentState, tuple[Lazy, str]]] = {
    IncidentState.WAITING: (lazy("Incidents that wait for your answer"), "clock-pause"),
    IncidentState.RESOLVED: (lazy("Repairs to confirm"), "checkbox"),
}


async def what_waits(visit: Visit) -> list[Waiting] | None:
    """Return what waits for a person, what is most pressing first; None for those for whom nothing ever waits."""
    kinds = [await kind(visit) for kind in (_requests, _incidents, _at_the_desk, _in_finance)]
    known = [found for found in kinds if found is not None]
    return [each for found in known for each in found if each.count] if known else None


async def _requests(visit: Visit) -> list[Waiting] | None:
    duties = [duty for duty in DUTIES if visit.by.may(duty.permission)]
    if not duties:
        return None
    many = await counts()
    return [Waiting(many.get(each.state, 0), each.label, each.icon, _way(visit, each)) for each in duties]


async def _incidents(visit: Visit) -> list[Waiting] | None:
    if visit.by.agency_id is None or not visit.by.may(_P.INCIDENTS_REPORT):
        return None
    many, path = await queues.awaited_from(by=visit.by), visit.path("incidents")
    return [
        Waiting(many.get(state, 0), label, icon, f"{path}?state={state.value}")
        for state, (label, icon) in _FROM_REQUESTERS.items()
    ]


async def _at_the_desk(visit: Visit) -> list[Waiting] | None:
    if visit.by.provider_id is None or not visit.by.may(_P.INCIDENTS_READ):
        return None
    many, path = await queues.counts(by=visit.by, now=visit.now), visit.path("desk")
    found = [
        Waiting(
            min(many[which], MOST_COUNTED),
            label,
            icon,
            f"{path}?queue={which.value}",
            has_more=many[which] > MOST_COUNTED,
        )
        for which, (permissions, label, icon) in _QUEUES.items()
        if any(visit.by.may(one) for one in permissions)
    ]
    if visit.by.may(_P.INCIDENTS_LOG):
        to_sort = await waiting_count()
        found.append(Waiting(to_sort, lazy("Mail and LINE messages to sort"), "inbox", visit.path("desk.inbox")))
    return found


async def _in_finance(visit: Visit) -> list[Waiting] | None:
    if visit.by.provider_id is None or not visit.by.may(_P.BILLS_ISSUE):
        return None
    drafts = (await waiting_for_review(Month.of(visit.now).previous)).get(visit.by.provider_id, {})
    oldest = f"{visit.path('billing')}?month={min(drafts)}" if drafts else ""
    return [
        Waiting(sum(drafts.values()), lazy("Drafts of invoices to review"), "eye", oldest),
        Waiting(await open_disputes(), lazy("Disputed lines to answer"), "alert-triangle", visit.path("disputes")),
    ]


def _way(visit: Visit, duty: Duty) -> str:
    path = visit.path(duty.route)
    return path if duty.route == "work" else f"{path}?state={duty.state.value}"
