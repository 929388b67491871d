"""S1 as people live it: one command, a browser each, the identity provider between."""

import re

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import Person, Portal, at_a_screen

pytestmark = pytest.mark.browser
PHONE = 390


async def test_more_bandwidth_from_wish_to_bill(portal: Portal, chromium: Browser) -> None:  # noqa: PLR0915 - a story is told in one piece
    # Friday afternoon: U finds the form through the menu, and is warned of asking too much.
    portal.clock("set", "2026-12-04T15:20", "--hold")
    official = await at_a_screen(chromium, "official-a")
    await official.sign_in(portal)
    await official.click("nav a[href^='/requests/new']")
    await official.click("main a[href*='service=']:has-text('อินเทอร์เน็ตภาครัฐ')")
    amount, day = official.page.locator("input[name^='q-']").first, official.page.locator("[name=effective_on]")
    await day.fill("16/12/2569")
    await amount.fill("8000")
    ahead = official.page.locator("#ahead")
    await expect(ahead).to_contain_text("ขาดอีก 850 Mbps")
    await expect(official.page.locator("button[value=submit]")).to_be_disabled()
    await official.look()
    await amount.fill("500")
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "+20,865.00", "884,676.00", "1,083,230.03", "83,230.03"):
        await expect(ahead).to_contain_text(figure)
    await official.page.locator("[name=justification]").fill("รองรับการประชุมทางไกลของสำนักงานใหญ่")
    # What is typed is kept as a draft meanwhile; a reload loses nothing.
    await expect(official.page.locator("#kept")).to_contain_text("A01-2570-")
    await official.look()
    await official.click("button[value=submit]")
    assert "8 ธ.ค. 2569 15:20 น." in await official.text()
    path = official.page.url.removeprefix(portal.url)

    # Tuesday morning: P checks and quotes.
    portal.clock("set", "2026-12-08T10:05", "--hold")
    reviewer = await at_a_screen(chromium, "reviewer")
    await reviewer.sign_in(portal)
    await reviewer.go("/requests")
    await reviewer.click(f"main a[href='{path}']")
    if await reviewer.page.locator(f"main a[href='{path}/review']").count():
        await reviewer.click(f"main a[href='{path}/review']")
    await reviewer.click(f"form[action='{path}/review'] button")
    for check in ("request", "capacity", "cost"):
        await reviewer.click(f"form[action='{path}/checks/{check}'] button[value=passed]")
    await reviewer.click("button[name=act][value=preview]")
    await reviewer.click("button[name=act][value=send]")

    # Wednesday: there is nothing to work on until A, on a phone, has read the quote and confirmed it.
    technician = await at_a_screen(chromium, "technician")
    await technician.sign_in(portal)
    await technician.go("/work")
    assert path not in await technician.page.content()
    portal.clock("set", "2026-12-09T09:30", "--hold")
    approver = await at_a_screen(chromium, "approver-a", width=PHONE)
    await approver.sign_in(portal)
    await approver.go("/requests")
    await approver.click(f"main a[href='{path}']")
    await approver.click(f"main a[href^='{path}/quote']")
    quote = await approver.text()
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "+20,865.00", "25,064.51", "1,083,230.03", "83,230.03"):
        assert figure in quote, figure
    await approver.click(f"form[action='{path}/confirmation'] button")

    # Friday: the work is due at half past nine; T does it step by step, U sees how far it is.
    await technician.go("/work")
    assert "11 ธ.ค. 2569 09:30 น." in await technician.text()
    portal.clock("set", "2026-12-11T09:00", "--hold")
    await technician.go(path)
    await technician.click(f"form[action='{path}/work'] button")
    for step in range(1, 5):
        await technician.click(f"form[action='{path}/work/steps/{step}'] button[value=done]")
        await official.go(path)
        assert re.search(rf"\b{25 * step} ?%", await official.text()) or step == 4
    assert "ดำเนินการแล้วเสร็จ" in await official.text()

    # December is billed as it was quoted.
    finance = await at_a_screen(chromium, "finance-a")
    await finance.sign_in(portal)
    await finance.go("/costs")
    assert "1,083,230.03" in await finance.text()
    await finance.click("main a[href='/costs/2026-12']")
    december = await finance.text()
    for figure in ("7,258.06", "17,806.45", "25,064.51"):
        assert figure in december, figure
    finance.page.on("dialog", lambda dialog: dialog.dismiss())
    await _sign_out(finance, portal)

    people: list[Person] = [official, reviewer, technician, approver, finance]
    assert [fault for person in people for fault in person.faults] == []
    assert all(person.seen > 3 for person in people)


async def _sign_out(person: Person, portal: Portal) -> None:
    """Sign out at the portal and, through it, at the identity provider."""
    await person.page.locator(".user-menu > summary").click()
    await person.page.locator("form[action='/sign-out'] button").click()
    # The identity provider asks whether it should sign out too, then leads back.
    await person.page.locator("form[action*='end_session'] button").click()
    await person.page.wait_for_url(f"{portal.url}/signed-out*")
    await person.page.goto(f"{portal.url}/costs")
    assert "/costs" not in person.page.url.split("?")[0]
