"""Who asks, at what time, in which language, and where else they may have to go first."""

import datetime as dt
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from auth.oidc import local_path
from auth.rules import Permission, system
from auth.sessions.commands import Limits
from auth.sessions.queries import Visitor, identify
from auth.tenancy import unit_of_work
from portal import cookies, csrf, i18n
from portal.menu import menu_for
from portal.rendering import Contact, DemoClock
from portal.settings import Settings
from portal.visit import Fields, Look, Looking, Visit, choices
from services.notifications.queries import unread_count


async def arrive(request: Request, route: str, *, known: bool) -> Visit:
    """Return the visit of a request; with `known` false nobody is looked for behind it."""
    look = stranger(request)
    request.state.visit = look  # also a failure from here on is told in the visitor's language
    app: Starlette = request.app
    wall: dt.datetime = app.state.clock.wall()
    demo = await app.state.clock.demo()
    now = demo.at if demo else wall
    visitor, unread = await _visitor(request, wall, now) if known else (None, None)
    visit = Visit(
        request,
        route,
        now=now,
        wall=wall,
        language=look.language,
        look=look,
        visitor=visitor,
        demo_clock=demo,
        query=Fields(request.query_params.multi_items()),
    )
    look.now = visit.now
    if visitor is not None:
        look.actor = Looking(visitor.actor, look.language)
        look.csrf = csrf.bound(visitor.session.csrf_secret, visitor.actor.seat.id if visitor.actor.seat else None)
        look.unread = unread
        look.menu = menu_for(visitor.actor, app)
        look.organisations = choices(visitor, look.language)
        look.flashes = cookies.flashed(request, str(visitor.session.id))
    if demo is not None:
        may_set = visitor is not None and visitor.actor.may(Permission.CLOCK_MOVE)
        look.demo_clock = DemoClock(held=demo.held, may_set=may_set)
    return visit


def stranger(request: Request) -> Look:
    """Return what templates see of a request of which nothing is known but its cookie's language."""
    settings: Settings = request.app.state.settings
    return Look(
        language=i18n.language_of(request.cookies.get(i18n.LANGUAGE_COOKIE)),
        nonce=getattr(request.state, "nonce", ""),
        contact=contact(settings),
        reference=getattr(request.state, "reference", ""),
    )


def depart(visit: Visit, response: Response) -> Response:
    """Give an answer the sentences left for the next page, and tell htmx of a redirect in its own way."""
    request = visit.request
    leads_on = "location" in response.headers
    session = str(visit.visitor.session.id) if visit.visitor else ""
    if visit.sayings and session:
        cookies.leave(response, request, [*visit.look.flashes, *visit.sayings] if leads_on else visit.sayings, session)
    elif visit.look.flashes and not leads_on and not visit.by_htmx:
        cookies.drop(response, request, cookies.FLASH)
    if leads_on and visit.by_htmx and response.status_code == 303:
        response.headers["hx-redirect"] = response.headers["location"]
        del response.headers["location"]
        response.status_code = 200
    return response


def to_sign_in(visit: Visit) -> Response:
    """Send a stranger to sign in and then back.

    Straight to the provider where a link was followed; where a form was sent or a session ran out, over a page of
    our own: browsers forbid a form to lead to another site (form-action), and people want to know why.
    """
    request = visit.request
    was_known = bool(cookies.read(request, cookies.SESSION))
    by_form = request.method not in csrf.SAFE_METHODS or bool(request.url.query) or visit.by_htmx
    if was_known or by_form:
        ended = {"ended": "1"} if was_known else {}
        return _leading(visit, "sign_in.again", **ended)
    return _leading(visit, "sign_in")


def to_fresh_sign_in(visit: Visit) -> Response:
    """Send somebody who is signed in to prove once more who they are, and then back to the page of the form."""
    return _leading(visit, "sign_in.again", fresh="1")


def limits(settings: Settings) -> Limits:
    """Return how long sessions last."""
    return Limits(
        idle=dt.timedelta(minutes=settings.session_idle_minutes),
        absolute=dt.timedelta(hours=settings.session_absolute_hours),
    )


def contact(settings: Settings) -> Contact:
    """Return how the help-desk is reached."""
    return Contact(phone=settings.contact_phone, email=settings.contact_email, line=settings.contact_line)


async def _visitor(request: Request, wall: dt.datetime, now: dt.datetime) -> tuple[Visitor | None, int | None]:
    """Return who is looking, and how much they have not read; a piece of a page shows no such count."""
    token = cookies.read(request, cookies.SESSION)
    if not token:
        return None, None
    how_long = limits(request.app.state.settings)

    async def look() -> tuple[Visitor | None, int | None]:
        visitor = await identify(token, now=wall, limits=how_long, business_now=now)
        if visitor is None or visitor.actor.seat is None or "hx-request" in request.headers:
            return visitor, None
        return visitor, await unread_count(visitor.actor)

    return await unit_of_work(system("sign-in"), look)


def _leading(visit: Visit, name: str, **more: str) -> Response:
    query = urlencode({"next": _way_back(visit), **more})
    return RedirectResponse(f"{visit.path(name)}?{query}", status_code=303)


def _way_back(visit: Visit) -> str:
    """Return the page to come back to: this one, or for a form or a piece of a page the one it stands on."""
    request = visit.request
    if request.method in csrf.SAFE_METHODS and not visit.by_htmx:
        query = f"?{request.url.query}" if request.url.query else ""
        return local_path(f"{request.url.path}{query}")
    from_page = request.headers.get("hx-current-url") or request.headers.get("referer") or ""
    settings: Settings = request.app.state.settings
    parts = urlsplit(from_page)
    if f"{parts.scheme}://{parts.netloc}" != settings.public_url:
        return "/"
    return local_path(f"{parts.path}?{parts.query}" if parts.query else parts.path)
