"""The quote and the customer's decision on that very quote, through the pages (annex ก 1.6–1.7)."""

import asyncio
import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.audit.models import AuditRecord
from auth.organisations.models import Organisation
from auth.people.delegations import lend
from auth.rules import Role, system
from auth.tenancy import acting_as
from billing.budgets.commands import set_budget
from billing.tariffs.commands import set_price
from billing.tariffs.rules import Tier
from services.requests.models import Quote
from services.requests.rules import State
from tests import cast
from tests.browsing import Browser, said, sign_in
from tests.portal.pages.asking import (
    ANSWERED_AT,
    CONFIRMED_AT,
    answer,
    ask,
    before_s1,
    change,
    hash_on,
    stand,
    stored,
    work_orders,
)
from tests.portal.pages.shop import Shop, agency_a_in_december, at

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


async def test_the_quote_says_what_is_confirmed(browser_for: BrowserFor, database: str) -> None:
    shop = await agency_a_in_december(at(2026, 12, 4, 15, 20))
    await shop.change("GI", {"bandwidth": "200"}, at(2026, 12, 16))
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    assert (await approver.get(f"{path}/quote")).status_code == 404
    await stand(ANSWERED_AT, reviewer)
    sha256 = await answer(reviewer, path)
    page = await approver.get(f"{path}/quote")
    words = said(page)
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "16,050.00", "36,915.00", "+20,865.00", "25,064.51"):
        assert figure in words
    assert "1,083,230.03" in words
    assert "83,230.03" in words
    assert "100 Mbps × 85 = 8,500" in words
    assert sha256 in page.text
    assert "83,230.03" not in said(await reviewer.get(f"{path}/quote"))  # a budget is the agency's own
    async with acting_as(system("tests")):
        assert (await Quote.all().first()).sha256 == sha256  # type: ignore[union-attr]


async def test_only_after_the_confirmation_is_there_work(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    await stand(ANSWERED_AT, reviewer)
    sha256 = await answer(reviewer, path)
    assert await work_orders() == 0
    assert (await reviewer.submit(f"{path}/work")).status_code == 409
    assert (await official.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 403
    assert (await reviewer.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 403
    assert await work_orders() == 0
    await stand(CONFIRMED_AT, approver)
    done = await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    assert done.status_code == 303
    assert await work_orders() == 1
    assert "11 ธ.ค. 2569 09:30 น." in said(await approver.follow(done))  # S1: provisioning is due


async def test_a_wrong_hash_confirms_nothing(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    for wrong in ("", "0" * 64, sha256[:-1], sha256.upper()):
        page = await approver.submit(f"{path}/confirmation", {"sha256": wrong})
        assert page.status_code == 409
        assert hash_on(page) == sha256  # shown anew, to be read again
    assert await work_orders() == 0


async def test_two_tabs_confirm_once(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    both = await asyncio.gather(
        approver.submit(f"{path}/confirmation", {"sha256": sha256}),
        approver.submit(f"{path}/confirmation", {"sha256": sha256}),
    )
    assert sorted(each.status_code for each in both) == [303, 409]
    refused = next(each for each in both if each.status_code == 409)
    assert "ยืนยันแล้ว" in said(refused)
    assert await work_orders() == 1
    token = approver.token()
    twice = [await approver.submit(f"{path}/confirmation", {"sha256": sha256}, token=token) for _ in range(2)]
    assert {each.status_code for each in twice} == {409}


async def test_who_asked_confirms_only_where_the_agency_allows_it(browser_for: BrowserFor, shop: Shop) -> None:
    reviewer, approver = await browser_for("reviewer"), await browser_for("approver-a")
    path = await ask(approver, change(shop))
    sha256 = await answer(reviewer, path)
    page = await approver.get(f"{path}/quote")
    assert f"{path}/confirmation" not in page.text
    refused = await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    assert refused.status_code == 403
    assert await work_orders() == 0
    async with acting_as(system("tests")):
        assert await AuditRecord.filter(action="access.denied").count() == 1
        await Organisation.filter(code="agency-a").update(asker_may_confirm=True)
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303


async def test_who_quoted_never_confirms(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    await cast.give("reviewer", "agency-a", Role.APPROVER)
    async with acting_as(system("tests")):
        await Organisation.filter(code="agency-a").update(asker_may_confirm=True)
    agency = str((await cast.organisation("agency-a")).id)
    assert (await reviewer.submit("/organisation", {"organisation": agency})).status_code == 303
    refused = await reviewer.submit(f"{path}/confirmation", {"sha256": sha256})
    assert refused.status_code == 403
    assert await work_orders() == 0


async def test_confirming_needs_a_fresh_sign_in(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", None)]
    await sign_in(approver, "approver-a", at=dt.datetime.now(dt.UTC) - dt.timedelta(minutes=6))
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    page = await approver.get(f"{path}/quote")
    assert "/sign-in/again?fresh=1" in page.text
    assert f"{path}/confirmation" not in page.text
    stale = await approver.submit(
        f"{path}/confirmation", {"sha256": sha256}, headers={"referer": f"https://portal.test{path}/quote"}
    )
    assert stale.status_code == 303
    assert "/sign-in/again" in stale.headers["location"]
    assert await work_orders() == 0


async def test_a_quote_whose_price_changed_is_void_and_says_so(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    manager = await cast.actor("manager")
    async with acting_as(manager):
        item = await shop.catalogue.components["GI", "bandwidth"].price_item
        tiers = (Tier(None, Decimal("70.00")),)
        await set_price(item, tiers, dt.date(2026, 12, 10), by=manager, now=at(2026, 12, 4, 15, 30))
    got = await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    page = said(await approver.follow(got))
    assert "อยู่ระหว่างตรวจสอบ" in page
    assert await work_orders() == 0
    assert (await stored(path)).state is State.UNDER_REVIEW
    again = await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    assert again.status_code == 409
    missing = await reviewer.submit(f"{path}/quote", {"act": "send"})
    assert missing.status_code == 422  # the checks were of another price


async def test_declining_says_why_and_ends_it(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    assert (await approver.submit(f"{path}/refusal", {"note": " "})).status_code == 422
    assert (await official.submit(f"{path}/refusal", {"note": "แพง"})).status_code == 403
    assert (await approver.submit(f"{path}/refusal", {"note": "เกินงบประมาณ"})).status_code == 303
    late = await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    assert late.status_code == 409
    page = said(await official.get(path))
    assert "ไม่ยืนยัน" in page
    assert "เกินงบประมาณ" in page


async def test_a_quote_past_its_day_cannot_be_confirmed(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop, effective_on="1/3/2570"))
    sha256 = await answer(reviewer, path)
    await stand(at(2027, 2, 1, 9), approver)
    assert f"{path}/confirmation" not in (await approver.get(f"{path}/quote")).text
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 409
    assert await work_orders() == 0


async def test_the_budget_is_told_to_the_agency_alone(browser_for: BrowserFor, shop: Shop) -> None:
    finance = await cast.actor("finance-a")
    async with acting_as(finance):
        await set_budget(shop.agencies["a"].id, 2570, Decimal("123456.78"), by=finance, now=at(2026, 10, 1, 9))
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    assert "123,456.78" in said(await official.get(path))
    assert "123,456.78" not in (await reviewer.get(path)).text
    assert "123,456.78" not in (await (await browser_for("agency-admin-a")).get(path)).text


async def test_both_sides_see_on_whose_behalf_it_was_confirmed(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, deputy = [await browser_for(who) for who in ("official-a", "reviewer", "finance-a")]
    path = await ask(official, change(shop))
    await stand(ANSWERED_AT, reviewer)
    sha256 = await answer(reviewer, path)
    lender, to_person = await cast.actor("approver-a"), await cast.person("finance-a")
    async with acting_as(lender):
        await lend(
            to_person.id,
            starts_at=at(2026, 11, 20),
            ends_at=at(2027, 1, 20),
            reason="ลาพักผ่อน",
            by=lender,
            now=at(2026, 11, 20),
        )
    await stand(CONFIRMED_AT, deputy)
    assert f"ดำเนินการในฐานะผู้รักษาการแทน {lender.name}" in said(await deputy.get(f"{path}/quote"))
    assert (await deputy.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    for browser in (official, reviewer):
        for page in (path, f"{path}/quote"):
            assert f"รักษาการแทน {lender.name}" in said(await browser.get(page))
