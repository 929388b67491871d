import datetime as dt
import html
import io
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import openpyxl
import pytest

from auth.errors import Invalid
from portal import i18n
from portal.pages.usage_upload import FAULTS
from portal.readings_by_hand import read
from tests.billing.metering.world import World, at, everything, found, hours
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = dt.datetime.now(dt.UTC).astimezone(at(2026, 1, 1).tzinfo).replace(minute=0, second=0, microsecond=0, tzinfo=None)
START, END = NOW - dt.timedelta(hours=2), NOW - dt.timedelta(hours=1)


@pytest.fixture
async def world(database: str) -> World:
    return await found()


def workbook(rows: list[list[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def text_of(service: str, *rows: str, heading: str = "service,meter,quantity,start,end") -> bytes:
    return "\n".join([heading, *(row.replace("S,", f"{service},", 1) for row in rows)]).encode()


async def send(browser: Browser, content: bytes, reason: str = "") -> Any:
    return await browser.submit("/usage/upload", {"reason": reason}, files={"file": ("readings.csv", content)})


def fields_of(page: Any) -> dict[str, str]:
    found = re.findall(r'name="(readings|reason)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in found}


async def test_a_file_is_previewed_then_stored_then_known(world: World, browser_for: BrowserFor) -> None:
    number = world.service.number
    heading = ["service", "meter", "quantity", "start", "end"]
    content = workbook([heading, [number, "energy", 12.5, START, END], [None] * 5, [number, "visit", 2, START, START]])
    browser = await browser_for("technician")
    shown = await send(browser, content)
    assert shown.status_code == 200
    assert "แถวที่ถูกต้อง 2 แถว" in said(shown)
    assert await everything() == [0, 0, 0, 0]
    after = await browser.follow(await browser.submit("/usage", fields_of(shown)))
    assert "บันทึกแล้ว 2 รายการ" in said(after)
    assert sorted(each[1] for each in await hours(world.service.id)) == [Decimal(2), Decimal("12.5")]
    again = await browser.follow(await browser.submit("/usage", fields_of(await send(browser, content))))
    assert "มีอยู่แล้ว 2 รายการ" in said(again)


async def test_the_meters_that_can_be_named_are_told_with_what_they_are(world: World, browser_for: BrowserFor) -> None:
    browser = await browser_for("technician")
    named = re.search(r"energy (\S.*?\(.+?\))", said(await browser.get("/usage/upload")))
    assert named
    assert f"energy: {named[1]}" in said(await browser.get("/usage/collectors"))


async def test_every_bad_row_is_listed_and_nothing_can_be_stored(world: World, browser_for: BrowserFor) -> None:
    browser = await browser_for("technician")
    day = f"{START:%d/%m}/{START.year + 543} {START:%H:%M}"
    content = text_of(
        world.service.number,
        f"S,energy,1,{day},{END}",
        f"S,energy,many,{START},{END}",
        f"S,gas,1,{START},{END}",
        f"nobody,energy,1,{START},{END}",
        f"S,energy,-1,{START},{END}",
        f"S,energy,1,{END},{START}",
        f"S,energy,1,yesterday,{END}",
    )
    shown = await send(browser, content)
    assert shown.status_code == 422
    rows = re.findall(r'<td[^>]*class="number"[^>]*>(\d+)</td><td', shown.text)
    assert rows[:6] == ["3", "4", "5", "6", "7", "8"]
    assert 'name="readings"' not in shown.text
    assert await everything() == [0, 0, 0, 0]


async def test_a_row_known_with_another_quantity_is_shown_before_anything_is_stored(
    world: World, browser_for: BrowserFor
) -> None:
    browser = await browser_for("technician")
    row = f"S,energy,{{}},{START},{END}"
    shown = await send(browser, text_of(world.service.number, row.format("1")))
    await browser.follow(await browser.submit("/usage", fields_of(shown)))
    other = await send(browser, text_of(world.service.number, row.format("2")))
    assert other.status_code == 422
    assert "กรุณาใช้การแก้ไขแทน" in said(other)


async def test_old_readings_are_taken_with_a_reason(world: World, browser_for: BrowserFor) -> None:
    browser = await browser_for("provider-finance")
    content = text_of(world.service.number, "S,energy,1,2026-02-10 09:00,2026-02-10 10:00")
    assert (await send(browser, content)).status_code == 422
    shown = await send(browser, content, reason="มิเตอร์ขัดข้อง")
    assert shown.status_code == 200
    await browser.follow(await browser.submit("/usage", fields_of(shown)))
    assert (await everything())[0] == 1


async def test_what_comes_back_from_the_browser_is_checked_anew(world: World, browser_for: BrowserFor) -> None:
    browser = await browser_for("technician")
    shown = await send(browser, text_of(world.service.number, f"S,energy,1,{START},{END}"))
    given = fields_of(shown)
    for readings in (given["readings"].replace("energy", "gas"), "[]x", '[["a"]]', ""):
        assert (await browser.submit("/usage", given | {"readings": readings})).status_code == 422
    assert await everything() == [0, 0, 0, 0]


def test_headings_eras_numbers_and_encodings_are_read() -> None:
    thai = "บริการ;มิเตอร์;ปริมาณ;เริ่ม;สิ้นสุด\nS;energy;1,234.5;10/12/2569 09:00;10/12/2026 10:00\n"
    for content in (thai.encode(), thai.encode("utf-8-sig"), thai.encode("cp874")):
        [reading] = read(content).readings.values()
        assert (reading.quantity, reading.starts_at, reading.ends_at) == (
            "1234.5",
            at(2026, 12, 10, 9),
            at(2026, 12, 10, 10),
        )
    [zoned] = read(text_of("S", "S,energy,1,2026-12-10T02:00:00Z,2026-12-10T03:00:00Z")).readings.values()
    assert zoned.starts_at == at(2026, 12, 10, 9)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 no workbook",
        b"a,b\n1,2",
        b"service,meter,quantity,start,end\n",
        b"\0\1\2",
        b"x" * (2 * 1024 * 1024 + 1),
        text_of("S", *["S,energy,1,2026-12-10 09:00,2026-12-10 10:00"] * 2001),
    ],
)
def test_what_is_no_list_of_readings_is_refused_in_known_words(content: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        read(content)
    with i18n.using("en"):
        assert refused.value.fields["file"] in {str(each) for each in FAULTS}
