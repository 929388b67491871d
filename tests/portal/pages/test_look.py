"""Services and costs in a real browser: nothing overflows, the policy refuses nothing, axe finds nothing."""

import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Route, async_playwright

from tests.browsing import PUBLIC_URL, Browser
from tests.portal.pages.shop import agency_a_in_december, at
from tests.portal.test_look import AXE, CHROMIUM, RUN_AXE, SMALL_TARGETS

pytestmark = pytest.mark.browser
UNFOLD = "document.querySelectorAll('main details').forEach(each => { each.open = true })"


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    absent = [str(needed) for needed in (CHROMIUM, AXE) if not needed.exists()]
    if absent and os.environ.get("PORTAL_TEST_NO_SKIP"):
        pytest.fail(f"the browser tests need {', '.join(absent)}")
    if absent:
        pytest.skip(f"the browser tests need {', '.join(absent)}")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        await browser.close()


async def faults(chromium: Chromium, visitor: Browser, path: str, width: int) -> list[object]:
    """Open a page as a visitor sees it, every fold of it open, and return whatever is wrong with it."""
    found: list[object] = []

    async def serve(route: Route) -> None:
        answer = await visitor.get(route.request.url.removeprefix(PUBLIC_URL))
        if answer.status_code != 200:
            found.append((route.request.url, answer.status_code))
        headers = {key: value for key, value in answer.headers.items() if key != "content-length"}
        await route.fulfill(status=answer.status_code, body=answer.content, headers=headers)

    context = await chromium.new_context(viewport={"width": width, "height": 900})
    await context.route("**/*", serve)
    page = await context.new_page()
    page.on("console", lambda message: found.append(message.text))
    page.on("pageerror", lambda error: found.append(str(error)))
    await page.goto(PUBLIC_URL + path)
    session = await context.new_cdp_session(page)
    await session.send(
        "Runtime.evaluate", {"expression": "document.querySelectorAll('main details').forEach(d => d.open = true)"}
    )
    if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
        found.append("it overflows")
    found += await page.evaluate(SMALL_TARGETS)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    report = await session.send(
        "Runtime.evaluate", {"expression": RUN_AXE, "awaitPromise": True, "returnByValue": True}
    )
    found += json.loads(report["result"]["value"])
    await context.close()
    return found


async def test_pages_of_services_and_costs_hold_together(
    chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    shop = await agency_a_in_december()
    await shop.open("a", "VM", {"vcpu": "4", "ram": "16", "ssd": "200"}, at(2026, 12, 6, 8), label="ระบบทดสอบ")
    finance, manager = await browser_for("finance-a"), await browser_for("manager")
    service = f"/services/{shop.services['GI'].id}"
    for path in ("/services", service, "/catalogue/VM", "/costs", "/costs/2026-12", "/budgets"):
        assert await faults(chromium, finance, path, 390) == [], path
    finance.cookies.set("lang", "en", domain="portal.test", path="/")
    for path in ("/", "/catalogue", "/costs/2026-11"):
        assert await faults(chromium, finance, path, 1280) == [], path
    assert await faults(chromium, manager, "/services", 1280) == []
