"""Usage pulled from a Prometheus server: one query per meter, asked for each whole hour.

A query answers with one value per service for the hour that ends at the moment it is asked for, such as
`max_over_time(traffic_mbps[1h])`; a label names the service. The same hour asked again gives the same events, so that
a collector may be stopped, repeated and run twice.
"""

import asyncio
import datetime as dt
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Literal

import httpx2
import msgspec

from billing.metering.rules import Reading

HOUR = dt.timedelta(hours=1)
_SIX_DECIMALS = Decimal("0.000001")
_PATIENCE = 30.0  # for each step of an answer
_LONGEST = 60.0  # for all answers of an hour: a server that trickles would hold up everybody's collectors
_LARGEST = 16 * 1024 * 1024  # of one answer; ten thousand services take one and a half
_REFUSED = frozenset({401, 403})


class NotCollected(RuntimeError):
    """The server did not answer, or its answer is none that usage can be read from."""


class NotLetIn(NotCollected):
    """The server refused the user name, the password or the token."""


@dataclass(frozen=True, slots=True)
class Query:
    """What to ask for a meter, and the label that names the service in each answer."""

    meter: str
    text: str
    label: str = "service"


class _Sample(msgspec.Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Found(msgspec.Struct, tag_field="resultType", tag="vector"):
    result: list[_Sample]


class _Answer(msgspec.Struct):
    status: Literal["success"]
    data: _Found


class Bearer(httpx2.Auth):
    """A token, as RFC 6750 has it sent."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response]:
        """Send the token with each request."""
        request.headers["authorization"] = self._header
        yield request


_read = msgspec.json.Decoder(_Answer).decode


async def collect(
    address: str,
    queries: Iterable[Query],
    starts_at: dt.datetime,
    *,
    source: str | None = None,
    auth: httpx2.Auth | None = None,
    http: httpx2.AsyncClient | None = None,
) -> list[Reading]:
    """Return the readings of the hour that starts at a moment; refuses (NotCollected) what cannot be read whole.

    `source` is what the events come under, with the meter; the address where none is given. It must outlive the
    address, or else the same hour would count twice. `auth` goes to that address alone: no redirect is followed.
    Values are floats there: each is rounded half-up to the six decimals that usage keeps. Refuses (ValueError) a
    moment that is no full hour.
    """
    if starts_at != starts_at.astimezone(dt.UTC).replace(minute=0, second=0, microsecond=0):
        raise ValueError(f"usage is collected by the full hour, not from {starts_at}")
    client = http or httpx2.AsyncClient(timeout=_PATIENCE, auth=auth)
    try:
        async with asyncio.timeout(_LONGEST):
            answers = await asyncio.gather(
                *(_ask(client, address, query, starts_at, source or address) for query in queries)
            )
    except TimeoutError as error:
        raise NotCollected(f"no whole answer within {_LONGEST:.0f} seconds") from error
    finally:
        if http is None:
            await client.aclose()
    return [reading for readings in answers for reading in readings]


async def _ask(
    client: httpx2.AsyncClient, address: str, query: Query, starts_at: dt.datetime, source: str
) -> list[Reading]:
    asked = {"query": query.text, "time": f"{(starts_at + HOUR).timestamp():.0f}"}
    try:
        async with client.stream("POST", f"{address.rstrip('/')}/api/v1/query", data=asked) as answer:
            if answer.status_code in _REFUSED:
                raise NotLetIn(f"{query.meter}: HTTP {answer.status_code}")
            answer.raise_for_status()
            samples = _read(await _whole(answer, query)).data.result
    except (httpx2.HTTPError, msgspec.MsgspecError) as error:
        raise NotCollected(f"{query.meter}: {type(error).__name__}: {error}") from error
    readings = [_reading(source, query, sample, starts_at) for sample in samples]
    if len({reading.subject for reading in readings}) != len(readings):
        raise NotCollected(f"{query.meter}: two values for one service; sum them in the query")
    return readings


async def _whole(answer: httpx2.Response, query: Query) -> bytes:
    body = bytearray()
    async for piece in answer.aiter_bytes():
        body += piece
        if len(body) > _LARGEST:
            raise NotCollected(f"{query.meter}: the answer is larger than {_LARGEST // 1024 // 1024} MB")
    return bytes(body)


def _reading(source: str, query: Query, sample: _Sample, starts_at: dt.datetime) -> Reading:
    subject = sample.metric.get(query.label)
    if not subject:
        raise NotCollected(f"{query.meter}: a value without the label {query.label}")
    try:
        quantity = Decimal(sample.value[1]).quantize(_SIX_DECIMALS, ROUND_HALF_UP)
    except InvalidOperation:
        raise NotCollected(f"{query.meter}: {subject} has the value {sample.value[1][:40]}") from None
    hour = starts_at.astimezone(dt.UTC)
    return Reading(
        source=f"{source.rstrip('/')}#{query.meter}",
        event_id=f"{subject}@{hour:%Y-%m-%dT%H:%MZ}",
        subject=subject,
        meter=query.meter,
        quantity=f"{quantity:f}",
        starts_at=hour,
        ends_at=hour + HOUR,
    )
