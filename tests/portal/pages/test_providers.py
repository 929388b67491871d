"""The provider list: everybody reads it, the central agency keeps it, and nothing is ordered past it."""

import datetime as dt

import pytest

from services.requests import commands as requests
from services.requests.rules import Kind, ProviderNotListed, State
from tests.browsing import Browser, said
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-04", "15:20")
INTERNET = "government_internet"


async def test_only_the_central_agency_keeps_the_list(stage: Stage, browser_for) -> None:
    provider = stage.cast["reviewer"].provider_id
    for who in ("official-a", "manager", "auditor", "admin"):
        browser: Browser = await browser_for(who)
        shown = await browser.get("/providers")
        assert "อยู่ในบัญชี" in said(shown)
        assert "/revocation" not in shown.text
        path = f"/providers/{provider}/{INTERNET}/revocation"
        assert (await browser.get(path)).status_code == 403
        assert (await browser.submit(path, {"reason": "x"})).status_code == 403


async def test_a_revoked_provider_takes_no_new_request_and_its_services_stay(stage: Stage, browser_for) -> None:
    provider = stage.cast["reviewer"].provider_id
    central: Browser = await browser_for("central")
    path = f"/providers/{provider}/{INTERNET}/revocation"
    assert "บริการที่ใช้งานอยู่ดำเนินต่อไป" in said(await central.get(path))

    unsaid = await central.submit(path, {"reason": " "})
    assert unsaid.status_code == 422
    assert "เหตุผล" in said(unsaid)

    done = await central.submit(path, {"reason": "ไม่ผ่านการตรวจประเมิน"})
    assert "ไม่ผ่านการตรวจประเมิน" in said(await central.follow(done))

    change = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    with pytest.raises(ProviderNotListed):
        await stage.as_("official-a", requests.submit, change.id, now=NOW)
    other = await stage.draft("a", Kind.CHANGE, "EP", {"endpoint": "700"}, "2026-12-16", now=NOW)
    assert (await stage.as_("official-a", requests.submit, other.id, now=NOW)).state is State.SUBMITTED

    official: Browser = await browser_for("official-a")
    assert "GI-A01" in said(await official.get("/services"))
    refused = await official.submit(f"/requests/{change.id}/submission", {})
    assert refused.status_code == 422
    assert "ไม่อยู่ในบัญชีผู้ให้บริการ" in said(refused)

    back = await central.submit(f"/providers/{provider}/{INTERNET}", {})
    assert "ขึ้นบัญชีผู้ให้บริการสำหรับบริการประเภทนี้แล้ว" in said(await central.follow(back))
    assert (await stage.as_("official-a", requests.submit, change.id, now=NOW)).state is State.SUBMITTED


async def test_who_is_revoked_can_still_be_left(stage: Stage, browser_for) -> None:
    provider = stage.cast["reviewer"].provider_id
    central: Browser = await browser_for("central")
    await central.submit(f"/providers/{provider}/{INTERNET}/revocation", {"reason": "ไม่ผ่าน"})
    leaving = await stage.draft("a", Kind.CANCEL, "GI", {}, "2026-12-31", now=NOW + dt.timedelta(hours=1))
    sent = await stage.as_("official-a", requests.submit, leaving.id, now=NOW + dt.timedelta(hours=1))
    assert sent.state is State.SUBMITTED


async def test_no_other_kind_and_nobody_unknown(stage: Stage, browser_for) -> None:
    central: Browser = await browser_for("central")
    provider = stage.cast["reviewer"].provider_id
    agency = stage.cast["official-a"].agency_id
    assert (await central.get(f"/providers/{provider}/telephony/revocation")).status_code == 404
    assert (await central.submit(f"/providers/{agency}/{INTERNET}", {})).status_code == 404
