"""A sign-in at the identity provider the portal brings along, served as `make run` serves it."""

import html
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

import portal
from auth.oidc import Provider, Reason, RelyingParty, SignInRefused
from auth.rules import Role
from portal.identity_provider import ACCOUNTS, NEWCOMER, ORGANISATIONS

from .conftest import CALLBACK, SIGNED_OUT, without


def command(port: int, *more: str) -> list[str]:
    return [sys.executable, "-m", "portal.identity_provider", "--port", str(port), *more]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(command(port, "--mode", "test"), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        assert process.wait(10) == 0
        process.stdout.close()


@pytest.fixture
def party(issuer: str, http: httpx2.AsyncClient) -> RelyingParty:
    return RelyingParty(
        Provider(
            issuer=issuer,
            client_id="portal",
            client_secret="any",
            redirect_uri=CALLBACK,
            post_logout_redirect_uri=SIGNED_OUT,
        ),
        http,
    )


def clock() -> datetime:
    return datetime.now(UTC)


async def choose(http: httpx2.AsyncClient, url: str, **choice: str) -> dict[str, str]:
    back = await http.post(url, data=choice)
    assert back.headers["location"].startswith(CALLBACK + "?")
    return dict(parse_qsl(urlsplit(back.headers["location"]).query))


@pytest.mark.parametrize("account", [*ACCOUNTS, NEWCOMER], ids=lambda account: account.username)
async def test_everybody_can_sign_in(account, party: RelyingParty, http: httpx2.AsyncClient) -> None:
    start = await party.authorization(clock(), max_age=0, subject=account.username)
    answer = await choose(http, start.url, sub=account.username)
    identity = await party.complete(answer, start.pending, clock())
    assert (identity.issuer, identity.subject) == (party.provider.issuer, account.username)
    assert (identity.name, identity.email) == (account.name_th, account.email)
    assert identity.auth_time is not None


async def test_the_page_offers_every_account_in_both_languages(party: RelyingParty, http: httpx2.AsyncClient) -> None:
    page = await http.get((await party.authorization(clock())).url)
    offered = re.findall(r'name="sub" value="([^"]+)"', page.text)
    assert offered == [account.username for account in (*ACCOUNTS, NEWCOMER)]
    shown = html.unescape(page.text)
    assert all(account.name_th in shown and account.name_en in shown for account in ACCOUNTS)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "//" not in re.sub(r'value="[^"]*"|<!doctype html>', "", page.text)


async def test_saying_no_is_told_to_the_portal(party: RelyingParty, http: httpx2.AsyncClient) -> None:
    start = await party.authorization(clock())
    answer = await choose(http, start.url, action="deny")
    with pytest.raises(SignInRefused) as refused:
        await party.complete(answer, start.pending, clock())
    assert refused.value.reason is Reason.DENIED


async def test_a_code_is_good_only_once(party: RelyingParty, http: httpx2.AsyncClient) -> None:
    start = await party.authorization(clock())
    answer = await choose(http, start.url, sub="official-a")
    await party.complete(answer, start.pending, clock())
    with pytest.raises(SignInRefused) as refused:
        await party.complete(answer, start.pending, clock())
    assert refused.value.reason is Reason.TOKEN_REFUSED


async def test_signing_out_comes_back_with_its_state(party: RelyingParty, http: httpx2.AsyncClient) -> None:
    url = await party.logout_url("hint", "a-state", clock())
    assert url is not None
    page = await http.get(url)
    to = re.search(r'name="redirect_uri" value="([^"]+)"', page.text)
    assert to is not None
    back = await http.post(f"{party.provider.issuer}/oauth2/end_session/confirm", data={"redirect_uri": to[1]})
    assert back.headers["location"].startswith(SIGNED_OUT)
    assert party.logout_response(dict(parse_qsl(urlsplit(back.headers["location"]).query)), "a-state")


async def test_nobody_unknown_and_no_way_elsewhere(party: RelyingParty, http: httpx2.AsyncClient, issuer: str) -> None:
    start = await party.authorization(clock())
    assert (await http.post(start.url, data={"sub": "somebody"})).status_code == 400
    elsewhere = start.url.replace("127.0.0.1", "elsewhere.example")
    assert (await http.get(elsewhere)).status_code == 400
    confirm = f"{issuer}/oauth2/end_session/confirm"
    assert (await http.post(confirm, data={"redirect_uri": "https://elsewhere.example"})).status_code == 400
    assert (await http.put(f"{issuer}/users/official-a", json={"name": "x"})).status_code == 404
    assert (await http.get(f"{issuer}/oidc/login")).status_code == 404


async def test_its_name_does_not_depend_on_the_host_header(issuer: str, http: httpx2.AsyncClient) -> None:
    metadata = await http.get(f"{issuer}/.well-known/openid-configuration", headers={"Host": "elsewhere.example"})
    assert metadata.json()["issuer"] == issuer


@pytest.mark.parametrize("mode", ["production", ""])
def test_it_does_not_start_in_production(mode: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "PORTAL_MODE"}
    if mode:
        environment["PORTAL_MODE"] = mode
    ended = subprocess.run(command(1), env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "PORTAL_OIDC_ISSUER" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_there_is_an_account_for_each_role() -> None:
    assert {role for account in ACCOUNTS for role in account.roles} == set(Role)
    assert {account.organisation for account in ACCOUNTS} == set(ORGANISATIONS)
    assert len({account.username for account in (*ACCOUNTS, NEWCOMER)}) == len(ACCOUNTS) + 1


async def test_its_pages_bring_their_own_letters(issuer: str, http: httpx2.AsyncClient) -> None:
    if not (Path(portal.__file__).parent / "static/vendor/sarabun").is_dir():
        without("the front-end packages are not installed (make test installs them)")
    font = await http.get(f"{issuer}/fonts/regular.ttf")
    assert font.status_code == 200
    assert font.content.startswith(b"\x00\x01\x00\x00")
