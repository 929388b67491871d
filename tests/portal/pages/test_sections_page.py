"""The sections of a desk: the agreement taken over, places given by the administrator, technicians' by their head."""

from collections.abc import Awaitable, Callable

from auth.rules import system
from auth.tenancy import acting_as
from services.sections.models import Section, SectionMember
from services.sla.models import SlaRow
from tests.browsing import Browser, said
from tests.cast import actor
from tests.portal.pages.asking import stand
from tests.services.incidents.desk import at, person_of

BrowserFor = Callable[..., Awaitable[Browser]]


async def test_a_desk_is_set_up_without_anybody_but_its_own_people(database: str, browser_for: BrowserFor) -> None:
    manager, admin, head = [await browser_for(who) for who in ("manager", "admin", "head-network")]
    await stand(at(2026, 12, 8, 9), manager)
    assert "ยังไม่มีฝ่าย" in said(await manager.get("/desk/sections"))
    assert (await admin.submit("/desk/agreement")).status_code == 403
    assert (await manager.submit("/desk/agreement")).status_code == 303
    assert (await manager.submit("/desk/agreement")).status_code == 409
    async with acting_as(system("tests")):
        sections = {each.code: str(each.id) for each in await Section.all()}
        assert await SlaRow.filter(code="P1").exists()
    leader, technician = person_of(await actor("head-network")), person_of(await actor("technician"))

    place = {"section": sections["network"], "person": str(leader), "position": "head"}
    assert (await head.submit("/desk/sections", place)).status_code == 403  # nobody gives it to oneself
    assert (await admin.submit("/desk/sections", place | {"position": "king"})).status_code == 422
    shown = said(await admin.follow(await admin.submit("/desk/sections", place)))
    assert "หัวหน้าฝ่ายเครือข่าย" in shown
    work = {"section": sections["network"], "person": str(technician), "position": "technician"}
    assert (await head.submit("/desk/sections", work | {"section": sections["hardware"]})).status_code == 403
    assert (await head.submit("/desk/sections", work)).status_code == 303
    assert (await head.submit("/desk/sections", work)).status_code == 409
    async with acting_as(system("tests")):
        [given] = await SectionMember.filter(person_id=technician)
        [headed] = await SectionMember.filter(person_id=leader)
    assert (await head.submit(f"/desk/sections/{headed.id}/end", {"sure": "yes"})).status_code == 403
    assert (await head.submit(f"/desk/sections/{given.id}/end")).status_code == 422
    assert (await head.submit(f"/desk/sections/{given.id}/end", {"sure": "yes"})).status_code == 303
    assert "ยังไม่มีบุคลากร" in said(await head.get("/desk/sections"))
