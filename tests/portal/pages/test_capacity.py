"""What there is, what is taken, and making it less: refused with what is in the way, or quotes void on purpose."""

import uuid

from auth.rules import system
from auth.tenancy import acting_as
from portal.formats import quantity
from services.capacity.models import Pool
from services.requests import commands as requests
from services.requests.models import RequestEvent
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-08", "10:05")


async def pool_of(stage: Stage, code: str = "GI", name: str = "bandwidth") -> Pool:
    async with acting_as(system("tests")):
        return await Pool.get(id=stage.component(code, name).pool_id)


async def quoted(stage: Stage, letter: str, amount: str, minute: int) -> uuid.UUID:
    """Let an agency's change of bandwidth be quoted."""
    now = at("2026-12-08", f"09:{minute:02d}")
    request = await stage.draft(letter, Kind.CHANGE, "GI", {"bandwidth": amount}, "2026-12-16", now=now)
    await stage.as_(f"official-{letter}", requests.submit, request.id, now=now)
    await stage.review(request.id, accepted=now, quoted=now)
    return request.id


async def test_the_list_and_the_page_say_what_is_taken_and_for_whom(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    request = await stage.request(await quoted(stage, "a", "500", 1))
    pool = await pool_of(stage)
    technician: Browser = await browser_for("technician")
    listed = await technician.get("/capacity")
    assert f"/capacity/{pool.id}" in listed.text
    shown = await technician.get(f"/capacity/{pool.id}")
    words = said(shown)
    assert request.number in words
    assert f"ใช้งานอยู่ {quantity(pool.in_use)} " in words
    assert "กันไว้สำหรับใบเสนอราคา 300 " in words
    assert f'href="/requests/{request.id}"' in shown.text
    assert 'name="size"' not in shown.text
    assert (await technician.submit(f"/capacity/{pool.id}/size", {"size": "9000"})).status_code == 403


async def test_agencies_see_no_capacity_page(stage: Stage, browser_for) -> None:
    pool = await pool_of(stage)
    for who in ("official-a", "auditor"):
        browser: Browser = await browser_for(who)
        assert (await browser.get(f"/capacity/{pool.id}")).status_code == 403
    reviewer: Browser = await browser_for("reviewer")
    assert (await reviewer.get(f"/capacity/{uuid.UUID(int=5)}")).status_code == 404


async def test_a_size_is_saved_with_what_is_expected(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    pool = await pool_of(stage)
    reviewer: Browser = await browser_for("reviewer")
    facts = {"size": "๒๐,000", "more_expected": "5000", "more_expected_on": "1/4/2570"}
    shown = await reviewer.follow(await reviewer.submit(f"/capacity/{pool.id}/size", facts))
    assert "5,000 Mbps, 1 เม.ย. 2570" in said(shown)
    assert (await pool_of(stage)).size == 20000


async def test_what_is_no_size_is_told_and_kept(stage: Stage, browser_for) -> None:
    pool = await pool_of(stage)
    reviewer: Browser = await browser_for("reviewer")
    for facts, field in (
        ({"size": "many"}, "size"),
        ({"size": "-1"}, "size"),
        ({"size": "1.0000001"}, "size"),
        ({"size": "9000", "more_expected": "5"}, "more_expected"),
        ({"size": "9000", "more_expected": "5", "more_expected_on": "soon"}, "more_expected_on"),
    ):
        answer = await reviewer.submit(f"/capacity/{pool.id}/size", facts)
        assert answer.status_code == 422
        assert f'id="field-{field}-error"' in answer.text
        assert f'value="{facts[field]}"' in answer.text
    assert (await pool_of(stage)).size == pool.size


async def test_too_small_is_refused_with_what_is_in_the_way_and_voids_the_newest_only_when_told(
    stage: Stage, browser_for
) -> None:
    await clock_stands(NOW)
    older, newer = await quoted(stage, "a", "500", 1), await quoted(stage, "b", "200", 2)
    pool = await pool_of(stage)
    numbers = [(await stage.request(each)).number for each in (older, newer)]
    manager: Browser = await browser_for("manager")
    size = str(pool.in_use + 350)  # 300 and 100 are set aside
    way = await manager.submit(f"/capacity/{pool.id}/size", {"size": size})
    assert way.status_code == 422
    question = said(way).split("สิ่งที่ติดขัด", 1)[1].split("กำหนดขนาด", 1)[0]
    assert numbers[1] in question
    assert numbers[0] not in question
    assert (await pool_of(stage)).size == pool.size
    assert (await stage.request(newer)).state == "awaiting_confirmation"

    done = await manager.follow(await manager.submit(f"/capacity/{pool.id}/size", {"size": size, "void": "yes"}))
    assert numbers[1] in said(done)
    after = await pool_of(stage)
    assert (after.size, after.in_use, after.held) == (pool.in_use + 350, pool.in_use, 300)
    assert [(await stage.request(each)).state for each in (older, newer)] == ["awaiting_confirmation", "under_review"]
    async with acting_as(system("tests")):
        event = await RequestEvent.filter(request_id=newer).order_by("-number").first()
    assert event is not None
    assert (event.what, event.note) == ("void", "The capacity became less after the quote was given.")
    theirs: Browser = await browser_for("official-b")
    assert "ทรัพยากรลดลงหลังจากออกใบเสนอราคา" in said(await theirs.get(f"/requests/{newer}"))


async def test_what_is_confirmed_is_promised_and_never_given_up(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    promised = await quoted(stage, "a", "500", 1)
    sha = (await stage.as_("reviewer", _standing, promised)).sha256
    await stage.as_("approver-a", requests.confirm, promised, sha, now=NOW)
    pool = await pool_of(stage)
    manager: Browser = await browser_for("manager")
    size = str(pool.in_use + 200)
    way = await manager.submit(f"/capacity/{pool.id}/size", {"size": size})
    assert way.status_code == 422
    assert "ลดต่ำกว่านี้ไม่ได้" in said(way)
    forced = await manager.submit(f"/capacity/{pool.id}/size", {"size": size, "void": "yes"})
    assert forced.status_code == 422
    assert (await pool_of(stage)).size == pool.size
    assert (await stage.request(promised)).state == "confirmed"


async def _standing(request_id: uuid.UUID, *, by: object):
    from services.requests.models import Quote

    return await Quote.get(request_id=request_id)
