"""The portal's cookies: opaque or signed, never readable by scripts, never sent along from other sites' forms.

Over TLS their names begin with `__Host-`, so that no other host can set them. A demo over plain http has neither
that prefix nor Secure, because not every browser takes those from http://localhost.
"""

import hmac
from collections.abc import Sequence
from typing import Final, Literal

from starlette.requests import Request
from starlette.responses import Response

from portal import flashes
from portal.i18n import LANGUAGE_COOKIE
from portal.rendering import Flash
from portal.settings import Settings

SESSION: Final = "session"
BROWSER: Final = "sign-in"  # ties a sign-in to the browser that began it
LEAVING: Final = "sign-out"  # ties the identity provider's answer to the sign-out that was begun
FLASH: Final = "flash"
_YEAR: Final = 365 * 24 * 3600

Name = Literal["session", "sign-in", "sign-out", "flash"]


def read(request: Request, name: Name) -> str:
    """Return a cookie's value, empty when there is none."""
    return request.cookies.get(_full(name, _settings(request)), "")[:4096]


def write(response: Response, request: Request, name: Name, value: str, *, seconds: int | None = None) -> None:
    """Set a cookie, until the browser closes or for so many seconds."""
    settings = _settings(request)
    response.set_cookie(
        _full(name, settings), value, max_age=seconds, path="/", secure=settings.https, httponly=True, samesite="lax"
    )


def drop(response: Response, request: Request, name: Name) -> None:
    """Take a cookie away."""
    settings = _settings(request)
    response.delete_cookie(_full(name, settings), path="/", secure=settings.https, httponly=True, samesite="lax")


def remember_language(response: Response, request: Request, language: str) -> None:
    """Keep the language chosen, for a year."""
    secure = _settings(request).https
    response.set_cookie(
        LANGUAGE_COOKIE, language, max_age=_YEAR, path="/", secure=secure, httponly=True, samesite="lax"
    )


def flashed(request: Request, session: str) -> list[Flash]:
    """Return what the page before left to say to this session."""
    value = read(request, FLASH)
    return flashes.opened(value, session, _keys(request)) if value else []


def leave(response: Response, request: Request, sayings: Sequence[Flash], session: str) -> None:
    """Leave sentences for the next page of this session."""
    write(response, request, FLASH, flashes.sealed(sayings, session, _keys(request)), seconds=300)


def same(given: str, expected: str) -> bool:
    """Compare a cookie's value with what is expected without telling how much of it was right."""
    return hmac.compare_digest(given.encode(), expected.encode())


def _full(name: Name, settings: Settings) -> str:
    return f"__Host-{name}" if settings.https else name


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def _keys(request: Request) -> list[str]:
    return [key.get_secret_value() for key in _settings(request).secret_keys]
