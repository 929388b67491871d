"""What is on offer, as whoever signs in sees it (standard 5, 7.1)."""

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.months import bangkok_date
from billing.tariffs.commands import set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import tiers_from
from services.capacity import commands as capacity
from services.catalogue.commands import set_offered, set_terms
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.shop import NOW, Shop, at, opened_shop

TODAY = bangkok_date(NOW)
BrowserFor = Callable[..., Awaitable[Browser]]


async def orders(shop: Shop, code: str, is_open: bool, day: dt.date = TODAY) -> None:
    manager = await actor("manager")
    async with acting_as(manager):
        await set_terms(shop.catalogue.offerings[code].id, {"is_open": is_open}, day, by=manager, now=NOW)


async def test_everything_on_offer_stands_under_its_family_with_its_prices(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    official = await browser_for("official-a")
    answer = await official.get("/catalogue")
    for code in shop.catalogue.offerings:
        assert f'href="/catalogue/{code}"' in answer.text
    page = said(answer).replace("\xa0", " ")
    internet = page[page.index("วงจรอินเทอร์เน็ต") : page.index("อินทราเน็ตภาครัฐ", page.index("วงจรอินเทอร์เน็ต"))]
    assert "ความพร้อมในการให้บริการ 99.90 % ส่งมอบภายใน 5 วันทำการ" in internet
    assert "ไม่เกิน 100 Mbps 85.00 เกิน 100 ถึง 500 Mbps 65.00 เกิน 500 Mbps 50.00 100.00" in internet
    assert "หมายเลข IPv4 /29, เส้นทางสำรอง" in internet
    families = ("อินเทอร์เน็ตภาครัฐ", "อินทราเน็ตหน่วยงาน", "คลาวด์", "ศูนย์ข้อมูล", "บริการด้านความมั่นคงปลอดภัย")
    places = [answer.text.index(f"</svg> {family}</h2>") for family in families]
    assert places == sorted(places)


async def test_one_family(browser_for: BrowserFor) -> None:
    await opened_shop()
    official = await browser_for("official-a")
    cloud = await official.get("/catalogue?family=cloud")
    assert 'href="/catalogue/VM"' in cloud.text
    assert 'href="/catalogue/GI"' not in cloud.text
    assert "ยังไม่มีบริการในหมวดนี้" in said(await official.get("/catalogue?family=none"))


async def test_one_offering_in_both_languages(browser_for: BrowserFor) -> None:
    await opened_shop()
    official = await browser_for("official-a")
    thai = said(await official.get("/catalogue/VM")).replace("\xa0", " ")
    assert "เครื่องแม่ข่ายเสมือน" in thai
    assert "ทุกปริมาณ 0.55 0.70" in thai
    assert "สำรองข้อมูล GB ต่อเดือน ทุกปริมาณ 1.80 2.20" in thai
    official.cookies.set("lang", "en", domain="portal.test", path="/")
    english = said(await official.get("/catalogue/VM")).replace("\xa0", " ")
    assert "vCPU vCPU per hour any quantity 0.55 0.70" in english
    assert "Delivered within 1 working day" in english


async def test_available_capacity_is_what_is_free_now(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    pool_id = shop.catalogue.components["GI", "bandwidth"].pool_id
    assert pool_id
    official = await browser_for("official-a")
    assert "7,150 Mbps" in said(await official.get("/catalogue/GI"))
    async with acting_as(system("tests")):
        await capacity.take({pool_id: Decimal(150)})
    assert "7,000 Mbps" in said(await official.get("/catalogue/GI"))


async def test_a_price_to_come_is_announced_with_its_day(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    manager = await actor("manager")
    async with acting_as(manager):
        item = await PriceItem.get(id=shop.catalogue.components["BK", "protected"].price_item_id)
        tiers = tiers_from([{"upto": None, "price": "1.755"}])
        await set_price(item, tiers, dt.date(2027, 1, 1), by=manager, now=at(2026, 12, 1, 9))
    page = said(await (await browser_for("official-a")).get("/catalogue/BK"))
    assert "ทุกปริมาณ 1.80 ตั้งแต่ 1 ม.ค. 2570 ทุกปริมาณ 1.755 2.20" in page


async def test_what_is_closed_is_gone_from_the_list_but_not_from_those_who_use_it(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    official, manager = await browser_for("official-a"), await browser_for("manager")
    assert "/requests/new?kind=new" in (await official.get("/catalogue/OS")).text
    await orders(shop, "OS", False)
    assert 'href="/catalogue/OS"' not in (await official.get("/catalogue")).text
    for browser in (manager, await browser_for("central"), await browser_for("auditor")):
        assert "ปิดรับคำร้องใหม่" in said(await browser.get("/catalogue"))
    page = await official.get("/catalogue/OS")
    assert "บริการนี้ปิดรับคำร้องใหม่" in said(page)
    assert "/requests/new?kind=new" not in page.text


async def test_opening_and_closing_are_announced_with_their_days(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    official, new_year = await browser_for("official-a"), dt.date(2027, 1, 4)
    await orders(shop, "OS", False)
    await orders(shop, "OS", True, new_year)
    await orders(shop, "VM", False, new_year)
    listed = said(await official.get("/catalogue"))
    assert "รับวันที่มีผลตั้งแต่ 4 ม.ค. 2570" in listed
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in listed
    choice = said(await official.get("/requests/new?kind=new"))
    assert "รับวันที่มีผลตั้งแต่ 4 ม.ค. 2570" in choice
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in choice
    page = await official.get("/catalogue/OS")
    assert "ขอได้เมื่อวันที่มีผลเป็นวันที่ 4 ม.ค. 2570 เป็นต้นไป" in said(page)
    assert "/requests/new?kind=new" in page.text
    # Nothing else is promised from then on, so nothing else is announced.
    assert "จะใช้ข้อกำหนดใหม่" not in said(page)
    assert "ขอได้เมื่อวันที่มีผลไม่เกินวันที่ 3 ม.ค. 2570" in said(await official.get("/catalogue/VM"))


async def test_what_is_no_longer_offered_is_gone_for_agencies_and_marked_for_staff(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    manager = await actor("manager")
    addon, part = shop.catalogue.components["VM", "backup"], shop.catalogue.components["VM", "ssd"]
    async with acting_as(manager):
        await set_offered(addon.id, False, TODAY, by=manager, now=NOW)
        await set_offered(part.id, False, dt.date(2027, 1, 4), by=manager, now=NOW)
    page = said(await (await browser_for("official-a")).get("/catalogue/VM"))
    assert addon.name_th not in page
    assert part.name_th in page
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in page
    assert "เลิกเสนอแล้ว" in said(await (await browser_for("manager")).get("/catalogue/VM"))


async def test_what_nobody_offers_is_not_found(browser_for: BrowserFor) -> None:
    shop = await opened_shop()
    official = await browser_for("official-a")
    assert (await official.get("/catalogue/XX")).status_code == 404
    assert (await official.get(f"/catalogue/GI?provider={shop.provider.id}")).status_code == 200
    assert (await official.get(f"/catalogue/GI?provider={shop.agencies['a'].id}")).status_code == 404
    assert (await official.get("/catalogue/GI?provider=somebody")).status_code == 404


async def test_who_sees_the_catalogue(browser_for: BrowserFor) -> None:
    await opened_shop()
    for username, status in (
        ("finance-a", 200),
        ("technician", 200),
        ("central", 200),
        ("auditor", 200),
        ("admin", 403),
    ):
        assert (await (await browser_for(username)).get("/catalogue")).status_code == status
