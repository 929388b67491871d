"""What ends, when, at what last charge, and what becomes of the data; and that it can be taken back until then."""

from collections.abc import Awaitable, Callable

import pytest

from tests.browsing import Browser, said
from tests.portal.pages.asking import answer, ask, before_s1, stand, stored
from tests.portal.pages.shop import Shop, at

BrowserFor = Callable[..., Awaitable[Browser]]
# 200 Mbps cost 15,000.00 a month; 20 of January's 31 days are 9,677.42. Data is kept for 30 days more.
ENDING = ("20 ม.ค. 2570", "9,677.42", "19 ก.พ. 2570", "20 ก.พ. 2570")


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


def cancel(shop: Shop) -> dict[str, str]:
    service = str(shop.services["GI"].id)
    return {"kind": "cancel", "service": service, "effective_on": "20/1/2570", "justification": "เลิกใช้"}


async def test_a_cancellation_says_what_ends_and_is_taken_back_on_the_services_page(
    shop: Shop, browser_for: BrowserFor
) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    approver, technician = await browser_for("approver-a"), await browser_for("technician")
    service = f"/services/{shop.services['GI'].id}"
    for figure in ENDING:
        assert figure in said(await official.get("/requests/preview", params=cancel(shop))), figure
    path = await ask(official, cancel(shop) | {"act": "submit"})
    sha256 = await answer(reviewer, path)
    for page in (path, f"{path}/quote"):
        for figure in ENDING:
            assert figure in said(await approver.get(page)), (page, figure)
    assert (await approver.submit(f"{path}/confirmation", {"sha256": sha256})).status_code == 303
    assert f"{path}/undoing" not in (await official.get(service)).text
    assert (await technician.submit(f"{path}/work")).status_code == 303
    for step in (1, 2, 3):
        assert (await technician.submit(f"{path}/work/steps/{step}", {"act": "done"})).status_code == 303
    for figure in ENDING:
        assert figure in said(await official.get(path)), figure
    for page in (path, service):
        assert f'action="{path}/undoing"' in (await official.get(page)).text, page
    assert f"{path}/undoing" not in (await (await browser_for("finance-a")).get(service)).text
    assert f"{path}/undoing" not in (await reviewer.get(service)).text
    await stand(at(2027, 1, 20, 23, 59), official)
    assert (await official.submit(f"{path}/undoing")).status_code == 303
    assert (await stored(path)).undone_at
    assert f"{path}/undoing" not in (await official.get(service)).text
    assert "20 ก.พ. 2570" not in said(await official.get(path))


async def test_past_its_last_day_nothing_is_offered_to_be_taken_back(shop: Shop, browser_for: BrowserFor) -> None:
    official, approver = await browser_for("official-a"), await browser_for("approver-a")
    technician = await browser_for("technician")
    path = await ask(official, cancel(shop) | {"act": "submit"})
    sha256 = await answer(await browser_for("reviewer"), path)
    await approver.submit(f"{path}/confirmation", {"sha256": sha256})
    await technician.submit(f"{path}/work")
    for step in (1, 2, 3):
        await technician.submit(f"{path}/work/steps/{step}", {"act": "done"})
    await stand(at(2027, 1, 21), official)
    for page in (path, f"/services/{shop.services['GI'].id}"):
        assert f"{path}/undoing" not in (await official.get(page)).text, page
    assert (await official.submit(f"{path}/undoing")).status_code == 409


@pytest.mark.parametrize(
    ("now", "days"),
    [(at(2027, 7, 1, 9), None), (at(2027, 7, 2, 9), 90), (at(2027, 9, 30, 9), 0), (at(2027, 10, 1, 9), None)],
)
async def test_a_contract_that_ends_within_ninety_days_is_said_so(
    shop: Shop, browser_for: BrowserFor, now, days: int | None
) -> None:
    official, other = await browser_for("official-a"), await browser_for("official-b")
    await stand(now, official)
    words = "" if days is None else f"30 ก.ย. 2570 เหลืออีก {days} วัน"
    for page in ("/", f"/services/{shop.services['GI'].id}"):
        text = said(await official.get(page))
        assert (words in text) if words else ("เหลืออีก" not in text), page
    assert "สัญญาที่ใกล้สิ้นสุด" not in said(await other.get("/"))
