"""The provider's three checks and its answer, through the pages (annex ก 1.5–1.6)."""

from collections.abc import Awaitable, Callable

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.capacity.models import Pool
from services.requests.models import Check, Quote
from services.requests.rules import State
from tests.browsing import Browser, said
from tests.portal.pages.asking import answer, ask, before_s1, change, check_all, field, stored
from tests.portal.pages.shop import Shop

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


@pytest.fixture
async def path(shop: Shop, browser_for: BrowserFor) -> str:
    """The path of S1's request, just submitted."""
    return await ask(await browser_for("official-a"), change(shop))


@pytest.fixture
async def reviewer(browser_for: BrowserFor) -> Browser:
    return await browser_for("reviewer")


async def quotes() -> int:
    async with acting_as(system("tests")):
        return await Quote.all().count()


async def test_what_helps_to_check_stands_beside_each_check(reviewer: Browser, path: str) -> None:
    assert (await reviewer.get(f"{path}/review")).status_code == 303  # not under review yet
    await reviewer.submit(f"{path}/review")
    words = said(await reviewer.get(f"{path}/review"))
    assert "200 → 500 Mbps" in words
    assert "รองรับระบบประชุมทางไกล" in words
    assert "300" in words  # asked of the pool
    assert "100 × 85 + 400 × 65" in words
    assert "+19,500.00" in words
    assert "8 ธ.ค. 2569 15:20 น." in words


async def test_all_three_checks_are_recorded_by_name_time_and_note(reviewer: Browser, path: str) -> None:
    await reviewer.submit(f"{path}/review")
    for kind in ("request", "capacity", "cost"):
        sent = await reviewer.submit(f"{path}/quote", {"act": "send"})
        assert sent.status_code == 422
        got = await reviewer.submit(f"{path}/checks/{kind}", {"outcome": "passed", "note": f"บันทึก {kind}"})
        assert got.status_code == 303
    async with acting_as(system("tests")):
        made = await Check.all().order_by("at", "id")
    assert [(each.kind.value, each.passed, each.note) for each in made] == [
        ("request", True, "บันทึก request"),
        ("capacity", True, "บันทึก capacity"),
        ("cost", True, "บันทึก cost"),
    ]
    assert {each.by_name for each in made} == {"เจ้าหน้าที่ตรวจสอบคำร้อง"}
    assert await quotes() == 0


async def test_a_failed_check_says_why_and_bars_the_quote(
    reviewer: Browser, path: str, browser_for: BrowserFor
) -> None:
    await check_all(reviewer, path)
    unsaid = await reviewer.submit(f"{path}/checks/cost", {"outcome": "failed"})
    assert unsaid.status_code == 422
    assert "field-cost_note-error" in unsaid.text
    await reviewer.submit(f"{path}/checks/cost", {"outcome": "failed", "note": "ราคาไม่ตรง"})
    assert (await reviewer.submit(f"{path}/quote", {"act": "send"})).status_code == 422
    assert await quotes() == 0
    seen = said(await (await browser_for("official-a")).get(path))
    assert "ตรวจสอบค่าใช้จ่าย: ไม่ผ่าน" in seen
    assert "ราคาไม่ตรง" not in seen  # what is noted with a check stays inside


@pytest.mark.parametrize(("kind", "outcome", "status"), [("mood", "passed", 404), ("cost", "", 422)])
async def test_there_are_three_checks_and_two_outcomes(
    reviewer: Browser, path: str, kind: str, outcome: str, status: int
) -> None:
    await reviewer.submit(f"{path}/review")
    assert (await reviewer.submit(f"{path}/checks/{kind}", {"outcome": outcome})).status_code == status


@pytest.mark.parametrize("who", ["official-a", "approver-a", "helpdesk", "technician", "manager", "auditor"])
async def test_only_reviewers_review(browser_for: BrowserFor, path: str, who: str) -> None:
    other = await browser_for(who)
    assert (await other.get(f"{path}/review")).status_code == 403
    for what in ("/review", "/checks/cost", "/return", "/rejection", "/quote", "/assignment"):
        assert (await other.submit(f"{path}{what}", {"note": "x", "outcome": "passed"})).status_code == 403
    assert (await stored(path)).state is State.SUBMITTED


async def test_the_preview_prices_what_was_amended_and_sends_nothing(reviewer: Browser, path: str, shop: Shop) -> None:
    await check_all(reviewer, path)
    amended = {field(shop, "GI", "bandwidth"): "400", "effective_on": "20/12/2569", "note": "ได้เพียง 400"}
    page = await reviewer.submit(f"{path}/quote", {"act": "preview"} | amended)
    assert page.status_code == 200
    assert "28,000.00" in said(page)  # 100 × 85 + 300 × 65
    assert 'value="20/12/2569"' in page.text
    assert await quotes() == 0
    assert (await stored(path)).effective_on.day == 16
    sent = await reviewer.submit(f"{path}/quote", {"act": "send"} | amended)
    assert sent.status_code == 303
    words = said(await reviewer.follow(sent))
    assert "400 Mbps" in words
    assert "28,000.00" in words
    assert "ได้เพียง 400" in words
    assert "20 ธ.ค. 2569" in words


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("speed", "มาก"),
        ("speed", "-1"),
        ("speed", "400.5"),
        ("speed", "9" * 25),
        ("effective_on", "วันหนึ่ง"),
        ("effective_on", "1/12/2569"),
    ],
)
async def test_what_cannot_be_quoted_is_explained(
    reviewer: Browser, path: str, shop: Shop, key: str, text: str
) -> None:
    await check_all(reviewer, path)
    name = field(shop, "GI", "bandwidth") if key == "speed" else key
    page = await reviewer.submit(f"{path}/quote", {"act": "send", "note": "ข้อความยาว", name: text})
    assert page.status_code == 422
    assert "error-summary" in page.text
    assert "ข้อความยาว" in page.text
    assert await quotes() == 0


async def test_a_day_before_the_lead_time_must_be_agreed_to(reviewer: Browser, path: str) -> None:
    await check_all(reviewer, path)
    early = {"act": "send", "effective_on": "7/12/2569"}
    page = await reviewer.submit(f"{path}/quote", early)
    assert page.status_code == 422
    assert 'name="agrees_earlier"' in page.text
    assert (await reviewer.submit(f"{path}/quote", early | {"agrees_earlier": "yes"})).status_code == 303


async def test_a_pool_that_ran_dry_meanwhile_bars_the_quote_and_holds_nothing(
    reviewer: Browser, path: str, shop: Shop
) -> None:
    await check_all(reviewer, path)
    pool_id = shop.catalogue.components["GI", "bandwidth"].pool_id
    async with acting_as(system("tests")):
        pool = await Pool.get(id=pool_id)
        await Pool.filter(id=pool_id).update(in_use=pool.size - pool.held - 1)
    page = await reviewer.submit(f"{path}/quote", {"act": "send"})
    assert page.status_code == 422
    assert "ปริมาณทรัพยากรที่ขอเกินกว่าที่ผู้ให้บริการสามารถให้บริการได้" in said(page)
    async with acting_as(system("tests")):
        assert (await Pool.get(id=pool_id)).held == pool.held
    assert (await stored(path)).state is State.UNDER_REVIEW


async def test_returned_corrected_and_checked_anew(
    reviewer: Browser, path: str, shop: Shop, browser_for: BrowserFor
) -> None:
    official = await browser_for("official-a")
    await check_all(reviewer, path)
    assert (await reviewer.submit(f"{path}/return", {"note": ""})).status_code == 422
    assert (await reviewer.submit(f"{path}/return", {"note": "ระบุอาคาร"})).status_code == 303
    for place in (path, f"{path}/edit"):  # before all else: above the first field and the first figure
        page = said(await official.get(place))
        assert page.index("ระบุอาคาร") < page.index("รายการที่ขอ")
    again = await official.submit(path, change(shop, speed="600", justification="อาคาร 2"))
    assert again.status_code == 303
    await reviewer.submit(f"{path}/review")
    unchecked = await reviewer.submit(f"{path}/quote", {"act": "send"})
    assert unchecked.status_code == 422  # the checks were of what was asked before
    assert await quotes() == 0


async def test_a_rejection_says_why_and_ends_it(reviewer: Browser, path: str, browser_for: BrowserFor) -> None:
    await reviewer.submit(f"{path}/review")
    assert (await reviewer.submit(f"{path}/rejection", {"note": " "})).status_code == 422
    assert (await reviewer.submit(f"{path}/rejection", {"note": "ไม่มีเส้นทาง"})).status_code == 303
    page = said(await (await browser_for("official-a")).get(path))
    assert "ไม่อนุมัติ" in page
    assert page.index("ไม่มีเส้นทาง") < page.index("รายการที่ขอ")
    assert (await reviewer.submit(f"{path}/review")).status_code == 409


async def test_the_quote_is_sent_once(reviewer: Browser, path: str) -> None:
    await answer(reviewer, path)
    second = await reviewer.submit(f"{path}/quote", {"act": "send"})
    assert second.status_code == 409
    assert await quotes() == 1


async def test_two_reviewers_take_it_up_once(reviewer: Browser, path: str) -> None:
    assert (await reviewer.submit(f"{path}/review")).status_code == 303
    late = await reviewer.submit(f"{path}/review")
    assert late.status_code == 409
    assert "อยู่ระหว่างตรวจสอบ" in said(late)
