import argparse
import logging
import os
import secrets
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import flask
from authlib.deprecate import AuthlibDeprecationWarning  # type: ignore[import-untyped]
from jinja2 import FileSystemLoader
from werkzeug.serving import make_server

from portal.identity_provider.accounts import ACCOUNTS, NEWCOMER, ORGANISATIONS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_OFFERED = {
    "/.well-known/openid-configuration",
    "/jwks",
    "/oauth2/authorize",
    "/oauth2/token",
    "/userinfo",
    "/oauth2/end_session",
    "/oauth2/end_session/confirm",
}
_FONTS = {
    "/fonts/regular.ttf": "Sarabun_400Regular.ttf",
    "/fonts/bold.ttf": "Sarabun_700Bold.ttf",
}
"""Not every machine can write Thai."""
_FONT_FOLDER = Path(__file__).parents[1] / "static" / "vendor" / "sarabun"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ProductionRefused(SystemExit):
    """Anybody may sign in as anybody here, which must never happen in production."""

    def __init__(self) -> None:
        super().__init__(
            "The embedded identity provider lets anybody sign in as anybody and does not start in production.\n"
            "Set PORTAL_OIDC_ISSUER to the agencies' identity provider, or PORTAL_MODE=demo for a demonstration."
        )


def application(issuer: str, *, mode: str, portals: Sequence[str] = ()) -> flask.Flask:
    """Make the provider known as `issuer` (scheme, host and port, no path).

    Refuses production, accounts that are not its own, and sending anybody elsewhere than to one of `portals` (base
    addresses) or, when none is given, to this machine.
    """
    if mode not in ("demo", "test"):
        raise ProductionRefused
    at = urlsplit(issuer)
    if at.scheme not in ("http", "https") or not at.netloc or at.path or at.query:
        raise ValueError(f"an issuer is scheme, host and port only: {issuer}")
    with warnings.catch_warnings():
        # The package still imports a module that Authlib 2 will drop; that is its maker's to change.
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        import oidc_provider_mock  # type: ignore[import-untyped]  # noqa: PLC0415  only where it is served

    app = flask.Flask(__name__, template_folder=None, static_folder=None)
    without_debugger = app.wsgi_app
    people = (*ACCOUNTS, NEWCOMER)
    users = [oidc_provider_mock.User(sub=person.username, claims=person.claims) for person in people]
    oidc_provider_mock.init_app(app, user_claims=users)
    app.debug = False
    app.secret_key = secrets.token_bytes(32)
    app.jinja_loader = FileSystemLoader(Path(__file__).with_name("templates"))
    app.jinja_env.globals.update(
        accounts=ACCOUNTS, newcomer=NEWCOMER, organisations=ORGANISATIONS, nonce=lambda: flask.g.nonce
    )
    app.before_request(_gate({person.username for person in people}, portals))
    app.after_request(_protect)
    app.wsgi_app = _known_as(issuer, without_debugger)  # type: ignore[method-assign, assignment]
    return app


def _gate(usernames: set[str], portals: Sequence[str]) -> Callable[[], flask.typing.ResponseReturnValue | None]:
    def gate() -> flask.typing.ResponseReturnValue | None:
        flask.g.nonce = secrets.token_urlsafe(16)
        request = flask.request
        if request.path in _FONTS:
            return flask.send_from_directory(_FONT_FOLDER, _FONTS[request.path], max_age=86400)
        if request.path not in _OFFERED:
            flask.abort(404)
        for name in ("redirect_uri", "post_logout_redirect_uri"):
            if any(not _goes_to(address, portals) for address in request.values.getlist(name)):
                flask.abort(400, f"{name} leads elsewhere")
        if request.path != "/oauth2/authorize" or request.method != "POST":
            return None
        if request.form.get("action") == "deny":
            # The package's own answer forgets the state, and the portal would not know its own sign-in again.
            answer = urlencode({"error": "access_denied", "state": request.args.get("state", "")})
            return flask.redirect(f"{request.args['redirect_uri']}?{answer}", 303)
        if request.form.get("sub") not in usernames:
            flask.abort(400, "no such account")
        return None

    return gate


def _goes_to(address: str, portals: Sequence[str]) -> bool:
    if portals:
        return any(address == portal or address.startswith(portal.rstrip("/") + "/") for portal in portals)
    to = urlsplit(address)
    return to.scheme in ("http", "https") and to.hostname in _LOOPBACK


def _protect(response: flask.Response) -> flask.Response:
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{flask.g.nonce}'; font-src 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    if flask.request.path not in _FONTS:
        response.headers["Cache-Control"] = "no-store"
    return response


Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]


def _known_as(issuer: str, inner: Application) -> Application:
    """Answer under one name whatever the Host header says: the issuer in the tokens must not depend on it."""
    at = urlsplit(issuer)

    def outer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["HTTP_HOST"] = at.netloc
        environ["wsgi.url_scheme"] = at.scheme
        return inner(environ, start_response)

    return outer


def serve(*, port: int, issuer: str | None = None, host: str = "127.0.0.1", mode: str, portals: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; `issuer` defaults to this port on localhost. Refuses production."""
    issuer = issuer or f"http://localhost:{port}"
    if issuer.startswith("http://"):
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = make_server(host, port, application(issuer, mode=mode, portals=portals), threaded=True)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    sys.stdout.write(f"identity provider ready at {issuer}\n")
    sys.stdout.flush()
    with server:
        server.serve_forever(poll_interval=0.1)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and serve; the mode comes from PORTAL_MODE when not given, production when neither is."""
    parser = argparse.ArgumentParser(
        prog="python -m portal.identity_provider", description="The identity provider of demonstrations and tests."
    )
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--issuer", help="the address people and the portal reach it by (default: localhost)")
    parser.add_argument("--mode", default=os.environ.get("PORTAL_MODE", "production"), help="demo or test")
    parser.add_argument(
        "--portal", action="append", default=[], help="a portal's base address (default: any on this machine)"
    )
    asked = parser.parse_args(argv)
    return serve(port=asked.port, issuer=asked.issuer, host=asked.host, mode=asked.mode, portals=asked.portal)
