"""The cost explorer and cost centres: sums equal the costs page's, whichever way they are added up."""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.commands import set_budget
from portal.budget_watch import watch_budgets
from services.notifications.models import Notification
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.shop import Shop, agency_a_in_december, at

BrowserFor = Callable[..., Awaitable[Browser]]


def figures(text: str) -> list[Decimal]:
    return [Decimal(each.replace(",", "").replace("−", "-")) for each in re.findall(r"[−]?[\d,]+\.\d\d(?!\d)", text)]


@pytest.mark.parametrize("by", ["service", "family", "component", "cost_centre"])
async def test_sums_are_those_of_the_costs_page(browser_for: BrowserFor, by: str) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    answer = await finance.get(f"/costs/explorer?by={by}")
    table = re.findall(r"(?s)<tbody>(.*?)</tbody>\s*<tfoot>(.*?)</tfoot>", answer.text)[0]
    months = [figures(row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", table[0])]
    assert len(months) == 12
    for *groups, subtotal, total, vat in [*months, figures(table[1])]:
        assert sum(groups) == subtotal
        assert subtotal + vat == total
    assert months[2][-3:] == [Decimal("78964.51"), Decimal("84492.03"), Decimal("5527.52")]
    assert figures(table[1])[-2] == Decimal("1083230.03")


async def test_a_month_compared_and_what_made_it_jump(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs/explorer"))
    assert "อินเทอร์เน็ตภาครัฐ – สำนักงานใหญ่ 25,064.51 15,000.00 +10,064.51 0.00 +25,064.51" in page
    assert "รวม 78,964.51 68,900.00 +10,064.51 0.00 +78,964.51" in page
    # What is not invoiced says so.
    assert "พฤศจิกายน 2569 ออกใบแจ้งหนี้แล้ว" in page
    assert "มกราคม 2570 คาดการณ์" in page
    unusual = page[page.rindex("รายการผิดปกติของเดือนธันวาคม 2569") :]
    assert "เดือนนี้ยังไม่สิ้นสุด" in page
    assert "15,000.00 25,064.51 +10,064.51 ปริมาณเปลี่ยน" in unusual
    assert "SOC" not in unusual
    october = said(await finance.get("/costs/explorer?month=2026-10"))
    assert "เดือนนี้ยังไม่สิ้นสุด" not in october
    assert october[october.rindex("รายการผิดปกติของเดือนตุลาคม") :].count("ใหม่") == 3
    finance.cookies.set("lang", "en", domain="portal.test", path="/")
    assert "Quantity changed" in said(await finance.get("/costs/explorer"))


@pytest.mark.parametrize("query", ["by=colour", "month=2020-01", "year=2500", "month=x"])
async def test_what_is_not_there_is_not_found(browser_for: BrowserFor, query: str) -> None:
    await agency_a_in_december()
    assert (await (await browser_for("finance-a")).get(f"/costs/explorer?{query}")).status_code == 404


async def test_another_agencys_costs_do_not_exist(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    whose = f"agency={shop.agencies['a'].id}"
    assert (await (await browser_for("finance-b")).get(f"/costs/explorer?{whose}")).status_code == 404
    assert "1,083,230.03" in said(await (await browser_for("central")).get(f"/costs/explorer?{whose}"))


async def _tagged(shop: Shop, finance: Browser) -> None:
    network = {f"centre-{shop.services['GI'].id}": "กองเครือข่าย"}
    security = {f"centre-{shop.services[code].id}": "กองความมั่นคง" for code in ("EP", "SC")}
    assert (await finance.submit("/cost-centres", network | security)).status_code == 303


async def test_cost_centres_come_to_the_whole_with_vat(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance = await browser_for("finance-a")
    await _tagged(shop, finance)
    answer = await finance.get("/cost-centres")
    [(rows, foot)] = re.findall(r"(?s)<tbody>(.*?)</tbody>\s*<tfoot>(.*?)</tfoot>", answer.text)
    centres = [figures(row) for row in re.findall(r"(?s)<tr>(.*?)</tr>", rows)]
    assert len(centres) == 2
    assert [sum(column) for column in zip(*centres, strict=True)] == figures(foot)
    assert figures(foot) == [Decimal("147446.00"), Decimal("0.00"), Decimal("1083230.03")]
    assert "กองเครือข่าย" in said(await finance.get("/costs/explorer?by=cost_centre"))
    assert (await (await browser_for("official-a")).get("/cost-centres")).status_code == 403
    other = await browser_for("finance-b")
    await other.submit("/cost-centres", {f"centre-{shop.services['GI'].id}": "ของเรา"})
    assert "ของเรา" not in said(await finance.get("/cost-centres"))


async def test_thresholds_are_told_once_for_each_budget(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance = await browser_for("finance-a")
    await _tagged(shop, finance)
    form = {"year": "2570", "cost_centre": "กองเครือข่าย", "amount": "40,000.00"}
    assert (await finance.submit("/budgets", form)).status_code == 303
    assert (await finance.submit("/budgets", {**form, "cost_centre": "ไม่มี"})).status_code == 422
    for _ in range(2):
        await watch_budgets(at(2026, 12, 20, 8))
    async with acting_as(system("tests")):
        told = await Notification.filter(what__startswith="budget.").order_by("what", "identity")
    # Of the whole only the forecast is over; of the centre 32,100.00 of 40,000.00 is 80.25 %, and the forecast too.
    assert sorted((each.what, each.detail["number"], each.detail["label"]) for each in told) == [
        ("budget.actual", "80 %", "กองเครือข่าย"),
        ("budget.forecast", "100 %", ""),
        ("budget.forecast", "100 %", "กองเครือข่าย"),
    ]
    assert "งบประมาณถูกใช้ไปถึงสัดส่วนนี้" in said(await finance.get("/news"))
    by = await actor("finance-a")
    async with acting_as(by):
        await set_budget(shop.agencies["a"].id, 2570, Decimal(1), by=by, now=at(2026, 12, 20, 9))
    await watch_budgets(at(2026, 12, 21, 8))
    async with acting_as(system("tests")):
        assert await Notification.filter(what__startswith="budget.").count() == 6
