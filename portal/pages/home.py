"""The first page: what the portal is for strangers, and what waits for those who are signed in."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response
from starlette.routing import NoMatchFound

from auth.rules import Permission
from portal.i18n import Lazy, lazy
from portal.pages import acknowledgements
from portal.pages.home_cards import CARDS
from portal.visit import Visit


@dataclass(frozen=True, slots=True)
class Task:
    """Something a role does next, as a link."""

    route: str
    icon: str
    label: Lazy
    why: Lazy
    permission: Permission


TASKS: Final = (
    Task(
        "request_new",
        "adjustments",
        lazy("Change service"),
        lazy("Ask for more or less bandwidth, storage or computing power."),
        Permission.REQUESTS_MAKE,
    ),
    Task(
        "requests",
        "clipboard-check",
        lazy("Confirm quotes"),
        lazy("Read the provider's answers and confirm or decline them."),
        Permission.REQUESTS_CONFIRM,
    ),
    Task(
        "requests",
        "clipboard-list",
        lazy("Check requests"),
        lazy("Check what agencies ask for: the request, the capacity, the cost."),
        Permission.REQUESTS_REVIEW,
    ),
    Task(
        "work",
        "tool",
        lazy("Work orders"),
        lazy("Carry out what agencies have confirmed, and report the progress."),
        Permission.WORK_DO,
    ),
    Task(
        "incident_new",
        "alert-triangle",
        lazy("Report incident"),
        lazy("Say what does not work, and follow it until it does."),
        Permission.INCIDENTS_REPORT,
    ),
    Task(
        "desk.call",
        "headset",
        lazy("Log a call"),
        lazy("Write down what a caller reports, by phone, LINE, e-mail or in person."),
        Permission.INCIDENTS_LOG,
    ),
    Task(
        "desk.section",
        "users",
        lazy("My section"),
        lazy("See who has how much to do, and assign incidents."),
        Permission.INCIDENTS_ASSIGN,
    ),
    Task(
        "desk",
        "list-check",
        lazy("Incident queues"),
        lazy("See what is due next, what is overdue, and what nobody has taken yet."),
        Permission.INCIDENTS_WORK,
    ),
    Task(
        "overview",
        "layout-dashboard",
        lazy("Overview of the desk"),
        lazy("See how much came in, and how much was kept of what is agreed."),
        Permission.DESK_OVERVIEW,
    ),
    Task(
        "offerings",
        "edit",
        lazy("Edit the catalogue"),
        lazy("Set prices, terms and quantities from a day on."),
        Permission.CATALOGUE_EDIT,
    ),
    Task(
        "capacity",
        "gauge",
        lazy("Capacity"),
        lazy("See what is free, what is set aside, and change what there is."),
        Permission.CAPACITY_EDIT,
    ),
    Task(
        "billing",
        "cash",
        lazy("Billing desk"),
        lazy("Look at drafts, issue invoices, record payments."),
        Permission.BILLS_ISSUE,
    ),
    Task(
        "providers",
        "certificate",
        lazy("Provider list"),
        lazy("Enter providers by kind of service, or take them off."),
        Permission.PROVIDERS_LIST,
    ),
    Task(
        "services",
        "server",
        lazy("Services in use"),
        lazy("See what is in use, since when, and at what monthly price."),
        Permission.SERVICES_READ,
    ),
    Task(
        "costs",
        "report-money",
        lazy("Costs"),
        lazy("See this month's estimate and past months."),
        Permission.COSTS_READ,
    ),
    Task(
        "users",
        "users",
        lazy("Users and rights"),
        lazy("Decide who may act for your organisation."),
        Permission.USERS_GRANT,
    ),
    Task("audit", "history", lazy("Audit log"), lazy("Read who did what, and when."), Permission.AUDIT_READ),
    Task("clock", "clock", lazy("Demo clock"), lazy("Move the demonstration's time forward."), Permission.CLOCK_MOVE),
)


async def show(visit: Visit) -> Response:
    """Show the landing page to strangers, the overview to members, and newcomers where to ask for access."""
    if visit.actor is None:
        return visit.render("home/landing.html")
    if visit.actor.seat is None:
        return visit.redirect("access")
    cards = [card for make in (*CARDS, acknowledgements.card) if (card := await make(visit)) is not None]
    tasks = [
        (task, path)
        for task in TASKS
        if visit.by.may(task.permission) and (path := _path(visit, task.route)) is not None
    ]
    return visit.render("home/overview.html", cards=cards, tasks=tasks)


def _path(visit: Visit, route: str) -> str | None:
    try:
        return visit.path(route)
    except NoMatchFound:
        return None
