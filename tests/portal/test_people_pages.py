"""Users and rights, and asking for access: who decides, and what it does."""

import uuid
from collections.abc import Awaitable, Callable

import pytest

from auth.audit.models import AuditRecord
from auth.people.models import AccessRequest
from auth.rules import Role, system
from auth.tenancy import acting_as
from tests import cast
from tests.browsing import Browser, said

BrowserFor = Callable[..., Awaitable[Browser]]


async def deeds(action: str) -> list[AuditRecord]:
    async with acting_as(system("test")):
        return await AuditRecord.filter(action=action)


async def wish(browser_for: BrowserFor, code: str = "agency-a", role: str = "finance") -> tuple[Browser, uuid.UUID]:
    """Let a newcomer ask for access; returns the newcomer's browser and the request's id."""
    await cast.newcomer()
    newcomer = await browser_for("newcomer")
    where = await cast.organisation(code)
    sent = await newcomer.submit("/access", {"organisation": str(where.id), "role": role, "note": "กองคลัง"})
    assert sent.status_code == 303, said(sent)
    async with acting_as(system("test")):
        return newcomer, (await AccessRequest.get()).id


async def test_from_the_first_sign_in_to_a_role(browser_for: BrowserFor) -> None:
    newcomer, request_id = await wish(browser_for)
    assert "รอผู้ดูแลพิจารณา" in said(await newcomer.get("/access"))
    admin = await browser_for("agency-admin-a")
    page = await admin.get("/users")
    assert "ผู้มาใหม่" in said(page)
    assert "กองคลัง" in said(page)
    decided = await admin.submit(f"/users/requests/{request_id}/decide", {"decision": "grant"})
    assert decided.headers["location"] == "/users"
    overview = await newcomer.get("/")
    assert overview.status_code == 200
    assert "หน่วยงาน ก." in said(overview)
    [granted] = await deeds("role.granted")
    assert (granted.actor, granted.detail["role"]) == ((await cast.person("agency-admin-a")).name, "finance")


async def test_a_refusal_is_told_with_its_reason(browser_for: BrowserFor) -> None:
    newcomer, request_id = await wish(browser_for)
    admin = await browser_for("agency-admin-a")
    await admin.submit(f"/users/requests/{request_id}/decide", {"decision": "refuse", "note": "ไม่ใช่บุคลากร"})
    page = said(await newcomer.get("/access"))
    assert "ไม่อนุญาต" in page
    assert "ไม่ใช่บุคลากร" in page
    again = await admin.submit(f"/users/requests/{request_id}/decide", {"decision": "grant"})
    assert again.status_code == 409


@pytest.mark.parametrize("who", ["agency-admin-b", "admin", "central"])
async def test_another_organisations_administrator_decides_nothing(browser_for: BrowserFor, who: str) -> None:
    newcomer, request_id = await wish(browser_for)
    other = await browser_for(who)
    assert "ผู้มาใหม่" not in (await other.get("/users")).text
    assert (await other.submit(f"/users/requests/{request_id}/decide", {"decision": "grant"})).status_code == 404
    assert (await newcomer.get("/")).headers["location"] == "/access"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"role": "reviewer"}, 422),
        ({"role": "emperor"}, 422),
        ({"role": ""}, 422),
        ({"organisation": "nowhere"}, 422),
        ({"organisation": str(uuid.uuid4())}, 404),
        ({"note": "x" * 501}, 422),
    ],
)
async def test_a_wish_that_cannot_be_taken(browser_for: BrowserFor, changes: dict[str, str], status: int) -> None:
    await cast.newcomer()
    newcomer = await browser_for("newcomer")
    fields = {"organisation": str((await cast.organisation("agency-a")).id), "role": "official", "note": "kept"}
    response = await newcomer.submit("/access", fields | changes)
    assert response.status_code == status
    if status == 422 and "note" not in changes:
        assert ">\nkept</textarea>" in response.text
    async with acting_as(system("test")):
        assert await AccessRequest.all().count() == 0


async def test_organisations_are_found_by_who_knows_them_and_listed_to_nobody(browser_for: BrowserFor) -> None:
    await cast.newcomer()
    newcomer = await browser_for("newcomer")
    a, b = await cast.organisation("agency-a"), await cast.organisation("agency-b")
    for words, found in (
        ("", ()),
        ("ก.", ()),  # two letters name nobody
        ("%", ()),
        ("___", ()),
        ("agency-", ()),  # part of a code is none
        ("AGENCY-A", (a,)),
        (b.short_code.lower(), (b,)),
        (a.name_th, (a,)),
    ):
        page = (await newcomer.get("/access", params={"q": words})).text
        for each in (a, b):
            assert (f'value="{each.id}"' in page) is (each in found), words
            if each not in found:
                assert each.name_en not in page


async def test_one_open_wish_per_organisation(browser_for: BrowserFor) -> None:
    newcomer, _ = await wish(browser_for)
    where = await cast.organisation("agency-a")
    again = await newcomer.submit("/access", {"organisation": str(where.id), "role": "official"})
    assert again.status_code == 422


async def test_granting_and_revoking(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    official = await cast.person("official-a")
    await admin.submit(f"/users/{official.id}/grant", {"role": "approver"})
    assert cast.Role.APPROVER in (await cast.actor("official-a")).roles
    asked = await admin.get(f"/users/{official.id}/revoke/approver")
    assert official.name in said(asked)
    done = await admin.submit(f"/users/{official.id}/revoke/approver")
    assert done.headers["location"] == "/users"
    assert cast.Role.APPROVER not in (await cast.actor("official-a")).roles
    assert len(await deeds("role.revoked")) == 1


async def test_what_nobody_holds_cannot_be_revoked(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    official = await cast.person("official-a")
    for role in ("finance", "reviewer", "emperor"):
        assert (await admin.get(f"/users/{official.id}/revoke/{role}")).status_code == 404
        assert (await admin.submit(f"/users/{official.id}/revoke/{role}")).status_code == 404


@pytest.mark.parametrize(("who", "role"), [("agency-admin-a", "agency_admin"), ("admin", "provider_admin")])
async def test_the_last_administrator_stays(browser_for: BrowserFor, who: str, role: str) -> None:
    admin = await browser_for(who)
    person = await cast.person(who)
    response = await admin.submit(f"/users/{person.id}/revoke/{role}")
    assert response.status_code == 409
    assert "คนสุดท้าย" in said(response)
    assert (await admin.get("/users")).status_code == 200


async def test_another_agencys_people_are_out_of_reach(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    stranger = await cast.person("official-b")
    page = await admin.get("/users")
    assert stranger.name not in page.text
    assert str(stranger.id) not in page.text
    assert (await admin.submit(f"/users/{stranger.id}/grant", {"role": "official"})).status_code == 404
    assert (await admin.submit(f"/users/{stranger.id}/revoke/official")).status_code == 404
    assert cast.Role.OFFICIAL in (await cast.actor("official-b")).roles


async def test_roles_of_another_kind_of_organisation_cannot_be_granted(browser_for: BrowserFor) -> None:
    admin = await browser_for("agency-admin-a")
    official = await cast.person("official-a")
    for role in (Role.REVIEWER, Role.CENTRAL, Role.PROVIDER_ADMIN):
        assert (await admin.submit(f"/users/{official.id}/grant", {"role": role.value})).status_code == 422


async def test_the_central_agency_grants_in_its_own_house_only(browser_for: BrowserFor) -> None:
    central = await browser_for("central")
    assert (await cast.person("central")).name in said(await central.get("/users"))
    official = await cast.person("official-a")
    assert (await central.submit(f"/users/{official.id}/grant", {"role": "central"})).status_code == 404


async def test_the_overview_offers_what_the_role_may_do(browser_for: BrowserFor) -> None:
    assert 'href="/users"' in (await (await browser_for("agency-admin-a")).get("/")).text
    assert 'href="/users"' not in (await (await browser_for("official-a")).get("/")).text


async def test_the_language_is_kept(browser_for: BrowserFor) -> None:
    browser = await browser_for("official-a")
    switched = await browser.get("/language/en?next=/account")
    assert switched.headers["location"] == "/account"
    page = await browser.follow(switched)
    assert '<html lang="en">' in page.text
    assert "Where you are signed in" in said(page)
    assert (await browser.get("/language/fr")).status_code == 404
    assert (await browser.get("/language/th?next=//evil.example")).headers["location"] == "/"


async def test_a_role_one_has_is_not_asked_for_again(browser_for: BrowserFor) -> None:
    official, where = await browser_for("official-a"), str((await cast.organisation("agency-a")).id)
    refused = await official.submit("/access", {"organisation": where, "role": "official", "note": "อีกครั้ง"})
    assert refused.status_code == 422
    assert "ท่านมีบทบาทนี้ในหน่วยงานนั้นอยู่แล้ว" in said(refused)
    assert "อีกครั้ง" in refused.text
    assert (await official.submit("/access", {"organisation": where, "role": "finance"})).status_code == 303


async def test_a_mistyped_address_keeps_ones_menu(browser_for: BrowserFor) -> None:
    lost = await (await browser_for("official-a")).get("/servicez")
    assert lost.status_code == 404
    assert "ไม่พบข้อมูลที่ต้องการ" in said(lost)
    assert 'href="/services"' in lost.text
    assert 'action="/sign-out"' in lost.text
    ended = await browser_for("official-b")
    ended.cookies.clear()
    stranger = await ended.get("/servicez")
    assert stranger.status_code == 404
    assert 'href="/services"' not in stranger.text
