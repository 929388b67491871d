"""Numbers and days far beyond anything real are refused in words; none brings a page down, now or later."""

import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette

from auth.clients.rules import Scope
from auth.rules import system
from auth.tenancy import acting_as
from services.calendar.models import Holiday
from services.requests.commands import submit
from services.requests.rules import Kind
from tests.browsing import PUBLIC_URL, Browser
from tests.portal.api.calling import machine
from tests.portal.pages.asking import stand
from tests.stage import Stage, at

BrowserFor = Callable[..., Awaitable[Browser]]

NOW = at("2026-12-04", "15:20")
NOBODY = "00000000-0000-0000-0000-000000000000"
ROWS = (
    "GI,traffic,1e6000000,1/12/2569 09:00,1/12/2569 10:00",
    "GI,traffic,1e-6000000,1/12/2569 09:00,1/12/2569 10:00",
    "GI,traffic,1,1/1/0001,1/1/0001",
    "GI,traffic,1,0001-01-01T00:00:00+14:00,9999-12-31T00:00:00-14:00",
    "GI,traffic,1,29/2/2568,29/2/2568",
)


async def test_a_nul_in_an_address_is_no_address(database: str, browser_for: BrowserFor) -> None:
    for who in ("official-a", "admin", "central"):
        browser = await browser_for(who)
        for path in ("/catalogue/%00", f"/users/{NOBODY}/revoke/%00", f"/providers/{NOBODY}/%00/revocation"):
            assert (await browser.get(path)).status_code == 404, (who, path)


async def test_machines_name_pages_and_days_of_our_time(stage: Stage, app: Starlette, browser_for: BrowserFor) -> None:
    await stand(NOW, await browser_for())
    caller = await machine(app, "agency-admin-a", Scope.REQUESTS_READ, Scope.REQUESTS_WRITE)
    for page in ("0000001" + "9" * 30, "0000001" + "9" * 6000, "0", "-1", "١"):
        assert (await caller.get(f"/api/v1/requests?page={page}")).status_code == 422, page
    pricing = await machine(app, "admin", Scope.PRICES_WRITE, Scope.PRICES_BACKDATE)
    path = f"/api/v1/components/{stage.component('GI', 'bandwidth').id}/prices"
    wish = {"kind": "change", "service": stage.services["a", "GI"].number, "quantities": {"bandwidth": "300"}}
    for day in ("0001-01-01", "1999-12-31", "9999-12-31"):
        drafted = await caller.call("/api/v1/requests", wish | {"effective_on": day, "justification": "…"})
        assert drafted.status_code == 422, day
        price = {"effective_from": day, "reason": "…", "tiers": [{"upto": None, "price": "1"}]}
        assert (await pricing.call(path, price)).status_code == 422, day


async def test_a_day_long_past_is_before_anything_was_offered_and_one_far_out_only_has_no_price(
    stage: Stage, browser_for: BrowserFor
) -> None:
    official = await browser_for("official-a")
    await stand(NOW, official)
    field = f"q-{stage.component('GI', 'bandwidth').id}"
    form = {"kind": "change", "service": str(stage.services["a", "GI"].id), field: "300", "justification": "…"}
    for day in ("1/1/1900", "31/12/2699"):
        there = form | {"effective_on": day}
        assert (await official.get("/requests/preview", params=there)).status_code == 200, day
    early = await official.submit("/requests", form | {"effective_on": "1/1/1900", "act": "save"})
    assert early.status_code == 422
    assert "1/1/1900" in early.text
    saved = await official.submit("/requests", form | {"effective_on": "31/12/2699", "act": "save"})
    assert saved.status_code == 303
    assert (await official.get(saved.headers["location"])).status_code == 200
    assert (await official.get("/requests")).status_code == 200


async def test_a_reviewer_amends_to_no_day_long_past(stage: Stage, browser_for: BrowserFor) -> None:
    asked = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "300"}, "2026-12-20", now=NOW)
    await stage.as_("official-a", submit, asked.id, now=NOW)
    reviewer = await browser_for("reviewer")
    await stand(NOW, reviewer)
    assert (await reviewer.submit(f"/requests/{asked.id}/review")).status_code == 303
    looked = await reviewer.submit(f"/requests/{asked.id}/quote", {"act": "look", "effective_on": "1/1/1900"})
    assert looked.status_code in {200, 422}


async def test_readings_by_hand_beyond_belief_are_bad_rows(database: str, browser_for: BrowserFor) -> None:
    technician = await browser_for("technician")
    await stand(NOW, technician)
    for row in ROWS:
        answer = await technician.post(
            "/usage/upload",
            data={"csrf": technician.token()},
            files={"file": ("readings.csv", f"service,meter,quantity,start,end\n{row}\n".encode())},
            headers={"origin": PUBLIC_URL},
        )
        assert answer.status_code == 422, row
        assert len(answer.content) < 50_000, row


async def test_readings_sent_back_changed_are_refused(database: str, browser_for: BrowserFor) -> None:
    technician = await browser_for("technician")
    await stand(NOW, technician)
    naive = ("2026-12-01T00:00:00", "2026-12-01T01:00:00")
    far = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00")
    for moments in (naive, far):
        readings = json.dumps([["by-hand", "x", "GI-1", "traffic", "1", *moments]])
        assert (await technician.submit("/usage", {"readings": readings})).status_code == 422, moments
    assert (await technician.submit("/usage", {"readings": "[]", "reason": "ก" * 1001})).status_code == 422


async def test_a_calendar_of_another_age_is_none_of_ours(database: str, browser_for: BrowserFor) -> None:
    manager = await browser_for("manager")
    await stand(NOW, manager)
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20260101T000000Z")
    for day in ("00010101", "18991231", "21570101", "99991231"):
        more = (f"DTSTART;VALUE=DATE:{day}", "SUMMARY:x", "END:VEVENT", "END:VCALENDAR", "")
        answer = await manager.post(
            "/holidays/import",
            data={"csrf": manager.token()},
            files={"file": ("days.ics", "\r\n".join(lines + more).encode())},
            headers={"origin": PUBLIC_URL},
        )
        assert answer.status_code == 200, day
        assert "ไม่มีวันที่ที่อ่านได้" in answer.text
        assert "/holidays/imported" in answer.text
        assert 'name="declare"' not in answer.text
        iso = f"{day[:4]}-{day[4:6]}-{day[6:]}"
        await manager.submit("/holidays/imported", {"declare": iso, "names": f'{{"{iso}": "x"}}'})
    async with acting_as(system("tests")):
        assert not await Holiday.filter(name_th="x").exists()
    assert (await manager.get("/holidays")).status_code == 200
