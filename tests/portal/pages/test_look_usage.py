"""Pages about usage in a real browser: nothing overflows, the policy refuses nothing, axe finds nothing."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser as Chromium

from auth.tenancy import acting_as
from billing.collectors.commands import set_up
from billing.collectors.rules import Plan
from billing.metering.corrections import replace
from billing.metering.references import map_reference
from tests.billing.metering.test_corrections import event
from tests.billing.metering.world import World, at, found
from tests.browsing import Browser
from tests.cast import actor
from tests.portal.pages.shop import clock_stands
from tests.portal.pages.test_look import chromium, faults
from tests.portal.pages.test_usage import EVENT, links

__all__ = ["chromium"]

pytestmark = pytest.mark.browser
NOW = at(2026, 12, 20, 9)
QUERY = {"meter": "energy", "text": "sum by (service) (increase(energy_kwh[1h]))", "label": "service"}


@pytest.fixture
async def world(database: str) -> World:
    await clock_stands(NOW)
    world = await found()
    await world.take(*(world.reading(f"{'x' * 60}-{n}", "1.25", starts_at=at(2026, 12, 10, n)) for n in range(24)))
    who = await actor("provider-finance")
    async with acting_as(who):
        await replace(await event(world, f"{'x' * 60}-3"), "7.5", "อ่านผิด", by=who, now=NOW)
        await map_reference("dc1/hall-3/row-2/" + "rack-7" * 20, world.service.id, by=who, now=NOW)
        await set_up(Plan("ห้องเครื่อง 1", "https://prometheus.example.go.th", [QUERY], 1, NOW), by=who, now=NOW)
    return world


async def test_pages_of_usage_hold_together(
    world: World, chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    finance, agency = await browser_for("provider-finance"), await browser_for("finance-a")
    hours = f"/usage/of/{world.service.id}/{world.components['energy']}"
    for path in (hours, f"{hours}/events", "/usage/corrections", "/costs/explorer"):
        assert await faults(chromium, agency, path, 390) == [], path
    search = f"/usage/events?service={world.service.number}&from=10/12/2569&hour=3"
    [event_path, *_] = links((await finance.get(search)).text, EVENT)
    for path in (search, event_path, "/usage/references", "/usage/collectors", "/usage/upload"):
        assert await faults(chromium, finance, path, 390) == [], path
    finance.cookies.set("lang", "en", domain="portal.test", path="/")
    for path in (search, f"{hours}/events", "/usage/corrections"):
        assert await faults(chromium, finance, path, 1280) == [], path
    explorer = f"/costs/explorer?agency={world.agency_id}&by=component"
    assert await faults(chromium, finance, explorer, 1280) == []
