"""The main menu: what each line leads to and who sees it. A line whose page is not there is not shown."""

from functools import lru_cache
from typing import Final

from starlette.applications import Starlette
from starlette.routing import NoMatchFound

from auth.rules import Actor, Permission, Role
from portal.i18n import Lazy, lazy
from portal.rendering import MenuGroup, MenuItem

# (label, route, icon, who sees it), by group
_Line = tuple[Lazy, str, str, Permission | None]
LINES: Final[tuple[tuple[Lazy | None, tuple[_Line, ...]], ...]] = (
    (
        None,
        (
            (lazy("Home"), "home", "home", None),
            (lazy("Services in use"), "services", "server", Permission.SERVICES_READ),
            (lazy("Change service"), "request_new", "adjustments", Permission.REQUESTS_MAKE),
            (lazy("Requests"), "requests", "clipboard-list", Permission.REQUESTS_READ),
            (lazy("Work orders"), "work", "tool", Permission.WORK_READ),
            (lazy("Report incident"), "incident_new", "alert-triangle", Permission.INCIDENTS_REPORT),
            (lazy("Incidents"), "incidents", "headset", Permission.INCIDENTS_READ),
            (lazy("Inbox of mail and LINE"), "desk.inbox", "inbox", Permission.INCIDENTS_LOG),
            (lazy("Overview of the desk"), "overview", "layout-dashboard", Permission.DESK_OVERVIEW),
            (lazy("Sections of the desk"), "sections", "sitemap", Permission.SECTIONS_KEEP),
            (lazy("Staff register"), "staff", "certificate", Permission.STAFF_READ),
            (lazy("Service level agreement"), "sla", "contract", Permission.OWN_ACCOUNT),
            (lazy("Service catalogue"), "catalogue", "book", Permission.CATALOGUE_READ),
            (lazy("Edit the catalogue"), "offerings", "edit", Permission.CATALOGUE_EDIT),
            (lazy("Capacity"), "capacity", "gauge", Permission.CAPACITY_READ),
            (lazy("Costs"), "costs", "report-money", Permission.COSTS_READ),
            (lazy("Documents"), "documents", "file-invoice", Permission.COSTS_READ),
            (lazy("Billing desk"), "billing", "cash", Permission.BILLS_ISSUE),
            (lazy("Usage"), "usage.upload", "gauge", Permission.USAGE_ENTER),
        ),
    ),
    (
        lazy("Administration"),
        (
            (lazy("Agency profile"), "agency", "building", Permission.AGENCY_READ),
            (lazy("Standing in for an approver"), "delegations", "user-check", Permission.REQUESTS_CONFIRM),
            (lazy("Provider list"), "providers", "certificate", Permission.OWN_ACCOUNT),
            (lazy("Tax rates"), "taxes", "receipt-tax", Permission.TAXES_EDIT),
            (lazy("Official holidays"), "holidays", "calendar-event", Permission.OWN_ACCOUNT),
            (lazy("Users and rights"), "users", "users", Permission.USERS_GRANT),
            (lazy("Machines and tokens"), "tokens", "key", Permission.MACHINES_ADMIT),
            (lazy("Mail and LINE channels"), "channels", "plug", Permission.CHANNELS_READ),
            (lazy("Audit log"), "audit", "history", Permission.AUDIT_READ),
            (lazy("Demo clock"), "clock", "clock", Permission.CLOCK_MOVE),
        ),
    ),
)


def menu_for(actor: Actor, app: Starlette) -> tuple[MenuGroup, ...]:
    """Return the groups and lines an actor may follow; none for who belongs to no organisation yet."""
    return _menu(actor.roles, app) if actor.seat else ()


@lru_cache(maxsize=256)
def _menu(roles: frozenset[Role], app: Starlette) -> tuple[MenuGroup, ...]:
    actor = Actor("", roles=roles)
    groups = []
    for heading, lines in LINES:
        items = [
            MenuItem(label, path, icon)
            for label, route, icon, permission in lines
            if (permission is None or actor.may(permission)) and (path := _path(route, app))
        ]
        if items:
            groups.append(MenuGroup(items, heading))
    return tuple(groups)


def _path(route: str, app: Starlette) -> str | None:
    try:
        return str(app.url_path_for(route))
    except NoMatchFound:
        return None
