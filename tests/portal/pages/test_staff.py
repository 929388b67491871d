"""The staff register: kept by the manager, read by heads and auditors, and asked before work is given."""

from collections.abc import Awaitable, Callable

import pytest

from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import attempt, move, report
from tests.services.incidents.desk import Desk, at, person_of, staffed

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


async def test_without_an_nda_no_work_is_given_and_with_one_it_is(desk: Desk, browser_for: BrowserFor) -> None:
    manager, head, official = [await browser_for(who) for who in ("manager", "head-network", "official-a")]
    await stand(at(2026, 12, 8, 9), official)
    technician = person_of(desk.technician)
    path = await report(official, code="3.1")
    page = await manager.get(f"/staff/{technician}")
    assert "มอบหมายงานได้" in said(page)
    nda = next(part for part in page.text.split("<tr>") if "ไม่เปิดเผยข้อมูล" in part and "/striking" in part)
    strike = nda.split('action="')[1].split('"')[0]
    assert (await manager.submit(strike)).status_code == 422  # it was not ticked
    assert (await manager.submit(strike, {"sure": "yes"})).status_code == 303
    assert "ไม่เปิดเผยข้อมูล" in said(await head.get("/staff?show=missing"))
    assert f'value="{technician}" disabled' in (await head.get(path)).text
    assert (await attempt(head, path, "assignment", person=str(technician))).status_code == 422

    wrong = await manager.submit(
        f"/staff/{technician}", {"kind": "certificate", "held_from": "วันนี้", "number": "7/2569"}
    )
    assert wrong.status_code == 422
    assert 'value="7/2569"' in wrong.text
    signed = {"kind": "nda", "held_from": "1/12/2569", "held_until": "31/12/2569"}
    assert (await head.submit(f"/staff/{technician}", signed)).status_code == 403
    assert (await manager.submit(f"/staff/{technician}", signed)).status_code == 303
    await move(head, path, "assignment", person=str(technician))
    auditor = await browser_for("auditor")
    assert "31 ธ.ค. 2569" in said(await auditor.get("/staff"))
    assert "31 ธ.ค. 2569" in said(await auditor.get(f"/staff/{technician}"))
    assert (await official.get("/staff")).status_code == 403
    assert (await manager.get(f"/staff/{person_of(desk.official)}")).status_code == 404
