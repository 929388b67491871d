"""What the provider publishes, its addresses and signing keys, asked for over the network and kept briefly."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import httpx2

from auth.oidc.provider import Endpoints, Provider
from auth.oidc.refusals import ProviderUnavailable
from auth.oidc.rules import SigningKey, signing_keys

KEPT_FOR = timedelta(minutes=10)
"""A key the provider withdraws is trusted no longer than this."""

ASKED_AGAIN_AFTER = timedelta(seconds=30)
"""Forged tokens must not make the portal flood the provider with requests for its keys."""


async def ask(http: httpx2.AsyncClient, request: httpx2.Request, auth: httpx2.Auth | None = None) -> httpx2.Response:
    """Send a request to the provider; refuses (ProviderUnavailable) silence, 429 and its own failures."""
    try:
        response = await http.send(request, auth=auth)
    except httpx2.HTTPError as error:
        raise ProviderUnavailable(f"{request.url.path}: {type(error).__name__}") from error
    if response.status_code == httpx2.codes.TOO_MANY_REQUESTS or response.is_server_error:
        raise ProviderUnavailable(f"{request.url.path}: status {response.status_code}")
    return response


def json_object(response: httpx2.Response) -> Mapping[str, object] | None:
    """The JSON object a response carries, else None."""
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


Value = TypeVar("Value")


@dataclass
class _Kept(Generic[Value]):
    value: Value
    asked_at: datetime

    def fresh(self, now: datetime) -> bool:
        return abs(now - self.asked_at) < KEPT_FOR


class Published:
    """The provider's endpoints and keys, each kept for at most ten minutes; never stale ones when it is down."""

    def __init__(self, provider: Provider, http: httpx2.AsyncClient) -> None:
        self._provider = provider
        self._http = http
        self._asking = asyncio.Lock()
        self._endpoints: _Kept[Endpoints] | None = None
        self._keys: _Kept[tuple[SigningKey, ...]] | None = None
        self._asked_again_at: datetime | None = None

    async def endpoints(self, now: datetime) -> Endpoints:
        """Where the provider is reached; refuses metadata of another issuer or without what sign-in needs."""
        if self._provider.endpoints.complete:
            return self._provider.endpoints
        async with self._asking:
            if self._endpoints is None or not self._endpoints.fresh(now):
                metadata = await self._document(self._provider.metadata_address)
                self._endpoints = _Kept(self._provider.discovered(metadata), now)
            return self._endpoints.value

    async def keys(self, now: datetime) -> tuple[SigningKey, ...]:
        """The provider's signing keys."""
        address = (await self.endpoints(now)).keys or ""
        async with self._asking:
            if self._keys is None or not self._keys.fresh(now):
                self._keys = _Kept(signing_keys(await self._document(address)), now)
            return self._keys.value

    async def keys_again(self, now: datetime) -> tuple[SigningKey, ...] | None:
        """The keys asked for anew because a token did not fit them, or None when that was done a moment ago."""
        address = (await self.endpoints(now)).keys or ""
        async with self._asking:
            if self._asked_again_at is not None and abs(now - self._asked_again_at) < ASKED_AGAIN_AFTER:
                return None
            self._asked_again_at = now
            self._keys = _Kept(signing_keys(await self._document(address)), now)
            return self._keys.value

    async def _document(self, address: str) -> Mapping[str, object]:
        response = await ask(self._http, self._http.build_request("GET", address))
        document = json_object(response) if response.status_code == httpx2.codes.OK else None
        if document is None:
            raise ProviderUnavailable(f"{response.request.url.path}: no document ({response.status_code})")
        return document
