"""Everybody reads the official holidays; the manager declares and withdraws them, seeing first what that moves."""

import datetime as dt

import icalendar
import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.calendar.models import Holiday
from services.calendar.queries import official
from services.incidents.models import Incident
from services.requests import commands as requests
from services.requests.queries import review_due
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands
from tests.services.incidents.desk import staffed
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

SPECIAL = dt.date(2027, 1, 4)


async def submitted(stage: Stage):
    """Let a request be submitted as in S2: Wed 30 Dec 2026 14:00, due Mon 4 Jan 2027 14:00."""
    now = at("2026-12-30", "14:00")
    await clock_stands(now)
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "300"}, "2027-01-20", now=now)
    return await stage.as_("official-a", requests.submit, request.id, now=now)


async def due(request) -> dt.datetime | None:
    async with acting_as(system("tests")):
        return review_due(request, await official())


async def test_everybody_reads_and_only_the_manager_changes(stage: Stage, browser_for) -> None:
    for who in ("official-a", "technician", "auditor", "admin"):
        browser: Browser = await browser_for(who)
        shown = await browser.get("/holidays?year=2569")
        assert "7 ธ.ค. 2569" in said(shown)
        assert "/withdrawal" not in shown.text
        assert (await browser.submit("/holidays", {"day": "4/1/2570", "name_th": "x"})).status_code == 403
        assert (await browser.get("/holidays/2026-12-07/withdrawal")).status_code == 403


async def test_a_special_day_moves_what_is_open_after_a_confirmation_and_back_again(stage: Stage, browser_for) -> None:
    request = await submitted(stage)
    assert await due(request) == at("2027-01-04", "14:00")
    manager: Browser = await browser_for("manager")
    facts = {"day": "4 ม.ค. 2570", "name_th": "วันหยุดพิเศษ", "name_en": "Special day", "special": "yes"}
    asked = await manager.submit("/holidays", facts)
    assert asked.status_code == 200
    words = said(asked)
    assert request.number in words
    assert "4 ม.ค. 2570 14:00 น. 5 ม.ค. 2570 14:00 น." in words
    assert await due(request) == at("2027-01-04", "14:00")  # nothing is declared before it is confirmed

    done = await manager.submit("/holidays", facts | {"confirmed": "yes"})
    assert "วันหยุดพิเศษ" in said(await manager.follow(done))
    assert await due(request) == at("2027-01-05", "14:00")
    again = await manager.submit("/holidays", facts | {"confirmed": "yes"})
    assert again.status_code == 422

    question = await manager.get(f"/holidays/{SPECIAL}/withdrawal")
    assert "5 ม.ค. 2570 14:00 น. 4 ม.ค. 2570 14:00 น." in said(question)
    back = await manager.follow(await manager.submit(f"/holidays/{SPECIAL}/withdrawal"))
    assert "ยกเลิกแล้ว" in said(back)
    assert await due(request) == at("2027-01-04", "14:00")
    assert (await manager.get(f"/holidays/{SPECIAL}/withdrawal")).status_code == 404
    assert (await manager.get("/holidays/tomorrow/withdrawal")).status_code == 404


async def test_what_is_no_holiday_is_told_beside_its_field(stage: Stage, browser_for) -> None:
    manager: Browser = await browser_for("manager")
    answer = await manager.submit("/holidays", {"day": "31/2/2570", "name_th": ""})
    assert answer.status_code == 422
    assert 'id="field-day-error"' in answer.text
    assert 'id="field-name_th-error"' in answer.text
    assert 'value="31/2/2570"' in answer.text


async def test_the_file_holds_what_stands_and_nothing_withdrawn(stage: Stage, browser_for) -> None:
    manager: Browser = await browser_for("manager")
    await manager.submit("/holidays/2026-12-10/withdrawal")
    official_a: Browser = await browser_for("official-a")
    file = await official_a.get("/holidays/calendar.ics?year=2569")
    assert file.headers["content-type"].startswith("text/calendar")
    days = [event.decoded("dtstart") for event in icalendar.Calendar.from_ical(file.content).walk("VEVENT")]
    assert dt.date(2026, 12, 7) in days
    assert dt.date(2026, 12, 10) not in days
    assert {day.year for day in days} == {2026}
    assert days == sorted(days)


def a_file(*days: tuple[dt.date, str, str]) -> dict[str, object]:
    calendar = icalendar.Calendar()
    for day, name, status in days:
        event = icalendar.Event()
        event.add("dtstart", day)
        event.add("summary", name)
        event.add("status", status)
        calendar.add_component(event)
    meeting = icalendar.Event()
    meeting.add("dtstart", at("2027-01-08"))
    meeting.add("summary", "ประชุมคณะกรรมการ")
    calendar.add_component(meeting)
    return {"file": ("days.ics", calendar.to_ical(), "text/calendar")}


async def test_a_file_shows_what_it_changes_and_then_changes_what_is_ticked(stage: Stage, browser_for) -> None:
    request = await submitted(stage)
    manager: Browser = await browser_for("manager")
    children, songkran, new_year = dt.date(2027, 4, 6), dt.date(2027, 4, 13), dt.date(2027, 1, 1)
    files = a_file(
        (SPECIAL, "หยุดตามประกาศ", "CONFIRMED"), (new_year, "ปีใหม่", "CONFIRMED"), (children, "จักรี", "CANCELLED")
    )
    shown = await manager.submit("/holidays/import", files=files)
    assert shown.status_code == 200
    words = said(shown)
    for part in (
        "กำหนดเป็นวันหยุดราชการ 1 วัน", "ประชุมคณะกรรมการ", "ไม่ใช่ทั้งวัน", "ยกเลิกไว้ในไฟล์ 1 วัน",
        "13 เม.ย. 2570", "คำร้องที่ยังเปิดอยู่ 1 ฉบับ",
    ):  # fmt: skip
        assert part in words, part
    assert f'value="{songkran}">' in shown.text  # offered for withdrawal, and not ticked
    assert f'value="{SPECIAL}" checked>' in shown.text
    assert await due(request) == at("2027-01-04", "14:00")  # nothing is changed by looking

    names = shown.text.split('name="names" value="')[1].split('"')[0].replace("&#34;", '"')
    fields = {"declare": str(SPECIAL), "withdraw": str(children), "names": names}
    done = said(await manager.follow(await manager.submit("/holidays/imported", fields)))
    assert "เพิ่มวันหยุดราชการ 1 วัน" in done
    assert await due(request) == at("2027-01-05", "14:00")
    async with acting_as(system("tests")):
        assert (await Holiday.get(day=SPECIAL)).name_th == "หยุดตามประกาศ"
        assert (await Holiday.get(day=new_year)).name_th != "ปีใหม่"
        assert (await Holiday.get(day=children)).withdrawn_at is not None
        assert (await Holiday.get(day=songkran)).withdrawn_at is None
        assert not await Holiday.filter(day=dt.date(2027, 1, 8)).exists()
    again = said(await manager.follow(await manager.submit("/holidays/imported", fields)))
    assert "เพิ่มวันหยุดราชการ 0 วัน" in again


async def test_a_special_day_moves_incidents_in_the_same_breath(stage: Stage, browser_for) -> None:
    desk = await staffed()
    now = at("2026-12-30", "14:00")
    await clock_stands(now)
    opened = await desk.call("4.2", now)
    manager: Browser = await browser_for("manager")
    facts = {"day": "4 ม.ค. 2570", "name_th": "วันหยุดพิเศษ", "special": "yes"}
    assert opened.number in said(await manager.submit("/holidays", facts))
    await manager.submit("/holidays", facts | {"confirmed": "yes"})
    async with acting_as(system("tests")):
        assert (await Incident.get(id=opened.id)).due_at == at("2027-01-05", "14:00")
    official_a: Browser = await browser_for("official-a")
    news = said(await official_a.get("/news"))
    assert f"{opened.number} · {opened.title}, กำหนดใหม่ 5 ม.ค. 2570 14:00 น. จากเดิม 4 ม.ค. 2570 14:00 น." in news
    await manager.submit(f"/holidays/{SPECIAL}/withdrawal")
    async with acting_as(system("tests")):
        assert (await Incident.get(id=opened.id)).due_at == at("2027-01-04", "14:00")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello",
        b"BEGIN:VCALENDAR\nEND:VCALENDAR\n",
        b"\xff\xfe\x00",
    ],
)
async def test_what_is_no_calendar_is_refused(browser_for, content: bytes) -> None:
    manager: Browser = await browser_for("manager")
    answer = await manager.submit("/holidays/import", files={"file": ("days.ics", content, "text/calendar")})
    assert answer.status_code == 422
    assert 'id="field-file-error"' in answer.text
