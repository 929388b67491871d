"""One key, one effect: a call sent again with its Idempotency-Key is answered as it was the first time.

The key is stored with what was answered, in the same transaction as the effect; a refusal keeps nothing, so that the
call may be sent again corrected. Keys are kept as long as those of forms.
"""

import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from auth.errors import Conflict
from auth.tenancy import unit_of_work
from portal import form_keys
from portal.api.machines import Call, json_response
from portal.i18n import gettext as _

HEADER = "idempotency-key"
_KEY = re.compile(r"[\x21-\x7e]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Made:
    """What a call came to: a document, a status, and where what was made is found."""

    document: Any
    status: int = 200
    location: str | None = None


class _Kept(msgspec.Struct):
    status: int
    location: str | None
    document: msgspec.Raw


async def once(call: Call, said: msgspec.Struct, work: Callable[[], Awaitable[Made]]) -> Response:
    """Do a call's work in one unit, at most once for its key; without a key, each time it is sent.

    409 for a key that came before with another call, 400 for a key that is none.
    """
    key = _key(call)
    if key is None:
        made = await unit_of_work(call.by, work)
        return _answer(msgspec.json.encode(_kept(made)))
    digest = hashlib.sha256(call.request.url.path.encode() + b"\0" + msgspec.json.encode(said, order="sorted"))

    async def work_once() -> str:
        wall = call.visit.wall
        try:
            before = await form_keys.take(key, call.machine.client_id, call.visit.route, digest.hexdigest(), wall=wall)
        except Conflict:
            raise HTTPException(409, _("This Idempotency-Key came before with another call.")) from None
        if before is not None:
            return before
        kept = msgspec.json.encode(_kept(await work())).decode()
        await form_keys.settle(key, kept)
        return kept

    return _answer((await unit_of_work(call.by, work_once)).encode())


def _key(call: Call) -> str | None:
    """Return the key under which the call is stored: the machine's own, so that no two machines meet."""
    given = call.request.headers.getlist(HEADER)
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        raise HTTPException(400, _("An Idempotency-Key is one text of 1 to 200 printable characters."))
    return hashlib.sha256(f"{call.machine.client_id} {given[0]}".encode()).hexdigest()


def _kept(made: Made) -> _Kept:
    return _Kept(made.status, made.location, msgspec.Raw(msgspec.json.encode(made.document)))


def _answer(kept: bytes) -> Response:
    stored = msgspec.json.decode(kept, type=_Kept)
    answer = json_response(stored.document, stored.status)
    if stored.location is not None:
        answer.headers["location"] = stored.location
    return answer
