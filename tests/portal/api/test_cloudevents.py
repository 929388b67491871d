import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.api.bodies import NotReadable
from portal.api.bodies import document as read_slowly  # the slow reader is what the fast one is held to
from portal.api.cloudevents import BATCH, BINARY, STRUCTURED, parse

EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "type": "usage",
    "source": "/meters/1",
    "id": "1",
    "subject": "CO-A01-2570-001",
    "data": {
        "meter": "energy",
        "quantity": "1.5",
        "start": "2026-12-10T09:00:00+07:00",
        "end": "2026-12-10T10:00:00+07:00",
    },
}


def event(**given: Any) -> dict[str, Any]:
    return EVENT | given


def data(**given: Any) -> dict[str, Any]:
    return EVENT | {"data": EVENT["data"] | given}


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in EVENT.items() if key != name}


def dumped(document: Any) -> bytes:
    return json.dumps(document).encode()


def test_the_three_modes_say_the_same() -> None:
    headers = {f"ce-{name}": EVENT[name] for name in ("specversion", "type", "source", "id", "subject")}
    readings = [
        parse(dumped(EVENT), STRUCTURED, {}),
        parse(dumped([EVENT]), BATCH, {}),
        parse(dumped(EVENT["data"]), BINARY, headers),
    ]
    assert [each.faults for each in readings] == [{}, {}, {}]
    assert len({each.readings[0] for each in readings}) == 1
    assert readings[0].readings[0].starts_at == dt.datetime(2026, 12, 10, 2, tzinfo=dt.UTC)


def test_binary_attributes_are_percent_encoded() -> None:
    headers = {"ce-specversion": "1.0", "ce-type": "u", "ce-source": "%E0%B8%81", "ce-id": "a%20b", "ce-subject": "s"}
    reading = parse(dumped(EVENT["data"]), BINARY, headers).readings[0]
    assert (reading.source, reading.event_id) == ("ก", "a b")


def test_optional_attributes_and_extensions_are_welcome() -> None:
    more = event(
        time="2026-12-10T10:00:00Z", datacontenttype="application/json", dataschema="x", traceparent="00-1", count=3
    )
    unset = event(time=None, datacontenttype=None, dataschema=None, traceparent=None)
    parsed = parse(dumped([EVENT, more, unset, data(unit="kWh")]), BATCH, {})
    assert (len(parsed.readings), parsed.faults) == (4, {})
    # Also where another event has every one of them looked at slowly.
    assert set(parse(dumped([more, unset, data(unit="kWh"), without("id")]), BATCH, {}).faults) == {3}


@pytest.mark.parametrize("said", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.meter+json"])
def test_data_is_json_under_any_of_its_names(said: str) -> None:
    assert parse(dumped(event(datacontenttype=said)), STRUCTURED, {}).faults == {}


@pytest.mark.parametrize("written", ['"a b\\"c"', "a%20b%22c", '"a%20b\\"c"'])
def test_a_header_between_quotes_says_what_it_says_without(written: str) -> None:
    headers = {"ce-specversion": "1.0", "ce-type": "u", "ce-source": '"s"', "ce-id": written, "ce-subject": "s"}
    reading = parse(dumped(EVENT["data"]), BINARY, headers).readings[0]
    assert (reading.source, reading.event_id) == ("s", 'a b"c')


@pytest.mark.parametrize(
    ("bad", "fields"),
    [
        ("no event", {""}),
        (without("id"), {"id"}),
        (event(source=3, subject=None), {"source", "subject"}),
        (event(specversion="0.3"), {"specversion"}),
        (event(type=""), {"type"}),
        (event(datacontenttype="text/xml"), {"datacontenttype"}),
        (event(time="yesterday"), {"time"}),
        (without("data"), {"data"}),
        (event(data=[]), {"data"}),
        (data(quantity=1.5), {"data.quantity"}),
        (data(start="2026-12-10T09:00:00", end=0), {"data.start", "data.end"}),
        (event(data={}), {"data.meter", "data.quantity", "data.start", "data.end"}),
    ],
)
def test_every_fault_of_every_event_is_named(bad: Any, fields: set[str]) -> None:
    parsed = parse(dumped([EVENT, bad, EVENT, bad]), BATCH, {})
    assert {index: set(why) for index, why in parsed.faults.items()} == {1: fields, 3: fields}
    assert set(parsed.readings) == {0, 2}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"NaN",
        b"[" * 100_000,
        dumped([]),
        dumped(EVENT),
        dumped([EVENT] * 10_001),
        dumped([EVENT]).replace(b'"id": "1"', b'"id": "1", "id": "2"'),
        dumped([EVENT]).replace(b'"meter": "energy"', b'"meter": "energy", "meter": "energy"'),
        dumped([EVENT]).replace(b'"id": "1"', b'"id": "1", "\\u0069d": "2"'),
        dumped([event(extension=1)]).replace(b'"extension": 1', b'"extension": 1, "extension": 2'),
    ],
)
def test_what_cannot_be_read_in_one_way_only_is_refused(body: bytes) -> None:
    with pytest.raises(NotReadable):
        parse(body, BATCH, {})


_TEXT = st.text(st.sampled_from('aก"\\:{}, \n'), max_size=4)
_PAIR = st.tuples(
    st.sampled_from(["id", "source", "type", "subject", "time", "dataschema", "x", "i\\u0064"]),
    _TEXT.map(json.dumps),
)


@given(st.lists(_PAIR, max_size=5), st.lists(_PAIR, max_size=2))
def test_the_fast_reader_takes_nothing_that_the_slow_one_refuses(
    outside: list[tuple[str, str]], inside: list[tuple[str, str]]
) -> None:
    more = "".join(f', "{name}": {value}' for name, value in outside)
    within = "".join(f', "{name}": {value}' for name, value in inside if name in {"x", "id"})
    whole = json.dumps(EVENT)
    body = f"[{whole[:-2]}{within}}}{more}}}]".encode()
    try:
        read_slowly(body)
        is_clear = True
    except NotReadable:
        is_clear = False
    try:
        parsed = parse(body, BATCH, {})
    except NotReadable:
        parsed = None
    if parsed is not None and parsed.readings:
        assert is_clear
    if not is_clear:
        assert parsed is None


@given(
    st.recursive(
        _TEXT | st.none() | st.integers() | st.booleans(),
        lambda more: (
            st.lists(more) | st.dictionaries(st.sampled_from(["id", "data", "meter", "start", "specversion"]), more)
        ),
        max_leaves=8,
    )
)
def test_an_event_is_read_or_its_faults_are_named(value: Any) -> None:
    for given_value in (value, event(data=value), event(subject=value), data(start=value)):
        try:
            parsed = parse(dumped([given_value]), BATCH, {})
        except NotReadable:
            continue
        assert (0 in parsed.readings) != (0 in parsed.faults)
        assert msgspec.json.encode(parsed.faults)
