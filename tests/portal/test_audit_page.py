"""The audit log as its readers see it."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from auth.tenancy import acting_as, record
from portal.areas import area_of
from portal.deeds import DEEDS, in_words
from portal.i18n import using
from tests import cast
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]
NOON = dt.datetime(2026, 12, 4, 5, 0, tzinfo=dt.UTC)  # of Bangkok


async def leave(username: str, at: dt.datetime, note: str) -> None:
    async with acting_as(await cast.actor(username)):
        record("service.kept", at=at, subject=("subscription", "x"), note=note)


@pytest.fixture
async def trail(database: str) -> None:
    await leave("official-a", NOON, "canary-a")
    await leave("official-b", NOON, "canary-b")
    await leave("reviewer", NOON, "canary-p")


@pytest.mark.parametrize(
    ("who", "sees"),
    [
        ("agency-admin-a", {"canary-a"}),
        ("agency-admin-b", {"canary-b"}),
        ("manager", {"canary-p"}),
        ("auditor", {"canary-a", "canary-b", "canary-p"}),
        ("central", {"canary-a", "canary-b", "canary-p"}),
    ],
)
async def test_everybody_reads_their_own(trail: None, browser_for: BrowserFor, who: str, sees: set[str]) -> None:
    page = await (await browser_for(who)).get("/audit")
    assert {word for word in ("canary-a", "canary-b", "canary-p") if word in page.text} == sees


async def test_what_the_provider_did_to_an_agency_is_in_both_trails(database: str, browser_for: BrowserFor) -> None:
    ours = await cast.organisation("agency-a")
    async with acting_as(await cast.actor("reviewer")):
        record("request.quote", at=NOON, subject=("request", "x"), agency_id=ours.id, note="canary-q")
    for who, sees in (("agency-admin-a", True), ("manager", True), ("agency-admin-b", False)):
        assert ("canary-q" in (await (await browser_for(who)).get("/audit")).text) is sees


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("from=4/12/2569&to=4/12/2569", True),
        ("from=5/12/2569", False),
        ("to=3/12/2569", False),
        ("person=ผู้ใช้บริการ", True),
        ("person=nobody", False),
        ("person=%25", False),
        ("action=service.kept", True),
        ("action=service.ended", False),
        ("from=nonsense", True),
    ],
)
async def test_filters(trail: None, browser_for: BrowserFor, query: str, is_found: bool) -> None:
    page = await (await browser_for("auditor")).get(f"/audit?{query}")
    assert page.status_code == 200
    assert ("canary-a" in page.text) is is_found


async def test_days_are_bangkoks(database: str, browser_for: BrowserFor) -> None:
    midnight = dt.datetime(2026, 12, 4, 17, 0, tzinfo=dt.UTC)
    await leave("official-a", midnight - dt.timedelta(milliseconds=1), "canary-before")
    await leave("official-a", midnight, "canary-after")
    admin = await browser_for("agency-admin-a")
    page = await admin.get("/audit?from=5/12/2569&to=5/12/2569")
    assert "canary-after" in page.text
    assert "canary-before" not in page.text


async def test_pages(database: str, browser_for: BrowserFor) -> None:
    async with acting_as(await cast.actor("official-a")):
        for number in range(120):
            record("service.kept", at=NOON, subject=("subscription", f"s{number:03}"))
    admin = await browser_for("agency-admin-a")
    query = "action=service.kept"
    seen: list[str] = []
    for number in (1, 2, 3):
        page = (await admin.get(f"/audit?{query}&page={number}")).text
        seen += [f"s{each:03}" for each in range(120) if f"<dd>s{each:03}</dd>" in page]
    assert (len(seen), len(set(seen))) == (120, 120)
    for page in ("0", "-1", "x", "9" * 30, "99999", "²"):
        assert (await admin.get(f"/audit?{query}&page={page}")).status_code == 200


async def test_a_denial_stands_out(browser_for: BrowserFor) -> None:
    official, admin = await browser_for("official-a"), await browser_for("agency-admin-a")
    await official.get("/users")
    await official.submit(f"/incidents/{uuid.uuid4()}/message", {"text": "x"})
    page = said(await admin.get("/audit"))
    assert "ถูกปฏิเสธการเข้าถึง ผู้ใช้งานและสิทธิ์: เข้าดู" in page
    assert "ถูกปฏิเสธการเข้าถึง เหตุขัดข้อง: แก้ไขข้อมูล" in page


def test_every_route_is_part_of_something_people_have_words_for(app: Starlette) -> None:
    routes = [each.name for each in app.routes if isinstance(each, Route)]
    assert [name for name in routes if area_of(name, app) is None] == []
    with using("th"):
        assert str(area_of("incident.move", app)) == str(area_of("incidents", app)) != str(area_of("incident_new", app))
        assert str(area_of("sections.end", app)) == "ฝ่ายของศูนย์บริการ"
    assert area_of("a.route.of.long.ago", app) is None


def test_deeds_are_told_in_plain_thai() -> None:
    with using("th"):
        assert [action for action in DEEDS if in_words(action) == DEEDS[action].message] == []
        assert in_words("something.unheard_of") == "something.unheard_of"
