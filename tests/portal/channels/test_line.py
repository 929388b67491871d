"""LINE's webhook with real signatures, and what goes back to a server in LINE's place."""

import asyncio
import base64
import datetime as dt
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.applications import Starlette

from auth.rules import system
from auth.tenancy import acting_as, rows
from portal.channels.fetching import fetch_content
from portal.channels.line import message
from portal.channels.sending import send_replies
from portal.settings import Settings
from services.channels.linking import give_code, unlink
from services.channels.models import Arrival, ArrivalFile, LineAccount, LineCode, LineLink
from services.channels.rules import ArrivalState, Why
from services.incidents.commands import first_analysis, reclassify, wait_for_requester
from services.incidents.conversation import say
from services.incidents.ending import resolve
from services.incidents.models import Incident, IncidentFile, IncidentMessage
from services.incidents.rules import Channel
from tests.browsing import Browser
from tests.portal.channels.conftest import ACCESS_TOKEN, CHANNEL_SECRET
from tests.portal.channels.servers import Line
from tests.portal.pages.asking import stand
from tests.services.incidents.desk import Desk, at, person_of

NOW = at(2026, 12, 4, 15, 40)
USER = "U" + "a" * 32


def event(text: str = "พิมพ์ไม่ได้", *, id_: str = "01", user: str = USER, **message: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "mode": "active",
        "webhookEventId": id_,
        "timestamp": 1_700_000_000_000,
        "replyToken": f"token-{id_}",
        "source": {"type": "user", "userId": user},
        "message": {"type": "text", "id": f"m{id_}", "text": text} | message,
    }


def signature(body: bytes, secret: str = CHANNEL_SECRET) -> str:
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()


class Platform:
    """LINE's platform, delivering to the portal."""

    def __init__(self, browser: Browser, account: LineAccount) -> None:
        self.browser, self.path = browser, f"/hooks/line/{account.provider_id}"

    async def deliver(self, *events: dict[str, Any]) -> int:
        body = json.dumps({"destination": "Ubot", "events": events}).encode()
        return await self.post(body, signature(body))

    async def post(self, body: bytes, signed: str | None, path: str | None = None) -> int:
        headers = {"content-type": "application/json"} | ({"x-line-signature": signed} if signed is not None else {})
        return (await self.browser.post(path or self.path, content=body, headers=headers)).status_code


@pytest.fixture
async def line(account: LineAccount, make_app: Callable[..., Starlette], settings: Settings) -> Any:
    app = make_app(secret_keys=settings.secret_keys)
    async with Browser(app) as browser:
        await stand(NOW, browser)
        yield Platform(browser, account)


async def linked(desk: Desk, line: Platform) -> None:
    """Link the official's LINE account by a code, as their account's page gives it."""
    async with acting_as(system("tests")):
        code = await give_code(person_of(desk.official), wall=dt.datetime.now(dt.UTC))
    assert await line.deliver(event(code.lower(), id_="link")) == 200


async def test_only_the_channels_own_signature_is_believed(desk: Desk, line: Platform, account: LineAccount) -> None:
    body = json.dumps({"events": [event()]}).encode()
    other = "00000000-0000-0000-0000-000000000001"
    for signed in (None, "", "x", signature(body, "another-providers-secret"), signature(body + b" ")):
        assert await line.post(body, signed) == 401
    assert (await line.browser.post(line.path, data={"events": "[]"})).status_code == 415
    assert await line.post(body, signature(body), f"/hooks/line/{other}") == 401
    async with acting_as(system("tests")):
        assert await Arrival.all().count() == 0
        await LineAccount.all().update(is_on=False)
    assert await line.post(body, signature(body)) == 401
    async with acting_as(system("tests")):
        await LineAccount.all().update(is_on=True)
    for broken in (b"", b"{", b"[]", b'{"events": 1}'):
        assert await line.post(broken, signature(broken)) == 400
    strange = b'{"events": [1, {}, {"type": "follow"}, {"type": "message", "source": null, "message": null}]}'
    assert await line.post(strange, signature(strange)) == 200
    assert await line.post(body, signature(body)) == 200
    async with acting_as(system("tests")):
        assert await Arrival.all().count() == 1
        assert (await LineAccount.get(id=account.id)).heard_at is not None


async def test_a_linked_person_reports_goes_on_and_begins_anew(
    desk: Desk, line: Platform, platform: Line, settings: Settings
) -> None:
    await linked(desk, line)
    first = event(id_="1")
    codes = await asyncio.gather(line.deliver(first), line.deliver(first), line.deliver(first))
    assert codes == [200, 200, 200]
    assert await line.deliver(event("รุ่น ก.", id_="2"), first) == 200
    assert await line.deliver(event("เรื่องใหม่ จอดำ", id_="3")) == 200
    async with acting_as(system("tests")):
        one, two = await Incident.all().order_by("number")
        assert (one.channel, one.requester_id, one.title) == (Channel.LINE, person_of(desk.official), "พิมพ์ไม่ได้")
        assert two.title == "จอดำ"
        # A number goes to its own incident; its owner alone can name it.
    assert await line.deliver(event(f"{one.number} ด่วน", id_="4")) == 200
    assert await line.deliver(event(f"{one.number} ขอดู", id_="5", user="Ustranger")) == 200
    async with acting_as(system("tests")):
        messages = await IncidentMessage.filter(incident_id=one.id).order_by("at", "id")
        assert [each.text for each in messages] == ["รุ่น ก.", f"{one.number} ด่วน"]
        assert (await Arrival.get(external_id="5")).state is ArrivalState.WAITING
    helpdesk = desk.helpdesk
    await desk.do(helpdesk, say(one.id, "กำลังไปดู", by=helpdesk, now=NOW))
    await desk.do(helpdesk, first_analysis(one.id, by=helpdesk, now=NOW))
    await desk.do(helpdesk, wait_for_requester(one.id, note="ขอเลขครุภัณฑ์", by=helpdesk, now=NOW))
    await desk.do(helpdesk, reclassify(one.id, code="1.2a", by=helpdesk, now=NOW))
    await desk.do(helpdesk, resolve(one.id, resolution="เปลี่ยนตลับหมึก", by=helpdesk, now=NOW))

    wall = dt.datetime.now(dt.UTC)
    platform.answers += [200, 400]  # the second reply token is too old: it is pushed
    while await send_replies(settings, wall):
        pass
    said = [(path.rsplit("/", 1)[1], json.loads(body), headers) for path, headers, body in platform.posted]
    assert all(headers["authorization"] == f"Bearer {ACCESS_TOKEN}" for _, _, headers in said)
    assert [kind for kind, _, _ in said[:3]] == ["reply", "reply", "push"]
    texts = [body["messages"][0]["text"] for _, body, _ in said]
    assert desk.official.name in texts[0]
    assert sum(one.number in text for text in texts) >= 3
    assert two.number in " ".join(texts)
    # What the desk wrote, what it waits for and what it did is pushed, with the number it is about.
    for words in ("กำลังไปดู", "ขอเลขครุภัณฑ์", "เปลี่ยนตลับหมึก"):
        [pushed] = [each for each in said if words in each[1]["messages"][0]["text"]]
        assert (pushed[0], pushed[1]["to"]) == ("push", USER)
        assert one.number in pushed[1]["messages"][0]["text"]
        assert len(pushed[2]["x-line-retry-key"]) == 36
    to_stranger = [body for _, body, _ in said if body.get("replyToken") == "token-5"]
    assert len(to_stranger) == 1
    assert one.number not in str(to_stranger)


async def test_a_code_links_once_in_time_and_is_undone(desk: Desk, line: Platform) -> None:
    now = dt.datetime.now(dt.UTC)
    async with acting_as(system("tests")):
        old = await give_code(person_of(desk.official), wall=now - dt.timedelta(minutes=11))
    assert await line.deliver(event(old, id_="1")) == 200
    async with acting_as(system("tests")):
        replaced = await give_code(person_of(desk.official), wall=now)
        code = await give_code(person_of(desk.official), wall=now)
        assert code not in str(await rows("SELECT * FROM line_code"))
    await line.deliver(event(replaced, id_="2"), event("ABCD-2345", id_="3"))
    async with acting_as(system("tests")):
        assert await LineLink.all().count() == 0
    await line.deliver(event(code, id_="4"), event(code, id_="5", user="Uthief"))
    async with acting_as(system("tests")):
        assert [each.line_user_id for each in await LineLink.all()] == [USER]
        assert await LineCode.all().count() == 0
        assert not await Arrival.filter(text__contains=code).exists()
        await unlink(person_of(desk.official), by=desk.official, now=NOW)
    await line.deliver(event(id_="6"))
    async with acting_as(system("tests")):
        assert (await Arrival.get(external_id="6")).why is Why.UNKNOWN
        assert await Incident.all().count() == 0


async def test_files_are_fetched_by_a_job_and_checked_like_any(
    desk: Desk, line: Platform, platform: Line, settings: Settings
) -> None:
    await linked(desk, line)
    platform.contents = {"m2": b"\xff\xd8\xff photo", "m3": b"MZ", "m4": b"%PDF-1.7 x"}
    await line.deliver(
        event(id_="1"),
        event(id_="2", type="image"),
        event(id_="3", type="file", fileName="virus.pdf"),
        event(id_="4", type="file", fileName="ผัง.pdf", user="Ustranger"),
        event(id_="5", type="image"),
    )
    async with acting_as(system("tests")):
        queued = await rows("SELECT payload FROM pgqueuer WHERE entrypoint = 'line_content' ORDER BY id")
    payloads = [json.loads(bytes(row["payload"])) for row in queued]
    assert len(payloads) == 4
    platform.answers = [202, 500]
    assert await fetch_content(payloads[0], settings) == dt.timedelta(seconds=10)
    assert await fetch_content(payloads[0] | {"attempt": 1}, settings) == dt.timedelta(minutes=1)
    for payload in (*payloads, payloads[0]):  # the first again, as after a worker's death
        assert await fetch_content(payload, settings) is None
    async with acting_as(desk.official):
        [file] = await IncidentFile.all()
        assert (file.name, file.media_type) == ("image.jpg", "image/jpeg")
        assert file.message_id == (await Arrival.get_or_none(external_id="2") or file).message_id
        texts = [each.text for each in await IncidentMessage.all().order_by("at", "id")]
    assert any("virus.pdf" in text and "PDF" in text for text in texts)
    assert any("LINE ไม่เก็บไฟล์นี้แล้ว" in text for text in texts)  # the fifth is gone
    async with acting_as(desk.helpdesk):
        assert [each.name for each in await ArrivalFile.all()] == ["ผัง.pdf"]


def test_a_text_longer_than_line_takes_keeps_its_end() -> None:
    assert message("สั้น")["text"] == "สั้น"
    long = "ก" * 6000 + " เรื่องเลขที่ INC-A01-2570-0001"
    sent = message(long)["text"]
    assert len(sent) == 5000
    assert sent.startswith("กกก")
    assert sent.endswith("ก เรื่องเลขที่ INC-A01-2570-0001")
