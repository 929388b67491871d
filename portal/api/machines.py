"""How machines reach the portal: a Bearer token instead of a session, one unit of work, answers in JSON.

Refusals are problem details (RFC 9457): the refusal's name for the program, a sentence in Thai, or in English where
Accept-Language likes it better, for whoever reads the log.
"""

from collections.abc import Awaitable, Callable, Mapping
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
from auth.errors import Invalid, NotPermitted
from auth.rules import Actor, system
from auth.tenancy import acting_as, record, unit_of_work
from billing.metering.rules import BadReadings, Contradicted
from billing.tariffs.rules import AboveCeiling
from portal import i18n, refusals
from portal.edge import Handler
from portal.i18n import DEFAULT_LANGUAGE, Language, lazy
from portal.i18n import gettext as _
from portal.visit import Visit
from services.capacity.rules import OverCapacity
from services.requests.rules import OpenRequestExists

log = structlog.get_logger("portal.api")

_BEARER = "bearer "
_CHALLENGE = {"www-authenticate": 'Bearer realm="portal"'}

# Where a refusal has no sentence of its own.
_SENTENCES = {
    403: lazy("The token does not allow this."),
    404: lazy("There is no such record, or it belongs to another organisation."),
    409: lazy("The record has moved on, or was changed by somebody else."),
    503: lazy("The portal cannot carry this out just now. Try again later."),
}


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
        """Who acts: the machine, with its organisation's reach."""
        return self.machine.actor


def for_machines(scope: Scope | None) -> Callable[[Callable[[Call], Awaitable[Response]]], Handler]:
    """Make a handler answer only machines whose token carries the scope: 401 without a token, 403 without the scope.

    None is for what every machine may read. What the handler raises is answered as problem details, whatever it is.
    """

    def around(handler: Callable[[Call], Awaitable[Response]]) -> Handler:
        async def answer(visit: Visit) -> Response:
            with i18n.using(language_asked(visit.request.headers.get("accept-language", ""))):
                return await admitted(visit)

        async def admitted(visit: Visit) -> Response:
            machine: Machine | None = None
            try:
                machine = await _machine(visit)
                if machine is None:
                    return problem(401, _("A valid token is needed."), headers=_CHALLENGE)
                if scope is not None and scope not in machine.scopes:
                    await _record_denial(machine, visit, NotPermitted.__name__, scope=scope)
                    return problem(403, _("The token does not carry the scope %(scope)s.", scope=scope), scope=scope)
                return await handler(Call(visit, machine))
            except Exception as error:  # noqa: BLE001 - the last place where a machine is told in its own language
                if machine is not None and (known := refusals.answer_to(error)) and known.is_denial:
                    await _record_denial(machine, visit, type(error).__name__)
                return _refusal(error, visit.route)

        return answer

    return around


def json_response(document: Any, status: int = 200) -> Response:
    """Answer with a document in JSON."""
    return Response(msgspec.json.encode(document), status, media_type="application/json")


def language_asked(header: str) -> Language:
    """Return the language an Accept-Language header likes best, Thai where it does not say (RFC 9110, 12.5.4)."""
    liked = {"en": 0.0, "th": 0.0}
    for part in header[:200].lower().split(","):
        tag, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            liked[tag.partition("-")[0]] = float(weight)
        except ValueError:
            continue
    return "en" if liked["en"] > liked["th"] else DEFAULT_LANGUAGE


def problem(status: int, detail: str, *, headers: dict[str, str] | None = None, **more: Any) -> Response:
    """Answer with problem details: what is refused and why, with `more` for a program to read."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    told = {"content-language": i18n.language()} | (headers or {})
    return Response(msgspec.json.encode(document), status, media_type="application/problem+json", headers=told)


async def _machine(visit: Visit) -> Machine | None:
    header = visit.request.headers.get("authorization", "")
    if header[: len(_BEARER)].lower() != _BEARER:
        return None
    token = header[len(_BEARER) :].strip()
    return await unit_of_work(system("machine"), lambda: machine_of(token, wall=visit.wall))


async def _record_denial(machine: Machine, visit: Visit, why: str, **more: Any) -> None:
    """Leave a record of what was refused to which machine, after its unit of work was rolled back."""
    ids = {name: str(value)[:64] for name, value in visit.params.items()}
    async with acting_as(machine.actor):
        record("access.denied", at=visit.now, subject=("route", visit.route), why=why, ids=ids, **more)


def _refusal(error: Exception, route: str) -> Response:
    """Answer a refusal by its kind; what is no refusal is our own fault, and logged."""
    name = type(error).__name__
    if isinstance(error, BadReadings):
        events = [{"index": index, "fields": fields} for index, fields in error.events.items()]
        detail = _("%(count)s events cannot be taken; nothing was stored.", count=len(events))
        return problem(422, detail, refusal=name, events=events)
    if isinstance(error, Contradicted):
        detail = _("Events with these identities were taken before with other content; nothing was stored.")
        return problem(409, detail, refusal=name, events=[{"index": index} for index in error.events])
    if isinstance(error, HTTPException):
        return problem(error.status_code, error.detail, headers=dict(error.headers or {}))
    answer = refusals.answer_to(error)
    if answer is None:
        log.error("fault", route=route, exc_info=error)
        return problem(500, _("Something went wrong on our side. It has been recorded."))
    headers = refusals.RETRY_AFTER if answer.status == 503 else None
    sentence = refusals.sentence_for(error, answer) or _SENTENCES.get(answer.status)
    detail = str(sentence) if sentence else HTTPStatus(answer.status).phrase
    return problem(answer.status, detail, headers=headers, refusal=name, **_particulars(error))


def _particulars(error: Exception) -> Mapping[str, Any]:
    """Return what a program may want to know of a refusal."""
    match error:
        case Invalid():
            return {"fields": refusals.in_words(error)}
        case OverCapacity():
            return {
                "shortfalls": [
                    {
                        "pool_th": each.names[0],
                        "pool_en": each.names[1],
                        "asked": format(each.asked.normalize(), "f"),
                        "available": format(each.available.normalize(), "f"),
                    }
                    for each in error.shortfalls
                ]
            }
        case OpenRequestExists():
            return {"number": error.number}
        case AboveCeiling():
            return {
                "price": str(error.tier.price),
                "ceiling": format(error.ceiling.price.normalize(), "f"),
                "on": error.on.isoformat(),
            }
    return {}
