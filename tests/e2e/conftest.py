"""A portal really running, and people really signing in to it with Chromium."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.portal.test_look import AXE, CHROMIUM, RUN_AXE

ROOT = Path(__file__).parents[2]
READY_WITHIN = 120.0
SCREENSHOTS = os.environ.get("PORTAL_TEST_SCREENSHOTS")  # a folder to keep pictures in, for people to look at


@dataclass
class Portal:
    """A portal of the test's own, started by the one command."""

    url: str
    environment: dict[str, str]

    def clock(self, *arguments: str) -> str:
        """Run `portal clock …` beside the running portal."""
        done = subprocess.run(
            [sys.executable, "-m", "portal", "clock", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")  # a story has a portal of its own: clocks only go forward
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """`python -m portal run` on an empty data folder and free ports, ready to serve."""
    _needed()
    port = _free_port()
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    environment = own | {"PORTAL_DATA_DIR": str(tmp_path_factory.mktemp("e2e")), "PORTAL_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "portal", "run"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said: list[str] = []
    assert process.stdout is not None
    reading = threading.Thread(target=said.extend, args=(process.stdout,), daemon=True)
    reading.start()
    try:
        address = f"http://localhost:{port}"
        deadline = time.monotonic() + READY_WITHIN
        while not (_answers(f"{address}/readyz") and "Ctrl-C" in "".join(said)):
            assert process.poll() is None, "".join(said)
            assert time.monotonic() < deadline, f"not ready within {READY_WITHIN:.0f} s:\n{''.join(said)}"
            time.sleep(0.2)
        yield Portal(address, environment)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        reading.join(10)
        process.stdout.close()


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    """Debian's Chromium, or the one named in CHROMIUM."""
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        await browser.close()


@dataclass
class Person:
    """Somebody at a screen of their own, who looks at every page they come to."""

    page: Page
    name: str
    faults: list[str] = field(default_factory=list)
    seen: int = 0

    async def sign_in(self, portal: Portal) -> None:
        """Sign in through the identity provider, from the landing page."""
        await self.page.goto(portal.url)
        await self.look()
        await self.page.locator("main a[href^='/sign-in']").first.click()
        await self.page.locator(f"button[name=sub][value='{self.name}']").click()
        await self.page.wait_for_url(f"{portal.url}/**")
        await self.look()

    async def go(self, path: str) -> None:
        """Open a page of the portal by its address."""
        origin = self.page.url.split("/", 3)
        await self.page.goto(f"{origin[0]}//{origin[2]}{path}")
        await self.look()

    async def click(self, selector: str) -> None:
        """Click, wait for the page that follows, and look at it."""
        async with self.page.expect_navigation(wait_until="load"):
            await self.page.locator(selector).locator("visible=true").first.click()
        await self.look()

    async def text(self) -> str:
        """Return what the page says, in one line."""
        return " ".join((await self.page.locator("main").inner_text()).split())

    async def look(self) -> None:
        """Note what axe-core finds on the page as it stands, and whether it is wider than the screen."""
        self.seen += 1
        page = self.page
        if SCREENSHOTS:
            await page.screenshot(path=Path(SCREENSHOTS) / f"{self.name}-{self.seen:02d}.png", full_page=True)
        # The checker itself is no script of the page: it comes in past the page's policy.
        session = await page.context.new_cdp_session(page)
        await session.send("Runtime.evaluate", {"expression": AXE.read_text("utf-8")})
        report = await session.send(
            "Runtime.evaluate", {"expression": RUN_AXE, "awaitPromise": True, "returnByValue": True}
        )
        await session.detach()
        self.faults += [f"{page.url}: {found}" for found in json.loads(report["result"]["value"])]
        if not await page.evaluate("document.documentElement.scrollWidth <= innerWidth"):
            self.faults.append(f"{page.url}: it overflows")


async def at_a_screen(chromium: Browser, name: str, *, width: int = 1280) -> Person:
    """Return somebody with a browser of their own, whose complaints are kept."""
    context = await chromium.new_context(viewport={"width": width, "height": 900}, locale="th-TH")
    context.set_default_timeout(15_000)
    page = await context.new_page()
    person = Person(page, name)
    page.on("console", lambda message: person.faults.append(f"{page.url}: {message.text}"))
    page.on("request", lambda asked: person.faults.append(asked.url) if "csrf=" in asked.url else None)
    page.on("pageerror", lambda error: person.faults.append(f"{page.url}: {error}"))
    return person


def _needed() -> None:
    absent = [str(needed) for needed in (CHROMIUM, AXE) if not needed.exists()]
    if absent and os.environ.get("PORTAL_TEST_NO_SKIP"):
        pytest.fail(f"the browser tests need {', '.join(absent)}")
    if absent:
        pytest.skip(f"the browser tests need {', '.join(absent)}")


def _answers(address: str) -> bool:
    with contextlib.suppress(OSError, urllib.error.URLError), urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310 - our own http address
        return bool(answer.status == 200)
    return False


def _free_port() -> int:
    """Return a free port whose neighbour, the identity provider's, is free as well."""
    while True:
        with contextlib.suppress(OSError), socket.socket() as here, socket.socket() as beside:
            here.bind(("127.0.0.1", 0))
            port: int = here.getsockname()[1]
            beside.bind(("127.0.0.1", port + 1000 if port <= 64535 else port - 1000))
            return port
