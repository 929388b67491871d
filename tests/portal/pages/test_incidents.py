"""Incidents as the requester, the desk and everybody else meet them."""

from collections.abc import Awaitable, Callable

import pytest

from services.knowledge.commands import write
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import attempt, call, move, report, stored
from tests.services.incidents.desk import Desk, at, person_of, staffed

BrowserFor = Callable[..., Awaitable[Browser]]
CANARY = "นกขมิ้นเหลืองอ่อน-7731"


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


async def test_scenario_s3_through_the_pages(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, head, technician = [await browser_for(who) for who in ("helpdesk", "head-network", "technician")]
    approver, manager, stranger = [await browser_for(who) for who in ("approver-a", "manager", "official-b")]
    await stand(at(2026, 12, 4, 13, 36), helpdesk)
    agency = str(desk.official.agency_id)
    path = await call(helpdesk, "3.2b", "4/12/2569 13.30", agency=agency)
    opened = await stored(path)
    assert (opened.contacted_at, opened.logged_at) == (at(2026, 12, 4, 13, 30), at(2026, 12, 4, 13, 36))
    assert opened.logged_by_name == "เจ้าหน้าที่ศูนย์ฯ"
    assert opened.number in said(await helpdesk.get(path))

    await move(helpdesk, path, "analysis", at(2026, 12, 4, 14, 15), condition_met="yes")
    assert "9 ธ.ค. 2569 14:15 น." in said(await approver.get(path))
    assert (await attempt(helpdesk, path, "assignment", person=str(person_of(desk.technician)))).status_code == 403
    await move(head, path, "assignment", at(2026, 12, 4, 15), person=str(person_of(desk.technician)))
    assert opened.number in said(await technician.get("/desk"))
    await move(technician, path, "taking", at(2026, 12, 8, 9))
    await move(technician, path, "waiting", at(2026, 12, 8, 10), note="ขอหมายเลขจุดติดตั้ง")
    waiting = said(await approver.get(path))
    assert "ขอหมายเลขจุดติดตั้ง" in waiting
    assert "หยุดนับเวลา" in waiting
    await move(technician, path, "resumption", at(2026, 12, 8, 15))
    for browser in (approver, helpdesk, head, manager):
        assert "11 ธ.ค. 2569 11:15 น." in said(await browser.get(path))
    await move(technician, path, "resolution", at(2026, 12, 11, 10), resolution="เปลี่ยนสายสัญญาณ")

    seen = said(await approver.get(path))
    for figure in ("885", "960", "92.19 %", "เปลี่ยนสายสัญญาณ"):
        assert figure in seen, figure
    assert seen.count("หยุดนับเวลา: รอข้อมูลจากผู้แจ้ง") == 1
    assert (await stranger.get(path)).status_code == 404
    assert (await attempt(stranger, path, "confirmation")).status_code == 404
    await move(approver, path, "confirmation", grade="5", comment="รวดเร็ว")
    closed = await stored(path)
    assert (closed.state, closed.grade, closed.used_minutes) == ("closed", 5, 885)


async def test_a_report_made_in_the_portal(desk: Desk, browser_for: BrowserFor) -> None:
    official, stranger = await browser_for("official-a"), await browser_for("official-b")
    await stand(at(2026, 12, 6, 3), official)  # a Sunday at three in the morning
    await desk.do(
        desk.helpdesk,
        write("เครื่องพิมพ์ไม่พิมพ์", "ปิดแล้วเปิดใหม่", is_public=True, by=desk.helpdesk, now=at(2026, 12, 1)),
    )
    form = said(await official.get("/incidents/new"))
    assert "เบิกวัสดุคอมพิวเตอร์และอุปกรณ์ประกอบ" in form
    hints = said(await official.get("/incidents/hints", params={"title": "เครื่องพิมพ์ไม่ทำงาน"}))
    assert "ปิดแล้วเปิดใหม่" in hints
    refused = await official.submit("/incidents", {"title": "", "act": "send", "items": "0"})
    assert refused.status_code == 422
    path = await report(official, code="1.2a")
    number = (await stored(path)).number
    page = await official.get(path)
    assert number in said(page)
    assert number in said(await official.get("/incidents"))
    # What is the same is shown to who reports it again, and to nobody else.
    again = said(await official.get("/incidents/hints", params={"title": "เครื่องพิมพ์ไม่ทำงาน"}))
    assert number in again
    assert number not in said(await stranger.get("/incidents/hints", params={"title": "เครื่องพิมพ์ไม่ทำงาน"}))
    assert number not in said(await stranger.get("/incidents"))


async def test_internal_notes_never_reach_the_agency(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, head, technician = [await browser_for(who) for who in ("helpdesk", "head-network", "technician")]
    official, approver = await browser_for("official-a"), await browser_for("approver-a")
    await stand(at(2026, 12, 8, 9), official)
    path = await report(official, code="1.2b")
    await move(head, path, "assignment", person=str(person_of(desk.technician)))
    await move(helpdesk, path, "note", text=CANARY)
    await move(technician, path, "work", text=CANARY, minutes="20", parts=CANARY, vendor=CANARY)
    assert CANARY in (await technician.get(path)).text
    await move(technician, path, "resolution", resolution="เสร็จแล้ว")
    await official.get(path)
    for browser in (official, approver):
        for address in (path, "/incidents", "/incidents?q=นกขมิ้น", "/", "/news", "/incidents/hints?title=นกขมิ้น"):
            assert CANARY not in (await browser.get(address)).text, address
    assert (await attempt(official, path, "note", text="x")).status_code == 403


async def test_appointments_are_proposed_moved_and_accepted(desk: Desk, browser_for: BrowserFor) -> None:
    head, technician, official = [await browser_for(who) for who in ("head-network", "technician", "official-a")]
    await stand(at(2026, 12, 8, 9), official)
    path = await report(official, code="1.2b", location="ชั้น 3")
    await move(head, path, "assignment", person=str(person_of(desk.technician)))
    wrong = await attempt(technician, path, "appointment", starts_day="วันหนึ่ง", starts_time="9")
    assert wrong.status_code == 422
    assert "15:20" in said(wrong)
    await move(technician, path, "appointment", starts_day="9/12/2569", starts_time="10:00", minutes="30")
    await move(official, path, "appointment", starts_day="9/12/2569", starts_time="13.30", minutes="30")
    page = await technician.get(path)
    assert "9 ธ.ค. 2569 13:30 น." in said(page)
    appointment = page.text.split('name="appointment" value="')[1].split('"')[0]
    assert (await attempt(official, path, "acceptance", appointment=appointment)).status_code == 403
    await move(technician, path, "acceptance", appointment=appointment)
    file = await official.get(f"{path}/appointments/{appointment}.ics")
    assert file.headers["content-type"].startswith("text/calendar")
    assert "DTSTART:20261209T063000Z" in file.text
    assert "STATUS:CONFIRMED" in file.text
    assert "9 ธ.ค. 2569 13:30 น." in said(await technician.get("/desk?queue=mine"))
    other = await report(official, code="1.2b")
    assert (await official.get(f"{other}/appointments/{appointment}.ics")).status_code == 404


async def test_a_refused_move_is_told_on_the_page(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(at(2026, 12, 8, 9), official)
    path = await report(official)
    await move(helpdesk, path, "analysis")
    again = await attempt(helpdesk, path, "analysis")
    assert again.status_code == 409
    assert "รับเรื่องแล้ว" in said(again)  # and shows how it stands now
    unclassified = await attempt(helpdesk, path, "resolution", resolution="เสร็จ")
    assert unclassified.status_code == 422
    assert "ข้อตกลงระดับการให้บริการ" in said(unclassified)
    assert (await attempt(helpdesk, path, "juggling")).status_code == 404
    await move(helpdesk, path, "classification", code="1.2a")
    await move(helpdesk, path, "resolution", resolution="เสร็จ")
    silent = await attempt(official, path, "reopening", note="")
    assert silent.status_code == 422
    await move(official, path, "reopening", note="ยังพิมพ์ไม่ได้")
    assert "เปิดเรื่องอีกครั้ง" in said(await helpdesk.get(path))
