"""Every move of an incident by everybody, through its page: who is let through, who is refused, who finds nothing."""

import uuid
from collections.abc import Awaitable, Callable, Mapping

import pytest

from portal.pages.incidents.moves import MOVES
from services.incidents.appointments import accept, propose
from services.incidents.commands import assign, first_analysis
from services.incidents.ending import confirm, resolve
from services.incidents.models import Incident
from services.incidents.rules import Action
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import attempt
from tests.services.incidents.desk import Desk, at, person_of, staffed
from tests.services.incidents.test_rules import DESK, HEAD, NOTHING, TALK, WORK

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at(2026, 12, 8, 9)
CANARY = "ดาวเหนือ-5512"

# Which action each form of the page is; the table of actions by role is that of the rules' test.
IS: Mapping[str, Action] = {
    "analysis": Action.ACCEPT, "condition": Action.MEET_CONDITION, "classification": Action.RECLASSIFY,
    "forwarding": Action.FORWARD, "assignment": Action.ASSIGN, "taking": Action.TAKE, "waiting": Action.WAIT,
    "resumption": Action.RESUME, "vendor": Action.SEND_TO_VENDOR, "return": Action.RETURN,
    "account": Action.FINISH_ITEM, "resolution": Action.RESOLVE, "confirmation": Action.CONFIRM,
    "reopening": Action.REOPEN, "grade": Action.RATE, "merging": Action.MERGE, "outage": Action.LINK,
    "message": Action.SAY, "note": Action.NOTE, "work": Action.NOTE, "appointment": Action.PROPOSE,
    "acceptance": Action.APPOINT,
}  # fmt: skip
# What each may do to an incident of the network section that the official asked for and the technician worked on;
# then to one of the website section that nobody is assigned to, where that differs.
MAY: Mapping[str, tuple[set[Action], ...]] = {
    "official-a": (TALK,),
    "approver-a": (TALK,),
    "helpdesk": (DESK,),
    "head-network": (HEAD, NOTHING),  # another section's is not the head's (row 42)
    "technician": (WORK, NOTHING),
    "manager": (NOTHING,),
}
# Whom the route refuses already, whatever the move.
KEPT_OUT = ("finance-a", "reviewer", "provider-finance", "admin", "central", "auditor")


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


async def closed(desk: Desk, code: str, *, works: bool) -> tuple[Incident, uuid.UUID]:
    """Return an incident that is over, so that no move of it can be made, and an appointment it had."""
    opened = await desk.call(code, NOW)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=NOW))
    appointment = uuid.uuid4()
    if works:
        technician = desk.technician
        await desk.do(desk.head, assign(opened.id, person_of(technician), by=desk.head, now=NOW))
        times = at(2026, 12, 9, 9), at(2026, 12, 9, 10)
        appointment = (await desk.do(technician, propose(opened.id, *times, by=technician, now=NOW))).id
        await desk.do(desk.official, accept(appointment, by=desk.official, now=NOW))
    await desk.do(desk.helpdesk, resolve(opened.id, resolution=CANARY, by=desk.helpdesk, now=NOW))
    await desk.do(desk.official, confirm(opened.id, grade=5, by=desk.official, now=NOW))
    return opened, appointment


async def test_every_move_by_everybody(desk: Desk, browser_for: BrowserFor) -> None:
    assert set(IS) == set(MOVES)
    (own, appointment), (other, _) = await closed(desk, "3.1", works=True), await closed(desk, "4.2", works=False)
    twin, _ = await closed(desk, "3.1", works=False)
    fields = {
        "section": str(desk.sections["software"].id), "person": str(person_of(desk.technician)), "into": str(twin.id),
        "starts_day": "9/12/2569", "starts_time": "10:00", "minutes": "30", "appointment": str(appointment),
        "text": "x", "note": "x", "resolution": "x", "grade": "4", "account": "1", "code": "3.1",
    }  # fmt: skip
    wrong = []
    for name, allowed in MAY.items():
        browser = await browser_for(name)
        await stand(at(2026, 12, 8, 10), browser)
        for incident, may in zip((own, other), allowed, strict=False):
            for move, action in IS.items():
                if move == "acceptance" and incident is other:
                    continue  # it never had an appointment
                status = (await attempt(browser, f"/incidents/{incident.id}", move, **fields)).status_code
                if (status != 403) != (action in may):
                    wrong.append(f"{name}: {move} of {incident.row_code}: {status}")
    assert wrong == []
    for names, expected in ((KEPT_OUT, 403), (("official-b",), 404)):
        for name in names:
            browser = await browser_for(name)
            for move in ("assignment", "message", "note"):
                answer = await attempt(browser, f"/incidents/{own.id}", move, **fields)
                assert answer.status_code == expected, (name, move)


async def test_the_agreement_and_the_administrator_s_blindness(desk: Desk, browser_for: BrowserFor) -> None:
    opened, _ = await closed(desk, "3.1", works=True)
    technician, head, admin = [await browser_for(who) for who in ("technician", "head-network", "admin")]
    await stand(at(2026, 12, 8, 10), admin)
    for browser, code in ((technician, "3.1"), (head, "4.2")):  # rows 43 and 42
        assert (await browser.get(f"/sla/{code}/edit")).status_code == 403
        assert (await browser.submit(f"/sla/{code}", {"process_th": "x", "mode": "none"})).status_code == 403
    assert (await head.get("/sla/3.1/edit")).status_code == 200
    # Row 45: no ticket's content, wherever the administrator looks.
    for address in (f"/incidents/{opened.id}", "/incidents", "/desk", "/desk/overview", "/outages", "/knowledge"):
        assert (await admin.get(address)).status_code == 403, address
    for address in ("/", "/news", "/audit", "/users"):
        page = await admin.get(address)
        assert page.status_code == 200, address
        assert CANARY not in said(page), address
        assert opened.title not in said(page), address
