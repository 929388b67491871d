"""What is confirmed and not delivered yet weighs on the budget, until it is delivered."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.budgets.commands import set_budget
from portal.budget_watch import watch_budgets
from services.notifications.models import Notification
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.asking import ASKED_AT, CONFIRMED_AT, answer, ask, before_s1, change, field, stand

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_a_confirmed_change_is_committed(browser_for: BrowserFor) -> None:
    shop = await before_s1()
    by = await actor("finance-a")
    async with acting_as(by):
        await set_budget(shop.agencies["a"].id, 2570, Decimal("1000000.00"), by=by, now=ASKED_AT)
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    finance = await browser_for("finance-a")
    assert "ผูกพันแล้ว" not in said(await finance.get("/costs"))
    await stand(CONFIRMED_AT, approver)
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    # December 26,819.03 instead of 16,050.00, and nine months of 36,915.00 instead of 16,050.00.
    page = said(await finance.get("/costs"))
    assert "198,554.03 บาท ผูกพันแล้ว ยืนยันแล้วแต่ยังไม่ส่งมอบ คงเหลือหลังหักผูกพัน 801,445.97 บาท" in page
    assert "192,600.00 บาท ประมาณการทั้งปี ใบแจ้งหนี้และประมาณการรวมทั้งสิบสองเดือน เมื่อรวมที่ผูกพันแล้ว 391,154.03 บาท" in page
    assert "เกินงบประมาณ" not in page
    smaller = {"year": "2570", "cost_centre": "", "amount": "390,000.00"}
    page = said(await finance.follow(await finance.submit("/budgets", smaller)))
    assert "เมื่อรวมรายการที่ผูกพันแล้ว เกินงบประมาณ" in page
    assert "มีค่าใช้จ่ายประมาณ 391,154.03 บาท เกินงบประมาณ 390,000.00 บาท อยู่ 1,154.03 บาท" in page
    assert "เมื่อรวมที่ผูกพันแล้ว เกินงบประมาณ 1,154.03 บาท" in said(await finance.get("/"))
    # And on its cost centre's, whose budget is set apart.
    centre = {f"centre-{shop.services['GI'].id}": "กองเครือข่าย"}
    assert (await finance.submit("/cost-centres", centre)).status_code == 303
    budget = {"year": "2570", "cost_centre": "กองเครือข่าย", "amount": "350,000.00"}
    told = said(await finance.follow(await finance.submit("/budgets", budget)))
    assert "กองเครือข่าย มีงบประมาณของปีงบประมาณ พ.ศ. 2570 350,000.00 บาท" in told
    row = "กองเครือข่าย 0.00 198,554.03 192,600.00 เกินงบประมาณ 41,154.03 บาท 350,000.00 350,000.00"
    assert row in told
    await watch_budgets(CONFIRMED_AT)
    async with acting_as(system("tests")):
        news = await Notification.filter(what="budget.forecast").order_by("identity")
    assert [each.detail["label"] for each in news] == ["", "กองเครือข่าย"]
    # Whoever asks for more is told before sending it.
    more = {
        "kind": "new_addon",
        "service": str(shop.services["GI"].id),
        field(shop, "GI", "ipv4-29"): "1",
        "effective_on": "1/1/2570",
        "justification": "ใช้งาน",
    }
    ahead = said(await official.get("/requests/preview", params=more))
    # 500.00 for nine months with VAT are 4,815.00: 197,415.00 and 198,554.03 against 390,000.00.
    assert "ประมาณการเมื่อรวมคำร้องนี้ 197,415.00 คำร้องอื่นที่ยืนยันแล้วแต่ยังไม่ส่งมอบ +198,554.03" in ahead, ahead[-900:]
    assert "เกินอยู่ 5,969.03" in ahead
