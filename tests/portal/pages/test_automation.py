"""Work orders that go to a provider's own system by themselves, and its progress coming back (annex ก 1.8)."""

import datetime as dt
import json
import re
import uuid
from collections.abc import Iterator
from decimal import Decimal

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from auth.clients.commands import create
from auth.clients.rules import Scope
from auth.errors import Invalid
from auth.rules import system
from auth.tenancy import acting_as
from portal.dispatching import send_due
from services.automation.commands import automate
from services.automation.models import Automation, Dispatch
from services.automation.rules import BACK_OFF
from services.requests import commands as requests
from services.requests.models import RequestEvent, WorkOrder
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands
from tests.services.automation.receiver import Receiver, listening
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-08", "10:05")


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as found:
        yield found


async def set_up(browser: Browser, stage: Stage, url: str) -> str:
    """Automate government internet and return the secret the page shows."""
    answer = await browser.submit(f"/offerings/{stage.catalogue.offerings['GI'].id}/automation", {"url": url})
    assert answer.status_code == 200, said(answer)
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", answer.text)
    assert found is not None
    return found[0]


async def confirmed(stage: Stage) -> uuid.UUID:
    """Let agency ก. confirm a change of bandwidth."""
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    return request.id


async def dispatches() -> list[Dispatch]:
    async with acting_as(system("tests")):
        return await Dispatch.all().order_by("created_at")


def verified(receiver: Receiver, place: int, secret: str) -> dict[str, object]:
    headers, body = receiver.received[place]
    Webhook(secret).verify(body, headers)
    return json.loads(body)


async def test_a_confirmed_request_goes_out_signed_and_again_until_it_is_taken(
    stage: Stage, browser_for, receiver: Receiver
) -> None:
    await clock_stands(NOW)
    manager: Browser = await browser_for("manager")
    secret = await set_up(manager, stage, receiver.url)
    request_id = await confirmed(stage)
    receiver.answers = [500, 302]
    wall = dt.datetime.now(dt.UTC)
    assert await send_due(wall) == 1
    assert await send_due(wall) == 0  # not before its time
    assert await send_due(wall + BACK_OFF[0]) == 1
    assert await send_due(wall + BACK_OFF[0] + BACK_OFF[1]) == 1
    assert await send_due(wall + dt.timedelta(days=30)) == 0
    assert len(receiver.received) == 3
    headers, body = receiver.received[0]
    assert {each["webhook-id"] for each, _ in receiver.received} == {headers["webhook-id"]}
    assert {sent for _, sent in receiver.received} == {body}
    document = verified(receiver, 0, secret)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.replace(b"500", b"900"), headers)
    assert document["type"] == "work_order.created"
    assert Decimal(document["data"]["quantities"]["bandwidth"]) == 500  # type: ignore[index]
    assert document["data"]["request"] == (await stage.request(request_id)).number  # type: ignore[index]
    [sent] = await dispatches()
    assert (sent.state, sent.attempts, sent.last_answer) == ("delivered", 3, "200")
    shown = said(await manager.get(f"/offerings/{stage.catalogue.offerings['GI'].id}/automation"))
    assert "ปลายทางรับแล้ว" in shown
    assert secret not in shown


async def test_while_a_secret_changes_both_sign(stage: Stage, browser_for, receiver: Receiver) -> None:
    manager: Browser = await browser_for("manager")
    old = await set_up(manager, stage, receiver.url)
    new = await set_up(manager, stage, receiver.url)
    assert old != new
    await confirmed(stage)
    wall = dt.datetime.now(dt.UTC)
    await send_due(wall)
    verified(receiver, 0, old)
    verified(receiver, 0, new)


async def test_what_was_given_up_is_sent_again_by_hand_and_nothing_after_a_stop(
    stage: Stage, browser_for, receiver: Receiver
) -> None:
    offering = stage.catalogue.offerings["GI"]
    manager: Browser = await browser_for("manager")
    await set_up(manager, stage, receiver.url)
    await confirmed(stage)
    receiver.answers = [500] * (len(BACK_OFF) + 1)
    wall = dt.datetime.now(dt.UTC)
    for wait in (dt.timedelta(0), *BACK_OFF):
        wall += wait
        assert await send_due(wall) == 1
    [given_up] = await dispatches()
    assert given_up.state == "failed"
    shown = await manager.get(f"/offerings/{offering.id}/automation")
    assert "ส่งไม่สำเร็จ" in said(shown)
    await manager.follow(await manager.submit(f"/dispatches/{given_up.id}/again"))
    assert (await manager.submit(f"/dispatches/{given_up.id}/again")).status_code == 409
    assert await send_due(wall) == 1
    [taken] = await dispatches()
    assert (taken.id, taken.state) == (given_up.id, "delivered")

    async with acting_as(system("tests")):
        await Dispatch.filter(id=taken.id).update(state="pending", settled_at=None, next_attempt_at=wall)
    assert (await manager.submit(f"/offerings/{offering.id}/automation/stop")).status_code == 303
    assert await send_due(wall) == 0
    assert (await dispatches())[0].state == "failed"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://far.example/x",
        "ftp://localhost/x",
        "https://",
        "https://[",
        "https://a b",
        "https://far.example:99999",
        "x" * 600,
    ],
)
async def test_what_is_no_address_is_refused(stage: Stage, browser_for, url: str) -> None:
    manager: Browser = await browser_for("manager")
    answer = await manager.submit(f"/offerings/{stage.catalogue.offerings['GI'].id}/automation", {"url": url})
    assert answer.status_code == 422
    assert 'id="field-url-error"' in answer.text


async def test_in_production_nothing_is_sent_to_the_portals_own_machine(stage: Stage) -> None:
    offering_id = stage.catalogue.offerings["GI"].id
    for host in (
        "localhost",
        "127.0.0.1",
        "127.1",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "169.254.169.254",
        "0",
    ):
        with pytest.raises(Invalid):
            await stage.as_("manager", automate, offering_id, f"https://{host}/x", now=NOW)


async def test_an_address_nobody_can_call_holds_up_no_other_message(
    stage: Stage, browser_for, receiver: Receiver
) -> None:
    manager = await browser_for("manager")
    await set_up(manager, stage, receiver.url)
    await confirmed(stage)
    async with acting_as(system("tests")):
        await Automation.all().update(url="http://127.0.0.1:99999/")
    assert await send_due(dt.datetime.now(dt.UTC)) == 1
    assert (await dispatches())[0].last_answer == "ExceptionGroup"


async def token(stage: Stage, *scopes: Scope) -> dict[str, str]:
    issued = await stage.as_("admin", create, "เครื่องจัดเตรียม", scopes, now=NOW)
    return {"authorization": f"Bearer {issued.token}"}


async def order_of(request_id: uuid.UUID) -> str:
    async with acting_as(system("tests")):
        order = await WorkOrder.get(request_id=request_id)
    return f"/api/v1/work-orders/{order.id}/progress"


async def test_a_system_reports_its_progress_to_the_end(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    request_id = await confirmed(stage)
    path, headers = await order_of(request_id), await token(stage, Scope.WORK_WRITE)
    machine: Browser = await browser_for()

    async def report(**said_: object) -> tuple[int, dict[str, object]]:
        answer = await machine.post(path, json=said_, headers=headers)
        return answer.status_code, answer.json()

    assert (await report(action="step", position=1))[0] == 409
    assert await report(action="start") == (200, {"state": "in_progress", "percent": 0, "next_step": 1})
    assert (await report(action="start"))[0] == 409
    assert (await report(action="note", note="ติดตั้งแล้ว 100% ของอุปกรณ์"))[0] == 200
    assert (await report(action="fail", position=1, note="ท่อหลักไม่ตอบ"))[0] == 200
    assert (await report(action="fail", position=1))[0] == 422
    assert (await report(action="step", position=1))[1] == {"state": "in_progress", "percent": 25, "next_step": 2}
    assert (await report(action="step", position=1))[0] == 409
    for position in (2, 3, 4):
        status, done = await report(action="step", position=position)
        assert status == 200
    assert done == {"state": "completed", "percent": 100, "next_step": None}
    async with acting_as(system("tests")):
        names = {event.by_name for event in await RequestEvent.filter(request_id=request_id, what="progress")}
    assert names == {"เครื่องจัดเตรียม"}
    official: Browser = await browser_for("official-a")
    page = said(await official.get(f"/requests/{request_id}"))
    assert "ติดตั้งแล้ว 100% ของอุปกรณ์" in page
    assert "เครื่องจัดเตรียม" in page


async def test_reports_that_cannot_be_taken(stage: Stage, browser_for) -> None:
    path = await order_of(await confirmed(stage))
    machine: Browser = await browser_for()
    work, usage = await token(stage, Scope.WORK_WRITE), await token(stage, Scope.USAGE_WRITE)
    assert (await machine.post(path, json={"action": "start"})).status_code == 401
    assert (await machine.post(path, json={"action": "start"}, headers=usage)).status_code == 403
    for body, status in (
        ({"action": "dance"}, 422),
        ({}, 422),
        ({"action": "step"}, 422),
        ({"action": "start", "hurry": True}, 422),
        ({"action": "note", "note": "x" * 4001}, 422),
    ):
        assert (await machine.post(path, json=body, headers=work)).status_code == status, body
    as_json = work | {"content-type": "application/json"}
    assert (await machine.post(path, content=b"{", headers=as_json)).status_code == 400
    assert (await machine.post(path, content=b"{}", headers=work | {"content-type": "text/plain"})).status_code == 415
    nobody = f"/api/v1/work-orders/{uuid.UUID(int=3)}/progress"
    assert (await machine.post(nobody, json={"action": "start"}, headers=work)).status_code == 404
