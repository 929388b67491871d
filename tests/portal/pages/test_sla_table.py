"""The service level agreement: for everybody to read, for a section's head to edit."""

from collections.abc import Awaitable, Callable

import pytest

from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import report, stored
from tests.services.incidents.desk import Desk, at, staffed

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at(2026, 12, 8, 9)
ROW = {
    "category_th": "ฮาร์ดแวร์",
    "process_th": "ซ่อมเบื้องต้น",
    "mode": "fixed",
    "target_max_minutes": "90",
    "clock_start": "start_on_received",
}


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed(sections=("hardware",))


async def test_a_new_version_moves_no_due_time(desk: Desk, browser_for: BrowserFor) -> None:
    head, official = await browser_for("head-network"), await browser_for("official-a")
    await stand(NOW, official)
    path = await report(official, code="1.2a")
    before = (await stored(path)).due_at
    table = said(await official.get("/sla"))
    assert "ซ่อมครุภัณฑ์คอมพิวเตอร์" in table
    assert "ไม่กำหนดระยะเวลา" in table
    assert "2 วันทำการ" in table
    assert (await head.submit("/sla/1.2a", ROW)).status_code == 303
    assert (await stored(path)).due_at == before
    versions = said(await official.get("/sla/1.2a"))
    assert "1 ชม. 30 นาที" in versions
    assert "ฉบับที่" in versions
    assert "1 ชม. 30 นาที" not in said(await official.get("/sla?on=7/12/2569"))
    assert (await official.get("/sla/99")).status_code == 404


async def test_another_sections_rows_are_not_ones_own(desk: Desk, browser_for: BrowserFor) -> None:
    head, technician = await browser_for("head-network"), await browser_for("technician")
    await stand(NOW, head)
    assert (await head.get("/sla/1.2a/edit")).status_code == 200
    assert (await head.get("/sla/3.2b/edit")).status_code == 403
    assert (await head.submit("/sla/3.2b", ROW)).status_code == 403
    assert (await technician.submit("/sla/1.2a", ROW)).status_code == 403
    wrong = await head.submit("/sla/1.2a", ROW | {"mode": "range", "target_min_minutes": "100"})
    assert wrong.status_code == 422
    assert "เวลาขั้นต่ำมากกว่าเวลาขั้นสูง" in said(wrong)


async def test_a_row_is_added_to_ones_own_section(desk: Desk, browser_for: BrowserFor) -> None:
    head, official = await browser_for("head-network"), await browser_for("official-a")
    await stand(NOW, head)
    own, other = str(desk.sections["hardware"].id), str(desk.sections["network"].id)
    new = ROW | {"code": "1.9", "process_th": "ติดตั้งเครื่องสแกน"}
    assert (await head.submit("/sla", new | {"section": other})).status_code == 403
    assert (await head.submit("/sla", new | {"section": own, "code": "1.2a"})).status_code == 409
    assert (await head.submit("/sla", new | {"section": own})).status_code == 303
    assert "ติดตั้งเครื่องสแกน" in said(await official.get("/sla"))
