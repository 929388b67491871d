"""The channels' pages in a real browser: nothing overflows, the policy refuses nothing, axe finds nothing."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser as Chromium

from auth.rules import system
from auth.tenancy import acting_as
from services.channels.models import Mailbox
from services.channels.rules import Why
from services.files.rules import Given, checked
from tests.browsing import Browser
from tests.portal.pages.asking import stand
from tests.portal.pages.test_channels import LINE, MAIL, NOW, arrived
from tests.portal.pages.test_look import chromium as chromium  # noqa: PLC0414 - the fixture is used here too
from tests.portal.pages.test_look import faults
from tests.services.incidents.desk import staffed

pytestmark = pytest.mark.browser


async def test_pages_of_the_channels_hold_together(
    chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    desk = await staffed()
    admin, helpdesk, official = [await browser_for(who) for who in ("admin", "helpdesk", "official-a")]
    await stand(NOW, admin)
    await admin.submit("/channels/mailbox", MAIL)
    await admin.submit("/channels/line", LINE)
    async with acting_as(system("tests")):
        await Mailbox.all().update(last_error="The mail server does not answer.", looked_at=NOW)
    pdf = checked(Given("ผังชั้น 3.pdf", b"%PDF-1.7 x"))
    text = "จอดำตั้งแต่เช้า เปิดแล้วมีเสียงร้อง\n" * 5 + "https://agency.example/" + "x" * 200
    one = await arrived(desk, 1, files=(pdf,), text=text)
    away = await arrived(desk, 2, is_automatic=True)
    assert one.why is Why.UNKNOWN
    wrong = {}
    for browser, path in (
        (admin, "/channels"),
        (helpdesk, "/desk/inbox"),
        (helpdesk, f"/desk/inbox/{one.id}"),
        (official, "/account"),
        (official, "/contact"),
    ):
        wrong[path, 390] = await faults(chromium, browser, path, 390)
    for browser in (admin, helpdesk):
        browser.cookies.set("lang", "en", domain="portal.test", path="/")
    for browser, path in (
        (admin, "/channels"),
        (helpdesk, "/channels"),
        (helpdesk, "/desk/inbox?view=automatic"),
        (helpdesk, f"/desk/inbox/{away.id}"),
    ):
        wrong[path, 1280] = await faults(chromium, browser, path, 1280)
    assert {page: found for page, found in wrong.items() if found} == {}
