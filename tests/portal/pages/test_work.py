"""Carrying out what was confirmed, with the agency watching (annex ก 1.8)."""

from collections.abc import Awaitable, Callable
from decimal import Decimal

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from services.requests.rules import State
from services.subscriptions.queries import quantities_at
from tests.browsing import Browser, said
from tests.portal.pages.asking import CONFIRMED_AT, answer, ask, before_s1, change, stand, stored
from tests.portal.pages.shop import Shop, at

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


@pytest.fixture
async def path(shop: Shop, browser_for: BrowserFor) -> str:
    """The path of S1's request, just confirmed."""
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    path = await ask(official, change(shop))
    sha256 = await answer(reviewer, path)
    await stand(CONFIRMED_AT, approver)
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    return path


async def test_the_queue_says_what_is_due_and_what_is_late(browser_for: BrowserFor, path: str) -> None:
    technician = await browser_for("technician")
    number = (await stored(path)).number
    page = said(await technician.get("/work"))
    assert number in page
    assert "11 ธ.ค. 2569 09:30 น." in page
    assert "เกินกำหนด 0" not in page
    await stand(at(2026, 12, 11, 9, 31), technician)
    assert "เกินกำหนด 1 นาที" in said(await technician.get("/work"))
    assert (await (await browser_for("official-a")).get("/work")).status_code == 403


async def test_steps_in_order_then_delivery(browser_for: BrowserFor, path: str, shop: Shop) -> None:
    technician, official = await browser_for("technician"), await browser_for("official-a")
    assert (await technician.submit(f"{path}/work/steps/1", {"act": "done"})).status_code == 409
    assert (await technician.submit(f"{path}/work")).status_code == 303
    assert (await technician.submit(f"{path}/work")).status_code == 409
    assert (await technician.submit(f"{path}/work/steps/2", {"act": "done"})).status_code == 409
    for position, percent in ((1, "25"), (2, "50"), (3, "75")):
        got = await technician.submit(f"{path}/work/steps/{position}", {"act": "done", "note": f"ขั้น {position}"})
        assert got.status_code == 303
        seen = said(await official.get(path))
        assert f"{percent} %" in seen
        assert f"ขั้น {position}" in seen
    assert (await stored(path)).state is State.IN_PROGRESS
    assert (await technician.submit(f"{path}/work/steps/4", {"act": "done"})).status_code == 303
    assert (await stored(path)).state is State.COMPLETED
    assert "ดำเนินการแล้วเสร็จ" in said(await official.get(path))
    assert (await technician.submit(f"{path}/work/steps/4", {"act": "done"})).status_code == 409
    bandwidth = shop.catalogue.components["GI", "bandwidth"].id
    async with acting_as(system("tests")):
        before = await quantities_at(shop.services["GI"].id, at(2026, 12, 15, 23, 59))
        after = await quantities_at(shop.services["GI"].id, at(2026, 12, 16))
    assert (before[bandwidth], after[bandwidth]) == (Decimal(200), Decimal(500))


async def test_what_fails_is_told_and_tried_again(browser_for: BrowserFor, path: str) -> None:
    technician, official = await browser_for("technician"), await browser_for("official-a")
    await technician.submit(f"{path}/work")
    step = f"{path}/work/steps/1"
    assert (await technician.submit(step, {"act": "failed"})).status_code == 422
    assert (await technician.submit(step, {"act": "failed", "note": "สายชำรุด"})).status_code == 303
    assert (await technician.submit(step, {"act": "note", "note": "รอสายใหม่"})).status_code == 303
    seen = said(await official.get(path))
    assert "สายชำรุด" in seen
    assert "รอสายใหม่" in seen
    assert (await technician.submit(step, {"act": "done"})).status_code == 303


async def test_the_agency_watches_and_does_no_step(browser_for: BrowserFor, path: str) -> None:
    official = await browser_for("official-a")
    for what in ("/work", "/work/steps/1"):
        assert (await official.submit(f"{path}{what}", {"act": "done"})).status_code == 403
    for who in ("helpdesk", "manager", "central"):
        assert (await (await browser_for(who)).submit(f"{path}/work")).status_code == 403
    page = await official.get(path)
    assert f"{path}/work/steps" not in page.text


async def test_what_was_delivered_can_be_disputed_for_five_working_days(browser_for: BrowserFor, path: str) -> None:
    technician, official = await browser_for("technician"), await browser_for("official-a")
    await technician.submit(f"{path}/work")
    for position in range(1, 5):
        await technician.submit(f"{path}/work/steps/{position}", {"act": "done"})
    assert f"{path}/dispute" in (await official.get(path)).text
    assert (await official.submit(f"{path}/dispute", {"note": ""})).status_code == 422
    assert (await official.submit(f"{path}/dispute", {"note": "ยังได้ 200"})).status_code == 303
    assert (await stored(path)).state is State.IN_PROGRESS
    assert (await technician.submit(f"{path}/work/steps/5", {"act": "done"})).status_code == 303
    await stand(at(2026, 12, 25, 9), official)
    assert f"{path}/dispute" not in (await official.get(path)).text
    assert (await official.submit(f"{path}/dispute", {"note": "ยังได้ 200"})).status_code == 409


async def test_a_cancellation_can_be_taken_back_until_its_last_day(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer, approver = [await browser_for(who) for who in ("official-a", "reviewer", "approver-a")]
    technician = await browser_for("technician")
    path = await ask(official, change(shop, kind="cancel", effective_on="31/12/2569"))
    sha256 = await answer(reviewer, path)
    await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    await technician.submit(f"{path}/work")
    for position in range(1, 4):
        assert (await technician.submit(f"{path}/work/steps/{position}", {"act": "done"})).status_code == 303
    assert f"{path}/undoing" in (await official.get(path)).text
    assert (await official.submit(f"{path}/undoing")).status_code == 303
    assert (await official.submit(f"{path}/undoing")).status_code == 409
    async with acting_as(system("tests")):
        later = await quantities_at(shop.services["GI"].id, at(2027, 1, 15))
    assert later[shop.catalogue.components["GI", "bandwidth"].id] == Decimal(200)
