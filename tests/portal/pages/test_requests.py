"""Asking for a service, a change or an end, and following it, through the pages (standard 7.5.5–7.5.7, annex ก)."""

import re
from collections.abc import Awaitable, Callable

import pytest

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as
from services.capacity.models import Pool
from services.requests.models import ServiceRequest
from services.requests.rules import State
from tests.browsing import Browser, said
from tests.portal.pages.asking import (
    ask,
    before_s1,
    change,
    field,
    stand,
    stored,
)
from tests.portal.pages.shop import Shop, agency_a_in_december, at

BrowserFor = Callable[..., Awaitable[Browser]]


@pytest.fixture
async def shop(database: str) -> Shop:
    return await before_s1()


# The form


async def test_menu_and_form_lead_to_the_service_to_change(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    home = await official.get("/requests")
    assert 'href="/requests/new"' in home.text  # annex ก 1.2: in the main menu
    choice = await official.get("/requests/new")
    service = shop.services["GI"]
    assert f"/requests/new?kind=change&amp;service={service.id}" in choice.text
    form = await official.get(f"/requests/new?service={service.id}")
    assert form.status_code == 200
    assert service.number in said(form)
    assert 'value="200"' in form.text


async def test_preview_tells_cost_capacity_and_budget_to_the_satang(browser_for: BrowserFor, database: str) -> None:
    shop = await agency_a_in_december(at(2026, 12, 4, 15, 20))
    await shop.change("GI", {"bandwidth": "200"}, at(2026, 12, 16))
    official = await browser_for("official-a")
    fields = change(shop)
    page = await official.get("/requests/preview", params=fields, headers={"hx-request": "true"})
    words = said(page)
    for figure in ("15,000.00", "34,500.00", "+19,500.00", "+20,865.00", "25,064.51"):
        assert figure in words
    for figure in ("884,676.00", "1,083,230.03", "83,230.03"):
        assert figure in words
    assert "<html" not in page.text


async def test_other_speeds_days_and_machines_come_to_what_was_computed_by_hand(
    browser_for: BrowserFor, database: str
) -> None:
    """750 Mbps from 21 Jan: 8,500 + 26,000 + 12,500; January 20 + 11 of 31 days, then eight months at +32,000.

    A machine of 2 vCPU, 8 GiB and 100 GB: 744 hours at 1.10 + 1.60, and 320; from 8 Dec 7,128 hours to September.
    """
    shop = await agency_a_in_december(at(2026, 12, 4, 15, 20))
    await shop.change("GI", {"bandwidth": "200"}, at(2026, 12, 16))
    official = await browser_for("official-a")
    faster = change(shop, "750", effective_on="21/1/2570")
    words = said(await official.get("/requests/preview", params=faster))
    for figure in ("47,000.00", "+32,000.00", "+34,240.00", "26,354.84", "+267,354.84", "1,170,745.68"):
        assert figure in words, figure
    machine = {field(shop, "VM", name): amount for name, amount in (("vcpu", "2"), ("ram", "8"), ("ssd", "100"))}
    offering = str(shop.catalogue.offerings["VM"].id)
    asked = machine | {"kind": "new", "offering": offering, "effective_on": "8/12/2569"}
    words = said(await official.get("/requests/preview", params=asked))
    for figure in ("+2,328.80", "+2,491.82", "1,802.94", "+22,373.34"):
        assert figure in words, figure


async def test_calculating_without_javascript_keeps_everything_and_stores_nothing(
    browser_for: BrowserFor, shop: Shop
) -> None:
    official = await browser_for("official-a")
    page = await official.submit("/requests", change(shop, act="calculate"))
    assert page.status_code == 200
    assert "+19,500.00" in said(page)
    assert "รองรับระบบประชุมทางไกล" in page.text
    async with acting_as(system("tests")):
        assert await ServiceRequest.all().count() == 0


async def test_more_than_is_free_is_warned_of_while_typing_and_refused_when_sent(
    browser_for: BrowserFor, shop: Shop
) -> None:
    official = await browser_for("official-a")
    pool = shop.catalogue.components["GI", "bandwidth"].pool_id
    async with acting_as(system("tests")):
        found = await Pool.get(id=pool)
        await Pool.filter(id=pool).update(in_use=found.in_use + found.free - 100)
    preview = await official.get("/requests/preview", params=change(shop), headers={"hx-request": "true"})
    warning = "ปริมาณทรัพยากรที่ขอเกินกว่าที่ผู้ให้บริการสามารถให้บริการได้"
    assert warning in said(preview)
    assert "200 Mbps" in said(preview)  # 300 asked, 100 free: short by 200
    assert 'id="submit" name="act" value="submit" disabled' in preview.text
    sent = await official.submit("/requests", change(shop))
    assert sent.status_code == 422
    assert warning in said(sent)
    assert 'value="500"' in sent.text  # nothing typed is lost
    async with acting_as(system("tests")):
        assert await ServiceRequest.all().count() == 0
    saved = await official.submit("/requests", change(shop, act="save"))
    assert saved.status_code == 303  # a draft may be saved
    submission = await official.submit(f"{saved.headers['location']}/submission")
    assert submission.status_code == 422
    assert (await stored(saved.headers["location"])).state is State.DRAFT


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("speed", "ห้าร้อย"),
        ("speed", ""),
        ("speed", "-5"),
        ("speed", "500.5"),
        ("speed", "1e99"),
        ("speed", "9" * 29),
        ("effective_on", "31/02/2569"),
        ("effective_on", ""),
        ("effective_on", "01/12/2569"),
        ("effective_on", "07/12/2569"),
        ("justification", ""),
    ],
)
async def test_what_cannot_be_taken_is_explained_and_keeps_the_rest(
    browser_for: BrowserFor, shop: Shop, name: str, text: str
) -> None:
    official = await browser_for("official-a")
    key = field(shop, "GI", "bandwidth") if name == "speed" else name
    fields = change(shop, label="x") | {key: text}
    page = await official.submit("/requests", fields)
    assert page.status_code == 422, said(page)[:300]
    assert "error-summary" in page.text
    assert f'value="{fields["effective_on"]}"' in page.text
    assert fields["justification"] in page.text
    async with acting_as(system("tests")):
        assert await ServiceRequest.all().count() == 0


async def test_thai_digits_and_thousands_are_read(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop, speed="๑,๐๐๐", effective_on="๑๖/๑๒/๒๕๖๙"))
    page = said(await official.get(path))
    assert "1,000 Mbps" in page
    assert "16 ธ.ค. 2569" in page


async def test_a_draft_is_edited_and_sent_and_then_closed_to_editing(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop, speed="300", act="save"))
    form = await official.get(f"{path}/edit")
    assert 'value="300"' in form.text
    assert "รองรับระบบประชุมทางไกล" in form.text
    sent = await official.submit(path, change(shop, speed="400"))
    assert sent.status_code == 303
    request = await stored(path)
    assert request.state is State.SUBMITTED
    assert "400 Mbps" in said(await official.get(path))
    assert (await official.get(f"{path}/edit")).headers["location"] == path
    late = await official.submit(path, change(shop, speed="500", act="save"))
    assert late.status_code == 409


async def test_a_second_request_for_a_service_names_the_first(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop))
    number = (await stored(path)).number
    form = await official.get(f"/requests/new?service={shop.services['GI'].id}")
    assert number in said(form)
    second = await official.submit("/requests", change(shop, speed="600"))
    assert second.status_code == 409
    assert number in said(second)
    assert 'value="600"' in second.text


async def test_the_same_form_sent_twice_makes_one_request(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    token = official.token()
    first = await official.submit("/requests", change(shop, act="save"), token=token)
    again = await official.submit("/requests", change(shop, act="save"), token=token)
    assert first.headers["location"] == again.headers["location"]
    async with acting_as(system("tests")):
        assert await ServiceRequest.all().count() == 1


@pytest.mark.parametrize("kind", ["new_addon", "cancel_addon", "cancel", "change"])
async def test_another_agencys_service_is_not_found(browser_for: BrowserFor, shop: Shop, kind: str) -> None:
    stranger = await browser_for("official-b")
    service = shop.services["GI"].id
    assert (await stranger.get(f"/requests/new?kind={kind}&service={service}")).status_code == 404
    assert (await stranger.submit("/requests", change(shop, kind=kind))).status_code == 404
    assert (await stranger.get("/requests/preview", params=change(shop, kind=kind))).status_code == 404


# The other kinds


async def test_a_new_service_with_its_add_on(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    vm = shop.catalogue.offerings["VM"]
    names = [name for code, name in shop.catalogue.components if code == "VM"]
    choice = await official.get("/requests/new?kind=new")
    assert f"offering={vm.id}" in choice.text
    amounts = {"vcpu": "4", "ram": "16", "ssd": "200", "backup": "200"}
    assert set(amounts) <= set(names), names
    fields = {
        "kind": "new",
        "offering": str(vm.id),
        "label": "ระบบสารบรรณ",
        "effective_on": "8/12/2569",
        "justification": "ระบบใหม่",
        "act": "submit",
    } | {field(shop, "VM", name): amount for name, amount in amounts.items()}
    preview = said(await official.get("/requests/preview", params=fields, headers={"hx-request": "true"}))
    assert "+5,017.60" in preview
    assert "+5,368.83" in preview
    path = await ask(official, fields)
    page = said(await official.get(path))
    assert "ระบบสารบรรณ" in page
    assert "16 GiB" in page


async def test_an_add_on_is_asked_for_and_cancelled_and_the_service_stays(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    addons = [name for (code, name), part in shop.catalogue.components.items() if code == "GI" and part.addon_id]
    spare = field(shop, "GI", addons[0])
    service = str(shop.services["GI"].id)
    form = await official.get(f"/requests/new?kind=new_addon&service={service}")
    assert spare in form.text
    assert field(shop, "GI", "bandwidth") not in form.text
    common = {"service": service, "effective_on": "16/12/2569", "justification": "สำรอง", "act": "submit"}
    path = await ask(official, common | {"kind": "new_addon", spare: "1"})
    await official.submit(f"{path}/withdrawal", {"note": "ไม่ใช้แล้ว"})
    await shop.change("GI", {addons[0]: "1"}, at(2026, 12, 1))
    form = await official.get(f"/requests/new?kind=cancel_addon&service={service}")
    assert f'name="{spare}"' in form.text
    nothing = await official.submit("/requests", common | {"kind": "cancel_addon"})
    assert nothing.status_code == 422
    path = await ask(official, common | {"kind": "cancel_addon", spare: "0"})
    page = said(await official.get(path))
    assert "ขอยกเลิกบริการเสริม" in page
    assert "ความเร็วที่รับประกัน" not in page


async def test_a_whole_service_is_cancelled(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop, kind="cancel", effective_on="31/12/2569"))
    page = said(await official.get(path))
    assert "ขอยกเลิกบริการ" in page
    assert "−15,000.00" in page


# The list


async def test_lists_show_state_next_step_and_due_time(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    empty = await official.get("/requests")
    assert "/requests/new" in empty.text
    path = await ask(official, change(shop))
    number = (await stored(path)).number
    mine = said(await official.get("/requests"))
    assert number in mine
    assert "ยื่นคำร้องแล้ว" in mine
    assert "8 ธ.ค. 2569 15:20 น." in mine  # S1: one working day, the holiday left out
    queue = said(await reviewer.get("/requests"))
    assert number in queue
    assert "หน่วยงาน ก." in queue
    await stand(at(2026, 12, 8, 15, 21), reviewer)
    assert "เกินกำหนด" in said(await reviewer.get("/requests"))
    assert number in said(await official.get("/requests?state=submitted"))
    assert number not in said(await official.get("/requests?state=completed"))
    assert number in said(await official.get("/requests", params={"q": "อินเทอร์เน็ต"}))
    assert number not in said(await official.get("/requests", params={"q": "100%_"}))
    assert number not in said(await (await browser_for("official-b")).get("/requests"))


async def test_drafts_are_the_agencys_own(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop, act="save"))
    number = (await stored(path)).number
    assert number not in said(await reviewer.get("/requests?view=all"))
    assert (await reviewer.get(path)).status_code == 404
    assert (await (await browser_for("auditor")).get(path)).status_code == 404


async def test_the_list_costs_the_same_however_long(browser_for: BrowserFor, shop: Shop, queries: list[str]) -> None:
    official = await browser_for("official-a")
    await ask(official, change(shop, act="save"))
    queries.clear()
    assert (await official.get("/requests")).status_code == 200
    few = len(queries)
    for _ in range(6):
        await ask(official, change(shop, act="save"))
    queries.clear()
    page = await official.get("/requests")
    assert said(page).count("A01-2570-") == 7
    assert few > 3
    assert len(queries) == few


# One request, both sides


async def test_english_and_thai_tell_the_same(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop))
    assert "ยื่นคำร้องแล้ว" in said(await official.get(path))
    official.cookies.set("lang", "en", domain="portal.test", path="/")
    english = said(await official.get(path))
    assert "Submitted" in english
    assert "8 Dec 2026 15:20" in english
    assert "Next step" in english


async def test_another_agency_finds_nothing_and_it_is_on_record(browser_for: BrowserFor, shop: Shop) -> None:
    official, stranger = await browser_for("official-a"), await browser_for("approver-b")
    path = await ask(official, change(shop))
    for where in ("", "/edit", "/quote"):
        assert (await stranger.get(f"{path}{where}")).status_code == 404
    for what in ("/submission", "/withdrawal", "/confirmation", "/refusal", "/copy", "/messages", "/dispute"):
        got = await stranger.submit(f"{path}{what}", {"note": "x", "text": "x", "sha256": "0" * 64})
        assert got.status_code == 404, what
    async with acting_as(system("tests")):
        assert await AuditRecord.filter(action="access.denied").count() == 10
    assert (await stored(path)).state is State.SUBMITTED


async def test_a_withdrawn_request_is_ended_once(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    assert (await official.submit(f"{path}/withdrawal", {"note": "เปลี่ยนแผน"})).status_code == 303
    again = await official.submit(f"{path}/withdrawal")
    assert again.status_code == 409
    assert "ถอนคำร้องแล้ว" in said(again)
    late = await reviewer.submit(f"{path}/review")
    assert late.status_code == 409
    assert (await stored(path)).state is State.WITHDRAWN


async def test_both_sides_talk_on_the_timeline(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    assert (await reviewer.submit(f"{path}/messages", {"text": "ใช้ที่อาคารใด <b>"})).status_code == 303
    page = await official.get(path)
    assert "ใช้ที่อาคารใด &lt;b&gt;" in page.text
    assert (await official.submit(f"{path}/messages", {"text": " "})).status_code == 422
    assert (await (await browser_for("auditor")).submit(f"{path}/messages", {"text": "x"})).status_code == 403


async def test_a_copy_is_a_new_draft(browser_for: BrowserFor, shop: Shop) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop))
    made = await official.submit(f"{path}/copy")
    assert made.headers["location"].endswith("/edit")
    assert 'value="500"' in (await official.get(made.headers["location"])).text


PDF = b"%PDF-1.7 plan"


async def test_files_are_checked_saved_and_fetched_by_both_sides(browser_for: BrowserFor, shop: Shop) -> None:
    official, reviewer = await browser_for("official-a"), await browser_for("reviewer")
    path = await ask(official, change(shop))
    sent = await official.submit(f"{path}/files", files={"attachment": ("../แผน<1>.exe", PDF)})
    assert sent.status_code == 303, said(sent)[:300]
    page = await reviewer.get(path)
    link = re.search(rf"{path}/files/[0-9a-f-]+", page.text)
    assert link
    fetched = await reviewer.get(link[0])
    assert fetched.content == PDF
    assert fetched.headers["content-disposition"].startswith("attachment")
    assert fetched.headers["content-type"] == "application/pdf"
    assert "sandbox" in fetched.headers["content-security-policy"]
    assert ".exe" not in fetched.headers["content-disposition"]
    assert (await (await browser_for("official-b")).get(link[0])).status_code == 404
    assert (await reviewer.submit(f"{link[0]}/removal")).status_code == 403
    assert (await official.submit(f"{link[0]}/removal")).status_code == 303
    assert (await official.get(link[0])).status_code == 404


@pytest.mark.parametrize(
    "content", [None, b"", b"MZ not a document", b"PK\x03\x04 broken", PDF + bytes(10 * 1024 * 1024)]
)
async def test_other_files_are_refused_with_a_reason(
    browser_for: BrowserFor, shop: Shop, content: bytes | None
) -> None:
    official = await browser_for("official-a")
    path = await ask(official, change(shop))
    files = {} if content is None else {"attachment": ("แผน.pdf", content)}
    refused = await official.submit(f"{path}/files", files=files)
    assert refused.status_code == 422
    assert "note-danger" in refused.text
