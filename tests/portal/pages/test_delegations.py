"""An approver lends the role for an absence, and takes it back."""

import datetime as dt

from auth.people.models import Delegation
from auth.rules import Role, system
from auth.tenancy import acting_as
from billing.months import bangkok_date
from portal.formats import date_numeric
from tests import cast
from tests.browsing import Browser, said


def day(ahead: int) -> str:
    return date_numeric(bangkok_date(dt.datetime.now(dt.UTC)) + dt.timedelta(days=ahead))


async def delegations() -> list[Delegation]:
    async with acting_as(system("tests")):
        return await Delegation.all().order_by("given_at")


async def lend(browser: Browser, to: str, first: int, last: int, reason: str = "ลาพักผ่อน"):
    person = await cast.person(to)
    facts = {"to_person": str(person.id), "starts_at": day(first), "ends_at": day(last), "reason": reason}
    return await browser.submit("/delegations", facts)


async def test_a_lent_role_acts_from_the_next_page_on_and_ends_when_taken_back(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    official: Browser = await browser_for("official-a")
    assert (await official.get("/delegations")).status_code == 403
    shown = await approver.follow(await lend(approver, "official-a", 0, 3))
    assert "ลาพักผ่อน" in said(shown)
    name = (await cast.person("approver-a")).name
    assert f"รักษาการแทน {name}" in said(await official.get("/delegations"))
    [lent] = await delegations()
    assert (await official.submit(f"/delegations/{lent.id}/end")).status_code == 404
    assert (await approver.submit(f"/delegations/{lent.id}/end")).status_code == 303
    assert (await official.get("/delegations")).status_code == 403
    assert (await approver.submit(f"/delegations/{lent.id}/end")).status_code == 409


async def test_a_role_lent_for_later_does_not_act_yet(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    official: Browser = await browser_for("official-a")
    assert (await lend(approver, "official-a", 2, 3)).status_code == 303
    assert (await official.get("/delegations")).status_code == 403
    assert "ยังไม่เริ่ม" in said(await approver.get("/delegations"))


async def test_what_was_lent_cannot_be_lent_on(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    await lend(approver, "official-a", 0, 3)
    official: Browser = await browser_for("official-a")
    assert 'action="/delegations"' not in (await official.get("/delegations")).text
    assert (await lend(official, "finance-a", 0, 3)).status_code == 403


async def test_what_is_refused_is_told_beside_its_field(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    empty = await approver.submit("/delegations", {"to_person": "", "starts_at": "x", "ends_at": "", "reason": ""})
    assert empty.status_code == 422
    for name in ("to_person", "starts_at", "ends_at", "reason"):
        assert f'id="field-{name}-error"' in empty.text
    assert 'value="x"' in empty.text
    assert "นานที่สุดสามเดือน" in said(await lend(approver, "official-a", 0, 120))
    assert "หลังวันเริ่มต้น" in said(await lend(approver, "official-a", 5, 2))
    assert "ในหน่วยงานของท่าน" in said(await lend(approver, "official-b", 0, 2))
    assert "ในหน่วยงานของท่าน" in said(await lend(approver, "approver-a", 0, 2))
    assert await delegations() == []


async def test_another_agencys_delegations_are_not_there(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    await lend(approver, "official-a", 0, 3, reason="ไปราชการต่างประเทศ")
    [lent] = await delegations()
    other: Browser = await browser_for("approver-b")
    assert "ไปราชการต่างประเทศ" not in said(await other.get("/delegations"))
    assert (await other.submit(f"/delegations/{lent.id}/end")).status_code == 404


async def test_a_lender_who_loses_the_role_lends_nothing(browser_for) -> None:
    approver: Browser = await browser_for("approver-a")
    await lend(approver, "official-a", 0, 3)
    await cast.take_away("approver-a", Role.APPROVER)
    official: Browser = await browser_for("official-a")
    assert (await official.get("/delegations")).status_code == 403
