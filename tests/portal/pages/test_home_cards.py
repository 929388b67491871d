"""The overview: what waits for whom, and the figures they came for."""

import re
from collections.abc import Awaitable, Callable

from auth.tenancy import acting_as
from billing.months import Month
from portal.duties import close_month
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import call, move, report
from tests.portal.pages.shop import agency_a_in_december, at, opened_shop
from tests.services.incidents.desk import person_of, staffed

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_an_agencys_figures(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    answer = await (await browser_for("official-a")).get("/")
    page = said(answer).replace("\xa0", " ")
    assert "84,492.03 บาท ประมาณการค่าบริการเดือนปัจจุบัน ธันวาคม 2569 รวมภาษีมูลค่าเพิ่ม" in page
    assert "852,554.00 บาท งบประมาณคงเหลือ ใช้ไปแล้ว 14.74 %" in page
    assert "1,083,230.03 บาท ประมาณการทั้งปี เกินงบประมาณ 83,230.03 บาท" in page
    assert "3 บริการที่ใช้งาน เดือนละ 88,400.00 บาท ก่อนภาษีมูลค่าเพิ่ม" in page
    assert 'href="/costs/2026-12"' in answer.text
    assert "ขณะนี้ไม่มีงานที่รอท่านดำเนินการ" in page


async def test_without_a_budget_it_is_said(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    await shop.open("b", "GI", {"bandwidth": "100"}, at(2026, 10, 1))
    page = said(await (await browser_for("official-b")).get("/"))
    assert "109,140.00 บาท ประมาณการทั้งปี ยังไม่ได้กำหนดงบประมาณของปีงบประมาณนี้" in page
    assert "งบประมาณคงเหลือ" not in page


async def test_staff_and_overseers_see_what_all_agencies_were_invoiced(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    for username in ("manager", "provider-finance", "central", "auditor"):
        page = said(await (await browser_for(username)).get("/"))
        assert "147,446.00 บาท ออกใบแจ้งหนี้แล้วสะสม ปีงบประมาณ พ.ศ. 2570 · 1 หน่วยงาน" in page
    reviewer = said(await (await browser_for("reviewer")).get("/"))
    assert "147,446.00" not in reviewer
    assert "3 บริการที่ใช้งาน" in reviewer
    admin = said(await (await browser_for("admin")).get("/"))
    assert "บริการที่ใช้งาน" not in admin
    assert "รอท่านดำเนินการ" not in admin


async def test_what_waits_is_shown_to_whose_move_it_is(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    official = await actor("official-a")
    async with acting_as(official):
        request = await requests.draft(
            shop.agencies["a"].id,
            Kind.CHANGE,
            subscription_id=shop.services["GI"].id,
            asked=shop.catalogue.quantities("GI", {"bandwidth": "700"}),
            effective_on=at(2027, 1, 11).date(),
            justification="ผู้ใช้งานเพิ่มขึ้น",
            by=official,
            now=at(2026, 12, 18, 9),
        )
    asker, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    assert "ฉบับร่างที่ยังไม่ได้ยื่น 1 รายการ" in said(await asker.get("/"))
    assert "ขณะนี้ไม่มีงานที่รอท่านดำเนินการ" in said(await reviewer.get("/"))
    async with acting_as(official):
        await requests.submit(request.id, by=official, now=at(2026, 12, 18, 10))
    assert "ขณะนี้ไม่มีงานที่รอท่านดำเนินการ" in said(await asker.get("/"))
    waiting = await reviewer.get("/")
    assert "คำร้องใหม่ที่รอรับไปตรวจสอบ 1 รายการ" in said(waiting)
    [path] = re.findall(r'href="(/requests\?state=submitted)"', waiting.text)
    assert request.number in said(await reviewer.get(path))


async def test_incidents_wait_for_whose_move_they_are(database: str, browser_for: BrowserFor) -> None:
    desk = await staffed()
    helpdesk, head, technician = [await browser_for(who) for who in ("helpdesk", "head-network", "technician")]
    official, approver = await browser_for("official-a"), await browser_for("approver-a")
    await stand(at(2026, 12, 21, 15, 30), helpdesk)
    path = await call(helpdesk, "1.2a", "21/12/2569 15:30", agency=str(desk.official.agency_id))
    for person in (helpdesk, head):
        answer = await person.get("/")
        assert "เหตุขัดข้องที่ยังไม่มีผู้รับผิดชอบ 1 รายการ" in said(answer)
        assert 'href="/desk?queue=unassigned"' in answer.text
    assert "เหตุขัดข้องที่มอบหมายให้ท่าน" not in said(await technician.get("/"))
    await move(head, path, "assignment", at(2026, 12, 21, 15, 40), person=str(person_of(desk.technician)))
    assert "เหตุขัดข้องที่ยังไม่มีผู้รับผิดชอบ" not in said(await head.get("/"))
    assert "เหตุขัดข้องที่มอบหมายให้ท่าน 1 รายการ" in said(await technician.get("/"))
    await stand(at(2026, 12, 23, 15, 40), helpdesk)
    for person in (helpdesk, head, technician):
        assert "เหตุขัดข้องที่เกินกำหนด 1 รายการ" in said(await person.get("/"))
    reported = await report(official, code="1.2b")
    await move(head, reported, "assignment", person=str(person_of(desk.technician)))
    await move(technician, reported, "resolution", resolution="เปลี่ยนสาย")
    answer = await official.get("/")
    assert "เหตุขัดข้องที่แก้ไขแล้ว รอท่านยืนยัน 1 รายการ" in said(answer)
    assert 'href="/incidents?state=resolved"' in answer.text
    assert "รอท่านยืนยัน" not in said(await approver.get("/"))  # it is the requester's to say


async def test_drafts_wait_for_a_provider_that_reviews_them(browser_for: BrowserFor) -> None:
    await agency_a_in_december(at(2027, 1, 4, 9))
    finance, manager = await browser_for("provider-finance"), await browser_for("manager")
    assert "ร่างใบแจ้งหนี้ที่รอตรวจสอบ 1 รายการ" in said(await finance.get("/"))
    assert "ร่างใบแจ้งหนี้" not in said(await manager.get("/"))
    for _ in range(2):  # told once
        assert await close_month(Month(2026, 12), at(2027, 1, 4, 9)) == 0
    news = said(await finance.get("/news"))
    assert news.count("มีร่างใบแจ้งหนี้ที่รอท่านตรวจสอบ") == 1
    assert "ธันวาคม 2569 · 1" in news
    assert "ร่างใบแจ้งหนี้" not in said(await manager.get("/news"))
    await finance.submit("/billing/policy", {"due_days": "30"})  # issued by themselves from now on
    assert "ร่างใบแจ้งหนี้ที่รอตรวจสอบ" not in said(await finance.get("/"))


async def test_a_draft_waits_until_it_is_issued_and_who_uses_nothing_has_none(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    await shop.open("b", "GI", {"bandwidth": "100"}, at(2027, 1, 1))
    finance = await browser_for("provider-finance")
    assert "ร่างใบแจ้งหนี้ที่รอตรวจสอบ 1 รายการ" in said(await finance.get("/"))  # agency ข. began in January
    await stand(at(2027, 2, 2, 9), finance)
    answer = await finance.get("/")
    assert "ร่างใบแจ้งหนี้ที่รอตรวจสอบ 3 รายการ" in said(answer)  # December's of ก., January's of both
    assert 'href="/billing?month=2026-12"' in answer.text
