import datetime as dt
import html
import io
import re
import zipfile
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
    assert "จะบันทึก 2 แถว" in said(shown)
    assert await everything() == [0, 0, 0, 0]
    after = await browser.follow(await browser.submit("/usage", fields_of(shown)))
    assert "บันทึกแล้ว 2 รายการ" in said(after)
    assert sorted(each[1] for each in await hours(world.service.id)) == [Decimal(2), Decimal("12.5")]
    again = await send(browser, content)
    assert (again.status_code, fields_of(again)) == (200, {})
    assert "ไม่บันทึกซ้ำ 2 แถว" in said(again)
    more = workbook([heading, [number, "energy", 12.5, START, END], [number, "visit", 1250, END, END]])
    more_shown = await send(browser, more)
    assert "จะบันทึก 1 แถว" in said(more_shown)
    assert "visit 1,250 " in said(more_shown)
    stored = await browser.follow(await browser.submit("/usage", fields_of(more_shown)))
    assert "บันทึกแล้ว 1 รายการ มีอยู่แล้ว 1 รายการ" in said(stored)


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


async def test_a_row_that_says_otherwise_than_an_earlier_one_is_shown_as_bad(
    world: World, browser_for: BrowserFor
) -> None:
    browser = await browser_for("technician")
    rows = [f"S,energy,{quantity},{START},{END}" for quantity in ("1", "1.0", "2")]
    shown = await send(browser, text_of(world.service.number, *rows))
    assert shown.status_code == 422
    assert re.findall(r'<td[^>]*class="number"[^>]*>(\d+)</td><td', shown.text)[0] == "4"
    assert "แถวที่ถูกต้อง 1 แถว" in said(shown)
    assert "จะบันทึก 1 แถว" not in said(shown)  # nothing is stored of a file with a bad row
    twice = await send(browser, text_of(world.service.number, *rows[:2]))
    assert "จะบันทึก 1 แถว" in said(twice)
    assert "ไม่บันทึกซ้ำ 1 แถว" in said(twice)


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
    for content in (thai.encode(), thai.encode("utf-8-sig"), thai.encode("cp874"), thai.encode("utf-16")):
        [reading] = read(content).readings.values()
        assert (reading.quantity, reading.starts_at, reading.ends_at) == (
            "1234.5",
            at(2026, 12, 10, 9),
            at(2026, 12, 10, 10),
        )
    [zoned] = read(text_of("S", "S,energy,1,2026-12-10T02:00:00Z,2026-12-10T03:00:00Z")).readings.values()
    assert zoned.starts_at == at(2026, 12, 10, 9)


WRITTEN = {
    "1,234.5": "1234.5",
    "1,234,567": "1234567",
    "๑๒.๕": "12.5",
    "1e3": "1000",
    "1,5": None,
    "12,34,5": None,
    "1.234,5": None,
    "1_0": None,
}


@pytest.mark.parametrize("written", WRITTEN)
def test_a_comma_stands_between_thousands_and_nowhere_else(written: str) -> None:
    content = f"service;meter;quantity;start;end\nS;energy;{written};10/12/2569 09:00;10/12/2569 10:00"
    found = read(content.encode())
    read_as = [reading.quantity for reading in found.readings.values()]
    assert read_as == ([WRITTEN[written]] if WRITTEN[written] else [])
    assert len(found.faults) == 1 - len(read_as)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("10/12/2569 09.30", at(2026, 12, 10, 9, 30)),
        ("10/12/2569 09.30 น.", at(2026, 12, 10, 9, 30)),
        ("10-12-2569 09:30:00", at(2026, 12, 10, 9, 30)),
        ("10 ธ.ค. 2569 09.30 น.", at(2026, 12, 10, 9, 30)),
        ("๑๐ ธันวาคม ๒๕๖๙", at(2026, 12, 10)),
        ("31/12/2569 24:00", at(2027, 1, 1)),
        ("29/02/2571 09:00", at(2028, 2, 29, 9)),
        ("2571-02-29 09:00", at(2028, 2, 29, 9)),
    ],
)
def test_days_and_times_are_read_as_they_are_written_here(written: str, meant: dt.datetime) -> None:
    [reading] = read(f"service,meter,quantity,start,end\nS,energy,1,{written},{written}".encode()).readings.values()
    assert (reading.starts_at, reading.ends_at) == (meant, meant)


@pytest.mark.parametrize("written", ["31/11/2569", "10/13/2569", "10/12/2569 24:01", "10/12/2569 9", "10 ธคม 2569"])
def test_what_is_no_day_is_a_bad_row(written: str) -> None:
    found = read(f"service,meter,quantity,start,end\nS,energy,1,{written},10/12/2569".encode())
    assert [set(why) for why in found.faults.values()] == [{"data.start"}]


def test_a_workbooks_number_is_read_as_it_shows_it() -> None:
    rows = [["service", "meter", "quantity", "start", "end"], ["S", "energy", 0.3, START, END]]
    with zipfile.ZipFile(io.BytesIO(workbook(rows))) as packed, io.BytesIO() as kept:
        with zipfile.ZipFile(kept, "w") as changed:
            for name in packed.namelist():
                text = packed.read(name).replace(b"<v>0.3</v>", b"<v>0.30000000000000004</v>")
                changed.writestr(name, text)
        [reading] = read(kept.getvalue()).readings.values()
    assert reading.quantity == "0.3"


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
