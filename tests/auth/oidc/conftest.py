import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import replace
from typing import NoReturn
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from auth.oidc import Identity, Provider, RelyingParty

from . import wayward
from .wayward import CLIENT_ID, CLIENT_SECRET, NOW, WaywardProvider

CALLBACK = "http://127.0.0.1:8000/signin/callback"
SIGNED_OUT = "http://127.0.0.1:8000/signed-out"

Registered = Callable[..., RelyingParty]
SignIn = Callable[..., Awaitable[Identity]]


def without(what: str) -> NoReturn:
    """Skip what cannot be tried here, or fail where nothing may be left out."""
    if os.environ.get("PORTAL_TEST_NO_SKIP") == "1":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(scope="session")
def wayward_server() -> Iterator[WaywardProvider]:
    with wayward.serving() as provider:
        yield provider


@pytest.fixture
def there(wayward_server: WaywardProvider) -> WaywardProvider:
    wayward_server.behave()
    return wayward_server


@pytest.fixture
def registration(there: WaywardProvider) -> Provider:
    return Provider(
        issuer=there.issuer,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
    )


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    """One client for all: making one costs more than a whole sign-in."""
    async with httpx2.AsyncClient() as client:
        yield client


@pytest.fixture
def registered(registration: Provider, http: httpx2.AsyncClient) -> Registered:
    """Makes a relying party registered with the wayward provider, with the given settings changed."""
    return lambda **changes: RelyingParty(replace(registration, **changes), http)


@pytest.fixture
def here(registered: Registered) -> RelyingParty:
    return registered()


@pytest.fixture
def sign_in(http: httpx2.AsyncClient, here: RelyingParty) -> SignIn:
    """Walks one sign-in through: to the provider, back with its answer, to an identity."""

    async def walk(party: RelyingParty = here, **wishes: object) -> Identity:
        start = await party.authorization(NOW, **wishes)
        back = await http.get(start.url)
        return await party.complete(dict(parse_qsl(urlsplit(back.headers["location"]).query)), start.pending, NOW)

    return walk
