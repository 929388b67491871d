"""Every form of an incident, and the pages that keep the desk in order, in a real browser: nothing is wrong with them.

Every page on a phone in Thai, those that are laid out otherwise on a screen also there, in English.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest
from playwright.async_api import Browser as Chromium

from auth.rules import system
from auth.tenancy import acting_as
from portal.pages.incidents.moves import MOVES
from services.knowledge.models import Article
from services.sections.commands import seat
from services.sections.models import Position
from tests.browsing import Browser
from tests.cast import actor
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import move, report
from tests.portal.pages.test_look import chromium as chromium  # noqa: PLC0414 - the fixture is used here too
from tests.portal.pages.test_look import faults
from tests.portal.pages.test_look_keeping import Answered
from tests.services.incidents.desk import LONG_AGO, Desk, at, person_of, staffed

pytestmark = pytest.mark.browser
NAMES = ("official-a", "helpdesk", "head-network", "technician", "manager")
PNG = {"attachment": ("ภาพหน้าจอที่มีชื่อยาวมากเพื่อดูว่าล้นหรือไม่.png", b"\x89PNG\r\n\x1a\n" + bytes(20))}
CALENDAR = b"""BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//x//x//TH
BEGIN:VEVENT
UID:1@x
DTSTART;VALUE=DATE:20261214
SUMMARY:New holiday
END:VEVENT
BEGIN:VEVENT
UID:2@x
DTSTART:20261215T090000Z
SUMMARY:A meeting at a time of day
END:VEVENT
END:VCALENDAR
"""


async def incidents(desk: Desk, browsers: Mapping[str, Browser]) -> dict[str, str]:
    """Let there be an incident for every form there is; return where each is, by what it shows."""
    official, helpdesk, head, technician = [browsers[name] for name in NAMES[:4]]
    person = str(person_of(desk.technician))
    await stand(at(2026, 12, 8, 9), official)
    await helpdesk.submit("/outages", {"title_th": "สายไฟเบอร์ขาดที่หลักสี่", "title_en": "Fibre cut"})
    paths = {"reported": await report(official, title="ขอรหัสเข้าใช้งานสองรหัส", code="5.1", items="2")}
    for name in ("assigned", "waiting", "at the vendor", "resolved", "closed"):
        paths[name] = await report(official, title=f"ขอรหัสเข้าใช้งาน {name}", code="5.1", items="2")
        await move(helpdesk, paths[name], "analysis")
        await move(head, paths[name], "assignment", person=person)
    one = paths["assigned"]
    assert (await official.submit(f"{one}/message", {"text": "ตามภาพ"}, files=PNG)).status_code == 303
    assert (await technician.submit(f"{one}/note", {"text": "ดูภาพ"}, files=PNG)).status_code == 303
    await move(technician, one, "appointment", starts_day="9/12/2569", starts_time="10:00", minutes="30")
    await move(technician, paths["waiting"], "waiting", note="ขอเลขครุภัณฑ์")
    await move(technician, paths["at the vendor"], "vendor", vendor="บริษัทผู้จำหน่าย")
    for name in ("resolved", "closed"):
        await move(technician, paths[name], "resolution", resolution="ออกรหัสแล้ว")
    await move(official, paths["closed"], "confirmation")
    return paths


async def test_the_desks_forms_hold_together(
    chromium: Chromium, browser_for: Callable[..., Awaitable[Browser]]
) -> None:
    desk = await staffed(sections=("network", "web-mail"))
    async with acting_as(system("tests")):  # somebody of the section whom the register lets be given nothing
        other = person_of(await actor("head-hardware"))
        section = desk.sections["web-mail"].id
        await seat(section, other, Position.TECHNICIAN, by=system("tests"), now=LONG_AGO)
    browsers = {name: await browser_for(name) for name in NAMES}
    paths = await incidents(desk, browsers)
    written = {"title_th": "ลืมรหัสผ่าน", "text_th": "กดลืมรหัส", "row_code": "5.1", "public": "yes"}
    assert (await browsers["helpdesk"].submit("/knowledge", written)).status_code == 303
    async with acting_as(system("tests")):
        article = f"/knowledge/{(await Article.get()).id}"
    looks = {
        390: {
            "official-a": [*(paths[each] for each in ("assigned", "waiting", "resolved", "closed")), article],
            "helpdesk": [paths["reported"], f"{article}/edit"],
            "head-network": [paths["assigned"], paths["at the vendor"], "/sla/new"],
            "technician": [paths["assigned"], paths["waiting"]],
            "manager": ["/desk/sections", "/desk/overview/incidents"],
        },
        1280: {
            "helpdesk": [paths["reported"], f"{article}/edit"],
            "head-network": [paths["assigned"], "/sla/new"],
            "manager": ["/desk/sections", f"/staff/{person_of(desk.technician)}"],
        },
    }
    unexplained = {"section": str(desk.sections["hardware"].id)}
    forwarding = ("helpdesk", f"{paths['reported']}/forwarding", unexplained, None, 422)
    importing = ("manager", "/holidays/import", {}, {"file": ("days.ics", CALENDAR)}, 200)
    answers: dict[int, list[tuple[str, str, dict[str, str], Any, int]]]
    answers = {390: [forwarding, importing], 1280: [importing]}
    seen, wrong = set(), dict[tuple[str, str, int], list[object]]()
    for language, width in (("th", 390), ("en", 1280)):
        for name, addresses in looks[width].items():
            browsers[name].cookies.set("lang", language, domain="portal.test", path="/")
            for address in addresses:
                wrong[name, address, width] = await faults(chromium, browsers[name], address, width)
                page = await browsers[name].get(address)
                seen |= set(re.findall(r'action="/incidents/[0-9a-f-]+/(\w+)"', page.text))
                seen |= set(re.findall(r'action="/incidents/.*/(removal)"', page.text))
        for name, address, fields, files, status in answers[width]:
            answer = await browsers[name].submit(address, fields, files=files)
            assert answer.status_code == status
            answered = Answered(browsers[name], address, answer)
            wrong[name, address, width] = await faults(chromium, answered, address, width)
    assert {page: found for page, found in wrong.items() if found} == {}
    assert seen == {*MOVES, "removal"}
