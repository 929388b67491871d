"""Tax rates as the central agency and a provider's finance set them, each from a day on."""

import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.months import Month
from billing.statements.queries import book_of
from tests.browsing import Browser, said
from tests.portal.pages.shop import agency_a_in_december, at

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_rates_are_announced_and_each_month_is_billed_at_its_last_days(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2026, 12, 10, 9))
    central, desk = await browser_for("central"), await browser_for("provider-finance")
    assert "ภาษีมูลค่าเพิ่ม (อัตราทั่วไป)" in said(await central.get("/taxes"))
    # Refused: no such tax, no such rate, a day that has passed, a day taken.
    good = {"kind": "vat", "rate": "10", "effective_from": "16/01/2570"}
    for wrong, words in (
        ({"kind": "duty"}, "กรุณาเลือกจากรายการ"),
        ({"rate": "100"}, "ตั้งแต่ 0 แต่ไม่ถึง 100"),
        ({"rate": "7.00001"}, "ทศนิยมไม่เกินสี่ตำแหน่ง"),
        ({"effective_from": "09/12/2569"}, "ตั้งแต่วันนี้เป็นต้นไป"),
        ({"effective_from": "วันนี้"}, "เช่น 16/12/2569"),
    ):
        answer = await central.submit("/taxes", good | wrong)
        assert (answer.status_code, words in said(answer)) == (422, True), wrong
    page = said(await central.follow(await central.submit("/taxes", good)))
    assert "16 ม.ค. 2570 10 % ยังไม่ถึงวันมีผล" in page.replace("\xa0", " ")
    assert (await central.submit("/taxes", good)).status_code == 422
    # The provider sets only what is withheld from itself, whatever it sends.
    own = {"kind": "vat", "rate": "0", "effective_from": "01/01/2570"}
    page = said(await desk.follow(await desk.submit("/taxes", own))).replace("\xa0", " ")
    assert "1 ม.ค. 2570 0 % ยังไม่ถึงวันมีผล" in page
    async with acting_as(system("test")):
        book = await book_of(shop.agencies["a"].id, Month(2026, 12), Month(2027, 1))
        december, january = (book.estimate(shop.provider.id, month) for month in (Month(2026, 12), Month(2027, 1)))
    assert (december.vat_rate, december.withholding_rate) == (Decimal("0.07"), Decimal("0.01"))
    # January: 34,500.00 + 39,100.00 + 14,800.00 = 88,400.00; 10 % on all of it; nothing is withheld.
    totals = january.totals
    assert (totals.subtotal, totals.vat, totals.total) == tuple(map(Decimal, ("88400.00", "8840.00", "97240.00")))
    assert (totals.withheld, totals.net) == (0, totals.total)
    # Each takes its own back, and nobody another's; what has begun stays.
    listed = await central.get("/taxes")
    [withdraw] = re.findall(r'action="(/taxes/[0-9a-f-]{36}/withdrawal)"', listed.text)
    assert (await desk.submit(withdraw)).status_code == 404
    assert "10 %" not in said(await central.follow(await central.submit(withdraw))).replace("\xa0", " ")
    assert (await central.submit(withdraw)).status_code == 404
    today = {"kind": "withholding", "rate": "2", "effective_from": "10/12/2569"}
    page = said(await central.follow(await central.submit("/taxes", today))).replace("\xa0", " ")
    assert "10 ธ.ค. 2569 2 % มีผลใช้บังคับ" in page
    assert "1 เม.ย. 2542 1 % พ้นกำหนดแล้ว" in page
    for who in ("auditor", "finance-a", "manager"):
        stranger = await browser_for(who)
        assert (await stranger.get("/taxes")).status_code == 403
        assert (await stranger.submit("/taxes", good)).status_code == 403
