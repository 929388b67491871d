"""How machines reach the portal: a Bearer token instead of a session, one unit of work, answers in JSON.

Refusals are problem details (RFC 9457) in English: whoever reads them writes programs.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auth.clients.queries import machine_of
from auth.clients.rules import Machine, Scope
from auth.errors import NotPermitted
from auth.rules import Actor, system
from auth.tenancy import acting_as, record, unit_of_work
from billing.metering.rules import BadReadings, Contradicted
from portal import refusals
from portal.edge import Handler
from portal.visit import Visit

log = structlog.get_logger("portal.api")

_BEARER = "bearer "
_CHALLENGE = {"www-authenticate": 'Bearer realm="portal"'}


@dataclass(frozen=True, slots=True)
class Call:
    """One request of a machine that has proved itself."""

    visit: Visit
    machine: Machine

    @property
    def request(self) -> Request:
        """The request itself."""
        return self.visit.request

    @property
    def by(self) -> Actor:
        """Who acts: the machine, with its provider's reach."""
        return self.machine.actor


def for_machines(scope: Scope) -> Callable[[Callable[[Call], Awaitable[Response]]], Handler]:
    """Make a handler answer only machines whose token carries the scope: 401 without a token, 403 without the scope.

    What the handler raises is answered as problem details, whatever it is.
    """

    def around(handler: Callable[[Call], Awaitable[Response]]) -> Handler:
        async def answer(visit: Visit) -> Response:
            try:
                machine = await _machine(visit)
                if machine is None:
                    return problem(401, "A valid token is needed.", headers=_CHALLENGE)
                if scope not in machine.scopes:
                    await _record_denial(machine, visit, scope)
                    return problem(403, f"The token does not carry the scope {scope}.")
                return await handler(Call(visit, machine))
            except Exception as error:  # noqa: BLE001 - the last place where a machine is told in its own language
                return _refusal(error, visit.route)

        return answer

    return around


def json_response(document: Any, status: int = 200) -> Response:
    """Answer with a document in JSON."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Answer with problem details: what is refused and why, with `more` for a program to read."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return Response(msgspec.json.encode(document), status, media_type="application/problem+json", headers=headers)


async def _machine(visit: Visit) -> Machine | None:
    header = visit.request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() != _BEARER:
        return None
    token = header[len(_BEARER) :].strip()
    return await unit_of_work(system("machine"), lambda: machine_of(token, wall=visit.wall))


async def _record_denial(machine: Machine, visit: Visit, scope: Scope) -> None:
    async with acting_as(machine.actor):
        record("access.denied", at=visit.now, subject=("route", visit.route), why=NotPermitted.__name__, scope=scope)


def _refusal(error: Exception, route: str) -> Response:
    """Answer a refusal by its kind; what is no refusal is our own fault, and logged."""
    if isinstance(error, BadReadings):
        events = [{"index": index, "fields": fields} for index, fields in error.events.items()]
        return problem(422, f"{len(events)} events cannot be taken; nothing was stored.", events=events)
    if isinstance(error, Contradicted):
        detail = "Events with these identities were taken before with other content; nothing was stored."
        return problem(409, detail, events=[{"index": index} for index in error.events])
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail, headers=dict(error.headers or {}))
    answer = refusals.answer_to(error)
    if answer is None:
        log.error("fault", route=route, exc_info=error)
        return problem(500, "Something went wrong here; try again later.")
    headers = refusals.RETRY_AFTER if answer.status == 503 else None
    return problem(answer.status, str(error) if answer.status < 500 else "Try again later.", headers=headers)
