"""S3 and S4 as people live them: a network fault from a phone call, and three kinds of trouble with hardware."""

from pathlib import Path

import asyncpg
import pytest
from playwright.async_api import Browser

from portal.embedded_postgres import attach
from tests.e2e.conftest import Person, Portal, at_a_screen

pytestmark = pytest.mark.browser
PHONE = 390


async def test_from_the_call_to_the_figures_of_the_month(portal: Portal, chromium: Browser) -> None:
    await _begin_before_the_demonstration(portal)
    people = {name: await at_a_screen(chromium, name) for name in ("helpdesk", "head-network", "technician", "auditor")}
    people["official-a"] = await at_a_screen(chromium, "official-a", width=PHONE)
    for person in people.values():
        await person.sign_in(portal)
    await _live_s3(portal, people)
    people["head-hardware"] = await at_a_screen(chromium, "head-hardware")
    await people["head-hardware"].sign_in(portal)
    await _live_s4(portal, people)
    assert [fault for person in people.values() for fault in person.faults] == []


async def _live_s3(portal: Portal, people: dict[str, Person]) -> None:
    helpdesk, technician, official = people["helpdesk"], people["technician"], people["official-a"]
    path = await _log_a_call(helpdesk, portal, "3.2b", "เครือข่ายสาขาใช้งานไม่ได้")
    _at(portal, "2026-12-04T14:15")
    await _move(helpdesk, path, "analysis", condition_met="yes")
    assert "9 ธ.ค. 2569 14:15 น." in await _shown(official, path)
    await _move(people["head-network"], path, "assignment", person="technician")
    await technician.go("/desk")
    assert "เครือข่ายสาขาใช้งานไม่ได้" in await technician.text()
    await _move(technician, path, "taking")
    _at(portal, "2026-12-08T10:00")
    await _move(technician, path, "waiting", note="ขอหมายเลขจุดติดตั้ง")
    await official.go("/news")
    assert "รอข้อมูลจากผู้แจ้ง" in await official.text()
    _at(portal, "2026-12-08T15:00")
    # The requester's answer is what was waited for.
    await _move(official, path, "message", text="จุดที่ 14")
    for who in ("official-a", "technician", "auditor"):
        assert "11 ธ.ค. 2569 11:15 น." in await _shown(people[who], path), who
    _at(portal, "2026-12-11T10:00")
    await _move(technician, path, "resolution", resolution="เปลี่ยนสายสัญญาณ")
    stretches = [await _stretches(people[who], path) for who in ("official-a", "helpdesk", "auditor")]
    assert stretches[0] == stretches[1] == stretches[2]  # everybody sees the same clock
    for words in ("885 จาก 960 นาที (92.19 %)", "8 ธ.ค. 2569 10:00 น.", "8 ธ.ค. 2569 15:00 น.", "ขอหมายเลขจุดติดตั้ง"):
        assert words in stretches[0], words
    await _move(official, path, "confirmation", grade="5", comment="รวดเร็ว")
    assert "ปิดเรื่องแล้ว" in await _shown(official, path)


async def _live_s4(portal: Portal, people: dict[str, Person]) -> None:
    helpdesk, technician, auditor = people["helpdesk"], people["technician"], people["auditor"]
    _at(portal, "2026-12-21T15:30")
    repair = await _log_a_call(helpdesk, portal, "1.2a", "เครื่องคอมพิวเตอร์เปิดไม่ติด")
    assert "22 ธ.ค. 2569 08:30 น." in await _shown(auditor, repair)
    await _move(people["head-hardware"], repair, "assignment", person="technician")
    _at(portal, "2026-12-21T15:50")
    await _move(technician, repair, "classification", code="1.2b")
    assert "22 ธ.ค. 2569 09:30 น." in await _shown(auditor, repair)
    _at(portal, "2026-12-22T08:20")
    await _move(technician, repair, "vendor", vendor="บริษัทผู้จำหน่าย", note="ไม่มีอะไหล่สำรอง")
    stopped = await _shown(people["official-a"], repair)
    assert "50 จาก 120 นาที" in stopped
    assert "ไม่กำหนดระยะเวลา" in stopped

    _at(portal, "2026-12-28T14:00")
    write_off = await _log_a_call(helpdesk, portal, "1.5", "ประเมินเพื่อยุบสภาพ 5 เครื่อง", items="5")
    assert "29 ธ.ค. 2569 08:30 น." in await _shown(auditor, write_off)
    await _move(helpdesk, write_off, "analysis")
    _at(portal, "2026-12-29T09:00")
    reinstall = await _log_a_call(helpdesk, portal, "1.3", "ขอฟอร์แมตและติดตั้งระบบใหม่")
    assert "4 ม.ค. 2570 09:00 น." in await _shown(auditor, reinstall)
    await _move(helpdesk, reinstall, "analysis")
    _at(portal, "2026-12-29T09:10")
    await _move(helpdesk, write_off, "resolution", resolution="ประเมินครบ 5 เครื่อง")
    assert "เกินกำหนด 40 นาที" in await _shown(auditor, write_off)
    _at(portal, "2026-12-30T14:00")
    assert "ใกล้ครบกำหนด" in await _shown(auditor, reinstall)  # amber since 09:00
    await _move(helpdesk, reinstall, "resolution", resolution="ติดตั้งใหม่แล้ว")
    assert "เกินเป้าหมายขั้นต่ำ" in await _shown(auditor, reinstall)


async def _begin_before_the_demonstration(portal: Portal) -> None:
    """Set the clock to Friday 13:30, before anybody looks: the story's clock only goes forward, and starts at 15:15."""
    address = attach(Path(portal.environment["PORTAL_DATA_DIR"]))
    assert address is not None
    connection = await asyncpg.connect(address.url())
    try:
        await connection.execute("UPDATE demo_clock SET demo_at = '2026-12-04 13:30+07', is_held = true")
    finally:
        await connection.close()


def _at(portal: Portal, moment: str) -> None:
    portal.clock("set", moment, "--hold")


async def _log_a_call(helpdesk: Person, portal: Portal, code: str, title: str, **more: str) -> str:
    """Find the caller by the last digits of the number, log what is wrong, and return the incident's path."""
    page = helpdesk.page
    await page.goto(f"{portal.url}/desk/call?who=1101")
    await helpdesk.click("#callers a")
    form = page.locator("form[action='/desk/call'][method=post]")
    await form.locator("[name=title]").fill(title)
    await form.locator("[name=code]").select_option(code)
    for name, value in more.items():
        await form.locator(f"[name={name}]").fill(value)
    await helpdesk.click("button[value=log]")
    path = page.url.removeprefix(portal.url)
    assert path.startswith("/incidents/")
    assert "INC-A01-2570-" in await page.title()
    return path


async def _move(who: Person, path: str, move: str, /, **fields: str) -> None:
    """Open the incident, unfold one of its moves, fill it in and send it."""
    page = who.page
    await page.goto("/".join(page.url.split("/", 3)[:3]) + path)  # looked at once the move is made
    form = page.locator(f"form[action$='{path}/{move}']").first
    if not await form.is_visible():
        await page.locator("details", has=form).last.locator("summary").first.click()
    for field, value in fields.items():
        control = form.locator(f"[name={field}]")
        kind = await control.first.evaluate("each => each.type")
        if kind == "radio":
            await form.locator("label", has_text="เทคนิค").locator("input").check()
        elif kind == "checkbox":
            await control.check()
        elif kind.startswith("select"):
            await control.select_option(value)
        else:
            await control.fill(value)
    async with page.expect_navigation(wait_until="load"):
        await form.locator("button").last.click()
    await who.look()
    assert await page.locator(".note-danger").count() == 0, await who.text()


async def _shown(person: Person, path: str) -> str:
    await person.go(path)
    return await person.text()


async def _stretches(person: Person, path: str) -> str:
    """Return the clock with every stretch of it, as somebody reads it."""
    await person.go(path)
    figure = person.page.locator("figure.clock").first
    await figure.locator("summary").click()
    return " ".join(str(await figure.evaluate("each => each.textContent")).split())
