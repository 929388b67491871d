"""The bell and the list behind it: told once, to whom it concerns, read by each for themselves."""

import datetime as dt
import uuid

import pytest

from auth.rules import Permission, system
from auth.tenancy import acting_as
from portal.pages.news import WORDS
from services.notifications.commands import notify
from services.requests.rules import CONCERNS
from tests import cast
from tests.browsing import Browser, said

AT = dt.datetime(2026, 12, 8, 3, 5, tzinfo=dt.UTC)


async def tell(code: str, what: str, identity: str, **more: object) -> None:
    organisation = await cast.organisation(code)
    facts = {"subject": ("request", uuid.UUID(int=7)), "now": AT, "number": "CR-A01-2569-00012", "label": "สำนักงานใหญ่"}
    async with acting_as(system("tests")):
        await notify(organisation.id, what, identity=identity, **(facts | more))  # type: ignore[arg-type]


def bell(page_text: str) -> str:
    return page_text.split('href="/news"', 1)[1].split("</a>", 1)[0]


async def test_news_reaches_whom_it_concerns_and_nobody_else(browser_for) -> None:
    await tell("agency-a", "request.quote", "q1", permission=Permission.REQUESTS_CONFIRM)
    approver: Browser = await browser_for("approver-a")
    shown = await approver.get("/news")
    words = said(shown)
    assert "มีใบเสนอราคารอหน่วยงานของท่านยืนยัน" in words
    assert "CR-A01-2569-00012 · สำนักงานใหญ่" in words
    assert f'href="/requests/{uuid.UUID(int=7)}"' in shown.text
    for who in ("finance-a", "approver-b", "reviewer"):
        other: Browser = await browser_for(who)
        assert "CR-A01-2569-00012" not in said(await other.get("/news"))


async def test_the_bell_counts_what_is_unread_and_reading_is_each_ones_own(browser_for) -> None:
    official = await cast.person("official-a")
    for number in range(3):
        await tell("agency-a", "request.progress", f"p{number}", person_id=official.id)
    await tell("agency-a", "request.quote", "q1", permission=Permission.REQUESTS_READ)
    mine: Browser = await browser_for("official-a")
    theirs: Browser = await browser_for("finance-a")
    assert "4" in bell((await mine.get("/services")).text)
    assert "1" in bell((await theirs.get("/services")).text)
    led = await mine.follow(await mine.submit("/news/read"))
    assert "site-count" not in bell(led.text)
    assert "> ใหม่<" not in led.text
    assert "1" in bell((await theirs.get("/services")).text)


async def test_the_same_news_is_told_once(browser_for) -> None:
    await tell("agency-a", "request.remind", "r1", permission=Permission.REQUESTS_CONFIRM, until=AT)
    await tell("agency-a", "request.remind", "r1", permission=Permission.REQUESTS_CONFIRM, until=AT)
    approver: Browser = await browser_for("approver-a")
    words = said(await approver.get("/news"))
    assert words.count("ใกล้สิ้นสุดระยะเวลายืนยันใบเสนอราคา") == 1
    assert "8 ธ.ค. 2569 10:05" in words


async def test_a_contracts_end_is_told_with_its_day_and_leads_to_the_service(browser_for) -> None:
    await tell(
        "agency-a",
        "service.contract_ends",
        "c1",
        permission=Permission.SERVICES_READ,
        subject=("subscription", uuid.UUID(int=9)),
        ends_on=dt.date(2026, 12, 31),
        days=30,
    )
    official: Browser = await browser_for("official-a")
    official.cookies.set("lang", "en", domain="portal.test", path="/")
    shown = await official.get("/news")
    assert "A service's contract is about to end" in said(shown)
    assert "ends on 31 Dec 2026" in said(shown)
    assert f'href="/services/{uuid.UUID(int=9)}"' in shown.text


async def test_news_without_words_or_place_is_told_all_the_same(browser_for) -> None:
    await tell("agency-a", "tea.served", "t1", permission=Permission.REQUESTS_READ, subject=("tea", uuid.UUID(int=1)))
    official: Browser = await browser_for("official-a")
    assert "มีเรื่องใหม่ที่เกี่ยวข้องกับท่าน" in said(await official.get("/news"))


async def test_old_news_is_pages_away(browser_for) -> None:
    for number in range(51):
        at = AT + dt.timedelta(minutes=number)
        await tell(
            "agency-a", "request.quote", f"q{number}", permission=Permission.REQUESTS_READ, number=f"#{number}", now=at
        )
    official: Browser = await browser_for("official-a")
    first, second = said(await official.get("/news")), said(await official.get("/news?page=2"))
    assert "#50" in first
    assert "#0 " not in first
    assert "#0 " in second
    assert "#50" not in second
    assert (await official.get("/news?page=x")).status_code == 200


@pytest.mark.parametrize("who", ["auditor", "central", "admin"])
async def test_everybody_may_mark_their_own_as_read(browser_for, who: str) -> None:
    browser: Browser = await browser_for(who)
    assert (await browser.submit("/news/read")).status_code == 303


def test_every_step_of_a_request_that_concerns_somebody_has_words() -> None:
    assert {f"request.{step}" for step in CONCERNS} <= set(WORDS)
