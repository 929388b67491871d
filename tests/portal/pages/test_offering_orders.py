"""Staff say from which day on something can be ordered, agencies see it beforehand, and forms keep to it."""

import uuid
from collections.abc import Awaitable, Callable

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from services.catalogue.models import Component, Offering
from services.requests import commands as requests
from services.requests.rules import Kind
from tests.browsing import Browser, said
from tests.portal.pages.shop import clock_stands
from tests.portal.pages.test_catalogue_edit import FACTS, PART
from tests.stage import Stage, at, database, stage, stage_template

__all__ = ["database", "stage", "stage_template"]

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at("2026-12-08", "10:05")
FROM_NEW_YEAR = {"effective_from": "4/1/2570"}
CLOSED = "บริการนี้ไม่รับคำร้องใหม่สำหรับวันดังกล่าว"
NOT_OFFERED = "ไม่มีรายการนี้ให้ขอสำหรับวันดังกล่าว"


def wish(stage: Stage, day: str, **more: str) -> dict[str, str]:
    return {
        "kind": "new",
        "offering": str(stage.catalogue.offerings["GI"].id),
        f"q-{stage.component('GI', 'bandwidth').id}": "100",
        "effective_on": day,
        "justification": "สาขาใหม่",
        "act": "submit",
    } | more


async def test_orders_are_closed_from_a_day_on_and_the_form_keeps_to_it(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    finance, official = await browser_for("provider-finance"), await browser_for("official-a")
    path = f"/offerings/{stage.catalogue.offerings['GI'].id}"
    bare = await finance.submit(f"{path}/orders", {"is_open": "yes", "effective_from": "1/12/2569"})
    assert (bare.status_code, 'id="field-orders_from-error"' in bare.text) == (422, True)
    assert 'value="1/12/2569"' in bare.text
    same = await finance.submit(f"{path}/orders", {"is_open": "yes"} | FROM_NEW_YEAR)
    assert (same.status_code, 'id="field-orders_from-error"' in same.text) == (422, True)
    shown = said(await finance.follow(await finance.submit(f"{path}/orders", FROM_NEW_YEAR)))
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in shown
    assert "คำร้องใหม่ ปิดรับ" in shown
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in said(await finance.get("/offerings"))
    async with acting_as(system("tests")):
        assert await AuditRecord.filter(action="terms.set", at=NOW).count() == 1

    form = said(await official.get(f"/requests/new?kind=new&offering={stage.catalogue.offerings['GI'].id}"))
    assert "ขอได้เมื่อวันที่มีผลไม่เกินวันที่ 3 ม.ค. 2570" in form
    for day, is_closed in (("22/12/2569", False), ("5/1/2570", True)):
        preview = said(await official.get("/requests/preview", params=wish(stage, day)))
        assert (CLOSED in preview) is is_closed
    late = await official.submit("/requests", wish(stage, "5/1/2570", label="สาขา"))
    assert (late.status_code, 'id="field-effective_on-error"' in late.text) == (422, True)
    assert 'value="สาขา"' in late.text
    # A draft kept while it was typed can be opened again, and says the same.
    draft = str(uuid.uuid4())
    kept = await official.submit("/requests/typed", wish(stage, "5/1/2570", draft=draft))
    assert kept.status_code == 200
    again = await official.get(f"/requests/{draft}/edit")
    assert CLOSED in said(again)
    assert (await official.submit("/requests", wish(stage, "22/12/2569"))).status_code == 303


async def test_a_form_for_what_was_closed_meanwhile_loses_nothing(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    manager, official = await browser_for("manager"), await browser_for("official-a")
    gi = stage.catalogue.offerings["GI"].id
    draft = await stage.draft("a", Kind.NEW, "GI", {"bandwidth": "100"}, "2026-12-22", now=NOW)
    await manager.submit(f"/offerings/{gi}/orders", {"effective_from": "8/12/2569"})
    assert (await official.get(f"/requests/new?kind=new&offering={gi}")).status_code == 404
    sent = await official.submit("/requests", wish(stage, "22/12/2569", label="สาขาบางนา"))
    assert sent.status_code == 422
    assert 'value="สาขาบางนา"' in sent.text
    assert "บริการนี้ปิดรับคำร้องใหม่" in said(sent)
    refused = await official.submit(f"/requests/{draft.id}/submission")
    assert (refused.status_code, CLOSED in said(refused)) == (422, True)
    # Opened again from a day on, the form begins on the first day that it can be had.
    await manager.submit(f"/offerings/{gi}/orders", {"is_open": "yes", "effective_from": "1/2/2570"})
    form = await official.get(f"/requests/new?kind=new&offering={gi}")
    assert 'value="01/02/2570"' in form.text or 'value="1/2/2570"' in form.text


async def test_a_component_is_withdrawn_from_a_day_on_with_its_history(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    finance, official = await browser_for("provider-finance"), await browser_for("official-b")
    part = stage.component("VM", "ssd")
    path, vm = f"/components/{part.id}", stage.catalogue.offerings["VM"].id
    for wrong, field in (({"offered": ""}, "offer_offered"), ({"offered": "no", "effective_from": "x"}, "offer_from")):
        refused = await finance.submit(f"{path}/offer", FROM_NEW_YEAR | wrong)
        assert (refused.status_code, f'id="field-{field}-error"' in refused.text) == (422, True)
    shown = said(await finance.follow(await finance.submit(f"{path}/offer", {"offered": "no"} | FROM_NEW_YEAR)))
    assert "รับวันที่มีผลไม่เกิน 3 ม.ค. 2570" in shown
    assert "เลิกเสนอแล้ว" in shown
    new = {"kind": "new", "offering": str(vm), f"q-{part.id}": "100"}
    for day, is_offered in (("22/12/2569", True), ("5/1/2570", False)):
        preview = said(await official.get("/requests/preview", params=new | {"effective_on": day}))
        assert (NOT_OFFERED not in preview) is is_offered
    change = {"kind": "change", "service": str(stage.services["b", "VM"].id), "effective_on": "5/1/2570"}
    for amount, fits in (("600", False), ("500", True), ("400", True)):
        preview = said(await official.get("/requests/preview", params=change | {f"q-{part.id}": amount}))
        assert ("เลิกเสนอรายการนี้สำหรับวันดังกล่าว" not in preview) is fits
    # From that day on it is on no form for a new service, and on that of a change it says why.
    await clock_stands(at("2027-01-04", "09:00"))
    official.app.state.clock.forget()
    assert f'name="q-{part.id}"' not in (await official.get(f"/requests/new?kind=new&offering={vm}")).text
    changing = await official.get(f"/requests/new?kind=change&service={stage.services['b', 'VM'].id}")
    assert f'name="q-{part.id}"' in changing.text
    assert "คงปริมาณเดิมหรือลดลงได้" in said(changing)


async def test_a_copy_of_what_is_no_longer_offered_says_so_on_its_form(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    manager, official = await browser_for("manager"), await browser_for("official-a")
    ssd, vcpu = stage.component("VM", "ssd").id, stage.component("VM", "vcpu").id
    asked = await stage.draft("a", Kind.NEW, "VM", {"vcpu": "2", "ssd": "100"}, "2026-12-22", now=NOW)
    await stage.as_("official-a", requests.submit, asked.id, now=NOW)
    await stage.as_("official-a", requests.withdraw, asked.id, now=NOW)
    await manager.submit(f"/components/{ssd}/offer", {"offered": "no", "effective_from": "8/12/2569"})
    copied = await official.submit(f"/requests/{asked.id}/copy")
    assert copied.status_code == 303, said(copied)[:400]
    path = copied.headers["location"]
    form = await official.get(path)
    assert NOT_OFFERED in said(form)
    for typed in (f'name="q-{vcpu}"', f'name="q-{ssd}"', 'value="100"', 'value="2"', 'value="22/12/2569"'):
        assert typed in form.text
    # Without it the rest can be sent as it was.
    fields = {f"q-{vcpu}": "2", f"q-{ssd}": "", "effective_on": "22/12/2569", "justification": "x", "act": "submit"}
    sent = await official.submit(path.removesuffix("/edit"), fields)
    assert sent.status_code == 303, said(sent)[:400]


async def test_an_addon_is_withdrawn_in_one_go(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    manager, official = await browser_for("manager"), await browser_for("official-b")
    part, vm = stage.component("VM", "snapshot"), stage.catalogue.offerings["VM"].id
    path = f"/offerings/{vm}/addons/{part.addon_id}/offer"
    bare = await manager.submit(path, {"offered": "no", "effective_from": "เมื่อไร"})
    assert (bare.status_code, f'id="field-addon-{part.addon_id}_from-error"' in bare.text) == (422, True)
    assert f'id="field-addon-{part.addon_id}_offered-error"' in (await manager.submit(path, FROM_NEW_YEAR)).text
    done = await manager.follow(await manager.submit(path, {"offered": "no", "effective_from": "8/12/2569"}))
    assert "เลิกเสนอแล้ว" in said(done)
    adding = await official.get(f"/requests/new?kind=new_addon&service={stage.services['b', 'VM'].id}")
    assert f'name="q-{part.id}"' not in adding.text
    # What a form opened before still sends is told, not dropped.
    sent = {"kind": "new_addon", "service": str(stage.services["b", "VM"].id), f"q-{part.id}": "1"}
    refused = await official.submit(
        "/requests", sent | {"effective_on": "22/12/2569", "justification": "สำรอง", "act": "submit"}
    )
    assert (refused.status_code, f'id="field-q-{part.id}-error"' in refused.text) == (422, True)
    other = f"/offerings/{stage.catalogue.offerings['GI'].id}/addons/{part.addon_id}/offer"
    assert (await manager.submit(other, {"offered": "yes"} | FROM_NEW_YEAR)).status_code == 404


async def test_what_is_added_is_offered_from_its_day_on(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    manager, official = await browser_for("manager"), await browser_for("official-a")
    assert 'value="08/12/2569"' in (await manager.get("/offerings/new")).text.replace('"8/12', '"08/12')
    past = await manager.submit("/offerings", FACTS | {"effective_from": "1/12/2569"})
    assert (past.status_code, 'id="field-reason-error"' in past.text) == (422, True)
    await manager.follow(await manager.submit("/offerings", FACTS | FROM_NEW_YEAR))
    async with acting_as(system("tests")):
        made = await Offering.get(code="ZZ")
    led = await manager.follow(
        await manager.submit(f"/offerings/{made.id}/components", PART | {"effective_from": "1/2/2570"})
    )
    assert "รับวันที่มีผลตั้งแต่ 1 ก.พ. 2570" in said(led)
    listed = said(await official.get("/catalogue/ZZ"))
    assert "ขอได้เมื่อวันที่มีผลเป็นวันที่ 4 ม.ค. 2570 เป็นต้นไป" in listed
    assert "รับวันที่มีผลตั้งแต่ 1 ก.พ. 2570" in listed
    async with acting_as(system("tests")):
        part = await Component.get(offering_id=made.id)
    form = await official.get(f"/requests/new?kind=new&offering={made.id}")
    assert f'name="q-{part.id}"' in form.text
    assert "ขอได้เมื่อวันที่มีผลเป็นวันที่ 1 ก.พ. 2570 เป็นต้นไป" in said(form)


async def test_a_ceiling_price_is_set_from_a_day_on(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    finance: Browser = await browser_for("provider-finance")
    path = f"/components/{stage.component('VM', 'vcpu').id}"
    low = await finance.submit(f"{path}/ceilings", {"amount": "0.50"} | FROM_NEW_YEAR)
    assert (low.status_code, "ในวันที่ 4 ม.ค. 2570 มีราคา 0.55 บาทใช้บังคับอยู่" in said(low)) == (422, True)
    net = await finance.submit(f"{path}/ceilings", {"amount": "0.58", "includes_vat": "yes"} | FROM_NEW_YEAR)
    assert "รวมภาษีมูลค่าเพิ่ม ซึ่งมีอัตรา 7 % ในวันที่ 4 ม.ค. 2570" in said(net)
    for wrong, field in (
        ({"amount": "x"}, "amount"),
        ({"amount": "0"}, "amount"),
        ({"effective_from": ""}, "ceiling_from"),
    ):
        refused = await finance.submit(f"{path}/ceilings", {"amount": "0.60"} | FROM_NEW_YEAR | wrong)
        assert (refused.status_code, f'id="field-{field}-error"' in refused.text) == (422, True), wrong
    set_ = await finance.follow(await finance.submit(f"{path}/ceilings", {"amount": "0.60"} | FROM_NEW_YEAR))
    assert "4 ม.ค. 2570 ประกาศล่วงหน้า 0.60" in said(set_)
    price = {"price-1": "0.65", "effective_from": "4/1/2570", "act": "set"}
    assert "เกินราคากลาง 0.6 บาท" in said(await finance.submit(f"{path}/prices", price))


async def test_a_quote_given_before_stands_on_its_page(stage: Stage, browser_for: BrowserFor) -> None:
    await clock_stands(NOW)
    request = await stage.draft("a", Kind.NEW, "GI", {"bandwidth": "100"}, "2026-12-22", now=NOW)
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    await stage.review(request.id, accepted=NOW, quoted=NOW)
    manager: Browser = await browser_for("manager")
    gi = stage.catalogue.offerings["GI"].id
    await manager.submit(f"/offerings/{gi}/orders", {"effective_from": "8/12/2569"})
    await manager.submit(
        f"/components/{stage.component('GI', 'bandwidth').id}/offer", {"offered": "no", "effective_from": "8/12/2569"}
    )
    assert (await stage.request(request.id)).state == "awaiting_confirmation"


async def test_nobody_else_says_what_is_offered(stage: Stage, browser_for: BrowserFor) -> None:
    part, gi = stage.component("GI", "ipv4-29"), stage.catalogue.offerings["GI"].id
    for who in ("official-a", "reviewer", "central", "auditor"):
        browser: Browser = await browser_for(who)
        for path in (
            f"/offerings/{gi}/orders",
            f"/offerings/{gi}/addons/{part.addon_id}/offer",
            f"/components/{part.id}/offer",
            f"/components/{part.id}/ceilings",
        ):
            assert (await browser.submit(path, {"offered": "no"} | FROM_NEW_YEAR)).status_code == 403
