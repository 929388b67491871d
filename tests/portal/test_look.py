"""The look in a real browser: nothing overflows, nothing is refused by the policy, axe-core finds nothing."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, async_playwright

from portal import rendering
from tests.portal.sample_pages import CONTEXTS, NONCE, request, sample, visit

pytestmark = pytest.mark.browser

CHROMIUM = Path(os.environ.get("CHROMIUM", "/usr/bin/chromium"))
AXE = rendering.HERE.parent / "node_modules" / "axe-core" / "axe.min.js"
POLICY = (
    f"default-src 'none'; script-src 'nonce-{NONCE}'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".ttf": "font/ttf"}
RUN_AXE = """axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    resultTypes: ["violations"]})
  .then(report => JSON.stringify(report.violations.map(each => [each.id, each.nodes.map(node => node.html)])))"""


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    absent = [str(needed) for needed in (CHROMIUM, AXE) if not needed.exists()]
    if absent and os.environ.get("PORTAL_TEST_NO_SKIP"):
        pytest.fail(f"the browser tests need {', '.join(absent)}")
    if absent:
        pytest.skip(f"the browser tests need {', '.join(absent)}")
    async with async_playwright() as play:
        chromium = await play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        await chromium.close()


async def opened(browser: Browser, html: str, width: int, complaints: list[str]) -> Page:
    async def serve(route: Route) -> None:
        path = route.request.url.split("/", 3)[3].split("?")[0]
        if path.startswith("static/"):
            file = rendering.HERE / path
            await route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            headers = {"content-security-policy": POLICY}
            await route.fulfill(body=html, content_type="text/html; charset=utf-8", headers=headers)

    context = await browser.new_context(viewport={"width": width, "height": 900})
    await context.route("**/*", serve)
    page = await context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.goto("http://portal.test/sample")
    return page


def pages() -> dict[str, str]:
    error = rendering.error_page(request(seen=visit()), 503).body.decode()
    return {**{name: sample(name, visit()) for name in CONTEXTS}, "503": error}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", [*CONTEXTS, "503"])
async def test_a_page_holds_together(browser: Browser, name: str, width: int) -> None:
    complaints: list[str] = []
    page = await opened(browser, pages()[name], width, complaints)
    assert await page.evaluate("document.fonts.check('16px Sarabun')")
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await page.evaluate(SMALL_TARGETS) == []
    # The checker itself is no script of the page: it comes in past the page's policy.
    session = await page.context.new_cdp_session(page)
    await session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
    report = await session.send(
        "Runtime.evaluate", {"expression": RUN_AXE, "awaitPromise": True, "returnByValue": True}
    )
    assert json.loads(report["result"]["value"]) == []
    assert complaints == []
    await page.context.close()


SMALL_TARGETS = """[...document.querySelectorAll("a, button, summary, input:not([type=hidden]), select, textarea")]
  .filter(each => each.checkVisibility() && !each.closest("p, li li, .note"))
  .map(each => [each, each.getBoundingClientRect()])
  .filter(([each, box]) => !each.classList.contains("skip-link") && box.width > 0)
  .filter(([each, box]) => Math.min(box.width, box.height) < 24)
  .map(([each, box]) => `${each.outerHTML.slice(0, 80)} ${box.width}x${box.height}`)"""


async def test_without_scripts_the_menus_open_all_the_same(browser: Browser) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 900}, java_script_enabled=False)
    html = sample("form.html", visit())

    async def serve(route: Route) -> None:
        file = rendering.HERE / route.request.url.split("/", 3)[3].split("?")[0]
        if file.suffix in TYPES:
            await route.fulfill(body=file.read_bytes(), content_type=TYPES[file.suffix])
        else:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")

    await context.route("**/*", serve)
    page = await context.new_page()
    await page.goto("http://portal.test/sample")
    costs = page.locator(".site-menu-small a", has_text="ค่าใช้จ่าย")
    assert not await costs.is_visible()
    await page.locator(".site-menu-small > summary").click()
    assert await costs.is_visible()
    await page.locator(".user-menu > summary").click()
    assert await page.locator("form[action='/sign-out'] button").is_visible()
    await context.close()


async def test_a_question_opens_in_place_and_can_be_left(browser: Browser) -> None:
    complaints: list[str] = []
    page = await opened(browser, sample("form.html", visit()), 1280, complaints)
    await page.locator("a[data-dialog]").click()
    assert await page.locator("dialog#withdraw").is_visible()
    await page.locator("dialog#withdraw button[formmethod=dialog]").click()
    assert not await page.locator("dialog#withdraw").is_visible()
    await page.locator(".user-menu > summary").click()
    await page.keyboard.press("Escape")
    assert not await page.locator(".dropdown-panel").is_visible()
    assert complaints == []
    await page.context.close()
