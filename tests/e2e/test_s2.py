"""S2 as people live it: a machine where capacity is short, a special holiday, and an add-on that ends alone."""

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.conftest import Person, Portal, at_a_screen

pytestmark = pytest.mark.browser
PHONE = 390


async def test_a_machine_from_wish_to_bill(portal: Portal, chromium: Browser) -> None:  # noqa: PLR0915 - a story is told in one piece
    # Wednesday before New Year: U asks for eight vCPU where six are free, is warned beside the field, and takes four.
    portal.clock("set", "2026-12-30T14:00", "--hold")
    official = await at_a_screen(chromium, "official-a", width=PHONE)
    await official.sign_in(portal)
    await official.go("/requests/new?kind=new")
    await official.click("main a[href*='offering=']:has-text('เครื่องแม่ข่ายเสมือน')")
    page, ahead = official.page, official.page.locator("#ahead")
    await page.locator("[name=label]").fill("ระบบงานใหม่")
    await page.locator("[name=effective_on]").fill("6/1/2570")
    await page.locator("[name=justification]").fill("ระบบใหม่ของสำนักงาน")
    for name, amount in (("vCPU", "8"), ("RAM", "16"), ("SSD", "200"), ("สำรองข้อมูล", "200")):
        await page.locator(".field", has=page.locator("label", has_text=name)).locator("input").first.fill(amount)
    await expect(ahead).to_contain_text("ขาดอีก 2 vCPU")
    await expect(page.locator("button[value=submit]")).to_be_disabled()
    await official.look()
    await page.locator(".field", has=page.locator("label", has_text="vCPU")).locator("input").first.fill("4")
    for figure in ("5,017.60", "+5,368.83"):
        await expect(ahead).to_contain_text(figure)
    await official.click("button[value=submit]")
    path = page.url.removeprefix(portal.url)
    assert "4 ม.ค. 2570 14:00 น." in await official.text()

    # The Cabinet gives Monday off, and takes it back: the due time goes with it, both ways.
    manager = await at_a_screen(chromium, "manager")
    await manager.sign_in(portal)
    await manager.go("/holidays?year=2570")
    form = manager.page.locator("form[method=post][action='/holidays']").first
    await form.locator("[name=day]").fill("4/1/2570")
    await form.locator("[name=name_th]").fill("วันหยุดราชการเพิ่มเป็นกรณีพิเศษ")
    await manager.click("form[method=post][action='/holidays'] button")
    await manager.click("form[action='/holidays'] button.btn-primary")
    await official.go(path)
    assert "5 ม.ค. 2570 14:00 น." in await official.text()
    await manager.go("/holidays/2027-01-04/withdrawal")
    await manager.click("form[action$='/withdrawal'] button")
    await official.go(path)
    assert "4 ม.ค. 2570 14:00 น." in await official.text()

    # Quoted on Monday, confirmed on Tuesday, delivered on Wednesday.
    reviewer = await at_a_screen(chromium, "reviewer")
    approver = await at_a_screen(chromium, "approver-a", width=PHONE)
    technician = await at_a_screen(chromium, "technician")
    portal.clock("set", "2027-01-04T09:00", "--hold")
    for person in (reviewer, approver, technician):
        await person.sign_in(portal)
    await _quote(reviewer, path)
    portal.clock("set", "2027-01-05T09:00", "--hold")
    quote = await _confirm(approver, path)
    for figure in ("5,017.60", "+5,368.83"):
        assert figure in quote, figure
    await technician.go("/work")
    assert "6 ม.ค. 2570 09:00 น." in await technician.text()
    portal.clock("set", "2027-01-06T08:00", "--hold")
    await _deliver(technician, path)

    # A week later the backup is to end with 20 January, and nothing else.
    portal.clock("set", "2027-01-12T09:00", "--hold")
    await official.go(path)
    service = await page.locator("main a[href^='/services/']").first.get_attribute("href")
    assert service is not None
    await official.go(f"/requests/new?kind=cancel_addon&service={service.rsplit('/', 1)[1]}")
    await page.locator("input[type=checkbox][name^='q-']").check()
    await page.locator("[name=effective_on]").fill("20/1/2570")
    await page.locator("[name=justification]").fill("สำรองข้อมูลเองแล้ว")
    await expect(ahead).to_contain_text("4,037.36")
    await official.click("button[value=submit]")
    cancelled = page.url.removeprefix(portal.url)
    await _quote(reviewer, cancelled)
    portal.clock("set", "2027-01-13T09:00", "--hold")
    await _confirm(approver, cancelled)
    portal.clock("set", "2027-01-14T09:00", "--hold")
    await _deliver(technician, cancelled)
    await official.go(cancelled)
    assert "20 ม.ค. 2570" in await official.text()
    await official.go(service)

    # January's estimate knows it all.
    portal.clock("set", "2027-01-25T09:00", "--hold")
    finance = await at_a_screen(chromium, "finance-a")
    await finance.sign_in(portal)
    await finance.go("/costs/2027-01")
    january = await finance.text()
    for figure in ("1,355.20", "1,971.20", "536.77", "174.19", "4,037.36"):
        assert figure in january, figure

    people: list[Person] = [official, manager, reviewer, approver, technician, finance]
    assert [fault for person in people for fault in person.faults] == []


async def _quote(reviewer: Person, path: str) -> None:
    await reviewer.go(path)
    await reviewer.click(f"form[action='{path}/review'] button")
    for check in ("request", "capacity", "cost"):
        await reviewer.click(f"form[action='{path}/checks/{check}'] button[value=passed]")
    await reviewer.click("button[name=act][value=send]")


async def _confirm(approver: Person, path: str) -> str:
    await approver.go(f"{path}/quote")
    said = await approver.text()
    await approver.click(f"form[action='{path}/confirmation'] button")
    return said


async def _deliver(technician: Person, path: str) -> None:
    await technician.go(path)
    await technician.click(f"form[action='{path}/work'] button")
    while await technician.page.locator("form[action*='/work/steps/'] button[value=done]").count():
        await technician.click("form[action*='/work/steps/'] button[value=done]")
