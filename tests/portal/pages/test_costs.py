"""Costs as an agency, its provider and those who oversee see them; scenario S1's figures on the page."""

import datetime as dt
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.models import Budget
from billing.months import Month
from billing.statements.commands import issue
from billing.tariffs.commands import set_tax_rate
from billing.tariffs.models import TaxKind
from tests.billing.metering.world import found
from tests.browsing import Browser, said
from tests.portal.pages.shop import NOW, STARTS, agency_a_in_december, at, clock_stands, opened_shop

BrowserFor = Callable[..., Awaitable[Browser]]


def amounts(text: str) -> list[Decimal]:
    return [Decimal(each.replace(",", "").replace("−", "-")) for each in re.findall(r"[−]?[\d,]+\.\d\d(?!\d)", text)]


async def test_december_of_the_worked_scenario_to_the_satang(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs/2026-12"))
    internet = page[page.index("อินเทอร์เน็ตภาครัฐ – สำนักงานใหญ่") :]
    internet = internet[: internet.index("SOC – ส่วนกลาง")]
    assert "1 ธ.ค. 2569 – 15 ธ.ค. 2569 15/31 7,258.06" in internet
    assert "16 ธ.ค. 2569 – 31 ธ.ค. 2569 16/31 17,806.45" in internet
    assert "รวมค่าบริการรายการนี้ 25,064.51" in internet
    # How each came about: tranches, full month, share, rounding, price version.
    assert "100 Mbps × 85.00 8,500.00 400 Mbps × 65.00 26,000.00 ราคาเต็มเดือน 34,500.00" in internet
    assert "× 16 ÷ 31 วัน 17,806.451612… ปัดเศษเป็นสตางค์ (ครึ่งสตางค์ปัดขึ้น) 17,806.45" in internet
    assert re.search(r"ราคาฉบับที่ \d มีผลตั้งแต่ 1 ต.ค. 2567", internet)
    assert "ประมาณการ ยังไม่ออกใบแจ้งหนี้" in page
    assert "รวมเป็นเงิน 78,964.51 ภาษีมูลค่าเพิ่ม 7 % 5,527.52 จำนวนเงินรวมทั้งสิ้น 84,492.03" in page.replace("\xa0", " ")
    assert "(แปดหมื่นสี่พันสี่ร้อยเก้าสิบสองบาทสามสตางค์)" in page
    assert shop.services["GI"].number in page


async def test_government_internet_billed_alone(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    await shop.open("a", "GI", {"bandwidth": "200"}, at(2026, 10, 1))
    await shop.change("GI", {"bandwidth": "500"}, at(2026, 12, 16))
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs/2026-12")).replace("\xa0", " ")
    assert "รวมเป็นเงิน 25,064.51 ภาษีมูลค่าเพิ่ม 7 % 1,754.52 จำนวนเงินรวมทั้งสิ้น 26,819.03" in page
    assert "ภาษีเงินได้หัก ณ ที่จ่าย 1 % −250.65 ยอดชำระสุทธิ 26,568.38" in page
    assert "(สองหมื่นหกพันแปดร้อยสิบเก้าบาทสามสตางค์)" in page


async def test_what_is_shown_sums(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    await shop.open("a", "VM", {"vcpu": "4", "ram": "16", "ssd": "200"}, at(2026, 12, 6, 8), label="ระบบทดสอบ")
    finance = await browser_for("finance-a")
    answer = await finance.get("/costs/2026-12")
    tables = re.findall(r"(?s)<tbody>(.*?)</tbody>\s*<tfoot>(.*?)</tfoot>", answer.text)
    assert len(tables) == 4
    subtotals = []
    for lines, foot in tables:
        row = r'(?s)data-label="จำนวนเงิน \(บาท\)" class="number">(.*?)</td>'
        own = [amount for cell in re.findall(row, lines) for amount in amounts(cell)]
        assert own
        assert [sum(own)] == amounts(foot)
        subtotals += amounts(foot)
    page = said(answer).replace("\xa0", " ")
    found = re.search(r"รวมเป็นเงิน ([\d,.]+) ภาษีมูลค่าเพิ่ม 7 % ([\d,.]+) จำนวนเงินรวมทั้งสิ้น ([\d,.]+)", page)
    assert found
    subtotal, vat, total = amounts(" ".join(found.groups()))
    assert sum(subtotals) == subtotal
    assert subtotal + vat == total
    year = await finance.get("/costs")
    cells = {
        label: amounts(" ".join(re.findall(rf'(?s)data-label="{label}" class="number">(.*?)</td>', year.text)))
        for label in ("ก่อนภาษีมูลค่าเพิ่ม", "ภาษีมูลค่าเพิ่ม", "จำนวนเงินรวมทั้งสิ้น")
    }
    for column in cells.values():
        assert len(column) == 13
        assert sum(column[:-1]) == column[-1]
    assert cells["จำนวนเงินรวมทั้งสิ้น"][2] == total


async def test_the_year_against_its_budget(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs")).replace("\xa0", " ")
    assert "84,492.03 บาท ประมาณการค่าบริการเดือนปัจจุบัน ธันวาคม 2569 รวมภาษีมูลค่าเพิ่ม 5,527.52 บาท" in page
    assert "เดือนก่อน 73,723.00 บาท (ต่าง +10,769.03)" in page
    assert "147,446.00 บาท ออกใบแจ้งหนี้แล้วสะสม 14.74 % ของงบประมาณ" in page
    assert "852,554.00 บาท งบประมาณคงเหลือ" in page
    assert "1,083,230.03 บาท ประมาณการทั้งปี เกินงบประมาณ 83,230.03 บาท" in page
    assert "ตุลาคม 2569 68,900.00 4,823.00 73,723.00 ออกใบแจ้งหนี้แล้ว INV-P01-2570-00001" in page
    assert "ธันวาคม 2569 78,964.51 5,527.52 84,492.03 ประมาณการเดือนนี้" in page
    assert "มกราคม 2570 88,400.00 6,188.00 94,588.00 คาดการณ์" in page


async def test_after_the_month_the_invoice_stands(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    finance = await browser_for("finance-a")
    assert "สิ้นเดือนแล้ว ยังไม่ออกใบแจ้งหนี้" in said(await finance.get("/costs/2026-12"))
    await shop.invoice("a", Month(2026, 12))
    page = said(await finance.get("/costs/2026-12"))
    assert "เลขที่ใบแจ้งหนี้ INV-P01-2570-00003 (PDF) ออกเมื่อ 1 ม.ค. 2570" in page
    assert "รวมค่าบริการรายการนี้ 25,064.51" in page
    assert "× 16 ÷ 31 วัน 17,806.451612…" in page
    assert "ยังไม่ออกใบแจ้งหนี้" not in page


async def test_last_years_month_stands_beside_where_there_was_one(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    await shop.open("a", "GI", {"bandwidth": "100"}, at(2025, 12, 1))
    await shop.change("GI", {"bandwidth": "200"}, at(2026, 12, 1))
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs"))
    assert "ธันวาคม 2569 15,000.00 1,050.00 16,050.00 9,095.00 +6,955.00" in page
    assert "ตุลาคม 2569 8,500.00 595.00 9,095.00 – – " in page
    # 2 × 9,095.00 and 10 × 16,050.00; of the year before ten months: 10 × 9,095.00.
    assert "ทั้งปี 167,000.00 11,690.00 178,690.00 90,950.00 +87,740.00" in page
    assert "178,690.00 บาท ประมาณการทั้งปี ใบแจ้งหนี้และประมาณการรวมทั้งสิบสองเดือน ปีก่อน 90,950.00 บาท (ต่าง +87,740.00)" in page
    before = said(await finance.get("/costs?year=2569"))
    assert "90,950.00 บาท ทั้งปี" in before
    assert "ประมาณการทั้งปี" not in before
    assert "ธันวาคม 2568 8,500.00 595.00 9,095.00" in before
    assert "ประมาณการค่าบริการเดือนปัจจุบัน" not in before
    assert "ปีก่อน" not in before


async def test_in_english(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    finance.cookies.set("lang", "en", domain="portal.test", path="/")
    page = said(await finance.get("/costs/2026-12")).replace("\xa0", " ")
    assert "Costs of December 2026" in page
    assert "Committed bandwidth 500 Mbps 16 Dec 2026 – 31 Dec 2026 16/31 17,806.45 How this was computed" in page
    assert "Subtotal of the service 25,064.51" in page
    year = said(await finance.get("/costs")).replace("\xa0", " ")
    assert "83,230.03 baht over the budget" in year
    assert "Fiscal year 2570 B.E." in year


async def test_hours_are_paid_by_the_time_they_lasted(browser_for: BrowserFor) -> None:
    shop = await opened_shop(at(2027, 1, 20, 9))
    await shop.open("a", "VM", {"vcpu": "4", "ram": "16", "ssd": "200"}, at(2027, 1, 6, 8))
    finance = await browser_for("finance-a")
    page = said(await finance.get("/costs/2027-01"))
    assert "4 vCPU × 0.55 2.20 ราคาต่อชั่วโมง 2.20 × 616 ชั่วโมง 1,355.20" in page
    assert "16 GiB × 0.20 3.20 ราคาต่อชั่วโมง 3.20 × 616 ชั่วโมง 1,971.20" in page
    assert "26/31 536.77" in page


async def test_what_was_measured_and_what_came_late_is_explained(browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    world = await found()
    async with acting_as(system("tests")):
        await set_tax_rate(TaxKind.VAT, Decimal("0.07"), dt.date(1999, 4, 1), now=NOW)
    await world.take(
        world.reading(1, "900", starts_at=at(2026, 11, 10, 9)), now=at(2026, 11, 10, 11), latest=dt.timedelta(days=9)
    )
    async with acting_as(system("tests")):
        await issue(
            world.agency_id, world.provider_id, Month(2026, 11), by=system("month end"), now=at(2026, 12, 1, 0, 5)
        )
    await world.take(world.reading(2, "200", starts_at=at(2026, 11, 11, 9)), latest=None, reason="มิเตอร์ขัดข้อง")
    finance = await browser_for("finance-a")
    november = said(await finance.get("/costs/2026-11"))
    assert "energy 900 หน่วย 1 พ.ย. 2569 – 30 พ.ย. 2569 – 4,050.00" in november
    assert "900 หน่วย × 4.50 4,050.00" in november
    answer = await finance.get("/costs/2026-12")
    december = said(answer)
    assert "energy ปรับปรุงใบแจ้งหนี้ INV-P01-2570-00001 200 หน่วย 1 พ.ย. 2569 – 30 พ.ย. 2569 – 850.00" in december
    assert "ปริมาณการใช้งานของเดือนพฤศจิกายน 2569 ที่ได้รับหรือแก้ไขหลังออกใบแจ้งหนี้เลขที่ INV-P01-2570-00001" in december
    assert "ปริมาณปัจจุบัน 1,100 หน่วย 4,900.00 เรียกเก็บแล้ว 900 หน่วย −4,050.00 ผลต่าง 850.00" in december
    assert answer.text.count("<tfoot>") == 1  # with the service's own lines, under one subtotal
    assert "รวมค่าบริการรายการนี้ 1,850.00" in december


@pytest.mark.parametrize("month", ["2026-13", "2026-1", "december", "2026-09", "2029-01", "0000-01", "๒๕๖๙-๑๒"])
async def test_a_month_that_is_none_of_the_agencys_is_not_found(browser_for: BrowserFor, month: str) -> None:
    shop = await opened_shop()
    await shop.open("a", "GI", {"bandwidth": "200"}, at(2026, 10, 1))
    finance = await browser_for("finance-a")
    assert (await finance.get(f"/costs/{month}")).status_code == 404
    assert (await finance.get("/costs/2026-10")).status_code == 200


@pytest.mark.parametrize("year", ["2569", "2573", "25700", "abc", "-1", "๒๕๗๐"])
async def test_a_year_without_costs_is_not_found(browser_for: BrowserFor, year: str) -> None:
    shop = await opened_shop()
    await shop.open("a", "GI", {"bandwidth": "200"}, at(2026, 10, 1))
    finance = await browser_for("finance-a")
    assert (await finance.get(f"/costs?year={year}")).status_code == 404
    assert (await finance.get("/costs?year=2571")).status_code == 200


async def test_another_agencys_costs_do_not_exist(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    other = await browser_for("finance-b")
    whose = f"agency={shop.agencies['a'].id}"
    assert (await other.get(f"/costs?{whose}")).status_code == 404
    assert (await other.get(f"/costs/2026-12?{whose}")).status_code == 404
    assert "ยังไม่มีค่าใช้จ่าย" in said(await other.get("/costs"))
    assert (await other.get("/costs/2026-12")).status_code == 404
    async with acting_as(system("tests")):
        denied = await AuditRecord.filter(action="access.denied", organisation_id=shop.agencies["b"].id)
    assert {record.subject_id for record in denied} == {"costs", "costs.month"}


async def test_staff_and_overseers_choose_an_agency(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    whose = f"agency={shop.agencies['a'].id}"
    for username, sees_budget in (
        ("manager", False),
        ("provider-finance", False),
        ("central", True),
        ("auditor", True),
    ):
        visitor = await browser_for(username)
        listed = await visitor.get("/costs")
        assert "หน่วยงาน ก. 3 147,446.00" in said(listed)
        assert whose in listed.text
        year = await visitor.get(f"/costs?{whose}")
        assert "1,083,230.03" in said(year)
        assert ("852,554.00" in said(year)) is sees_budget
        assert f"/costs/2026-12?{whose}" in year.text
        assert "25,064.51" in said(await visitor.get(f"/costs/2026-12?{whose}"))
        assert (await visitor.get("/costs/2026-12")).status_code == 404
        assert (await visitor.get(f"/costs?agency={shop.provider.id}")).status_code == 404
        assert (await visitor.get("/costs?agency=everybody")).status_code == 404


@pytest.mark.parametrize(
    ("username", "costs", "budgets"),
    [
        ("official-a", 200, 403), ("approver-a", 200, 403), ("finance-a", 200, 200), ("agency-admin-a", 403, 403),
        ("reviewer", 403, 403), ("technician", 403, 403), ("manager", 200, 403), ("admin", 403, 403),
        ("central", 200, 403), ("auditor", 200, 403),
    ],
)  # fmt: skip
async def test_who_sees_costs_and_who_sets_budgets(
    browser_for: BrowserFor, username: str, costs: int, budgets: int
) -> None:
    visitor = await browser_for(username)
    assert (await visitor.get("/costs")).status_code == costs
    assert (await visitor.get("/budgets")).status_code == budgets
    sent = await visitor.submit("/budgets", {"year": "2570", "amount": "1"})
    assert (sent.status_code == 303) is (budgets == 200)


async def test_setting_a_budget_is_recorded_and_takes_effect(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance = await browser_for("finance-a")
    sent = await finance.submit("/budgets", {"year": "2570", "amount": "๑,๒๐๐,๐๐๐.๕๐"})
    page = said(await finance.follow(sent))
    assert "ปีงบประมาณ พ.ศ. 2570 มีงบประมาณ 1,200,000.50 บาท" in page
    assert "1,052,554.50 บาท งบประมาณคงเหลือ" in page
    assert "ประมาณการทั้งปี ต่ำกว่างบประมาณ 116,770.47 บาท" in page
    assert "เกินงบประมาณ" not in page
    async with acting_as(system("tests")):
        [latest] = await AuditRecord.filter(action="budget.set").order_by("-at").limit(1)
    assert latest.detail["before"] == "1000000.00"
    assert latest.detail["after"] == "1200000.50"
    assert latest.chain_id == shop.agencies["a"].id


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"year": "2570", "amount": ""}, "amount"),
        ({"year": "2570", "amount": "a lot"}, "amount"),
        ({"year": "2570", "amount": "-1"}, "amount"),
        ({"year": "2570", "amount": "1.005"}, "amount"),
        ({"year": "2570", "amount": "1000000000000"}, "amount"),
        ({"year": "2560", "amount": "1"}, "year"),
        ({"amount": "1"}, "year"),
    ],
)
async def test_what_is_no_budget_is_refused_and_kept_on_the_form(
    browser_for: BrowserFor, fields: dict[str, str], field: str
) -> None:
    await clock_stands(at(2026, 12, 20, 9))
    finance = await browser_for("finance-a")
    answer = await finance.submit("/budgets", fields)
    assert answer.status_code == 422
    assert f'href="#field-{field}"' in answer.text
    assert f'value="{fields["amount"]}"' in answer.text
    async with acting_as(system("tests")):
        assert await Budget.all().count() == 0


async def test_as_many_queries_for_fifty_services_as_for_two(browser_for: BrowserFor, queries: list[str]) -> None:
    shop = await opened_shop()
    finance = await browser_for("finance-a")

    async def asked(path: str) -> int:
        queries.clear()
        assert (await finance.get(path)).status_code == 200
        return len(queries)

    await shop.open("a", "GI", {"bandwidth": "200"})
    await shop.open("a", "SC", {"eps": "800"})
    paths = ("/costs", "/costs/2026-12", "/services", f"/services/{shop.services['GI'].id}", "/")
    few = {path: await asked(path) for path in paths}
    assert min(few.values()) > 3
    for day in range(24):
        await shop.open("a", "GI", {"bandwidth": "100"}, STARTS + dt.timedelta(days=day))
        await shop.open("a", "SC", {"eps": "100"}, STARTS + dt.timedelta(days=day))
    assert {path: await asked(path) for path in paths} == few
