"""The web application: settings in, ASGI out."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import cached_property
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import URLPath
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from auth.oidc import Endpoints, Provider, RelyingParty
from portal import database, embedded_postgres, logs
from portal.arrival import arrive, stranger
from portal.clock import Clock
from portal.edge import route
from portal.headers import Headers
from portal.lifeline import settle
from portal.limits import Limits
from portal.network import Doorstep
from portal.rendering import STATIC, error_page
from portal.routes import pages
from portal.settings import Settings


class Portal(Starlette):
    """Starlette with the headers outermost, so that the answer to a crash carries them too."""

    def url_path_for(self, name: str, /, **path_params: Any) -> URLPath:
        """Return the path of a named route, found by its name: a page asks for dozens, and there are hundreds."""
        named = self._by_name.get((name, frozenset(path_params)))
        return named.url_path_for(name, **path_params) if named else super().url_path_for(name, **path_params)

    @cached_property
    def _by_name(self) -> dict[tuple[str, frozenset[str]], Route]:
        routes = [each for each in self.routes if isinstance(each, Route)]
        # The first of a name is what looking through them all would find.
        return {(each.name, frozenset(each.param_convertors)): each for each in reversed(routes)}

    def build_middleware_stack(self) -> ASGIApp:
        """Return the whole stack, the headers around it."""
        settings: Settings = self.state.settings
        return Headers(
            super().build_middleware_stack(), https=settings.https, believe_reference=bool(settings.trusted_proxies)
        )


def app_factory() -> Starlette:
    """Return the application by the environment's settings; what a server process calls."""
    settings = Settings.load()
    logs.configure(settings.log_format, settings.log_level)
    return create_app(settings)


def create_app(settings: Settings) -> Starlette:
    """Return the application; its lifespan connects to the database and to the identity provider."""
    app = Portal(
        routes=[*map(route, pages(settings)), Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[
            Middleware(
                Doorstep,
                public_url=settings.public_url,
                allowed_networks=settings.allowed_networks,
                trusted_proxies=settings.trusted_proxies,
            ),
            Middleware(
                Limits,
                sign_ins=settings.sign_in_limit,
                token_calls=settings.api_token_limit,
                address_calls=settings.api_address_limit,
            ),
        ],
        exception_handlers={HTTPException: _told, 500: _crashed},
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.clock = Clock(demo=settings.demo_clock)
    app.state.relying_party = RelyingParty(provider_of(settings))
    app.state.draining = False
    return app


def provider_of(settings: Settings) -> Provider:
    """Return the identity provider by these settings."""
    secret = settings.oidc_client_secret
    return Provider(
        issuer=settings.oidc_issuer or "",
        client_id=settings.oidc_client_id or "",
        client_secret=secret.get_secret_value() if secret else "",
        redirect_uri=f"{settings.public_url}/sign-in/callback",
        post_logout_redirect_uri=f"{settings.public_url}/signed-out",
        scopes=settings.oidc_scopes,
        token_auth_method=settings.oidc_token_auth_method,
        endpoints=Endpoints(
            authorization=settings.oidc_authorization_endpoint,
            token=settings.oidc_token_endpoint,
            keys=settings.oidc_jwks_uri,
            userinfo=settings.oidc_userinfo_endpoint,
            end_session=settings.oidc_end_session_endpoint,
        ),
        patience=timedelta(seconds=4),
    )


def database_url(settings: Settings) -> str:
    """Return the database's address for the application's role; refuses (RuntimeError) while none runs."""
    if settings.database_url is not None:
        return settings.database_url.get_secret_value()
    running = embedded_postgres.attach(settings.data_dir)
    if running is None:
        raise RuntimeError(f"No database runs in {settings.data_dir}. Start the portal with `python -m portal run`.")
    return running.url()


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    await database.connect(database_url(settings), pool=settings.database_pool)
    settle()
    try:
        yield
    finally:
        app.state.draining = True
        await app.state.relying_party.close()
        await database.disconnect()


async def _told(request: Request, error: Any) -> Response:
    request.state.visit = stranger(request)
    if error.status_code == 404:
        # Whoever mistyped an address keeps their menu; that it is not there is true even if nobody can be found.
        with contextlib.suppress(Exception):
            await arrive(request, "", known=True)
    return error_page(request, error.status_code, headers=dict(error.headers or {}))


async def _crashed(request: Request, _: Exception) -> Response:
    request.state.visit = stranger(request)
    return error_page(request, 500)
