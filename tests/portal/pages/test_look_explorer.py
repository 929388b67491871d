"""The cost explorer's table fits a desk's screen with as many series as are told apart, in both languages."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser as Chromium
from playwright.async_api import Route

from tests.browsing import PUBLIC_URL, Browser
from tests.portal.pages.shop import agency_a_in_december, at
from tests.portal.pages.test_look import chromium, faults

__all__ = ["chromium"]

pytestmark = pytest.mark.browser
SCROLLS = "[...document.querySelectorAll('.table-frame')].filter(each => each.scrollWidth > each.clientWidth).length"
COLUMNS = "document.querySelectorAll('.table-frame')[0].querySelectorAll('thead th').length"


async def test_six_services_and_the_others_need_no_scrolling_at_a_desk(
    chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    shop = await agency_a_in_december()
    for n, name in enumerate(("ระบบบริหารจัดการเอกสารอิเล็กทรอนิกส์", "Infrastructure monitoring") * 3, 1):
        sizes = {"vcpu": str(64 * n), "ram": "512", "ssd": "20000"}
        await shop.open("a", "VM", sizes, at(2026, 12, 1, 8), label=f"{name} {n}")
    finance = await browser_for("finance-a")
    for language in ("th", "en"):
        finance.cookies.set("lang", language, domain="portal.test", path="/")
        for width in (1280, 390):
            assert await measured(chromium, finance, "/costs/explorer", width) == (0, 10), (language, width)
    assert await faults(chromium, finance, "/costs/explorer", 1280) == []


async def measured(chromium: Chromium, visitor: Browser, path: str, width: int) -> tuple[int, int]:
    """Return how many tables of a page scroll sideways, and how many columns the first one has."""

    async def serve(route: Route) -> None:
        answer = await visitor.get(route.request.url.removeprefix(PUBLIC_URL))
        headers = {key: value for key, value in answer.headers.items() if key != "content-length"}
        await route.fulfill(status=answer.status_code, body=answer.content, headers=headers)

    context = await chromium.new_context(viewport={"width": width, "height": 900})
    try:
        await context.route("**/*", serve)
        page = await context.new_page()
        await page.goto(PUBLIC_URL + path)
        return await page.evaluate(SCROLLS), await page.evaluate(COLUMNS)
    finally:
        await context.close()
