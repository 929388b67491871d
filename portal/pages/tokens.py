"""Machines and tokens: what the organisation's machines may do, and when each was last heard of.

A token is shown once, on the page that answers its making; nothing here can show it again.
"""

from typing import Final

from starlette.responses import Response

from auth.clients.commands import create as admit
from auth.clients.commands import revoke
from auth.clients.models import Client
from auth.clients.queries import clients_of
from auth.clients.rules import SCOPES_OF, Scope
from auth.errors import Conflict, Invalid, NotFound
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit

SCOPES: Final[dict[Scope, Lazy]] = {
    Scope.USAGE_WRITE: lazy("Report usage"),
    Scope.USAGE_CORRECT: lazy("Correct usage that was reported"),
    Scope.WORK_WRITE: lazy("Report the progress of work orders"),
    Scope.REQUESTS_READ: lazy("Read requests"),
    Scope.REQUESTS_WRITE: lazy("Draft, submit and withdraw requests"),
    Scope.PRICES_WRITE: lazy("Set prices"),
    Scope.PRICES_BACKDATE: lazy("Set prices for days that have passed"),
}


async def show(visit: Visit) -> Response:
    """Show the organisation's machines with what they may do and when they were last heard of."""
    return await _page(visit)


async def create(visit: Visit) -> Response:
    """Let a machine in, and show its token this one time."""
    try:
        scopes = [_scope(text) for text in visit.form.all("scopes")]
        issued = await admit(visit.form.get("name"), scopes, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, in_words(refused), status=422)
    return visit.render("tokens/made.html", client=issued.client, token=issued.token)


async def ask_revoke(visit: Visit) -> Response:
    """Ask once more before a machine is shut out; NotFound for one that is out already."""
    return visit.render("tokens/revoke.html", client=await _live(visit))


async def revoke_token(visit: Visit) -> Response:
    """Shut a machine out from its next call on."""
    try:
        client = await revoke(visit.params["id"], by=visit.by, now=visit.now)
    except Conflict:
        return await _page(visit, {"": _("This token was revoked before.")}, status=409)
    visit.flash(_("The token of %(name)s was revoked; it is refused from the next call on.", name=client.name))
    return visit.redirect("tokens")


async def _page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return visit.render(
        "tokens/show.html",
        status=status,
        clients=await clients_of(visit.seat.id),
        scopes={scope: SCOPES[scope] for scope in SCOPES_OF.get(visit.seat.kind, ())},
        values=visit.form.values(),
        chosen=visit.form.all("scopes"),
        errors=errors or {},
    )


async def _live(visit: Visit) -> Client:
    for client in await clients_of(visit.seat.id):
        if client.id == visit.params["id"] and client.revoked_at is None:
            return client
    raise NotFound("Client")


def _scope(text: str) -> Scope:
    try:
        return Scope(text)
    except ValueError:
        raise Invalid({"scopes": "Choose one of the list."}) from None
