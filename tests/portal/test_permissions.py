"""Every route against everybody: who is let in, who is refused, who is led to sign in."""

import uuid
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from auth.rules import Permission
from portal.edge import MACHINE, PUBLIC, SIGNED_IN, Door, Page
from tests import cast
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]

_A = {"official-a", "approver-a", "finance-a", "agency-admin-a"}
_DESK = {"reviewer", "helpdesk", "head-network", "technician", "provider-finance", "manager"}
_OVERSIGHT = {"central", "auditor"}
_REPORTERS = {"official-a", "approver-a", "agency-admin-a"}
EVERYBODY = _A | _DESK | _OVERSIGHT | {"admin"}

# Written apart from the table in auth/rules.py, so that a slip there is noticed here.
MAY: dict[Permission, set[str]] = {
    Permission.OWN_ACCOUNT: EVERYBODY,
    Permission.AGENCY_READ: _A | _DESK | _OVERSIGHT,
    Permission.AGENCY_EDIT: {"official-a", "agency-admin-a"},
    Permission.CATALOGUE_READ: EVERYBODY - {"admin"},
    Permission.CATALOGUE_EDIT: {"manager", "provider-finance"},
    Permission.PRICES_BACKDATE: {"manager"},
    Permission.CAPACITY_READ: _DESK,
    Permission.CAPACITY_EDIT: {"manager", "reviewer"},
    Permission.HOLIDAYS_EDIT: {"manager"},
    Permission.PROVIDERS_LIST: {"central"},
    Permission.SERVICES_READ: _A | _DESK | _OVERSIGHT,
    Permission.REQUESTS_READ: _A | _DESK | _OVERSIGHT,
    Permission.REQUESTS_MAKE: {"official-a", "approver-a"},
    Permission.REQUESTS_CONFIRM: {"approver-a"},
    Permission.REQUESTS_REVIEW: {"reviewer"},
    Permission.WORK_READ: _DESK | _OVERSIGHT,
    Permission.WORK_DO: {"reviewer", "head-network", "technician"},
    Permission.COSTS_READ: {"official-a", "approver-a", "finance-a", "provider-finance", "manager"} | _OVERSIGHT,
    Permission.BUDGETS_EDIT: {"finance-a"},
    Permission.USAGE_ACKNOWLEDGE: {"official-a", "approver-a", "finance-a"},
    Permission.DISPUTES_JOIN: {"official-a", "approver-a", "finance-a", "provider-finance"},
    Permission.BILLS_ISSUE: {"provider-finance"},
    Permission.TAXES_EDIT: {"provider-finance", "central"},
    Permission.USAGE_ENTER: {"technician", "provider-finance"},
    Permission.USAGE_CORRECT: {"provider-finance"},
    Permission.USERS_GRANT: {"agency-admin-a", "admin", "central"},
    Permission.MACHINES_ADMIT: {"admin", "agency-admin-a"},
    Permission.INCIDENTS_READ: _REPORTERS | {"helpdesk", "head-network", "technician", "manager"} | _OVERSIGHT,
    Permission.INCIDENTS_READ_AGENCY: {"approver-a", "agency-admin-a"},
    Permission.INCIDENTS_REPORT: _REPORTERS,
    Permission.INCIDENTS_LOG: {"helpdesk"},
    Permission.INCIDENTS_ASSIGN: {"head-network"},
    Permission.INCIDENTS_WORK: {"technician"},
    Permission.SLA_EDIT: {"head-network"},
    Permission.DESK_OVERVIEW: {"manager"} | _OVERSIGHT,
    Permission.KNOWLEDGE_EDIT: {"helpdesk", "head-network"},
    Permission.SECTIONS_KEEP: {"head-network", "manager", "admin"},
    Permission.STAFF_READ: {"head-network", "manager"} | _OVERSIGHT,
    Permission.STAFF_KEEP: {"manager"},
    Permission.CHANNELS_READ: {"helpdesk", "admin"},
    Permission.CHANNELS_EDIT: {"admin"},
    Permission.AUDIT_READ: {"agency-admin-a", "manager", "admin"} | _OVERSIGHT,
    Permission.CLOCK_MOVE: {"admin"},
}

_OVERSEERS_MAY_CHANGE = {
    Permission.OWN_ACCOUNT,
    Permission.USERS_GRANT,
    Permission.PROVIDERS_LIST,
    Permission.TAXES_EDIT,
}

# Where a page lets in fewer than hold its permission.
NARROWER: dict[str, set[str]] = {
    "agency.asker": {"agency-admin-a"},  # a setting of agencies, no other organisation has it
}

# Routes that ask for no permission; each is here on purpose.
OPEN = {
    PUBLIC: {
        "home",
        "sign_in",
        "sign_in.again",
        "sign_in.callback",
        "contact",
        "sign_out",
        "signed_out",
        "language",
    },
    SIGNED_IN: {
        "access",
        "access.ask",
        "account",
        "account.end",
        "account.line",
        "account.line.unlink",
        "organisation",
        "sign_out.everywhere",
    },
    MACHINE: {
        "back_channel_logout",
        "healthz",
        "readyz",
        "api.component.price",
        "api.offerings",
        "api.request",
        "api.request.submit",
        "api.request.withdraw",
        "api.requests",
        "api.requests.draft",
        "api.usage",
        "api.usage.correct",
        "api.work.progress",
        "line.webhook",
    },
}

# What a path's places are filled with: nobody's record.
_PLACES = {"code": "th", "role": "official", "month": "2026-12", "year": "2570"}


def doors(app: Starlette) -> list[Page]:
    found = []
    for each in app.routes:
        if isinstance(each, Mount):
            assert each.path == "/static", f"{each.path} is mounted past the door"
            continue
        assert isinstance(each, Route)
        assert isinstance(each.app, Door), f"{each.path} is not behind the door"
        found.append(each.app.page)
    return found


def address(app: Starlette, name: str) -> str:
    route = next(each for each in app.routes if getattr(each, "name", "") == name)
    assert isinstance(route, Route)
    places = {
        place: uuid.uuid4() if type(convertor).__name__ == "UUIDConvertor" else _PLACES.get(place, "1")
        for place, convertor in route.param_convertors.items()
    }
    return str(app.url_path_for(name, **places))


async def ask(browser: Browser, page: Page) -> int:
    path = address(browser.app, page.name)
    response = await (browser.get(path) if page.method == "GET" else browser.submit(path))
    status: int = response.status_code
    assert status < 500, f"{page.method} {path}: {status}: {said(response)[:300]}"
    return status


def test_every_route_says_who_may(app: Starlette) -> None:
    pages = doors(app)
    assert len({page.name for page in pages}) == len(pages), "two routes of one name"
    for page in pages:
        if isinstance(page.access, Permission):
            assert page.access in MAY, f"say in this table who has {page.access}"
        else:
            assert page.name in OPEN[page.access], f"{page.name} is open to {page.access.value}: is that meant?"


def test_nothing_is_changed_by_following_a_link(app: Starlette) -> None:
    assert {page.method for page in doors(app)} <= {"GET", "POST"}


async def test_strangers_are_led_to_sign_in(app: Starlette, browser_for: BrowserFor) -> None:
    stranger = await browser_for()
    for page in doors(app):
        if page.access in {PUBLIC, MACHINE}:
            continue
        path = address(app, page.name)
        response = await (stranger.get(path) if page.method == "GET" else stranger.submit(path))
        assert response.status_code == 303, page
        assert response.headers["location"].startswith("/sign-in"), page


@pytest.mark.parametrize("who", sorted(EVERYBODY))
async def test_everybody_is_let_in_or_refused_as_the_table_says(
    app: Starlette, browser_for: BrowserFor, who: str
) -> None:
    wrong = []
    browser = await browser_for(who)
    for page in doors(app):
        if not isinstance(page.access, Permission):
            continue
        overseer_changes = who in _OVERSIGHT and page.method == "POST" and page.access not in _OVERSEERS_MAY_CHANGE
        may = who in NARROWER.get(page.name, MAY[page.access]) and not overseer_changes
        is_refused = await ask(browser, page) == 403
        if is_refused == may:
            wrong.append(f"{'refused' if is_refused else 'let in'}: {page.method} {page.name}")
    assert wrong == []


def test_the_table_knows_every_permission() -> None:
    assert set(MAY) == set(Permission)


async def test_a_newcomer_reaches_only_what_needs_no_organisation(app: Starlette, browser_for: BrowserFor) -> None:
    await cast.newcomer()
    newcomer = await browser_for("newcomer")
    for page in doors(app):
        if not isinstance(page.access, Permission):
            continue
        path = address(app, page.name)
        if page.method == "GET":
            response = await newcomer.get(path)
            assert (response.status_code, response.headers["location"]) == (303, "/access"), page
        else:
            assert (await newcomer.submit(path)).status_code == 403, page


async def test_the_demo_clock_is_nowhere_else(make_app: Callable[..., Starlette]) -> None:
    assert not [page for page in doors(make_app(demo_clock=False)) if page.path.startswith("/clock")]
