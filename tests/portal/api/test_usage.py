import datetime as dt
import json
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from auth.audit.models import AuditRecord
from auth.clients.commands import create, revoke
from auth.clients.models import Client
from auth.clients.rules import Scope
from auth.rules import system
from auth.tenancy import acting_as
from tests.billing.metering.world import World, everything, found
from tests.browsing import Browser
from tests.cast import actor

BATCH = "application/cloudevents-batch+json"
NOW = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
Send = Callable[..., Awaitable[httpx2.Response]]


@pytest.fixture
async def world(database: str) -> World:
    return await found()


@pytest.fixture
async def token(world: World) -> str:
    return await make_token()


@pytest.fixture
async def send(app: Starlette, token: str) -> Send:
    async def post(body: Any, media_type: str = BATCH, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        async with Browser(app) as machine:
            given = {"content-type": media_type, "authorization": f"Bearer {token}"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            return await machine.post("/api/v1/usage", content=content, headers=given)

    return post


async def make_token(*scopes: Scope) -> str:
    admin = await actor("admin")
    async with acting_as(admin):
        issued = await create("meters", scopes or (Scope.USAGE_WRITE,), by=admin, now=NOW)
    return issued.token


def event(world: World, event_id: object = 1, **given: Any) -> dict[str, Any]:
    said = {
        "meter": given.pop("meter", "energy"),
        "quantity": given.pop("quantity", "1.5"),
        "start": (NOW - dt.timedelta(minutes=2)).isoformat(),
        "end": (NOW - dt.timedelta(minutes=1)).isoformat(),
    }
    values = {"specversion": "1.0", "type": "usage", "source": "/m", "id": str(event_id)}
    return values | {"subject": world.service.number, "data": said} | given


async def test_a_batch_is_stored_and_its_repeat_is_a_duplicate(world: World, send: Send) -> None:
    batch = [event(world, n) for n in range(20)]
    first, again = await send(batch), await send(batch)
    assert (first.status_code, first.json()) == (200, {"stored": 20, "duplicates": 0})
    assert (again.status_code, again.json()) == (200, {"stored": 0, "duplicates": 20})
    assert (await everything())[:2] == [20, 20]


async def test_structured_and_binary_events_are_the_same_event(world: World, send: Send) -> None:
    one = event(world)
    assert (await send(one, 'application/cloudevents+json; charset="UTF-8"; profile=x')).json()["stored"] == 1
    attributes = {f"ce_{name}": one[name] for name in ("specversion", "type", "source", "id", "subject")}
    assert (await send(one["data"], "application/json", **attributes)).json() == {"stored": 0, "duplicates": 1}


async def test_every_bad_event_is_listed_whatever_is_wrong_with_it(world: World, send: Send) -> None:
    batch = [
        event(world, 1),
        event(world, 2, quantity=7),
        event(world, 3, subject="nobody"),
        event(world, 4, meter="gas"),
        event(world, 5, quantity="-1"),
        {"id": "6"},
        event(world, "7\0"),
    ]
    answer = await send(batch)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    listed = {each["index"]: set(each["fields"]) for each in answer.json()["events"]}
    assert listed == {
        1: {"data.quantity"},
        2: {"subject"},
        3: {"data.meter"},
        4: {"data.quantity"},
        5: {"source", "specversion", "type", "subject", "data"},
        6: {"id"},
    }
    assert await everything() == [0, 0, 0, 0]


async def test_other_content_under_a_known_identity_is_a_conflict(world: World, send: Send) -> None:
    await send([event(world, 1)])
    answer = await send([event(world, 2), event(world, 1, quantity="9")])
    assert (answer.status_code, answer.json()["events"]) == (409, [{"index": 1}])
    assert (await everything())[0] == 1


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("", 401), ("Bearer ", 401), ("Basic dTpw", 401), ("Bearer pt_" + "a" * 43, 401), ("Bearer " + "x" * 9000, 401)],
)
async def test_without_a_valid_token_nothing_is_taken(
    world: World, send: Send, authorization: str, status: int
) -> None:
    answer = await send([event(world)], authorization=authorization)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await everything() == [0, 0, 0, 0]


async def test_a_revoked_token_is_refused_at_the_next_call(world: World, send: Send) -> None:
    assert (await send([event(world, 1)])).status_code == 200
    admin = await actor("admin")
    async with acting_as(admin):
        client = await Client.all().first()
        assert client is not None
        assert client.last_used_at is not None
        await revoke(client.id, by=admin, now=NOW)
    assert (await send([event(world, 2)])).status_code == 401


async def test_a_token_without_the_scope_is_refused_and_the_denial_kept(world: World, send: Send) -> None:
    async with acting_as(system("test")):
        await Client.all().update(scopes=["something:else"])
    answer = await send([event(world)])
    assert answer.status_code == 403
    async with acting_as(system("test")):
        denied = await AuditRecord.filter(action="access.denied").first()
    assert denied is not None
    assert (denied.actor, denied.detail["scope"]) == ("meters", "usage:write")


async def test_a_signed_in_browser_is_no_machine(world: World, app: Starlette, browser_for: Any) -> None:
    browser = await browser_for("admin")
    answer = await browser.post("/api/v1/usage", json=[], headers={"content-type": BATCH})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("body", "media_type", "headers", "status"),
    [
        (b"{", BATCH, {}, 400),
        (b"[]", BATCH, {}, 400),
        (b"[]", "text/plain", {}, 415),
        (b"[]", "application/cloudevents-batch+json; charset=latin-1", {}, 415),
        (b"[]", BATCH, {"content_encoding": "gzip"}, 415),
        (b" " * (8 * 1024 * 1024 + 1), BATCH, {}, 413),
        (b"a=b", "application/x-www-form-urlencoded", {}, 415),
    ],
)
async def test_what_is_no_events_is_refused_as_such(
    world: World, send: Send, body: bytes, media_type: str, headers: dict[str, str], status: int
) -> None:
    assert (await send(body, media_type, **headers)).status_code == status
    assert await everything() == [0, 0, 0, 0]


async def test_nothing_secret_is_said_where_something_breaks(world: World, send: Send) -> None:
    async with acting_as(system("test")):
        pass
    answer = await send([event(world, "x" * 300)])
    assert answer.status_code == 422
    assert "x" * 300 not in answer.text


async def test_a_machine_corrects_what_it_reported(app: Starlette, world: World, send: Send) -> None:
    assert (await send([event(world, 1, quantity="10")])).status_code == 200
    token = await make_token(Scope.USAGE_CORRECT)

    async def correct(token: str, **given: Any) -> tuple[int, dict[str, Any]]:
        said = event(world, 1)
        body = {"source": said["source"], "id": "1", "start": said["data"]["start"], "quantity": "7.5", "reason": "x"}
        async with Browser(app) as machine:
            answer = await machine.post(
                "/api/v1/usage/corrections", json=body | given, headers={"authorization": f"Bearer {token}"}
            )
        return answer.status_code, answer.json()

    assert await correct(token) == (200, {"correction": 1, "counts_for": "7.5", "settled_by_next_invoice": False})
    assert (await correct(token))[0] == 409
    assert await correct(token, quantity=None, reason="counted twice") == (
        200,
        {"correction": 2, "counts_for": None, "settled_by_next_invoice": False},
    )
    for given, status in (
        ({"id": "2"}, 404),
        ({"start": (NOW - dt.timedelta(days=9)).isoformat()}, 404),
        ({"start": "9999-12-31T23:59:59+00:00"}, 404),
        ({"start": "2026-12-10T09:00:00"}, 422),
        ({"quantity": "-1"}, 422),
        ({"quantity": 1.5}, 422),
        ({"quantity": "3", "reason": " "}, 422),
        ({"subject": "x"}, 422),
    ):
        assert (await correct(token, **given))[0] == status, given
    assert (await correct(await make_token()))[0] == 403
