"""The desk's own pages: queues, calls, the head's section, outages, knowledge."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.incidents.models import Incident
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import attempt, call, move, report, stored
from tests.services.incidents.desk import Desk, at, person_of, staffed

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at(2026, 12, 8, 9)


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


async def test_scenario_s4_through_the_pages(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, head, technician = [await browser_for(who) for who in ("helpdesk", "head-network", "technician")]
    approver, agency = await browser_for("approver-a"), str(desk.official.agency_id)
    await stand(at(2026, 12, 21, 15, 30), helpdesk)
    repair = await call(helpdesk, "1.2a", "21/12/2569 15:30", agency=agency)
    assert "22 ธ.ค. 2569 08:30 น." in said(await approver.get(repair))
    await move(head, repair, "assignment", at(2026, 12, 21, 15, 40), person=str(person_of(desk.technician)))
    await move(technician, repair, "classification", at(2026, 12, 21, 15, 50), code="1.2b")
    assert "22 ธ.ค. 2569 09:30 น." in said(await approver.get(repair))
    await move(technician, repair, "vendor", at(2026, 12, 22, 8, 20), vendor="บริษัทซ่อม")
    stopped = said(await approver.get(repair))
    assert "ไม่กำหนดระยะเวลา" in stopped
    assert "ใช้เวลาไป 50 จาก 120 นาที" in stopped

    await stand(at(2026, 12, 28, 14), helpdesk)
    write_off = await call(helpdesk, "1.5", "28/12/2569 14:00", agency=agency, items="5")
    assert "29 ธ.ค. 2569 08:30 น." in said(await approver.get(write_off))
    await move(helpdesk, write_off, "analysis", at(2026, 12, 28, 14, 5))
    await move(helpdesk, write_off, "resolution", at(2026, 12, 29, 9, 10), resolution="ประเมินแล้ว 5 เครื่อง")
    late = said(await approver.get(write_off))
    assert "เกินกำหนด 40 นาที" in late

    await stand(at(2026, 12, 29, 9, 10), helpdesk)
    reinstall = await call(helpdesk, "1.3", "29/12/2569 09:00", agency=agency)
    assert "4 ม.ค. 2570 09:00 น." in said(await approver.get(reinstall))
    await move(helpdesk, reinstall, "analysis")
    await move(helpdesk, reinstall, "resolution", at(2026, 12, 30, 14), resolution="ติดตั้งใหม่แล้ว")
    assert "เกินเป้าหมายขั้นต่ำ" in said(await approver.get(reinstall))

    # The manager sees them, the one without a target apart, and the incident behind a figure.
    manager = await browser_for("manager")
    await stand(at(2027, 1, 8, 9), manager)
    period = "first=2026-12-01&last=2026-12-31"
    seen = said(await manager.get(f"/desk/overview?{period}"))
    assert "50.00 %" in seen
    assert "1 จาก 2 เรื่องที่มีกำหนดและทราบผลแล้ว" in seen
    behind = said(await manager.get(f"/desk/overview/incidents?{period}&outcome=breached"))
    assert (await stored(write_off)).number in behind
    assert (await stored(repair)).number not in behind
    figures = {"only=in_time": reinstall, "only=decided": write_off, "state=at_vendor": repair, "channel=phone": repair}
    for figure, there in figures.items():
        assert (await stored(there)).number in said(await manager.get(f"/desk/overview/incidents?{period}&{figure}"))
    for figure in ("only=reopened", "only=graded", "channel=line", "state=waiting"):
        assert "ไม่มีเรื่องในรายการนี้" in said(await manager.get(f"/desk/overview/incidents?{period}&{figure}")), figure
    file = await manager.get(f"/desk/overview/incidents.csv?{period}")
    assert file.headers["content-type"].startswith("text/csv")
    assert len(file.text.strip().splitlines()) == 4
    assert (await helpdesk.get("/desk/overview")).status_code == 403


async def test_queues_show_count_narrow_and_search(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, head, official = [await browser_for(who) for who in ("helpdesk", "head-network", "official-a")]
    await stand(NOW, official)
    printer = await report(official, code="1.2b", title="เครื่องพิมพ์ชั้นสามไม่ทำงาน")
    network = await report(official, code="3.2b", title="เครือข่ายไร้สายหลุดบ่อย")
    first, second = (await stored(printer)).number, (await stored(network)).number
    unassigned = said(await helpdesk.get("/desk?queue=unassigned"))
    assert "ยังไม่มอบหมาย (2)" in unassigned
    assert first in unassigned
    assert second in unassigned
    searched = said(await helpdesk.get("/desk", params={"queue": "unassigned", "q": "ไร้สาย"}))
    assert second in searched
    assert first not in searched
    section = str(desk.sections["hardware"].id)
    assert second not in said(await helpdesk.get(f"/desk?queue=unassigned&section={section}"))
    counts = await head.get("/desk/counts?queue=unassigned")
    assert "ยังไม่มอบหมาย (2)" in said(counts)
    assert "<html" not in counts.text
    assert 'hx-trigger="every 30s"' in counts.text
    # Who is of no desk is led to their own list, and a desk's people to their queues.
    assert (await official.get("/desk")).headers["location"] == "/incidents"
    assert (await helpdesk.get("/incidents")).headers["location"] == "/desk"


async def test_a_head_gives_several_at_once_or_none(desk: Desk, browser_for: BrowserFor) -> None:
    head, official, helpdesk = [await browser_for(who) for who in ("head-network", "official-a", "helpdesk")]
    await stand(NOW, official)
    paths = [await report(official, code="1.2b", title=f"เรื่องที่ {place}") for place in (1, 2)]
    page = said(await head.get(f"/desk/section?section={desk.sections['hardware'].id}"))
    assert desk.technician.name in page
    person, ids = str(person_of(desk.technician)), [path.split("/")[2] for path in paths]
    stranger = str(person_of(desk.manager))
    assert (await head.submit("/desk/section", {"incident": ids, "person": stranger})).status_code == 422
    assert (await stored(paths[0])).assignee_id is None
    assert (await head.submit("/desk/section", {"person": person})).status_code == 422
    assert (await helpdesk.submit("/desk/section", {"incident": ids, "person": person})).status_code == 403
    assert (await head.submit("/desk/section", {"incident": ids, "person": person})).status_code == 303
    assert [(await stored(path)).assignee_name for path in paths] == [desk.technician.name] * 2
    away = {"absent": person, "first_day": "8/12/2569", "last_day": "9/12/2569"}
    assert (await head.submit("/desk/absences", away)).status_code == 303
    assert "ไม่อยู่" in said(await head.get(f"/desk/section?section={desk.sections['hardware'].id}"))


async def test_a_caller_is_found_by_number_and_the_form_says_what_lacks(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk = await browser_for("helpdesk")
    await stand(NOW, helpdesk)
    agency = str(desk.official.agency_id)
    await call(helpdesk, "1.2a", "8/12/2569 08:50", agency=agency)
    found = await helpdesk.get("/desk/callers", params={"who": "4567"})
    assert "0 2123 4567" in said(found)
    link = found.text.split('href="')[1].split('"')[0]
    form = await helpdesk.get(link)
    assert 'value="0 2123 4567"' in form.text
    lacking = await helpdesk.submit("/desk/call", {"act": "log", "agency": agency, "name": "", "title": ""})
    assert lacking.status_code == 422
    ahead = {"act": "log", "agency": agency, "name": "ก", "title": "ข", "channel": "phone"}
    ahead |= {"contacted_day": "9/12/2569", "contacted_time": "09:00"}
    assert "อนาคต" in said(await helpdesk.submit("/desk/call", ahead))


async def test_an_outage_is_known_before_reporting_and_its_news_reach_its_children(
    desk: Desk, browser_for: BrowserFor
) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(NOW, official)
    begun = await helpdesk.submit("/outages", {"title_th": "สายไฟเบอร์ขาดที่หลักสี่", "title_en": "Fibre cut"})
    assert begun.status_code == 303
    form = await official.get("/incidents/new")
    assert "สายไฟเบอร์ขาดที่หลักสี่" in said(form)
    outage = form.text.split('name="outage" value="')[1].split('"')[0]
    path = await report(official, code="3.2b", outage=outage)
    assert (await helpdesk.submit(f"/outages/{outage}/news", {"text": "ช่างถึงจุดเกิดเหตุ"})).status_code == 303
    assert "ช่างถึงจุดเกิดเหตุ" in said(await official.get(path))
    await move(helpdesk, path, "analysis")
    ended = await helpdesk.submit(f"/outages/{outage}/end", {"text": "เชื่อมสายแล้ว", "resolves": "yes"})
    assert ended.status_code == 303
    assert (await stored(path)).state == "resolved"
    assert (await official.submit("/outages", {"title_th": "x"})).status_code == 403


async def test_articles_of_the_desk_are_not_for_agencies(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(NOW, official)
    assert (await helpdesk.submit("/knowledge", {"title_th": "x"})).status_code == 422
    own = await helpdesk.submit("/knowledge", {"title_th": "รหัสตู้สวิตช์", "text_th": "ดูในตู้เซฟ"})
    public = await helpdesk.submit("/knowledge", {"title_th": "ลืมรหัสผ่าน", "text_th": "กดลืมรหัส", "public": "yes"})
    listed = said(await official.get("/knowledge"))
    assert "ลืมรหัสผ่าน" in listed
    assert "รหัสตู้สวิตช์" not in listed
    assert (await official.get(own.headers["location"])).status_code == 404
    assert "กดลืมรหัส" in said(await official.get(public.headers["location"]))
    withdrawn = await helpdesk.submit(f"{public.headers['location']}/withdrawal")
    assert withdrawn.status_code == 303
    assert (await official.get(public.headers["location"])).status_code == 404


async def test_lists_go_on_page_by_page(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(NOW, official)
    for place in range(30):
        await report(official, code="1.2a", title=f"เรื่องที่ {place}")
    listed = await official.get("/incidents")
    assert listed.text.count('data-label="เลขที่"') == 25
    following = listed.text.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    assert (await official.get(following)).text.count('data-label="เลขที่"') == 5
    assert (await attempt(helpdesk, "/incidents/00000000-0000-0000-0000-000000000000", "taking")).status_code == 404


async def test_a_queue_is_counted_as_far_as_anybody_reads_on(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(NOW, official)
    first = await stored(await report(official, code="1.2a"))

    async def with_others(many: int) -> str:
        async with acting_as(system("tests")):
            others = [first.clone(pk=uuid.uuid4()) for _ in range(many)]
            for place, other in enumerate(others):
                other.number = f"INC-{many}-{place}"
            await Incident.bulk_create(others)
        return said(await helpdesk.get("/desk?queue=unassigned")) + said(await helpdesk.get("/"))

    page = await with_others(199)
    assert "ยังไม่มอบหมาย (200)" in page
    assert "เหตุขัดข้องที่ยังไม่มีผู้รับผิดชอบ 200 รายการ" in page
    page = await with_others(1)
    assert "ยังไม่มอบหมาย (200+)" in page
    assert "เหตุขัดข้องที่ยังไม่มีผู้รับผิดชอบ มากกว่า 200 รายการ" in page
