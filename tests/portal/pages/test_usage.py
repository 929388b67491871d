"""From a line to its hours, to its events, and their corrections; what services are called elsewhere."""

import csv
import io
import logging
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from billing.metering.models import ExternalReference, UsageCorrection
from billing.months import Month
from billing.statements.commands import issue
from tests.billing.metering.test_rating import NOVEMBER
from tests.billing.metering.world import World, at, found, hours
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at(2026, 12, 20, 9)
EVENT = '/usage/of/[^"]+/events/[0-9]+/[^"]+'


@pytest.fixture
async def world(database: str) -> World:
    await clock_stands(NOW)
    return await found()


async def invoice(world: World, month: Month) -> None:
    async with acting_as(system("tests")):
        await issue(world.agency_id, world.provider_id, month, by=system("month end"), now=month.ends_at)


def links(page: str, pattern: str) -> list[str]:
    return [each.replace("&amp;", "&") for each in re.findall(rf'href="({pattern})"', page)]


async def event_path(browser: Browser, world: World, day: str = "10/12/2569") -> str:
    listed = await browser.get("/usage/events", params={"service": world.service.number, "from": day})
    [path] = links(listed.text, '/usage/of/[^"]+/events/[0-9]+/[^"]+')
    return path


async def test_a_line_leads_to_its_hours_and_each_hour_to_its_events(world: World, browser_for: BrowserFor) -> None:
    await world.take(
        *(world.reading(n, "1.25", starts_at=at(2026, 12, 1 + n // 24, n % 24)) for n in range(150)),
        world.reading("=1+1", "2", starts_at=at(2026, 12, 1, 0)),
    )
    finance = await browser_for("finance-a")
    month = await finance.get("/costs/2026-12")
    [path] = links(month.text, '/usage/of/[^"]+')
    page = await finance.get(path)
    assert "ผลรวมของรายชั่วโมง 189.5 หน่วย" in said(page)
    assert "189.5 หน่วย" in said(month)
    assert "หน้า 1 จาก 2" in said(page)
    assert len(links(page.text, '[^"]+hour=[^"]+')) == 100
    events = await finance.get(links(page.text, '[^"]+hour=[^"]+')[0])
    assert len(links(events.text, '/usage/of/[^"]+/events/[0-9]+/[^"]+')) == 2
    event = await finance.get(links(events.text, '/usage/of/[^"]+/events/[0-9]+/[^"]+')[0])
    assert "/meters/rack-1" in said(event)
    assert "แก้ไขรายการวัด" not in said(event)
    # The same to take away: every hour and every event, their sums those of the screen, nothing a formula.
    for what, rows, column in (("hours", 150, 4), ("events", 151, 6)):
        answer = await finance.get(re.sub(r"\?", f"/{what}.csv?", path))
        table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(table) == 1 + rows
        assert sum(Decimal(row[column]) for row in table[1:]) == Decimal("189.5")
        assert not [cell for row in table for cell in row if cell.startswith("=")]
    # Another agency learns nothing, also of what the address leads to.
    other = await browser_for("finance-b")
    for each in (path, path.replace("?", "/events?"), path.replace("?", "/events.csv?"), str(event.url)):
        assert (await other.get(each)).status_code == 404
    for wrong in ("?from=2026-12-01&to=2027-01-01", "?from=x&to=y", "?from=2026-12-02&to=2026-12-01"):
        assert (await finance.get(path.partition("?")[0] + wrong)).status_code == 404


async def test_as_many_queries_for_many_events_as_for_one(
    world: World, browser_for: BrowserFor, caplog: pytest.LogCaptureFixture
) -> None:
    await world.take(world.reading("first"))
    finance = await browser_for("provider-finance")
    event = await event_path(finance, world)
    hours_path = event.partition("/events")[0]
    paths = (hours_path, f"{hours_path}/events", f"/usage/events?service={world.service.number}", "/usage/corrections")

    async def queries(path: str) -> int:
        await finance.get(path)
        caplog.clear()
        with caplog.at_level(logging.DEBUG, "tortoise.db_client"):
            assert (await finance.get(path)).status_code == 200
        # The session and the clock are looked after now and then, whatever page is asked for.
        told = [record.getMessage() for record in caplog.records if record.name == "tortoise.db_client"]
        return len([each for each in told if not re.search("set_config|demo_clock|session", each)])

    few = {path: await queries(path) for path in paths}
    await world.take(*(world.reading(n, starts_at=at(2026, 12, 11 + n % 3, n % 24)) for n in range(120)))
    assert {path: await queries(path) for path in paths} == few


async def test_a_correction_shows_what_it_changes_before_it_is_made(world: World, browser_for: BrowserFor) -> None:
    await world.take(world.reading(1, "100"), world.reading(2, "10", starts_at=at(2026, 12, 11)))
    finance = await browser_for("provider-finance")
    path = await event_path(finance, world)
    form = {"deed": "replace", "quantity": "๔๐", "reason": "อ่านผิด"}
    shown = await finance.submit(f"{path}/preview", form)
    page = said(shown)
    assert "ปริมาณ 110 หน่วย 50 หน่วย" in page
    assert "495.00 225.00" in page
    assert "−270.00" in page
    assert "ประมาณการค่าบริการจะเปลี่ยนตาม" in page
    assert await hours(world.service.id) == [
        (at(2026, 12, 10, 9), Decimal(100), Decimal(100), 1),
        (at(2026, 12, 11), Decimal(10), Decimal(10), 1),
    ]
    assert (await finance.submit(f"{path}/corrections", form | {"seen": "1"})).status_code == 409
    after = await finance.follow(await finance.submit(f"{path}/corrections", form | {"seen": "0"}))
    assert "นับเป็น 40 หน่วย" in said(after)
    assert "อ่านผิด" in said(after)
    assert (await hours(world.service.id))[0][1] == Decimal(40)
    # What is wrong is said, and what was typed stays.
    for wrong, words in (
        ({"deed": "replace", "quantity": "many", "reason": "เหตุผลที่พิมพ์ไว้"}, "กรุณาระบุตัวเลข"),
        ({"deed": "void", "reason": ""}, "กรุณากรอกข้อมูลให้ครบถ้วน"),
        ({"deed": "replace", "quantity": "40", "reason": "เหตุผลที่พิมพ์ไว้"}, "อยู่แล้ว"),
        ({"reason": "เหตุผลที่พิมพ์ไว้"}, "กรุณาเลือกการดำเนินการ"),
    ):
        refused = await finance.submit(f"{path}/preview", wrong)
        assert refused.status_code == 422, wrong
        assert words in said(refused)
        assert wrong["reason"] in refused.text
    # Everybody concerned reads the history; the agency changes nothing.
    listed = said(await (await browser_for("finance-a")).get("/usage/corrections"))
    assert "อ่านผิด" in listed
    assert "40 หน่วย" in listed
    assert "อ่านผิด" not in said(await (await browser_for("finance-b")).get("/usage/corrections"))
    assert (await (await browser_for("finance-a")).submit(f"{path}/corrections", form)).status_code == 403


async def test_a_correction_after_the_invoice_is_carried_by_the_next_and_points_at_it(
    world: World, browser_for: BrowserFor
) -> None:
    for id_, day in (("1", 20), ("2", 21)):
        await world.take(world.reading(id_, "100", starts_at=at(2026, 11, day)), now=at(2026, 11, 22))
    await invoice(world, NOVEMBER)
    finance = await browser_for("provider-finance")
    path = await event_path(finance, world, "20/11/2569")
    shown = said(await finance.submit(f"{path}/preview", {"deed": "void", "reason": "นับซ้ำ"}))
    assert "900.00 450.00" in shown
    assert re.search(r"ใบแจ้งหนี้ INV-\S+ คงเดิมไม่เปลี่ยนแปลง ผลต่างจะเป็นรายการปรับปรุงในใบแจ้งหนี้ของธันวาคม 2569", shown)
    await finance.follow(await finance.submit(f"{path}/corrections", {"deed": "void", "reason": "นับซ้ำ", "seen": "0"}))
    # A second one of the same month starts from what the first made of it.
    second = await event_path(finance, world, "21/11/2569")
    shown = said(await finance.submit(f"{second}/preview", {"deed": "replace", "quantity": "60", "reason": "อ่านผิด"}))
    assert "450.00 270.00" in shown
    hours_page = path.partition("/events")[0] + "?from=2026-11-01&to=2026-11-30"
    assert "ใบแจ้งหนี้ถัดไปจะปรับปรุงใบแจ้งหนี้ INV-" in said(await finance.get(hours_page))
    await invoice(world, Month(2026, 12))
    settled = said(await finance.get(hours_page))
    assert re.search(r"ใบแจ้งหนี้ INV-\S+-00001 ปรับปรุงโดยใบแจ้งหนี้ INV-\S+-00002 เป็นเงิน −450.00 บาท", settled)
    assert re.search(r"นับซ้ำ INV-\S+-00002", said(await finance.get("/usage/corrections", params={"late": "yes"})))
    assert "INV-" in said(await finance.get("/costs/2026-12", params={"agency": str(world.agency_id)}))
    async with acting_as(system("tests")):
        assert await UsageCorrection.filter(is_late=True).count() == 1


async def test_events_are_found_by_what_they_measure_and_by_their_identity(
    world: World, browser_for: BrowserFor
) -> None:
    other = await world.add_service("agency-b")
    await world.take(
        world.reading(1, starts_at=at(2026, 12, 10, 9)),
        world.reading(2, starts_at=at(2026, 12, 10, 10)),
        world.reading(3, meter="traffic", starts_at=at(2026, 12, 11)),
        world.reading(4, subject=other.number, source="/meters/b"),
    )
    finance = await browser_for("provider-finance")

    async def count(**asked: str) -> int:
        page = await finance.get("/usage/events", params=asked)
        assert page.status_code == 200
        return len(links(page.text, '/usage/of/[^"]+/events/[0-9]+/[^"]+'))

    mine = {"service": world.service.number}
    assert await count(**mine) == 3
    assert await count(**mine, meter="traffic") == 1
    assert await count(**mine, **{"from": "10/12/2569"}) == 2
    assert await count(**mine, **{"from": "10/12/2569", "hour": "10"}) == 1
    assert await count(**mine, event="2") == 1
    assert await count(source="/meters/b", event="4") == 1
    assert await count(source="/meters/b", event="1") == 0
    for asked, words in (
        ({"source": "/meters/b"}, "กรุณาระบุบริการ"),
        ({"service": "nobody"}, "ไม่พบบริการ"),
        (mine | {"meter": "gas"}, "ไม่มีการวัด"),
        (mine | {"hour": "24"}, "0 ถึง 23"),
        (mine | {"from": "1/1/2569", "to": "31/12/2569"}, "ไม่เกินสองเดือน"),
        (mine | {"from": "yesterday"}, "16/12/2569"),
    ):
        assert words in said(await finance.get("/usage/events", params=asked)), asked


async def test_references_are_given_moved_and_withdrawn(world: World, browser_for: BrowserFor) -> None:
    other = await world.add_service("agency-b")
    technician = await browser_for("technician")
    given = {"reference": "hall-3/rack-7", "service": world.service.number}
    page = await technician.follow(await technician.submit("/usage/references", given))
    assert "hall-3/rack-7" in said(page)
    assert (await technician.submit("/usage/references", given)).status_code == 422
    refused = await technician.submit("/usage/references", {"reference": "hall-3/rack-8", "service": "nobody"})
    assert refused.status_code == 422
    assert "hall-3/rack-8" in refused.text
    for wanted, there in (("RACK-7", True), (world.service.number, True), ("rack-9", False)):
        listed = said(await technician.get("/usage/references", params={"q": wanted}))
        assert ("hall-3/rack-7" in listed) is there
    async with acting_as(system("tests")):
        mapped = await ExternalReference.get(reference="hall-3/rack-7")
    path = f"/usage/references/{mapped.id}"
    assert world.service.number in said(await technician.get(path))
    assert (await technician.submit(path, {"service": world.service.number})).status_code == 422
    await technician.follow(await technician.submit(path, {"service": other.number}))
    async with acting_as(system("tests")):
        assert (await ExternalReference.get(id=mapped.id)).agency_id == other.agency_id
    await world.take(world.reading(1, subject="hall-3/rack-7"))
    assert len(await hours(other.id)) == 1
    await technician.follow(await technician.submit(f"{path}/withdrawal"))
    assert (await technician.get(path)).status_code == 404
    assert len(await hours(other.id)) == 1
