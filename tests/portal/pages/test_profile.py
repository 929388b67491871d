"""An agency keeps its own profile; the provider reads it, another agency does not find it (standard 7.5.1)."""

from auth.audit.models import AuditRecord
from auth.organisations.models import Coordinator, Organisation
from auth.rules import system
from auth.tenancy import acting_as
from tests import cast
from tests.browsing import Browser, said


async def profile(code: str) -> Organisation:
    return await cast.organisation(code)


async def records(action: str) -> list[AuditRecord]:
    async with acting_as(system("tests")):
        return await AuditRecord.filter(action=action).order_by("number")


async def test_everybody_of_an_agency_reads_its_profile(browser_for) -> None:
    finance: Browser = await browser_for("finance-a")
    words = said(await finance.get("/agency"))
    own = await profile("agency-a")
    for fact in (own.name_th, own.name_en, own.tax_id, own.phone, own.email):
        assert fact in words
    assert (await finance.get("/agency/edit")).status_code == 403


async def test_an_edit_is_kept_and_leaves_its_record(browser_for) -> None:
    official: Browser = await browser_for("official-a")
    before = await profile("agency-a")
    facts = {"name_th": before.name_th, "name_en": "Department K", "tax_id": before.tax_id, "branch_code": "00012"}
    answer = await official.submit("/agency", facts)
    assert answer.status_code == 303
    after = await profile("agency-a")
    assert (after.name_en, after.branch_code, after.phone) == ("Department K", "00012", before.phone)
    [record] = await records("organisation.edited")
    assert record.detail["before"] == {"name_en": before.name_en, "branch_code": "00000"}
    assert record.detail["after"] == {"name_en": "Department K", "branch_code": "00012"}


async def test_what_is_refused_stands_beside_its_field_and_nothing_typed_is_lost(browser_for) -> None:
    official: Browser = await browser_for("official-a")
    wrong = {"name_th": "", "name_en": "A" * 201, "tax_id": "12", "branch_code": "1", "email": "nobody"}
    facts = wrong | {"phone": "0 2222"}
    answer = await official.submit("/agency", facts)
    assert answer.status_code == 422
    for name in wrong:
        assert f'id="field-{name}-error"' in answer.text
    assert 'value="0 2222"' in answer.text
    assert 'value="nobody"' in answer.text
    assert (await profile("agency-a")).phone != "0 2222"


async def test_a_coordinator_comes_is_changed_and_leaves(browser_for) -> None:
    official: Browser = await browser_for("official-a")
    nameless = await official.submit("/agency/coordinators", {"purpose": "security", "name": ""})
    assert nameless.status_code == 422
    assert "ระบุชื่อ" in said(nameless)
    assert "ช่องทางการติดต่ออย่างน้อยหนึ่ง" in said(nameless)
    added = await official.submit(
        "/agency/coordinators", {"purpose": "security", "name": "นางสาวปลอดภัย ดูแล", "phone": "0 2000 1111"}
    )
    assert "นางสาวปลอดภัย ดูแล" in said(await official.follow(added))
    async with acting_as(system("tests")):
        kept = await Coordinator.get(name="นางสาวปลอดภัย ดูแล")
    changed = await official.submit(
        f"/agency/coordinators/{kept.id}", {"purpose": "around_the_clock", "name": kept.name, "line_id": "@ploy"}
    )
    words = said(await official.follow(changed))
    assert "@ploy" in words
    assert "0 2000 1111" not in words
    ended = await official.submit(f"/agency/coordinators/{kept.id}/end")
    assert "นางสาวปลอดภัย ดูแล" not in said(await official.follow(ended))
    assert [len(await records(f"coordinator.{deed}")) for deed in ("added", "edited", "ended")] == [1, 1, 1]


async def test_another_agencys_coordinator_and_profile_are_not_found(browser_for) -> None:
    official: Browser = await browser_for("official-a")
    await official.submit("/agency/coordinators", {"purpose": "general", "name": "ผู้ประสาน ก", "phone": "1"})
    async with acting_as(system("tests")):
        kept = await Coordinator.get(name="ผู้ประสาน ก")
    stranger: Browser = await browser_for("official-b")
    assert (await stranger.get(f"/agency/coordinators/{kept.id}")).status_code == 404
    facts = {"purpose": "general", "name": "x", "phone": "2"}
    assert (await stranger.submit(f"/agency/coordinators/{kept.id}", facts)).status_code == 404
    assert (await stranger.submit(f"/agency/coordinators/{kept.id}/end")).status_code == 404
    assert (await stranger.get(f"/agencies/{(await profile('agency-a')).id}")).status_code == 404
    assert (await stranger.get("/agencies")).status_code == 404


async def test_the_provider_and_those_who_oversee_read_an_agencys_profile_and_change_nothing(browser_for) -> None:
    own = await profile("agency-a")
    for who in ("reviewer", "helpdesk", "central", "auditor"):
        browser: Browser = await browser_for(who)
        listed = await browser.get("/agencies")
        assert f"/agencies/{own.id}" in listed.text
        shown = await browser.get(f"/agencies/{own.id}")
        assert own.tax_id in said(shown)
        assert "/agency/edit" not in shown.text
        assert (await browser.submit("/agency", {"name_th": "x"})).status_code == 403


async def test_the_administrator_decides_whether_the_asker_may_confirm(browser_for) -> None:
    official: Browser = await browser_for("official-a")
    assert (await official.submit("/agency/asker-may-confirm", {"allowed": "yes"})).status_code == 403
    admin: Browser = await browser_for("agency-admin-a")
    await admin.follow(await admin.submit("/agency/asker-may-confirm", {"allowed": "yes"}))
    assert (await profile("agency-a")).asker_may_confirm
    assert not (await profile("agency-b")).asker_may_confirm
    await admin.submit("/agency/asker-may-confirm", {"allowed": "no"})
    assert not (await profile("agency-a")).asker_may_confirm
