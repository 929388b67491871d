"""What every answer carries, whoever made it: its reference, and the headers that bind the browser."""

import re
import secrets
import time
from urllib.parse import quote

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = structlog.get_logger("portal.web")

_REFERENCE = re.compile(r"[A-Za-z0-9._-]{8,64}")
_FOR_EVER = "public, max-age=31536000, immutable"
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
_FIXED = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def content_security_policy(nonce: str, *, https: bool) -> str:
    """Return what a page of ours may load and where its forms may go: this site, and scripts with the nonce."""
    rules = [
        "default-src 'none'",
        f"script-src 'nonce-{nonce}'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
    return "; ".join(rules + ["upgrade-insecure-requests"] * https)


class Headers:
    """Gives every request a reference and a nonce, every answer its headers, and the log one line.

    Nothing is kept by a browser but static files, which are named by their content and kept for ever.
    """

    def __init__(self, app: ASGIApp, *, https: bool, believe_reference: bool = False) -> None:
        self.app = app
        self._https = https
        self._believe_reference = believe_reference

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and dress its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        nonce = state["nonce"] = secrets.token_urlsafe(16)
        reference = state["reference"] = self._reference(scope)
        began = time.monotonic()
        status = 500

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._dress(MutableHeaders(scope=message), scope, nonce, reference, status)
            await send(message)

        with structlog.contextvars.bound_contextvars(reference=reference):
            try:
                await self.app(scope, receive, dressed)
            finally:
                if scope["path"] not in _QUIET:
                    log.info(
                        "request",
                        method=scope["method"],
                        path=quote(scope["path"][:200]),
                        route=state.get("route", ""),
                        status=status,
                        milliseconds=round((time.monotonic() - began) * 1000, 1),
                    )

    def _reference(self, scope: Scope) -> str:
        if self._believe_reference:
            for name, value in scope["headers"]:
                if name == b"x-request-id" and _REFERENCE.fullmatch(value.decode("latin-1")):
                    return str(value.decode("latin-1"))
        return secrets.token_hex(8)

    def _dress(self, headers: MutableHeaders, scope: Scope, nonce: str, reference: str, status: int) -> None:
        for name, value in _FIXED.items():
            headers.setdefault(name, value)
        headers["x-request-id"] = reference
        headers.setdefault("content-security-policy", content_security_policy(nonce, https=self._https))
        if self._https:
            headers["strict-transport-security"] = "max-age=63072000; includeSubDomains"
        is_static = scope["path"].startswith("/static/") and status in {200, 206, 304}
        named_by_content = is_static and b"v=" in scope["query_string"]
        if named_by_content:
            headers["cache-control"] = _FOR_EVER
        else:
            headers.setdefault("cache-control", "no-cache" if is_static else "no-store")
