"""CloudEvents 1.0 over HTTP, as usage comes: structured, binary and batch. Says every fault of every event.

A body is read at full speed first; only one that is refused is read again, slowly, to say why. JSON with a key twice
in one object is refused: two readers could understand it differently.
"""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal
from urllib.parse import unquote

import msgspec

from billing.metering.rules import MOST_AT_ONCE, Faults, Reading
from portal.api.bodies import NotReadable, document

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
BINARY = "application/json"

_Time = Annotated[dt.datetime, msgspec.Meta(tz=True)]
# application/json and any other type that ends in +json, with or without parameters.
_Json = Annotated[str, msgspec.Meta(pattern=r"(?i)^[\w!#$&^.-]+/([\w!#$&^.+-]+\+)?json *(;.*)?$")]


class _Data(msgspec.Struct, gc=False):
    """What was measured; what else a meter says beside it is passed over."""

    meter: str
    quantity: str
    start: str
    end: str


class _Event(msgspec.Struct, gc=False):
    """The attributes in use here; extensions, which any event may carry, are passed over. Null is not given.

    The start and the end are read apart: the events of a batch share most of theirs.
    """

    id: str
    source: str
    specversion: Literal["1.0"]
    type: Annotated[str, msgspec.Meta(min_length=1)]
    subject: str
    data: _Data
    datacontenttype: _Json | msgspec.UnsetType | None = msgspec.UNSET
    dataschema: str | msgspec.UnsetType | None = msgspec.UNSET
    time: _Time | msgspec.UnsetType | None = msgspec.UNSET


@dataclass(frozen=True, slots=True)
class Parsed:
    """The events of a body that have the right shape, by their index, and the faults of the others."""

    readings: dict[int, Reading]
    faults: dict[int, Faults]


_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_read_one = msgspec.json.Decoder(_Event).decode
_read_many = msgspec.json.Decoder(list[_Event]).decode
_QUOTES = 2 * 10 + 2 * 9  # around the names and the texts of an event
_QUOTES_MORE = 2  # around the name of each optional attribute, and as many around its text


def parse(body: bytes, media_type: str, headers: Mapping[str, str]) -> Parsed:
    """Read a body of one of the three modes; refuses (NotReadable) what is no JSON and what says a key twice.

    `media_type` is STRUCTURED, BATCH or BINARY; in binary mode the attributes are the `ce-` headers.
    """
    if media_type == BINARY:
        return _slowly([_event_of(document(body), headers)])
    try:
        events = _read_many(body) if media_type == BATCH else [_read_one(body)]
    except msgspec.ValidationError:
        said = document(body)
        events_said = said if media_type == BATCH else [said]
        if not isinstance(events_said, list):
            raise NotReadable("a batch is a list of events") from None
        _not_too_many(len(events_said))
        return _slowly(events_said)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise NotReadable(str(error)) from None
    _not_too_many(len(events))
    moments = _Moments()
    try:
        readings = dict(enumerate([_reading(event, moments) for event in events]))
    except msgspec.ValidationError:
        return _slowly(document(body) if media_type == BATCH else [document(body)])
    # A key that came twice, or one unknown here, has quotes that nothing read accounts for.
    if b"\\" in body or body.count(b'"') != sum(map(_quotes, events)):
        document(body)
    return Parsed(readings, {})


class _Moments(dict[str, dt.datetime]):
    """The times of a batch by how they are written, each read once."""

    def __missing__(self, text: str) -> dt.datetime:
        self[text] = moment = msgspec.convert(text, _Time)
        return moment


def _reading(event: _Event, moments: _Moments) -> Reading:
    data = event.data
    return Reading(
        event.source, event.id, event.subject, data.meter, data.quantity, moments[data.start], moments[data.end]
    )


def _quotes(event: _Event) -> int:
    """Return how many quotes an event is written with."""
    quotes = _QUOTES
    for option in (event.datacontenttype, event.dataschema, event.time):
        if option is not msgspec.UNSET:
            quotes += _QUOTES_MORE if option is None else 2 * _QUOTES_MORE
    return quotes


def _slowly(events: list[Any]) -> Parsed:
    readings: dict[int, Reading] = {}
    faults: dict[int, Faults] = {}
    moments = _Moments()
    for index, event in enumerate(events):
        if found := _faults_of(event):
            faults[index] = found
        else:
            readings[index] = _reading(msgspec.convert(event, _Event), moments)
    return Parsed(readings, faults)


def _faults_of(event: Any) -> Faults:
    """Return what is wrong with an event's shape, by field."""
    if not isinstance(event, dict):
        return {"": "must be an object"}
    found = {name: why for name, wanted in _ATTRIBUTES.items() if (why := wanted.fault(event, name))}
    data = event.get("data")
    if isinstance(data, dict):
        found |= {f"data.{name}": why for name, wanted in _DATA.items() if (why := wanted.fault(data, name))}
    else:
        found["data"] = "must be an object" if "data" in event else "is missing"
    return found


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a field must hold, in msgspec's words and in ours."""

    kind: Any
    words: str
    optional: bool = False

    def fault(self, document: dict[str, Any], name: str) -> str | None:
        if name not in document:
            return None if self.optional else "is missing"
        value = document[name]
        if value is None and self.optional:
            return None
        try:
            msgspec.convert(value, self.kind)
        except msgspec.ValidationError:
            return self.words
        return None if isinstance(value, str) else self.words


_TIME = "must be a time with its zone, such as 2026-12-10T09:00:00+07:00"
_TEXT = _Wanted(str, "must be text")
_ATTRIBUTES = {
    "id": _TEXT,
    "source": _TEXT,
    "specversion": _Wanted(Literal["1.0"], "must be 1.0"),
    "type": _Wanted(Annotated[str, msgspec.Meta(min_length=1)], "must be text, and not empty"),
    "subject": _TEXT,
    "datacontenttype": _Wanted(_Json, "must be application/json", optional=True),
    "dataschema": _Wanted(str, "must be text", optional=True),
    "time": _Wanted(_Time, _TIME, optional=True),
}
_DATA = {"meter": _TEXT, "quantity": _TEXT, "start": _Wanted(_Time, _TIME), "end": _Wanted(_Time, _TIME)}


def _event_of(data: Any, headers: Mapping[str, str]) -> dict[str, Any]:
    """Return the event of a binary-mode request: its attributes are headers, its data the body."""
    event: dict[str, Any] = {name[3:]: _attribute(value) for name, value in headers.items() if name.startswith("ce-")}
    return event | {"data": data}


def _attribute(value: str) -> str:
    """Read a header as the HTTP binding writes it: perhaps between quotes, then percent-encoded.

    The same event must have the same identity, whether a client quotes its headers or not.
    """
    if quoted := _QUOTED.fullmatch(value):
        value = _ESCAPED.sub(r"\1", quoted[1])
    return unquote(value)


def _not_too_many(count: int) -> None:
    if not 0 < count <= MOST_AT_ONCE:
        raise NotReadable(f"a batch has 1 to {MOST_AT_ONCE} events, not {count}")
