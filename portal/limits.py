"""How often somebody may call: sign-ins begun by an address, API calls of a token and of an address, in a minute.

Counted in each web process by itself: a limit is there to keep one caller from taking the place of all others, not to
count exactly. A token is known here by its digest alone; whether it is valid is asked later.
"""

import hashlib
import math
import time

import structlog
from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from portal import i18n
from portal.api.machines import language_asked, problem
from portal.arrival import stranger
from portal.i18n import gettext as _
from portal.rendering import error_page

log = structlog.get_logger("portal.web")

_SIGN_IN = "/sign-in"
_API = "/api/"


class Limits:
    """Answers 429 with Retry-After, as a page or as problem details, to who calls more often than is allowed."""

    def __init__(self, app: ASGIApp, *, sign_ins: int, token_calls: int, address_calls: int) -> None:
        self.app = app
        self._counted = FixedWindowRateLimiter(MemoryStorage())
        self._sign_ins = RateLimitItemPerMinute(sign_ins, namespace="sign-in")
        self._token_calls = RateLimitItemPerMinute(token_calls, namespace="token")
        self._address_calls = RateLimitItemPerMinute(address_calls, namespace="address")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count a request and pass it on, or answer it here."""
        answer = await self._turned_away(scope) if scope["type"] == "http" else None
        await (answer or self.app)(scope, receive, send)

    async def _turned_away(self, scope: Scope) -> Response | None:
        for limit, who in self._counts(scope):
            if not await self._counted.hit(limit, who):
                until = (await self._counted.get_window_stats(limit, who)).reset_time
                log.warning("too often", limit=limit.namespace)
                return _answer(Request(scope), max(1, math.ceil(until - time.time())))
        return None

    def _counts(self, scope: Scope) -> list[tuple[RateLimitItemPerMinute, str]]:
        """Return what a request counts against, the widest first."""
        address = str((scope.get("client") or ("",))[0])
        if scope["path"] == _SIGN_IN:
            return [(self._sign_ins, address)]
        if not scope["path"].startswith(_API):
            return []
        counts = [(self._address_calls, address)]
        token = next((value for name, value in scope["headers"] if name == b"authorization"), None)
        if token is not None:
            counts.append((self._token_calls, hashlib.sha256(token).hexdigest()))
        return counts


def _answer(request: Request, seconds: int) -> Response:
    headers = {"retry-after": str(seconds)}
    if not request.url.path.startswith(_API):
        request.state.visit = stranger(request)
        return error_page(request, 429, headers=headers)
    with i18n.using(language_asked(request.headers.get("accept-language", ""))):
        return problem(429, _("These are more calls than are allowed. Try again later."), headers=headers)
