"""Staff edit what is on offer and its prices; nothing above the ceiling, nothing for past days without a reason."""

import uuid
from decimal import Decimal

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from billing.tariffs.models import PriceVersion
from services.catalogue.models import Addon, Component, Offering
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

NOW = at("2026-12-08", "10:05")
FACTS = {
    "code": "ZZ",
    "family": "cloud",
    "name_th": "บริการทดสอบ",
    "name_en": "Trial service",
    "availability_pct": "99.95",
    "lead_working_days": "3",
    "change_lead_working_days": "1",
    "data_kept_days": "30",
    "is_open": "yes",
    "effective_from": "8/12/2569",
}
PART = {
    "code": "unit",
    "name_th": "หน่วยประมวลผล",
    "name_en": "Units",
    "unit_th": "หน่วย",
    "unit_en": "unit",
    "basis": "daily",
    "minimum": "1",
    "maximum": "",
    "step": "0.5",
    "effective_from": "8/12/2569",
}


async def versions(component: Component) -> list[PriceVersion]:
    async with acting_as(system("tests")):
        return await PriceVersion.filter(price_item_id=component.price_item_id).order_by("effective_from")


def price(day: str, *tiers: tuple[str, str], act: str = "set", **more: str) -> dict[str, str]:
    rows = {f"upto-{n}": upto for n, (upto, _) in enumerate(tiers, 1)}
    rows |= {f"price-{n}": amount for n, (_, amount) in enumerate(tiers, 1)}
    return rows | {"effective_from": day, "act": act} | more


async def test_a_service_is_added_with_what_is_ordered_of_it_and_then_it_can_be_ordered(
    stage: Stage, browser_for
) -> None:
    await clock_stands(NOW)
    manager: Browser = await browser_for("manager")
    await manager.follow(await manager.submit("/offerings", FACTS))
    async with acting_as(system("tests")):
        made = await Offering.get(code="ZZ")
    await manager.submit(
        f"/offerings/{made.id}/addons", {"addon_code": "x", "addon_name_th": "เสริม", "addon_name_en": "E"}
    )
    async with acting_as(system("tests")):
        addon = await Addon.get(offering_id=made.id)
    await manager.submit(f"/offerings/{made.id}/components", PART | {"code": "more", "addon": str(addon.id)})
    led = await manager.follow(await manager.submit(f"/offerings/{made.id}/components", PART))
    assert "ยังไม่มีราคา" in said(led)
    component_path = str(led.url.path)
    await manager.follow(
        await manager.submit(f"{component_path}/prices", price("8/12/2569", ("10", "5"), ("", "4.25")))
    )
    official: Browser = await browser_for("official-a")
    words = said(await official.get("/catalogue/ZZ"))
    assert "บริการทดสอบ" in words
    assert "4.25" in words
    async with acting_as(system("tests")):
        deeds = [record.action for record in await AuditRecord.all().order_by("at", "number")]
    for deed in ("offering.added", "addon.added", "component.added", "price.set"):
        assert deed in deeds


async def test_what_cannot_be_on_offer_is_told_beside_its_field(stage: Stage, browser_for) -> None:
    manager: Browser = await browser_for("manager")
    wrong = {"code": "", "family": "tea", "name_th": "", "availability_pct": "99.9999", "lead_working_days": "-1"}
    answer = await manager.submit("/offerings", FACTS | wrong | {"family": "cloud"})
    assert answer.status_code == 422
    assert 'id="field-availability_pct-error"' in answer.text
    assert 'id="field-lead_working_days-error"' in answer.text
    assert 'value="99.9999"' in answer.text
    taken = await manager.submit("/offerings", FACTS | {"code": "GI"})
    assert "รหัสนี้มีผู้ใช้แล้ว" in said(taken)
    gi = stage.catalogue.offerings["GI"]
    foreign = stage.component("VM", "vcpu")
    for facts, field in (
        ({"code": "bandwidth"}, "code"),
        ({"minimum": "0"}, "minimum"),
        ({"maximum": "0.5"}, "maximum"),
        ({"step": "x"}, "step"),
        ({"basis": "magic"}, "basis"),
        ({"addon": str(uuid.UUID(int=4))}, "addon"),
        ({"pool": str(foreign.id)}, "pool"),
        ({"unit_th": ""}, "unit_th"),
        ({"name_en": "n" * 201}, "name_en"),
    ):
        refused = await manager.submit(f"/offerings/{gi.id}/components", PART | facts)
        assert refused.status_code == 422, facts
        assert f'id="field-{field}-error"' in refused.text or field == "addon"


async def test_names_are_put_right_at_once(stage: Stage, browser_for) -> None:
    manager: Browser = await browser_for("manager")
    gi = stage.catalogue.offerings["GI"]
    await manager.follow(await manager.submit(f"/offerings/{gi.id}", {"name_th": "ทดสอบ", "name_en": "Trial service"}))
    async with acting_as(system("tests")):
        after = await Offering.get(id=gi.id)
    assert after.name_en == "Trial service"
    nameless = await manager.submit(f"/offerings/{gi.id}", {"name_th": "", "name_en": "T"})
    assert (nameless.status_code, 'id="field-name_th-error"' in nameless.text) == (422, True)


async def test_terms_and_quantities_are_set_from_a_day_on_with_their_history(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    gi, part = stage.catalogue.offerings["GI"], stage.component("GI", "bandwidth")
    finance: Browser = await browser_for("provider-finance")
    terms = {name: FACTS[name] for name in ("availability_pct", "lead_working_days", "data_kept_days")}
    terms |= {"change_lead_working_days": "2", "effective_from": "1/1/2570", "exclusions_th": "เหตุสุดวิสัย"}
    wrong = {"availability_pct": "101", "effective_from": "1/12/2569", "lead_working_days": "สาม"}
    refused = await finance.submit(f"/offerings/{gi.id}/terms", terms | wrong)
    assert refused.status_code == 422
    for name in ("effective_from", "lead_working_days"):
        assert f'id="field-{name}-error"' in refused.text
    assert 'value="101"' in refused.text
    set_ = await finance.follow(await finance.submit(f"/offerings/{gi.id}/terms", terms))
    assert "1 ม.ค. 2570 ประกาศแล้ว" in said(set_) or "ข้อกำหนดนี้มีผลตั้งแต่วันที่ 1 ม.ค. 2570" in said(set_)
    bounds = {"minimum": "50", "maximum": "2,000", "step": "50", "effective_from": "1/1/2570"}
    bare = await finance.submit(f"/components/{part.id}/bounds", bounds | {"maximum": "5", "effective_from": "x"})
    assert 'id="field-bounds_from-error"' in bare.text
    shown = await finance.follow(await finance.submit(f"/components/{part.id}/bounds", bounds))
    assert "50 – 2,000" in said(shown)
    official: Browser = await browser_for("official-a")
    words = said(await official.get("/catalogue/GI"))
    assert "99.90 %" in words
    assert "ตั้งแต่วันที่ 1 ม.ค. 2570 จะใช้ข้อกำหนดใหม่" in words
    service = said(await official.get(f"/services/{stage.services['a', 'GI'].id}"))
    assert "99.95 %" in service
    # The form holds a day to its own quantities and lead time.
    asked = {"kind": "change", "service": str(stage.services["a", "GI"].id), f"q-{part.id}": "310"}
    for day, fits in (("31/12/2569", True), ("4/1/2570", False)):
        preview = await official.get("/requests/preview", params=asked | {"effective_on": day})
        assert ("ปริมาณไม่ตรงตามช่วงที่ขอได้" not in said(preview)) is fits


async def test_a_price_is_looked_at_before_it_is_set_and_voids_the_quotes_it_contradicts(
    stage: Stage, browser_for
) -> None:
    await clock_stands(NOW)
    part, now = stage.component("GI", "bandwidth"), at("2026-12-08", "09:00")
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=now)
    await stage.as_("official-a", requests.submit, request.id, now=now)
    await stage.review(request.id, accepted=now, quoted=now)
    before = len(await versions(part))
    finance: Browser = await browser_for("provider-finance")
    tiers = (("100", "85"), ("500", "60"), ("", "50"))
    looked = await finance.submit(f"/components/{part.id}/prices", price("15/12/2569", *tiers, act="preview"))
    assert looked.status_code == 200
    words = said(looked)
    assert "บริการที่ใช้งาน 2 รายการ" in words
    assert request.number in words
    assert "15,000.00 14,500.00" in words  # 200 Mbps: 100 × 85 + 100 × 65, then × 60
    assert len(await versions(part)) == before
    async with acting_as(system("tests")):
        assert not await AuditRecord.filter(action="price.set", at__gte=NOW).exists()
    assert (await stage.request(request.id)).state == "awaiting_confirmation"

    done = await finance.submit(f"/components/{part.id}/prices", price("15/12/2569", *tiers))
    assert "15 ธ.ค. 2569" in said(await finance.follow(done))
    assert len(await versions(part)) == before + 1
    assert (await stage.request(request.id)).state == "under_review"
    twice = await finance.submit(f"/components/{part.id}/prices", price("15/12/2569", *tiers))
    assert "อยู่แล้ว" in said(twice)


async def test_above_the_ceiling_is_refused_beside_the_row(stage: Stage, browser_for) -> None:
    """S2 step 6: vCPU at 0.71 where the ceiling is 0.70."""
    await clock_stands(NOW)
    part = stage.component("VM", "vcpu")
    before = await versions(part)
    manager: Browser = await browser_for("manager")
    for act in ("preview", "set"):
        answer = await manager.submit(f"/components/{part.id}/prices", price("1/1/2570", ("", "0.71"), act=act))
        assert answer.status_code == 422
        assert "เกินราคากลาง 0.7 บาท" in said(answer)
        assert 'id="field-price-1-error"' in answer.text
        assert 'value="0.71"' in answer.text
    assert len(await versions(part)) == len(before)
    assert (await manager.submit(f"/components/{part.id}/prices", price("1/1/2570", ("", "0.70")))).status_code == 303


async def test_past_days_need_a_manager_and_a_reason(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    part = stage.component("GI", "bandwidth")
    past = price("1/12/2569", ("", "50"), reason="ราคาตามมติ")
    finance: Browser = await browser_for("provider-finance")
    refused = await finance.submit(f"/components/{part.id}/prices", past)
    assert refused.status_code == 422
    assert "เฉพาะผู้จัดการระบบ" in said(refused)
    manager: Browser = await browser_for("manager")
    unreasoned = await manager.submit(f"/components/{part.id}/prices", past | {"reason": " "})
    assert 'id="field-reason-error"' in unreasoned.text
    assert (await manager.submit(f"/components/{part.id}/prices", past)).status_code == 303
    assert "ราคาตามมติ" in said(await manager.get(f"/components/{part.id}"))


async def test_rows_that_are_no_tiers_are_told(stage: Stage, browser_for) -> None:
    await clock_stands(NOW)
    part = stage.component("GI", "bandwidth")
    manager: Browser = await browser_for("manager")
    for tiers, field in (
        ((("", ""),), "price-1"),
        ((("100", "5"),), "upto-1"),
        ((("", "5"), ("100", "4")), "upto-1"),
        ((("100", "5"), ("50", "4"), ("", "3")), "upto-2"),
        ((("100", "x"), ("", "3")), "price-1"),
        ((("100", "-1"), ("", "3")), "price-1"),
        ((("", "0.0000001"),), "price-1"),
        ((("x", "1"), ("", "3")), "upto-1"),
    ):
        answer = await manager.submit(f"/components/{part.id}/prices", price("1/1/2570", *tiers))
        assert answer.status_code == 422, tiers
        assert f'id="field-{field}-error"' in answer.text, tiers
    more = await manager.submit(f"/components/{part.id}/prices", price("1/1/2570", ("100", "5"), ("", "4"), act="rows"))
    assert 'name="price-5"' in more.text
    gaps = price("1/1/2570", ("100", "5"), ("", ""), ("", "4"))
    assert (await manager.submit(f"/components/{part.id}/prices", gaps)).status_code == 303
    assert [tier["price"] for tier in (await versions(part))[-1].tiers] == ["5", "4"]
    assert Decimal((await versions(part))[-1].tiers[0]["upto"]) == 100


async def test_nobody_else_edits(stage: Stage, browser_for) -> None:
    gi, part = stage.catalogue.offerings["GI"], stage.component("GI", "bandwidth")
    for who in ("official-a", "reviewer", "central", "auditor"):
        browser: Browser = await browser_for(who)
        for path in ("/offerings", f"/offerings/{gi.id}", f"/components/{part.id}", f"/offerings/{gi.id}/automation"):
            assert (await browser.get(path)).status_code == 403
        assert (await browser.submit(f"/components/{part.id}/prices", price("1/1/2570", ("", "1")))).status_code == 403
    manager: Browser = await browser_for("manager")
    assert (await manager.get(f"/components/{uuid.UUID(int=3)}")).status_code == 404
    assert (await manager.get(f"/offerings/{uuid.UUID(int=3)}")).status_code == 404
