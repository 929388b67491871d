"""Credit and debit notes are part of what every page of costs says: budget, explorer, exports, overview."""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from billing.statements.models import Statement
from portal.budget_watch import watch_budgets
from services.notifications.models import Notification
from tests.browsing import Browser, said
from tests.portal.pages.shop import agency_a_in_december, at
from tests.portal.pages.test_explorer import figures

BrowserFor = Callable[..., Awaitable[Browser]]


async def note(desk: Browser, number: str, kind: str, amount: str, **more: str) -> None:
    async with acting_as(system("tests")):
        invoice = await Statement.get(number=number)
    form = {"note_kind": kind, "amount": amount, "reason": "คิดค่าบริการไม่ถูกต้อง"} | more
    assert (await desk.submit(f"/billing/invoices/{invoice.id}/notes", form)).status_code == 303


async def test_the_year_is_after_notes_on_every_page(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    await note(desk, "INV-P01-2570-00002", "credit_note", "1,000.00")
    await note(desk, "INV-P01-2570-00002", "debit_note", "100.00")
    # Of two invoices of 73,723.00: 1,070.00 less and 107.00 more.
    page = said(await finance.get("/costs")).replace("\xa0", " ")
    assert "146,483.00 บาท ออกใบแจ้งหนี้แล้วสะสม 14.65 % ของงบประมาณ; รวมใบลดหนี้และใบเพิ่มหนี้ −963.00 บาท" in page
    assert "853,517.00 บาท งบประมาณคงเหลือ จาก 1,000,000.00 บาท" in page
    assert "1,082,267.03 บาท ประมาณการทั้งปี เกินงบประมาณ 82,267.03 บาท" in page
    assert (
        "พฤศจิกายน 2569 68,000.00 4,760.00 72,760.00 ใบแจ้งหนี้ 73,723.00 ใบลดหนี้และใบเพิ่มหนี้ −963.00 "
        "ออกใบแจ้งหนี้แล้ว INV-P01-2570-00002 CN-P01-2570-00001 DN-P01-2570-00001"
    ) in page
    month = said(await finance.get("/costs/2026-11"))
    assert "รวม 73,723.00 บาท ออกใบแจ้งหนี้แล้ว" in month
    assert month.count("จำนวนเงินรวมหลังปรับปรุง 72,760.00") == 2  # beside the invoice's number, and below its notes
    assert "853,517.00 บาท งบประมาณคงเหลือ ใช้ไปแล้ว 14.65 %" in said(await finance.get("/")).replace("\xa0", " ")
    for who in ("central", "provider-finance"):
        browser = await browser_for(who)
        assert "146,483.00 บาท ออกใบแจ้งหนี้แล้วสะสม" in said(await browser.get("/"))
        chosen = said(await browser.get("/costs"))
        assert "146,483.00" in chosen
        assert "รวมใบลดหนี้และใบเพิ่มหนี้ของใบแจ้งหนี้เหล่านี้แล้ว" in chosen
    assert "146,483.00" in said(await finance.get("/cost-centres"))


@pytest.mark.parametrize("by", ["service", "family", "component", "cost_centre"])
async def test_the_explorer_and_its_exports_are_after_notes(browser_for: BrowserFor, by: str) -> None:
    await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    await note(desk, "INV-P01-2570-00002", "credit_note", "1,000.00")
    await note(desk, "INV-P01-2570-00002", "debit_note", "100.00")
    answer = await finance.get(f"/costs/explorer?by={by}&month=2026-11")
    (rows, foot), *_ = re.findall(r"(?s)<tbody>(.*?)</tbody>\s*<tfoot>(.*?)</tfoot>", answer.text)
    months = [figures(row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", rows)]
    for *groups, subtotal, total, vat in [*months, figures(foot)]:
        assert sum(groups) == subtotal
        assert subtotal + vat == total
    assert months[1][-3:] == [Decimal("68000.00"), Decimal("72760.00"), Decimal("4760.00")]
    page = said(answer)
    own = {"component": "ใบลดหนี้ −1,000.00", "cost_centre": "ไม่ระบุศูนย์ต้นทุน 68,000.00"}
    assert own.get(by, "การปรับปรุงทั้งใบแจ้งหนี้ −900.00") in page
    assert "ใบลดหนี้ ทั้งใบแจ้งหนี้ 0.00 −1,000.00 −1,000.00 ใบลดหนี้" in page
    exported = (await finance.get("/exports/costs/json?year=2570")).json()
    assert Decimal(exported["total"]) == figures(foot)[-2]
    assert Decimal((await finance.get("/exports/costs/json?month=2026-11")).json()["total"]) == Decimal("72760.00")


async def test_a_note_of_a_service_counts_there(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    endpoint = shop.services["EP"].id
    await finance.submit("/cost-centres", {f"centre-{endpoint}": "กองความมั่นคง"})
    before = await year_of_centre(finance, "กองความมั่นคง")
    await note(desk, "INV-P01-2570-00002", "credit_note", "1,000.00", service=str(endpoint))
    after = await year_of_centre(finance, "กองความมั่นคง")
    # What is invoiced and the forecast: 1,000.00 and 70.00 of VAT less.
    assert [now - then for now, then in zip(after, before, strict=True)] == [-1070, 0, -1070]
    assert "38,100.00 39,100.00 −1,000.00" in said(await finance.get("/costs/explorer?month=2026-11"))
    service = said(await finance.get(f"/services/{endpoint}"))
    assert "38,100.00" in service
    # Of a service that is not on the invoice there is nothing to correct.
    async with acting_as(system("tests")):
        invoice = await Statement.get(number="INV-P01-2570-00002")
    form = {"note_kind": "credit_note", "amount": "1", "reason": "ไม่ถูกต้อง", "service": str(invoice.id)}
    assert (await desk.submit(f"/billing/invoices/{invoice.id}/notes", form)).status_code == 422


async def year_of_centre(finance: Browser, name: str) -> list[Decimal]:
    rows = re.findall(r"(?s)<tr>(.*?)</tr>", (await finance.get("/cost-centres")).text)
    [row] = [each for each in rows if name in each and "<td" in each]
    return figures(row)


async def test_a_threshold_waits_for_what_is_spent_after_notes(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    await finance.submit("/budgets", {"year": "2570", "cost_centre": "", "amount": "184,000.00"})  # 80 %: 147,200.00
    await note(desk, "INV-P01-2570-00002", "credit_note", "1,000.00")
    assert await told_of_actual() == []
    await note(desk, "INV-P01-2570-00002", "debit_note", "1,000.00")
    assert await told_of_actual() == ["80 %"]


async def told_of_actual() -> list[str]:
    await watch_budgets(at(2026, 12, 20, 8))
    async with acting_as(system("tests")):
        return [each.detail["number"] for each in await Notification.filter(what="budget.actual")]
