"""Work in a colleague's hands, a step that fails and is tried again, and the steps an offering has of its own."""

import re
from collections.abc import Awaitable, Callable

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.requests.models import WorkOrder, WorkStep
from services.staff.models import StaffRecord
from services.staff.rules import Kind
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.asking import answer, ask, before_s1, change
from tests.portal.pages.shop import Shop

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


async def confirmed(shop: Shop, browser_for: BrowserFor) -> str:
    path = await ask(await browser_for("official-a"), change(shop))
    sha256 = await answer(await browser_for("reviewer"), path)
    approver = await browser_for("approver-a")
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    return path


async def test_a_reviewer_puts_work_into_a_technicians_hands(shop: Shop, browser_for: BrowserFor) -> None:
    path = await confirmed(shop, browser_for)
    reviewer, technician = await browser_for("reviewer"), await browser_for("technician")
    person = await actor("technician")
    form = {"person": str(person.person_id)}
    assert f'action="{path}/work/assignment"' in (await reviewer.get(path)).text
    assert f'action="{path}/work/assignment"' not in (await technician.get(path)).text
    assert (await technician.submit(f"{path}/work/assignment", form)).status_code == 403
    nobody = {"person": str((await actor("official-a")).person_id)}
    assert (await reviewer.submit(f"{path}/work/assignment", nobody)).status_code == 422
    assert (await (await browser_for("official-a")).submit(f"{path}/work/assignment", form)).status_code == 403
    assert (await reviewer.submit(f"{path}/work/assignment", form)).status_code == 303
    async with acting_as(system("tests")):
        assert (await WorkOrder.get()).assigned_to == person.person_id
    for who in ("official-a", "technician"):
        assert f"มอบหมายงานให้: {person.name}" in said(await (await browser_for(who)).get(path))
    assert person.name in said(await reviewer.get("/work"))


async def test_work_goes_only_to_who_is_certified_checked_and_bound(shop: Shop, browser_for: BrowserFor) -> None:
    path = await confirmed(shop, browser_for)
    reviewer, technician, manager = [await browser_for(who) for who in ("reviewer", "technician", "manager")]
    trusted, other = [(await actor(who)).person_id for who in ("technician", "head-network")]
    why = "ใบรับรอง ผลตรวจประวัติ หรือข้อตกลงไม่เปิดเผยข้อมูลขาดหรือสิ้นผล"
    page = await reviewer.get(path)
    assert f'value="{other}" disabled' in page.text
    assert f'value="{trusted}" disabled' not in page.text
    assert said(page).count(why) >= 2  # the heads', and the reviewer's own for taking the work up
    refused = await reviewer.submit(f"{path}/work/assignment", {"person": str(other)})
    assert refused.status_code == 422
    assert "มอบหมายงานนี้ให้บุคคลนี้ไม่ได้" in said(refused)
    # Taking work up is being given it.
    assert f'action="{path}/work"' not in page.text
    assert (await reviewer.submit(f"{path}/work")).status_code == 422
    assert f'action="{path}/work"' in (await technician.get(path)).text
    async with acting_as(system("tests")):
        nda = await StaffRecord.get(person_id=trusted, kind=Kind.NDA)
    assert (await manager.submit(f"/staff/{trusted}/{nda.id}/striking", {"sure": "yes"})).status_code == 303
    assert (await reviewer.submit(f"{path}/work/assignment", {"person": str(trusted)})).status_code == 422
    lapsed = await technician.submit(f"{path}/work")
    assert lapsed.status_code == 422
    assert why in said(lapsed)
    async with acting_as(system("tests")):
        order = await WorkOrder.get()
    assert (order.assigned_to, order.started_at) == (None, None)


async def test_a_failed_step_is_seen_by_both_sides_and_tried_again(shop: Shop, browser_for: BrowserFor) -> None:
    path = await confirmed(shop, browser_for)
    technician, official = await browser_for("technician"), await browser_for("official-a")
    await technician.submit(f"{path}/work")
    failed = {"act": "failed", "note": "สวิตช์ไม่ตอบสนอง"}
    assert (await technician.submit(f"{path}/work/steps/1", failed)).status_code == 303
    seen = said(await official.get(path))
    assert "สวิตช์ไม่ตอบสนอง" in seen
    assert re.search(r"ไม่สำเร็จ.{0,12}1", seen)
    assert (await technician.submit(f"{path}/work/steps/1", {"act": "done"})).status_code == 303
    assert "สวิตช์ไม่ตอบสนอง" in said(await official.get(path))


async def test_an_offerings_own_steps_are_taken_by_work_orders_given_later(shop: Shop, browser_for: BrowserFor) -> None:
    manager = await browser_for("manager")
    page = f"/offerings/{shop.catalogue.offerings['GI'].id}/steps"
    assert "Configure" in (await manager.get(page)).text
    refused = await manager.submit(page, {"change": "ไม่มีภาษาอังกฤษ"})
    assert refused.status_code == 422
    assert "ไม่มีภาษาอังกฤษ" in refused.text
    own = {"change": "ตรวจวงจร | Check the line\n\nปรับความเร็ว | Set the speed"}
    assert (await manager.submit(page, own)).status_code == 303
    assert "ตรวจวงจร | Check the line" in (await manager.get(page)).text
    await confirmed(shop, browser_for)
    async with acting_as(system("tests")):
        steps = await WorkStep.all().order_by("position")
    assert [(step.name_th, step.name_en) for step in steps] == [
        ("ตรวจวงจร", "Check the line"),
        ("ปรับความเร็ว", "Set the speed"),
    ]
    assert (await manager.submit(page, {"change": ""})).status_code == 303
    assert "ตรวจวงจร" not in (await manager.get(page)).text
    for who in ("technician", "official-a"):
        assert (await (await browser_for(who)).submit(page, own)).status_code == 403
