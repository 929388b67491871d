"""Which part of the portal a route belongs to, in the words of the menu; the audit trail knows routes by name only."""

from functools import lru_cache
from typing import Final

from starlette.applications import Starlette
from starlette.routing import Route

from portal.i18n import Lazy, lazy
from portal.menu import LINES

# By where their paths begin: what no line of the menu leads to.
_ELSEWHERE: Final[dict[str, Lazy]] = {
    "/sign-in": lazy("Sign in"),
    "/sign-out": lazy("Sign out"),
    "/signed-out": lazy("Sign out"),
    "/back-channel-logout": lazy("Sign out"),
    "/language": lazy("Language"),
    "/account": lazy("My account"),
    "/organisation": lazy("Switching the organisation"),
    "/access": lazy("Ask for access"),
    "/contact": lazy("Contact channels"),
    "/news": lazy("Notifications"),
    "/agencies": lazy("Agencies"),
    "/exports": lazy("Costs"),
    "/disputes": lazy("Disputes"),
    "/cost-centres": lazy("Cost centres"),
    "/budgets": lazy("Budgets"),
    "/usage": lazy("Usage"),
    "/components": lazy("Edit the catalogue"),
    "/dispatches": lazy("Automation"),
    "/desk": lazy("Queues"),
    "/desk/call": lazy("Log a call"),
    "/desk/section": lazy("My section"),
    "/outages": lazy("Known outages"),
    "/knowledge": lazy("Knowledge"),
    "/hooks": lazy("Mail and LINE channels"),
    "/api": lazy("Machines and tokens"),
    "/healthz": lazy("Whether the portal is well"),
    "/readyz": lazy("Whether the portal is well"),
}


def area_of(route: str, app: Starlette) -> Lazy | None:
    """Return what people call the part of the portal a route leads to; None for a route there is no more."""
    return _areas(app).get(route)


@lru_cache(maxsize=4)
def _areas(app: Starlette) -> dict[str, Lazy]:
    paths = {each.name: each.path for each in app.routes if isinstance(each, Route)}
    begins = dict(_ELSEWHERE)
    for _, lines in LINES:
        begins |= {paths[name]: label for label, name, _, _ in lines if name in paths}
    found = {}
    for name, path in paths.items():
        fitting = [each for each in begins if path == each or (path.startswith(f"{each.rstrip('/')}/") and each != "/")]
        if fitting:
            found[name] = begins[max(fitting, key=len)]
    return found
