import re
from collections.abc import Awaitable, Callable

from auth.clients.models import Client
from auth.rules import system
from auth.tenancy import acting_as
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_a_token_is_shown_once_and_then_only_its_beginning(browser_for: BrowserFor) -> None:
    admin = await browser_for("admin")
    made = await admin.submit("/tokens", {"name": "มิเตอร์ไฟฟ้า", "scopes": "usage:write"})
    assert made.status_code == 200
    [token] = re.findall(r'value="(pt_[A-Za-z0-9_-]{43})"', made.text)
    assert made.headers["cache-control"] == "no-store"
    listed = await admin.get("/tokens")
    assert "มิเตอร์ไฟฟ้า" in said(listed)
    assert token[:10] in listed.text
    assert token not in listed.text
    assert "ยังไม่เคยใช้" in said(listed)


async def test_a_token_is_revoked_after_asking_once_more(browser_for: BrowserFor) -> None:
    admin = await browser_for("admin")
    await admin.submit("/tokens", {"name": "meters", "scopes": "usage:write"})
    async with acting_as(system("test")):
        client = await Client.all().first()
    assert client is not None
    path = f"/tokens/{client.id}/revoke"
    assert "ย้อนกลับไม่ได้" in said(await admin.get(path))
    after = await admin.follow(await admin.submit(path))
    assert "เพิกถอนแล้ว" in said(after)
    assert (await admin.get(path)).status_code == 404
    assert (await admin.submit(path)).status_code == 409


async def test_what_is_missing_is_said_at_its_field(browser_for: BrowserFor) -> None:
    admin = await browser_for("admin")
    refused = await admin.submit("/tokens", {"name": "", "scopes": "everything"})
    assert refused.status_code == 422
    refused = await admin.submit("/tokens", {"name": "meters"})
    assert refused.status_code == 422
    assert 'value="meters"' in refused.text
    async with acting_as(system("test")):
        assert await Client.all().count() == 0


async def test_an_agency_lets_in_machines_that_make_requests_and_nothing_else(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    page = await admin.get("/tokens")
    assert set(re.findall(r'name="scopes"[^>]*value="([^"]+)"', page.text)) == {"requests:read", "requests:write"}
    assert (await admin.submit("/tokens", {"name": "ระบบพัสดุ", "scopes": "requests:write"})).status_code == 200
    assert (await admin.submit("/tokens", {"name": "ระบบพัสดุ", "scopes": "usage:write"})).status_code == 422
    assert "ระบบพัสดุ" in said(await admin.get("/tokens"))
    assert "ระบบพัสดุ" not in said(await (await browser_for("admin")).get("/tokens"))
