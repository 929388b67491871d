"""The demo clock: forward only, held or running, and nowhere but in demonstrations."""

import datetime as dt
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette

from auth.audit.models import AuditRecord
from auth.errors import Invalid
from auth.rules import system
from auth.tenancy import acting_as
from portal import clock
from portal.clock import Clock, Reading
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]
BY = system("test")
WALL = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
STORY = dt.datetime(2026, 12, 4, 8, 20, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


async def test_until_it_is_set_it_is_the_machines(database: str) -> None:
    assert await clock.show(WALL) == Reading(WALL, held=False)


async def test_held_it_stands_still_and_released_it_runs(database: str) -> None:
    await clock.set_to(STORY, held=True, by=BY, wall=WALL)
    assert (await clock.show(WALL + HOUR)).at == STORY
    await clock.release(by=BY, wall=WALL + HOUR)
    assert await clock.show(WALL + 3 * HOUR) == Reading(STORY + 2 * HOUR, held=False)
    await clock.hold(by=BY, wall=WALL + 3 * HOUR)
    assert (await clock.show(WALL + 9 * HOUR)).at == STORY + 2 * HOUR


async def test_it_advances_held_or_running(database: str) -> None:
    await clock.set_to(STORY, held=True, by=BY, wall=WALL)
    assert await clock.advance(HOUR, by=BY, wall=WALL + HOUR) == Reading(STORY + HOUR, held=True)
    await clock.release(by=BY, wall=WALL)
    assert await clock.advance(HOUR, by=BY, wall=WALL + HOUR) == Reading(STORY + 3 * HOUR, held=False)


@pytest.mark.parametrize(
    "at", [STORY - dt.timedelta(microseconds=1), STORY + dt.timedelta(days=5000), STORY.replace(tzinfo=None)]
)
async def test_never_back_never_absurdly_far_never_without_a_zone(database: str, at: dt.datetime) -> None:
    await clock.set_to(STORY, held=True, by=BY, wall=WALL)
    with pytest.raises(Invalid):
        await clock.set_to(at, held=True, by=BY, wall=WALL)
    with pytest.raises(Invalid):
        await clock.advance(-HOUR, by=BY, wall=WALL)
    assert (await clock.show(WALL)).at == STORY


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("2d4h", dt.timedelta(days=2, hours=4)),
        ("90m", dt.timedelta(minutes=90)),
        (" 1D ", dt.timedelta(days=1)),
        ("1d 2h 3m", dt.timedelta(days=1, hours=2, minutes=3)),
    ],
)
def test_spans(text: str, length: dt.timedelta) -> None:
    assert clock.span(text) == length


@pytest.mark.parametrize("text", ["", "0d", "-1d", "2", "4h2d", "1.5h", "99999d"])
def test_what_is_no_span(text: str) -> None:
    with pytest.raises(Invalid):
        clock.span(text)


async def test_business_time_is_the_machines_where_there_is_no_demo(database: str) -> None:
    await clock.set_to(STORY.replace(year=2031), held=True, by=BY, wall=WALL)
    real, story = Clock(), Clock(demo=True)
    assert (await real.demo(), (await real.now()).year == 2031) == (None, False)
    assert await story.now() == STORY.replace(year=2031)
    assert story.wall().year != 2031


async def test_the_page_moves_it_and_the_header_shows_it(app: Starlette, browser_for: BrowserFor) -> None:
    await clock.set_to(STORY.replace(year=2030), held=True, by=BY, wall=WALL)
    admin = await browser_for("admin")
    assert "4 ธ.ค. 2573 15:20" in said(await admin.get("/clock"))
    moved = await admin.submit("/clock/advance", {"span": "1d"})
    assert "5 ธ.ค. 2573 15:20" in said(await admin.follow(moved))
    moved = await admin.submit("/clock/set", {"day": "16/12/2573", "time": "09:30", "held": "yes"})
    assert "16 ธ.ค. 2573 09:30" in said(await admin.follow(moved))
    assert "16 ธ.ค. 2573 09:30" in said(await (await browser_for("official-a")).get("/"))
    async with acting_as(system("test")):
        last = await AuditRecord.filter(action="clock.moved").order_by("-number").first()
    assert last is not None
    assert last.detail["before"].startswith("2030-12-05T08:20")


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/clock/set", {"day": "1/1/2560", "time": "09:30"}),
        ("/clock/set", {"day": "16/12/2573", "time": "25:00"}),
        ("/clock/set", {"day": "yesterday", "time": "09:30"}),
        ("/clock/set", {}),
        ("/clock/advance", {"span": "-1d"}),
        ("/clock/advance", {}),
    ],
)
async def test_what_the_page_refuses(browser_for: BrowserFor, path: str, fields: dict[str, str]) -> None:
    await clock.set_to(STORY.replace(year=2030), held=True, by=BY, wall=WALL)
    admin = await browser_for("admin")
    response = await admin.submit(path, fields)
    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert (await clock.show(WALL)).at == STORY.replace(year=2030)


async def test_elsewhere_it_does_not_exist(make_app: Callable[..., Starlette]) -> None:
    async with Browser(make_app(demo_clock=False)) as browser:
        assert (await browser.get("/clock")).status_code == 404
        assert "นาฬิกาสาธิต" not in said(await browser.get("/"))
