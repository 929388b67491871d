"""JSON bodies, read so that nobody can understand them differently: no key twice, no key unknown, no NaN.

Numbers that are quantities or money come as text ("12.50"), never as JSON numbers, which many writers make floats.
"""

import json
import re
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
from starlette.exceptions import HTTPException

from auth.errors import Invalid
from portal.api.machines import Call

MEDIA_TYPE = "application/json"
T = TypeVar("T")

_NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_PLACE = re.compile(r"^(?P<why>.*?)(?: - at `\$\.?(?P<place>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]*)`")


class NotReadable(ValueError):
    """The body is no JSON, or none that can be understood in one way only."""


async def read(call: Call, kind: type[T]) -> T:
    """Return a call's JSON body as `kind`; an empty one is an empty object.

    Refuses another media type (415), what is no JSON or says a key twice (400), and what does not have the shape,
    unknown keys included (Invalid, by field).
    """
    body = await call.request.body()
    media_type = call.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and media_type != MEDIA_TYPE:
        raise HTTPException(415, f"Send {MEDIA_TYPE}.")
    try:
        said = document(body or b"{}")
        _storable(said)
    except NotReadable as error:
        raise HTTPException(400, f"The body cannot be read: {error}") from None
    try:
        return msgspec.convert(said, kind)
    except msgspec.ValidationError as error:
        raise Invalid(_fault(str(error))) from None


def document(body: bytes) -> Any:
    """Return what a JSON body says; refuses (NotReadable) what is no JSON, NaN and a key that stands twice."""
    try:
        return json.loads(body, object_pairs_hook=_once_each, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotReadable(str(error)) from None


def number(text: str, field: str) -> Decimal:
    """Read a number of up to twelve digits and six decimals, not negative; refuses (Invalid) any other text."""
    if not _NUMBER.fullmatch(text):
        raise Invalid({field: "Enter a number."})
    return Decimal(text)


def plain(amount: Decimal) -> str:
    """Write a number as text without an exponent or needless zeros."""
    return format(amount.normalize(), "f")


def _fault(text: str) -> dict[str, str]:
    found = _PLACE.match(text)
    why, place = (found["why"], found["place"] or "") if found else (text, "")
    unknown = _UNKNOWN.search(why)
    if unknown:
        return {".".join(filter(None, (place, unknown["name"][:40]))): "is unknown"}
    return {place[:80]: why}


def _storable(said: Any) -> None:
    """Refuse text that no database column takes, wherever it stands."""
    if isinstance(said, dict):
        for name, value in said.items():
            _storable(name)
            _storable(value)
    elif isinstance(said, list):
        for value in said:
            _storable(value)
    elif isinstance(said, str):
        if "\0" in said:
            raise NotReadable("a text holds a NUL")
        try:
            said.encode()
        except UnicodeEncodeError:
            raise NotReadable("a text holds half a character") from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise NotReadable("a key stands twice in one object")
    return said


def _no_number(text: str) -> Any:
    raise NotReadable(f"{text} is no number")
