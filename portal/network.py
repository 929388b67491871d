"""Where a request comes from and under which name the portal was called; decided before anything else."""

import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal.arrival import stranger
from portal.i18n import lazy
from portal.rendering import error_page

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Asked by the machine that watches the portal, under whatever name it has for it.
PROBES = frozenset({"/healthz", "/readyz"})


class Doorstep:
    """Believes a trusted proxy about the caller, serves only the networks allowed, and only under the public name.

    A page asked for under another name leads to the public one; anything else under another name is refused (421).
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_url: str,
        allowed_networks: Sequence[Network] = (),
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        self.app = app
        self._public_url = public_url
        self._name = urlsplit(public_url).netloc.lower()
        self._allowed = tuple(allowed_networks)
        self._proxies = tuple(trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it at the door."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        self._believe_proxy(scope)
        answer = self._turned_away(scope)
        await (answer or self.app)(scope, receive, send)

    def _turned_away(self, scope: Scope) -> Response | None:
        if scope["path"] in PROBES:
            return None
        request = Request(scope)
        request.state.visit = stranger(request)
        if self._allowed and not _within(_address(scope), self._allowed):
            return error_page(request, 403, detail=lazy("This portal can only be used from the internal network."))
        if request.headers.get("host", "").lower() == self._name:
            return None
        if scope["method"] in {"GET", "HEAD"}:
            query = f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else ""
            return RedirectResponse(f"{self._public_url}{request.url.path}{query}", status_code=307)
        return error_page(request, 421)

    def _believe_proxy(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        caller = _address(scope)
        if not _within(caller, self._proxies):
            return
        for named in reversed(headers.get("x-forwarded-for", "").split(",")):
            try:
                caller = ipaddress.ip_address(named.strip())
            except ValueError:
                break
            scope["client"] = (str(caller), 0)
            if not _within(caller, self._proxies):
                break
        if headers.get("x-forwarded-proto") in {"http", "https"}:
            scope["scheme"] = headers["x-forwarded-proto"]


def _address(scope: Scope) -> Address | None:
    try:
        found = ipaddress.ip_address((scope.get("client") or ("",))[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _within(address: Address | None, networks: Sequence[Network]) -> bool:
    return address is not None and any(address in network for network in networks)
