"""Standard 13.2: an agency records each month that it checked its usage, with name and time, once and for ever."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import asyncpg
import pytest
from tortoise.exceptions import OperationalError

from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.acknowledgements.models import Acknowledgement
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.shop import agency_a_in_december

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_a_month_is_checked_once_with_name_and_time(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, official = await browser_for("finance-a"), await browser_for("official-a")
    assert "ข้าพเจ้าตรวจสอบการใช้บริการของเดือนพฤศจิกายน 2569 แล้ว" in said(await finance.get("/costs/2026-11"))
    page = said(await finance.follow(await finance.submit("/costs/2026-11/check")))
    name = (await actor("finance-a")).name
    assert "บันทึกแล้วว่าท่านตรวจสอบการใช้บริการของเดือนพฤศจิกายน 2569" in page
    assert f"ตรวจสอบการใช้บริการแล้ว ผู้ตรวจสอบ {name} ตรวจสอบเมื่อ 20 ธ.ค. 2569 09:00" in page
    assert "จำนวนเงินรวมขณะตรวจสอบ 73,723.00 บาท" in page
    assert (await official.submit("/costs/2026-11/check")).status_code == 409
    async with acting_as(system("tests")):
        [kept] = await Acknowledgement.all()
    assert (kept.by_name, kept.total) == (name, Decimal("73723.00"))


async def test_what_is_over_and_unchecked_waits_on_the_overview(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    official = await browser_for("official-a")
    page = said(await official.get("/"))
    assert "การใช้บริการที่รอตรวจสอบ" in page
    assert "พฤศจิกายน 2569 ยังไม่ได้ตรวจสอบ ตุลาคม 2569 ยังไม่ได้ตรวจสอบ" in page
    for month in ("2026-10", "2026-11"):
        await official.submit(f"/costs/{month}/check")
    assert "รอตรวจสอบ" not in said(await official.get("/"))
    assert "รอตรวจสอบ" not in said(await (await browser_for("manager")).get("/"))


@pytest.mark.parametrize(("month", "status"), [("2026-12", 409), ("2026-09", 404), ("2026-13", 404)])
async def test_only_months_that_are_over_and_had_services(browser_for: BrowserFor, month: str, status: int) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    assert (await finance.submit(f"/costs/{month}/check")).status_code == status
    async with acting_as(system("tests")):
        assert await Acknowledgement.all().count() == 0


async def test_it_is_the_agencys_own_and_shown_to_those_who_oversee(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    whose = f"?agency={shop.agencies['a'].id}"
    assert (await (await browser_for("finance-b")).submit("/costs/2026-11/check")).status_code == 404
    assert (await (await browser_for("manager")).submit("/costs/2026-11/check")).status_code == 403
    await (await browser_for("finance-a")).submit("/costs/2026-11/check")
    central = await browser_for("central")
    assert "ตรวจสอบการใช้บริการแล้ว" in said(await central.get("/costs/2026-11" + whose))
    page = said(await central.get("/costs/2026-10" + whose))
    assert "ยังไม่ได้ตรวจสอบ" in page
    assert "ข้าพเจ้า" not in page
    assert "การตรวจสอบการใช้บริการ" not in said(await (await browser_for("manager")).get("/costs/2026-11" + whose))


async def test_in_english(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    finance.cookies.set("lang", "en", domain="portal.test", path="/")
    assert "I have checked the usage of November 2026" in said(await finance.get("/costs/2026-11"))


async def test_what_was_recorded_cannot_be_changed(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    await (await browser_for("finance-a")).submit("/costs/2026-11/check")
    with pytest.raises((OperationalError, asyncpg.PostgresError)):
        async with acting_as(await actor("finance-a")):
            await rows("UPDATE acknowledgement SET by_name = 'somebody' RETURNING 1")
