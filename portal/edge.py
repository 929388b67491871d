"""Every request passes here: who is it, may they, is the form ours; then one unit of work, and one answer.

A page is declared in `portal/routes.py` with the permission it needs, and is answered by an async function from a
`Visit` to a response. An answer of 400 or more, returned or raised, rolls back whatever the handler did.
"""

import enum
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from auth.errors import NotPermitted, StaleSignIn
from auth.rules import Permission, Seat, system
from auth.tenancy import acting_as, record, unit_of_work
from portal import csrf, form_keys, i18n, otherwise, refusals
from portal.arrival import arrive, depart, to_fresh_sign_in, to_sign_in
from portal.refusals import CrossSite, OtherOrganisation
from portal.rendering import error_page
from portal.visit import Fields, Visit

log = structlog.get_logger("portal.web")

_MOST_FIELDS = 500
_MOST_FILES = 20

# What those who oversee may change: their own account, their own organisation's people (standard 11.2), and for the
# central agency the provider list (12.2).
_OVERSEERS_MAY_CHANGE = frozenset(
    {Permission.OWN_ACCOUNT, Permission.USERS_GRANT, Permission.PROVIDERS_LIST, Permission.TAXES_EDIT}
)


class Access(enum.Enum):
    """Who reaches a page that asks for no permission."""

    PUBLIC = "anybody"
    SIGNED_IN = "anybody signed in, also who belongs to no organisation yet"
    MACHINE = "no browser: the handler itself proves the caller; no session, no form token"


PUBLIC = Access.PUBLIC
SIGNED_IN = Access.SIGNED_IN
MACHINE = Access.MACHINE

# What is one's own, whichever organisation one acts for: signing out, switching, asking for access.
_WHOEVER_ONE_ACTS_FOR = frozenset({Access.PUBLIC, Access.SIGNED_IN, Permission.OWN_ACCOUNT})

Handler = Callable[[Visit], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Page:
    """One route: a method and a path, what answers, who may, and its name.

    `alone`: the handler opens its own units of work, because it talks to the network or works as the system.
    """

    method: str
    path: str
    handler: Handler
    access: Permission | Access
    name: str
    alone: bool = False
    body_limit: int | None = None  # bytes; the portal's own limit when None


def page(
    method: str,
    path: str,
    handler: Handler,
    access: Permission | Access,
    *,
    name: str,
    alone: bool = False,
    body_limit: int | None = None,
) -> Page:
    """Declare a page; refuses (TypeError) one that does not say who may, and methods browsers do not send."""
    if not isinstance(access, Permission | Access):
        raise TypeError(f"the route {name!r} must name a permission, PUBLIC, SIGNED_IN or MACHINE")
    if method not in {"GET", "POST"}:
        raise TypeError(f"the route {name!r}: forms and links send GET and POST, not {method!r}")
    return Page(method, path, handler, access, name, alone, body_limit)


def route(declared: Page) -> Route:
    """Return the page as a route of the application."""
    return Route(declared.path, Door(declared), methods=[declared.method], name=declared.name)


class Door:
    """The ASGI application of one page."""

    def __init__(self, declared: Page) -> None:
        self.page = declared

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        limit = self.page.body_limit or scope["app"].state.settings.body_limit
        request = Request(scope, _limited(receive, limit))
        request.state.route = self.page.name
        answer = await self._answer(request)
        await answer(scope, receive, send)
        await request.close()

    async def _answer(self, request: Request) -> Response:
        visit: Visit | None = None
        try:
            _check_path(request)
            visit = await arrive(request, self.page.name, known=self.page.access is not MACHINE)
            with i18n.using(visit.language):
                response = await self._admit(visit)
            return depart(visit, response)
        except Exception as error:  # noqa: BLE001 - the last place where the visitor can be told
            return await self._refuse(request, visit, error)

    async def _admit(self, visit: Visit) -> Response:
        """Let in who may come in, and send on who must go elsewhere first."""
        access, is_change = self.page.access, visit.request.method not in csrf.SAFE_METHODS
        if is_change:
            async with visit.request.form(max_files=_MOST_FILES, max_fields=_MOST_FIELDS) as form:
                visit.form = Fields(form.multi_items())
                return await self._admit_known(visit, access, is_change=True)
        return await self._admit_known(visit, access, is_change=False)

    async def _admit_known(self, visit: Visit, access: Permission | Access, *, is_change: bool) -> Response:
        if access is MACHINE:
            return await self.page.handler(visit)
        if visit.actor is None and access is not PUBLIC:
            return to_sign_in(visit)
        if is_change:
            made_for = _check_ours(visit)
            if made_for and access not in _WHOEVER_ONE_ACTS_FOR:
                return await self._for_another(visit, made_for)
        if isinstance(access, Permission):
            if visit.by.seat is None and not is_change:
                return visit.redirect("access")
            _check_permission(visit, access, is_change=is_change)
        if visit.actor is None or self.page.alone:
            return await self.page.handler(visit)
        return await self._work(visit, is_change=is_change)

    async def _for_another(self, visit: Visit, made_for: Seat) -> Response:
        """Act for the organisation a form was made for, where the sender says so; else refuse it, losing nothing."""
        if visit.form.get(otherwise.FIELD) == str(made_for.id):
            return await otherwise.act_for(visit, made_for)
        raise OtherOrganisation(made_for)

    async def _work(self, visit: Visit, *, is_change: bool) -> Response:
        """Run the handler in one unit of work, again from the start when it met others'."""
        key = _form_key(visit) if is_change else None

        async def work() -> Response:
            visit.sayings.clear()
            if key and (led := await _led_before(visit, key)):
                return visit.redirect_to(led)
            response = await self.page.handler(visit)
            if response.status_code >= 400:
                raise _RolledBack(response)
            if key and "location" in response.headers:
                await form_keys.settle(key, response.headers["location"])
            elif key:
                await form_keys.give_back(key)
            return response

        try:
            return await unit_of_work(visit.by, work)
        except _RolledBack as refused:
            return refused.response

    async def _refuse(self, request: Request, visit: Visit | None, error: Exception) -> Response:
        """Tell what was refused, leave its record, and log what was our own fault."""
        if isinstance(error, HTTPException):
            return error_page(request, error.status_code, headers=dict(error.headers or {}))
        answer = refusals.answer_to(error)
        if answer is None:
            log.error("fault", route=self.page.name, exc_info=error)
            return error_page(request, 500)
        if isinstance(error, OtherOrganisation) and visit is not None:
            with i18n.using(visit.language):
                return depart(visit, otherwise.page(visit, error.seat))
        if isinstance(error, StaleSignIn) and visit is not None:
            return depart(visit, to_fresh_sign_in(visit))
        if answer.is_denial and visit is not None:
            await _record_denial(visit, error)
        headers = None
        if answer.status == 503:
            log.warning("unavailable", route=self.page.name, why=type(error).__name__)
            headers = refusals.RETRY_AFTER
        with i18n.using(visit.language if visit else i18n.DEFAULT_LANGUAGE):
            sentence = refusals.sentence_for(error, answer)
        return error_page(request, answer.status, detail=sentence, headers=headers)


class _RolledBack(Exception):
    """The way out of the transaction for an answer that is a refusal."""

    def __init__(self, response: Response) -> None:
        self.response = response


def _check_path(request: Request) -> None:
    """Refuse (404) an address with a NUL, which no database column takes."""
    if "\0" in request.scope["path"]:
        raise HTTPException(404)


def _check_ours(visit: Visit) -> Seat | None:
    """Refuse (CrossSite) a change that no page of ours asked for.

    Returns the organisation it was asked for where that is another of the visitor's than the one acted for now.
    """
    request = visit.request
    headers = request.headers
    public_url: str = request.app.state.settings.public_url
    if csrf.from_elsewhere(headers.get("origin"), headers.get("sec-fetch-site"), public_url):
        raise CrossSite("another site sent this form")
    if visit.visitor is None:
        return None
    given = headers.get(csrf.HEADER) or visit.form.get(csrf.FIELD)
    acting_for = visit.by.seat
    # A page may also have been opened before its reader belonged to any organisation.
    for seat in (acting_for, *visit.visitor.seats, None):
        secret = csrf.bound(visit.visitor.session.csrf_secret, seat.id if seat else None)
        if csrf.form_key(given, secret) is not None:
            return None if seat is None or seat == acting_for else seat
    raise CrossSite("the form carries no token of this session")


def _check_permission(visit: Visit, permission: Permission, *, is_change: bool) -> None:
    """Refuse (NotPermitted) what the roles held now do not grant, and changes by those who only oversee."""
    if not visit.by.may(permission):
        raise NotPermitted(permission)
    if is_change and visit.by.oversees and permission not in _OVERSEERS_MAY_CHANGE:
        raise NotPermitted("those who oversee change nothing")


def _form_key(visit: Visit) -> str | None:
    """Return what tells the form from others; None for one that was made for another organisation."""
    if visit.visitor is None:
        return None
    secret = csrf.bound(visit.visitor.session.csrf_secret, visit.by.seat.id if visit.by.seat else None)
    return csrf.form_key(visit.form.get(csrf.FIELD), secret)


async def _led_before(visit: Visit, key: str) -> str | None:
    """Take the form by its key; return where it led when it was taken before."""
    session_id = visit.by.session_id
    if session_id is None:
        return None
    said = csrf.digest(visit.form.pairs())
    return await form_keys.take(key, session_id, visit.route, said, wall=visit.wall)


async def _record_denial(visit: Visit, error: Exception) -> None:
    """Leave a record of what was refused to whom, after its unit of work was rolled back."""
    ids = {name: str(value)[:64] for name, value in visit.params.items()}
    try:
        async with acting_as(visit.actor or system("visitor")):
            record(
                "access.denied",
                at=visit.now,
                subject=("route", visit.route),
                method=visit.request.method,
                why=type(error).__name__,
                ids=ids,
            )
    except Exception:  # the denial stands, also where it cannot be written down
        log.exception("unrecorded denial", route=visit.route)


def _limited(receive: Receive, limit: int) -> Receive:
    """Refuse (413) a body longer than `limit` bytes, as it comes in."""
    so_far = 0

    async def receive_within() -> Message:
        nonlocal so_far
        message = await receive()
        so_far += len(message.get("body", b""))
        if so_far > limit:
            raise HTTPException(413)
        return message

    return receive_within
