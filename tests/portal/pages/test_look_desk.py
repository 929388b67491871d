"""Incidents and the desk in a real browser: nothing overflows, the policy refuses nothing, axe finds nothing."""

from collections.abc import Awaitable, Callable

import pytest
from playwright.async_api import Browser as Chromium

from tests.browsing import Browser
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import move, report
from tests.portal.pages.test_look import chromium as chromium  # noqa: PLC0414 - the fixture is used here too
from tests.portal.pages.test_look import faults
from tests.services.incidents.desk import at, person_of, staffed

pytestmark = pytest.mark.browser


async def test_pages_of_incidents_hold_together(
    chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    desk = await staffed()
    official, helpdesk, head, technician, manager = [
        await browser_for(who) for who in ("official-a", "helpdesk", "head-network", "technician", "manager")
    ]
    await stand(at(2026, 12, 8, 9), official)
    await helpdesk.submit("/outages", {"title_th": "สายไฟเบอร์ขาดที่หลักสี่", "title_en": "Fibre cut"})
    await helpdesk.submit("/knowledge", {"title_th": "ลืมรหัสผ่าน", "text_th": "กดลืมรหัส", "public": "yes"})
    path = await report(official, code="1.2b", description="พิมพ์แล้วกระดาษติด\nทุกครั้ง", location="อาคาร 1 ชั้น 3")
    await report(official, title="เครื่องพิมพ์ไม่ทำงานอีกเครื่อง")
    await move(head, path, "assignment", person=str(person_of(desk.technician)))
    await move(technician, path, "appointment", starts_day="9/12/2569", starts_time="10:00", minutes="30")
    await move(technician, path, "waiting", at(2026, 12, 8, 9, 40), note="ขอรุ่นเครื่องพิมพ์")
    await move(official, path, "message", at(2026, 12, 8, 13), text="รุ่น ก.")
    await move(helpdesk, path, "note", at(2026, 12, 8, 13, 30), text="เคยเสียเมื่อเดือนก่อน")
    wrong: dict[tuple[str, str], list[object]] = {}
    for address in ("/incidents", "/incidents/new", path, "/sla", "/knowledge"):
        wrong[address, "official"] = await faults(chromium, official, address, 390)
    for browser, address in (
        (helpdesk, "/desk/call"),
        (helpdesk, path),
        (helpdesk, "/outages"),
        (head, "/desk/section"),
        (technician, "/desk"),
        (manager, f"/staff/{person_of(desk.technician)}"),
    ):
        wrong[address, "desk"] = await faults(chromium, browser, address, 390)
    for browser in (official, helpdesk, manager, head):
        browser.cookies.set("lang", "en", domain="portal.test", path="/")
    for browser, address in (
        (official, path),
        (official, "/incidents/new"),
        (helpdesk, "/desk?queue=all"),
        (manager, "/desk/overview"),
        (manager, "/desk/overview/incidents"),
        (manager, "/staff"),
        (head, "/sla/1.2b/edit"),
        (head, "/sla/1.2b"),
    ):
        wrong[address, "wide"] = await faults(chromium, browser, address, 1280)
    assert {page: found for page, found in wrong.items() if found} == {}
