"""Services in use as their agency, their provider and those who oversee see them (standard 7.5.2, annex ก 1.2)."""

import datetime as dt
import html
import re
from collections.abc import Awaitable, Callable

import pytest

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from billing.tariffs.commands import set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import tiers_from
from services.requests import commands as requests
from services.requests.rules import Kind
from services.subscriptions.commands import announce_end
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.shop import Shop, agency_a_in_december, at, opened_shop

BrowserFor = Callable[..., Awaitable[Browser]]


def names(text: str) -> list[str]:
    """Return the numbers of the services listed, in order."""
    return re.findall(r'nowrap">([A-Z]{2}-[AB]01-\d{4}-\d{3})<', text)


async def ask(shop: Shop, *, submit: bool) -> str:
    official = await actor("official-a")
    bandwidth = shop.catalogue.components["GI", "bandwidth"].id
    async with acting_as(official):
        request = await requests.draft(
            shop.agencies["a"].id,
            Kind.CHANGE,
            subscription_id=shop.services["GI"].id,
            asked={bandwidth: shop.catalogue.quantities("GI", {"bandwidth": "700"})[bandwidth]},
            effective_on=dt.date(2027, 1, 11),
            justification="ผู้ใช้งานเพิ่มขึ้น",
            by=official,
            now=at(2026, 12, 18, 9),
        )
        if submit:
            await requests.submit(request.id, by=official, now=at(2026, 12, 18, 9))
    return request.number


async def test_the_list_says_what_since_when_until_when_and_for_how_much(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    await shop.change("GI", {"ipv4-29": "2"}, at(2026, 12, 17))
    page = said(await (await browser_for("official-a")).get("/services")).replace("\xa0", " ")
    row = page[page.index("อินเทอร์เน็ตภาครัฐ สำนักงานใหญ่") :]
    assert shop.services["GI"].number in row
    assert "500 Mbps + หมายเลข IPv4 /29 2 ชุด 1 ต.ค. 2569 30 ก.ย. 2570 99.90 % 35,500.00" in row
    assert "รวมต่อเดือน ก่อนภาษีมูลค่าเพิ่ม 89,400.00" in page
    assert page.index("89,400.00 บาท") < page.index("อินเทอร์เน็ตภาครัฐ สำนักงานใหญ่")


async def test_the_list_in_english(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    official = await browser_for("official-a")
    official.cookies.set("lang", "en", domain="portal.test", path="/")
    page = said(await official.get("/services")).replace("\xa0", " ")
    assert "Government internet สำนักงานใหญ่" in page
    assert "500 Mbps 1 Oct 2026 30 Sep 2027 99.90 % 34,500.00" in page


async def test_filters_and_orders(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    official = await browser_for("official-a")
    gi, ep, sc = (shop.services[code].number for code in ("GI", "EP", "SC"))
    expected = {
        "": [ep, gi, sc],
        "?family=security": [ep, sc],
        "?family=cloud": [],
        "?q=สำนักงานใหญ่": [gi],
        "?q=soc 800": [sc],
        "?q=nothing": [],
        "?sort=price": [sc, gi, ep],
        "?sort=-price": [ep, gi, sc],
        "?sort=-number": [sc, gi, ep],
        "?sort=nonsense&page=99": [ep, gi, sc],
    }
    for query, numbers in expected.items():
        assert names((await official.get(f"/services{query}")).text) == numbers, query
    filtered = said(await official.get("/services?family=security"))
    assert "รวมต่อเดือน ก่อนภาษีมูลค่าเพิ่ม 53,900.00" in filtered
    assert "ไม่พบบริการตามตัวกรองนี้" in said(await official.get("/services?q=nothing"))


async def test_ended_services_are_shown_when_asked_for(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    async with acting_as(system("tests")):
        await announce_end(shop.services["SC"].id, dt.date(2026, 12, 10), at(2026, 12, 11), now=at(2026, 12, 12))
        await announce_end(shop.services["EP"].id, dt.date(2026, 12, 31), at(2027, 1, 1), now=at(2026, 12, 12))
    official = await browser_for("official-a")
    gi, ep, sc = (shop.services[code].number for code in ("GI", "EP", "SC"))
    assert names((await official.get("/services")).text) == [ep, gi]
    assert names((await official.get("/services?ended=yes")).text) == [ep, gi, sc]
    ended = said(await official.get(f"/services/{shop.services['SC'].id}"))
    assert "บริการนี้สิ้นสุดเมื่อ 10 ธ.ค. 2569" in ended
    assert "การปรับเปลี่ยนบริการ" not in ended[ended.index("คำร้องของบริการนี้") :]
    ending = said(await official.get(f"/services/{shop.services['EP'].id}"))
    assert "บริการนี้จะสิ้นสุดหลังวันที่ 31 ธ.ค. 2569" in ending


async def test_with_nothing_in_use_the_catalogue_is_next(browser_for: BrowserFor) -> None:
    await opened_shop()
    answer = await (await browser_for("official-b")).get("/services")
    assert "ยังไม่มีบริการที่ใช้งาน" in said(answer)
    assert 'href="/catalogue"' in answer.text


async def test_staff_see_their_customers_services_and_can_pick_one_agency(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    await shop.open("b", "CO", {"rack-unit": "14"})
    for username in ("manager", "reviewer", "central", "auditor"):
        visitor = await browser_for(username)
        page = await visitor.get("/services")
        assert {"หน่วยงาน ก.", "หน่วยงาน ข."} <= set(re.findall(r'data-label="หน่วยงาน">([^<]*)<', page.text))
        assert len(names(page.text)) == 4
        chosen = await visitor.get(f"/services?agency={shop.agencies['b'].id}")
        assert names(chosen.text) == [shop.services["CO"].number]
    own = await (await browser_for("official-b")).get("/services")
    assert names(own.text) == [shop.services["CO"].number]
    assert "หน่วยงาน ก." not in own.text


async def test_one_service_with_its_parts_prices_and_past(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2026, 12, 10, 9))
    await shop.change("GI", {"second-path": "1"}, at(2026, 11, 10))
    official = await browser_for("official-a")
    page = said(await official.get(f"/services/{shop.services['GI'].id}")).replace("\xa0", " ")
    assert "18,500.00 บาท ค่าบริการต่อเดือน" in page
    assert "200 Mbps 1 ต.ค. 2569 15 ธ.ค. 2569 15,000.00 100 × 85.00 = 8,500.00 100 × 65.00 = 6,500.00" in page
    assert "เส้นทางสำรอง 1 เส้นทาง 10 พ.ย. 2569 ไม่กำหนดวันสิ้นสุด 3,500.00" in page
    assert "เลขที่สัญญา สัญญา GI 12/2568 วันเริ่มต้น 1 ต.ค. 2569 วันสิ้นสุด 30 ก.ย. 2570" in page
    assert "99.90 % ความพร้อมในการให้บริการตามข้อตกลง" in page
    assert "ไม่นับเป็นเวลาหยุดให้บริการ" in page  # the exclusions
    assert "500 Mbps 16 ธ.ค. 2569 ตามแผน – 34,500.00" in page
    assert "ธ.ค. 69 ประมาณการ 28,564.51 พ.ย. 69 15,000.00 ต.ค. 69 15,000.00" in page


async def test_a_new_price_begins_a_new_time_in_the_past(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    await shop.open("a", "GI", {"bandwidth": "200"}, at(2026, 10, 1))
    manager = await actor("manager")
    async with acting_as(manager):
        item = await PriceItem.get(id=shop.catalogue.components["GI", "bandwidth"].price_item_id)
        tiers = tiers_from([{"upto": 100, "price": "90.00"}, {"upto": None, "price": "65.00"}])
        await set_price(item, tiers, dt.date(2026, 11, 16), by=manager, now=at(2026, 10, 20, 9))
    official = await browser_for("official-a")
    page = said(await official.get(f"/services/{shop.services['GI'].id}"))
    past = page[page.index("ปริมาณและราคาที่ผ่านมา") :]
    assert "200 Mbps 16 พ.ย. 2569 ปัจจุบัน 15,500.00" in past
    assert "200 Mbps 1 ต.ค. 2569 15 พ.ย. 2569 15,000.00" in past
    november = said(await official.get("/costs/2026-11"))
    assert "1 พ.ย. 2569 – 15 พ.ย. 2569 15/30 7,500.00" in november
    assert "16 พ.ย. 2569 – 30 พ.ย. 2569 15/30 7,750.00" in november


async def test_the_way_to_change_it_stands_at_the_foot_and_in_the_menu(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    service = shop.services["GI"].id
    answer = await (await browser_for("official-a")).get(f"/services/{service}")
    foot = answer.text[answer.text.index('id="more"') : answer.text.index("</main>")]
    links = re.findall(r'<a class="btn[^"]*" href="([^"]+)">(?s:.*?)</svg> ([^<]+)</a>', foot)
    assert [(html.unescape(path), words) for path, words in links] == [
        (f"/requests/new?service={service}", "การปรับเปลี่ยนบริการ"),
        (f"/requests/new?service={service}&kind=new_addon", "ขอใช้บริการเสริม"),
        (f"/requests/new?service={service}&kind=cancel", "ขอยกเลิกบริการ"),
        (f"/incidents/new?service={service}", "แจ้งเหตุขัดข้อง"),
    ]
    official = await browser_for("official-a")
    for path, _ in links:
        assert (await official.get(html.unescape(path))).status_code == 200
    assert re.search(r'<nav class="site-menu"(?s:.*?)href="/requests/new">(?s:.*?)การปรับเปลี่ยนบริการ', answer.text)
    for username in ("finance-a", "reviewer", "auditor"):
        other = await (await browser_for(username)).get(f"/services/{service}")
        assert other.status_code == 200
        assert "/requests/new" not in other.text


async def test_an_open_request_stands_out(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    path = f"/services/{shop.services['GI'].id}"
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    assert "มีคำร้องของบริการนี้ที่ยังไม่แล้วเสร็จ" not in said(await official.get(path))
    number = await ask(shop, submit=True)
    page = said(await official.get(path))
    assert f"มีคำร้องของบริการนี้ที่ยังไม่แล้วเสร็จ {number} – ขอปรับเปลี่ยนบริการ ยื่นคำร้องแล้ว" in page
    assert number in said(await reviewer.get(path))
    assert "มีคำร้องที่ยังไม่แล้วเสร็จ" in said(await official.get("/services"))


async def test_a_draft_is_the_agencys_own(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    number = await ask(shop, submit=False)
    path = f"/services/{shop.services['GI'].id}"
    own = said(await (await browser_for("official-a")).get(path))
    assert number in own
    assert "มีคำร้องของบริการนี้ที่ยังไม่แล้วเสร็จ" not in own
    assert number not in said(await (await browser_for("reviewer")).get(path))


async def test_another_agencys_service_does_not_exist(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    answer = await (await browser_for("official-b")).get(f"/services/{shop.services['GI'].id}")
    assert answer.status_code == 404
    assert shop.services["GI"].number not in answer.text
    async with acting_as(system("tests")):
        [denied] = await AuditRecord.filter(action="access.denied")
    assert denied.detail["ids"] == {"id": str(shop.services["GI"].id)}


@pytest.mark.parametrize(
    ("username", "status", "sees_costs"),
    [
        ("official-a", 200, True), ("finance-a", 200, True), ("agency-admin-a", 200, False), ("reviewer", 200, False),
        ("technician", 200, False), ("provider-finance", 200, True), ("admin", 403, False), ("central", 200, True),
    ],
)  # fmt: skip
async def test_who_sees_a_service_and_its_costs(
    browser_for: BrowserFor, username: str, status: int, sees_costs: bool
) -> None:
    shop = await agency_a_in_december()
    visitor = await browser_for(username)
    answer = await visitor.get(f"/services/{shop.services['GI'].id}")
    assert answer.status_code == status
    assert (await visitor.get("/services")).status_code == status
    assert ("25,064.51" in answer.text) is sees_costs
