"""Signing in and out through a real provider on this machine, the browser played by hand."""

import datetime as dt
from collections.abc import Awaitable, Callable, Iterator
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from starlette.applications import Starlette

from auth.audit.models import AuditRecord
from auth.people.models import Person
from auth.rules import system
from auth.sessions.models import Session
from auth.tenancy import acting_as
from tests.auth.oidc import wayward
from tests.auth.oidc.wayward import CLIENT_ID, CLIENT_SECRET, GONE, WaywardProvider
from tests.browsing import PUBLIC_URL, SESSION, Browser, said
from tests.cast import ISSUER

BROWSER = "__Host-sign-in"


@pytest.fixture(scope="module")
def server() -> Iterator[WaywardProvider]:
    with wayward.serving() as provider:
        yield provider


@pytest.fixture
async def there(server: WaywardProvider, database: str) -> WaywardProvider:
    """The provider, at which official-a of the cast is known."""
    server.behave()
    server.orders.now = dt.datetime.now(dt.UTC)
    async with acting_as(system("test")):
        await Person.filter(issuer=ISSUER, subject="official-a").update(issuer=server.issuer)
    return server


@pytest.fixture
def app(make_app: Callable[..., Starlette], there: WaywardProvider) -> Starlette:
    return make_app(oidc_issuer=there.issuer, oidc_client_id=CLIENT_ID, oidc_client_secret=CLIENT_SECRET)


@pytest.fixture
async def browser(browser_for: Callable[..., Awaitable[Browser]]) -> Browser:
    return await browser_for()


async def to_provider_and_back(browser: Browser, path: str = "/sign-in") -> str:
    """Begin a sign-in and return where the provider sends the browser back to, as a path of ours."""
    begun = await browser.get(path)
    assert begun.status_code == 303, said(begun)
    async with httpx2.AsyncClient() as outside:
        back = await outside.get(begun.headers["location"])
    location: str = back.headers["location"]
    assert location.startswith(f"{PUBLIC_URL}/sign-in/callback?")
    return location.removeprefix(PUBLIC_URL)


async def sign_in(browser: Browser, path: str = "/sign-in") -> httpx2.Response:
    response = await browser.get(await to_provider_and_back(browser, path))
    async with acting_as(system("test")):
        session = await Session.filter(ended_at=None).order_by("-created_at").first()
    browser.csrf_secret = session.csrf_secret if session else ""
    browser.organisation = session.organisation_id if session else None
    return response


async def refusals() -> list[tuple[str, str]]:
    async with acting_as(system("test")):
        found = await AuditRecord.filter(action__in=["sign_in.refused", "logout_notice.refused"]).order_by("number")
    return [(record.action, record.detail["why"]) for record in found]


async def test_signing_in_leads_back_to_the_page_wanted(browser: Browser) -> None:
    response = await sign_in(browser, "/sign-in?next=/account")
    assert (response.status_code, response.headers["location"]) == (303, "/account")
    assert SESSION in browser.cookies
    assert BROWSER not in browser.cookies
    page = await browser.follow(response)
    assert "หน่วยงาน ก." in said(page)


async def test_the_provider_is_asked_with_pkce_state_and_nonce(browser: Browser) -> None:
    begun = await browser.get("/sign-in")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["state"][0]) >= 43
    assert len(asked["nonce"][0]) >= 43
    assert asked["redirect_uri"] == [f"{PUBLIC_URL}/sign-in/callback"]


async def test_somebody_unknown_sees_only_the_way_to_an_organisation(browser: Browser, there: WaywardProvider) -> None:
    there.orders.claims = {"sub": "somebody-new"}
    there.orders.userinfo = {"sub": "somebody-new"}
    page = await browser.follow(await sign_in(browser))
    assert page.headers["location"] == "/access"


async def test_signing_in_gives_a_new_session_and_ends_the_old(browser: Browser) -> None:
    await sign_in(browser)
    first = browser.cookies[SESSION]
    response = await sign_in(browser, "/sign-in?fresh=1&next=/account")
    assert response.headers["location"] == "/account"
    assert browser.cookies[SESSION] != first
    browser.cookies.set(SESSION, first, domain="portal.test", path="/")
    assert (await browser.get("/account")).status_code == 303


async def test_a_fresh_sign_in_is_asked_for_anew_and_by_the_same_person(
    browser: Browser, there: WaywardProvider
) -> None:
    await sign_in(browser)
    begun = await browser.get("/sign-in?fresh=1")
    asked = parse_qs(urlsplit(begun.headers["location"]).query)
    assert (asked["max_age"], asked["prompt"]) == (["0"], ["login"])
    there.orders.claims = {"sub": "somebody-else"}
    there.orders.userinfo = {"sub": "somebody-else"}
    refused = await sign_in(browser, "/sign-in?fresh=1")
    assert refused.status_code == 403
    assert await refusals() == [("sign_in.refused", "different_person")]


async def test_an_old_sign_in_at_the_provider_is_not_fresh(browser: Browser, there: WaywardProvider) -> None:
    there.orders.claims = {"auth_time": GONE}
    await sign_in(browser)
    async with acting_as(system("test")):
        session = await Session.get()
    assert session.authenticated_at.year == 1970
    refused = await sign_in(browser, "/sign-in?fresh=1")
    assert refused.status_code == 403


async def test_an_answer_counts_once(browser: Browser) -> None:
    way_back = await to_provider_and_back(browser)
    kept = browser.cookies[BROWSER]
    assert (await browser.get(way_back)).status_code == 303
    browser.cookies.set(BROWSER, kept, domain="portal.test", path="/")
    again = await browser.get(way_back)
    assert again.status_code == 403
    assert "เริ่มใหม่" in said(again)


async def test_an_answer_counts_only_in_the_browser_that_asked(
    browser: Browser, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    """Otherwise somebody could be signed in as somebody else without noticing."""
    way_back = await to_provider_and_back(browser)
    victim = await browser_for()
    assert (await victim.get(way_back)).status_code == 403
    assert SESSION not in victim.cookies
    assert await refusals() == [("sign_in.refused", "state")]


@pytest.mark.parametrize("query", ["", "?state=x&code=y", "?code=y", "?state=x&state=y&code=z", "?error=access_denied"])
async def test_an_answer_that_was_never_asked_for(browser: Browser, query: str) -> None:
    response = await browser.get(f"/sign-in/callback{query}")
    assert response.status_code == 403
    assert response.headers["x-request-id"] in response.text
    assert SESSION not in browser.cookies


async def test_a_token_that_proves_nothing_signs_nobody_in(browser: Browser, there: WaywardProvider) -> None:
    there.orders.claims = {"aud": "another client"}
    response = await sign_in(browser)
    assert response.status_code == 403
    assert SESSION not in browser.cookies
    assert await refusals() == [("sign_in.refused", "audience")]


async def test_a_provider_that_is_down_is_told_plainly(make_app: Callable[..., Starlette], database: str) -> None:
    async with Browser(make_app()) as browser:  # nobody answers at the cast's issuer
        response = await browser.get("/sign-in?next=/account")
        assert (response.status_code, response.headers["retry-after"]) == (503, "30")
        assert "ติดต่อระบบยืนยันตัวตนไม่ได้" in said(response)
        assert "/sign-in?next=%2Faccount" in response.text


async def test_signing_out_leads_to_the_provider_by_a_page_of_ours(browser: Browser, there: WaywardProvider) -> None:
    await sign_in(browser)
    left = await browser.submit("/sign-out")
    assert left.status_code == 200
    seconds, _, way = left.headers["refresh"].partition("; url=")
    asked = parse_qs(urlsplit(way).query)
    assert seconds == "0"
    assert way.startswith(f"{there.issuer}/logout?")
    assert asked["post_logout_redirect_uri"] == [f"{PUBLIC_URL}/signed-out"]
    assert asked["id_token_hint"][0].count(".") == 2
    back = await browser.get(f"/signed-out?state={asked['state'][0]}")
    assert back.status_code == 200
    assert "__Host-sign-out" not in browser.cookies


@pytest.mark.parametrize("query", ["", "?state=", "?state=another", "?state=a&state=b"])
async def test_coming_back_from_the_provider_never_fails(browser: Browser, query: str) -> None:
    await sign_in(browser)
    await browser.submit("/sign-out")
    assert (await browser.get(f"/signed-out{query}")).status_code == 200


async def test_signing_out_while_the_provider_is_down(
    make_app: Callable[..., Starlette], browser_for: Callable[..., Awaitable[Browser]], database: str
) -> None:
    app = make_app()
    from tests.browsing import sign_in as session_of

    async with Browser(app) as browser:
        await session_of(browser, "official-b")
        left = await browser.submit("/sign-out")
        assert left.status_code == 200
        assert "refresh" not in left.headers
        assert (await browser.get("/account")).status_code == 303


async def test_the_provider_ends_a_session(browser: Browser, there: WaywardProvider) -> None:
    await sign_in(browser)
    outside = httpx2.AsyncClient(transport=httpx2.ASGITransport(browser.app), base_url=PUBLIC_URL)
    async with outside:
        told = await outside.post("/back-channel-logout", data={"logout_token": there.logout_token()})
        assert (told.status_code, told.headers["cache-control"]) == (200, "no-store")
        again = await outside.post("/back-channel-logout", data={"logout_token": there.logout_token()})
        assert again.status_code == 200
    assert (await browser.get("/account")).status_code == 303


@pytest.mark.parametrize("form", [{}, {"logout_token": "x.y.z"}, {"logout_token": ["a", "b"]}])
async def test_a_notice_that_is_not_the_providers_ends_nothing(browser: Browser, form: dict[str, str]) -> None:
    await sign_in(browser)
    response = await browser.post("/back-channel-logout", data=form)
    assert (response.status_code, response.json()) == (400, {"error": "invalid_request"})
    assert (await browser.get("/account")).status_code == 200
    assert [action for action, _ in await refusals()] == ["logout_notice.refused"]
