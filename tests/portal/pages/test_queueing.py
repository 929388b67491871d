"""Waiting for capacity, sharing requests out among reviewers, and queues that cost the same however long."""

import datetime as dt
from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.capacity.models import Pool
from services.catalogue.commands import set_terms
from services.requests.rules import State
from tests import cast
from tests.browsing import Browser, said
from tests.portal.pages.asking import ASKED_AT, answer, ask, before_s1, change, field, stored
from tests.portal.pages.shop import Shop

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


async def leave_free(shop: Shop, free: str) -> None:
    """Leave so much of the government internet's pool, with more to come in February."""
    async with acting_as(system("tests")):
        pool = await Pool.get(id=shop.catalogue.components["GI", "bandwidth"].pool_id)
        pool.size = Decimal(pool.in_use) + Decimal(pool.held) + Decimal(free)
        pool.more_expected, pool.more_expected_on = Decimal(1000), dt.date(2027, 2, 1)
        await pool.save(update_fields=["size", "more_expected", "more_expected_on"])


async def test_a_waiting_list_takes_what_cannot_be_given_yet_and_says_when_it_can(
    browser_for: BrowserFor, shop: Shop
) -> None:
    await leave_free(shop, "100")
    async with acting_as(system("tests")):
        manager, gi = await cast.actor("manager"), shop.catalogue.offerings["GI"]
        from_then_on = dt.date(2026, 12, 10)
        await set_terms(gi.id, {"takes_waiting_list": True}, from_then_on, by=manager, now=ASKED_AT)
    official = await browser_for("official-a")
    ahead = said(await official.get("/requests/preview", params=change(shop), headers={"hx-request": "true"}))
    assert "1,000 Mbps" in ahead
    assert "1 ก.พ. 2570" in ahead

    path = await ask(official, change(shop))
    waiting = await stored(path)
    assert (waiting.state, waiting.waits_for_capacity) == (State.SUBMITTED, True)

    # The quote still holds what is free and no more: it waits until there is enough.
    reviewer = await browser_for("reviewer")
    assert (await reviewer.submit(f"{path}/review")).status_code == 303
    for kind in ("request", "capacity", "cost"):
        await reviewer.submit(f"{path}/checks/{kind}", {"outcome": "passed"})
    refused = await reviewer.submit(f"{path}/quote", {"act": "send"})
    assert refused.status_code == 422
    assert (await stored(path)).state is State.UNDER_REVIEW
    await leave_free(shop, "1100")
    assert (await reviewer.submit(f"{path}/quote", {"act": "send"})).status_code == 303
    assert (await stored(path)).state is State.AWAITING_CONFIRMATION


async def test_without_a_waiting_list_it_is_refused(browser_for: BrowserFor, shop: Shop) -> None:
    await leave_free(shop, "100")
    official = await browser_for("official-a")
    assert (await official.submit("/requests", change(shop))).status_code == 422


async def test_a_request_is_put_into_a_reviewer_s_hands_and_nobody_else_s(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    one = await cast.person("reviewer")
    other = await cast.person("technician")
    assert (await reviewer.submit(f"{path}/assignment", {"reviewer": str(other.id)})).status_code == 422
    assert (await reviewer.submit(f"{path}/assignment", {"reviewer": str(one.id)})).status_code == 303
    assert (await stored(path)).reviewer_id == one.id
    assert (await official.submit(f"{path}/assignment", {"reviewer": str(one.id)})).status_code == 403


async def test_queues_cost_the_same_however_long(browser_for: BrowserFor, shop: Shop, queries: list[str]) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    approver, technician = await browser_for("approver-a"), await browser_for("technician")

    async def costs() -> tuple[int, int]:
        counted = []
        for browser, path in ((reviewer, "/requests"), (technician, "/work")):
            queries.clear()
            assert (await browser.get(path)).status_code == 200
            counted.append(len(queries))
        return counted[0], counted[1]

    async def one_more(number: int) -> None:
        new = {
            "kind": "new",
            "offering": str(shop.catalogue.components["EP", "endpoint"].offering_id),
            "label": f"สาขา {number}",
            field(shop, "EP", "endpoint"): "10",
            "effective_on": "16/12/2569",
            "justification": "สาขาใหม่",
            "act": "submit",
        }
        path = await ask(official, new)
        sha256 = await answer(reviewer, path)
        await approver.submit(f"{path}/confirmation", {"sha256": sha256})
        assert (await stored(path)).state is State.CONFIRMED
        await ask(official, new | {"label": f"สำนักงาน {number}"})

    await one_more(1)
    few = await costs()
    for number in range(2, 5):
        await one_more(number)
    assert await costs() == few
    assert min(few) > 3
    assert said(await technician.get("/work")).count("สาขา ") >= 4
