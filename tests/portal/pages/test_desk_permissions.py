"""Every move of an incident by everybody, through its page: who is let through, who is refused, who finds nothing."""

import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest

from auth.rules import Actor, Role, system
from auth.tenancy import acting_as, rows
from portal.pages.incidents.moves import MOVES
from services.disruptions.commands import begin
from services.incidents.appointments import accept, propose
from services.incidents.commands import (
    assign,
    first_analysis,
    forward,
    send_to_vendor,
    wait_for_requester,
)
from services.incidents.ending import confirm, reopen, resolve
from services.incidents.models import Appointment, Incident
from services.incidents.rules import Action, Side, State
from services.sections.commands import seat
from services.sections.models import Position
from tests.browsing import Browser, said
from tests.cast import actor, give, newcomer
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import attempt
from tests.services.incidents.desk import LONG_AGO, Desk, at, cleared, person_of, staffed
from tests.services.incidents.test_rules import leads

BrowserFor = Callable[..., Awaitable[Browser]]
NOW, LATER = at(2026, 12, 8, 9), at(2026, 12, 8, 10)
CANARY = "ดาวเหนือ-5512"

# Who stands in the table, and how they stand to its incident: asked for by the official of agency ก., with the section
# of head-network, assigned to the technician.
WHO: Final[Mapping[str, str]] = {
    "off": "official-a",
    "col": "colleague",  # another official of agency ก.
    "apr": "approver-a",
    "fin": "finance-a",
    "adA": "agency-admin-a",
    "ofB": "official-b",
    "adB": "agency-admin-b",
    "rev": "reviewer",
    "hlp": "helpdesk",
    "hd1": "head-network",
    "hd2": "head-hardware",  # of another section
    "te1": "technician",
    "te2": "technician-2",  # of the same section, not assigned
    "pfi": "provider-finance",
    "mgr": "manager",
    "adm": "admin",
    "cen": "central",
    "aud": "auditor",
}
# ok: done; 403: refused; 404: there is no such incident for them.
TABLE: Final = """
                        off col apr fin adA ofB adB rev hlp hd1 hd2 te1 te2 pfi mgr adm cen aud
analysis       REPORTED 403 404 403 403 403 404 404 403 ok  ok  403 403 403 403 403 403 403 403
condition      ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
classification ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
forwarding     ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 403 403 403 403 403 403 403
assignment     ASSIGNED 403 404 403 403 403 404 404 403 403 ok  403 403 403 403 403 403 403 403
taking         ASSIGNED 403 404 403 403 403 404 404 403 403 403 403 ok  403 403 403 403 403 403
waiting        ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
resumption     WAITING  ok  404 ok  403 ok  404 404 403 ok  ok  403 ok  403 403 403 403 403 403
vendor         ASSIGNED 403 404 403 403 403 404 404 403 403 ok  403 ok  403 403 403 403 403 403
return        AT_VENDOR 403 404 403 403 403 404 404 403 403 ok  403 ok  403 403 403 403 403 403
account        ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
resolution     ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
confirmation   RESOLVED ok  404 ok  403 ok  404 404 403 403 403 403 403 403 403 403 403 403 403
reopening      RESOLVED ok  404 ok  403 ok  404 404 403 403 403 403 403 403 403 403 403 403 403
grade          CLOSED   ok  404 ok  403 ok  404 404 403 403 403 403 403 403 403 403 403 403 403
merging        ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 403 403 403 403 403 403 403
outage         ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 403 403 403 403 403 403 403
message        ASSIGNED ok  404 ok  403 ok  404 404 403 ok  ok  403 ok  403 403 403 403 403 403
note           ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
work           ASSIGNED 403 404 403 403 403 404 404 403 ok  ok  403 ok  403 403 403 403 403 403
appointment    ASSIGNED ok  404 ok  403 ok  404 404 403 403 403 403 ok  403 403 403 403 403 403
acceptance     ASSIGNED ok  404 ok  403 ok  404 404 403 403 403 403 403 403 403 403 403 403 403
"""
# Moves that leave an incident where the next can make them again.
LASTING: Final = frozenset({"message", "note", "work", "outage", "appointment"})
# Which action each move of the page is, by the names of the table of states.
IS: Final[Mapping[str, Action]] = {
    "analysis": Action.ACCEPT, "condition": Action.MEET_CONDITION, "classification": Action.RECLASSIFY,
    "forwarding": Action.FORWARD, "assignment": Action.ASSIGN, "taking": Action.TAKE, "waiting": Action.WAIT,
    "resumption": Action.RESUME, "vendor": Action.SEND_TO_VENDOR, "return": Action.RETURN,
    "account": Action.FINISH_ITEM, "resolution": Action.RESOLVE, "confirmation": Action.CONFIRM,
    "reopening": Action.REOPEN, "grade": Action.RATE, "merging": Action.MERGE, "outage": Action.LINK,
    "message": Action.SAY, "note": Action.NOTE, "work": Action.NOTE, "appointment": Action.PROPOSE,
    "acceptance": Action.APPOINT,
}  # fmt: skip
KEPT: Final = """
SELECT to_jsonb(i) AS incident, (SELECT json_agg(f ORDER BY number) FROM incident_fact f WHERE incident_id = i.id) AS f,
 (SELECT json_agg(a ORDER BY a.id) FROM appointment a WHERE incident_id = i.id) AS appointments,
 (SELECT count(*) FROM incident_message WHERE incident_id = i.id) AS messages,
 (SELECT count(*) FROM internal_note WHERE incident_id = i.id) AS notes,
 (SELECT count(*) FROM work_entry WHERE incident_id = i.id) AS work,
 (SELECT count(*) FROM notification) AS told, (SELECT count(*) FROM reply) AS answered,
 (SELECT count(*) FROM audit_record WHERE action <> 'access.denied') AS recorded
FROM incident i WHERE id = $1
"""


def by_move() -> dict[str, tuple[State, dict[str, str]]]:
    """Return the table: for each move the state it starts from and, by who, what is to come of it."""
    header, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return {move: (State[state], dict(zip(header, cells, strict=True))) for move, state, *cells in lines}


@dataclass(frozen=True)
class Scene:
    """The desk with everybody of the table, an incident to merge into, and a known fault."""

    desk: Desk
    other: Actor  # the technician who is not assigned
    twin: uuid.UUID
    fault: uuid.UUID

    async def incident(self, state: State) -> Incident:
        """Return an incident brought to a state the way it comes there; it asks for two accounts, on a condition."""
        desk, now = self.desk, NOW
        do, helpdesk, head, technician, official = (
            desk.do, desk.helpdesk, desk.head, desk.technician, desk.official,
        )  # fmt: skip
        if state is State.FORWARDED:
            opened, section = await desk.call("3.1", now, items=2), desk.sections["web-mail"].id
            await do(helpdesk, forward(opened.id, section, code="5.1", note="x", by=helpdesk, now=now))
            return opened
        opened = await desk.call("5.1", now, items=2)
        if state is State.REPORTED:
            return opened
        await do(helpdesk, first_analysis(opened.id, by=helpdesk, now=now))
        if state is State.ACCEPTED:
            return opened
        await do(head, assign(opened.id, person_of(technician), by=head, now=now))
        match state:
            case State.APPOINTED:
                times = at(2026, 12, 9, 9), at(2026, 12, 9, 10)
                proposed = await do(technician, propose(opened.id, *times, by=technician, now=now))
                await do(official, accept(proposed.id, by=official, now=now))
            case State.WAITING:
                await do(technician, wait_for_requester(opened.id, note="x", by=technician, now=now))
            case State.AT_VENDOR:
                await do(technician, send_to_vendor(opened.id, by=technician, now=now))
            case State.RESOLVED | State.CLOSED | State.REOPENED:
                await do(technician, resolve(opened.id, resolution=CANARY, by=technician, now=now))
                if state is State.CLOSED:
                    await do(official, confirm(opened.id, by=official, now=now))
                if state is State.REOPENED:
                    await do(official, reopen(opened.id, note="x", by=official, now=now))
        return opened

    async def proposed(self, incident: Incident) -> uuid.UUID:
        """Return a time the technician has proposed for it, whatever its state."""
        technician = self.desk.technician
        async with acting_as(system("tests")):
            made = await Appointment.create(
                agency_id=incident.agency_id, provider_id=incident.provider_id, incident_id=incident.id,
                starts_at=at(2026, 12, 9, 9), ends_at=at(2026, 12, 9, 10), proposed_by=technician.person_id,
                proposed_by_name=technician.name, proposed_side=Side.DESK, proposed_at=NOW,
            )  # fmt: skip
        return made.id

    def fields(self, move: str, appointment: uuid.UUID) -> dict[str, str]:
        """Return what a move's form holds, and what other moves' forms do."""
        row = {"code": "5.2"} if move == "classification" else {}
        return row | {
            "section": str(self.desk.sections["hardware"].id), "person": str(person_of(self.other)),
            "into": str(self.twin), "starts_day": "9/12/2569", "starts_time": "10:00", "minutes": "30",
            "appointment": str(appointment), "disruption": str(self.fault), "text": "x", "note": "x",
            "resolution": "x", "grade": "4", "account": "1",
        }  # fmt: skip


@pytest.fixture
async def scene(database: str) -> Scene:
    desk = await staffed(sections=("web-mail",))
    web_mail, hardware = desk.sections["web-mail"], desk.sections["hardware"]
    for username, code, role in (
        ("colleague", "agency-a", Role.OFFICIAL),
        ("technician-2", "provider", Role.TECHNICIAN),
    ):
        await newcomer(username, username)
        await give(username, code, role)
    other, head = await actor("technician-2"), await actor("head-hardware")
    async with acting_as(system("tests")):
        await cleared(web_mail.provider_id, other)
        for section, person, position in ((web_mail, other, Position.TECHNICIAN), (hardware, head, Position.HEAD)):
            await seat(section.id, person_of(person), position, by=system("tests"), now=LONG_AGO)
    twin = await desk.call("5.1", NOW)
    fault = await desk.do(desk.helpdesk, begin("สายขาด", by=desk.helpdesk, now=NOW))
    return Scene(desk, other, twin.id, fault.id)


async def kept(incident: Incident) -> dict[str, Any]:
    """Return all there is of an incident, and how much was told and recorded at all."""
    async with acting_as(system("tests")):
        [found] = await rows(KEPT, incident.id)
    return found


async def denials() -> Counter[tuple[str, str, str, str]]:
    """Return the denials the trail holds: of whom, why, of which incident, of which move."""
    async with acting_as(system("tests")):
        found = await rows(
            "SELECT p.subject, r.detail->>'why' AS why, r.detail->'ids'->>'id' AS id, r.detail->'ids'->>'move' AS move"
            " FROM audit_record r JOIN person p ON p.id = r.person_id"
            " WHERE r.action = 'access.denied' AND r.subject_type = 'route' AND r.subject_id = 'incident.move'"
        )
    return Counter((each["subject"], each["why"], each["id"], each["move"]) for each in found)


async def test_every_move_by_everybody(scene: Scene, browser_for: BrowserFor) -> None:
    table = by_move()
    assert set(table) == set(MOVES)
    browsers = {name: await browser_for(username) for name, username in WHO.items()}
    await stand(LATER, browsers["off"])
    wrong: list[str] = []
    refused: Counter[tuple[str, str, str, str]] = Counter()
    for move, (state, expected) in table.items():
        incident = await scene.incident(state)
        fields = scene.fields(move, await scene.proposed(incident))
        before = await kept(incident)
        # Whoever is refused comes first: the incident is the same for all of them, and afterwards.
        for name in (name for name in WHO if expected[name] != "ok"):
            answer = await attempt(browsers[name], f"/incidents/{incident.id}", move, **fields)
            if str(answer.status_code) != expected[name]:
                wrong.append(f"{move} by {name}: {answer.status_code} instead of {expected[name]}")
            if await kept(incident) != before:
                wrong.append(f"{move} by {name} changed something")
            why = "NotFound" if expected[name] == "404" else "NotPermitted"
            why = "SameHands" if (move, name) == ("acceptance", "te1") else why  # the time is the technician's own
            refused[WHO[name], why, str(incident.id), move] += 1
        for name in (name for name in WHO if expected[name] == "ok"):
            answer = await attempt(browsers[name], f"/incidents/{incident.id}", move, **fields)
            if answer.status_code != 303:
                wrong.append(f"{move} by {name}: {answer.status_code} {said(answer)[:300]}")
            if await kept(incident) == before:
                wrong.append(f"{move} by {name} changed nothing")
            if move not in LASTING:
                incident = await scene.incident(state)
                fields = scene.fields(move, await scene.proposed(incident))
            before = await kept(incident)
    assert wrong == []
    assert await denials() == refused


async def test_every_move_from_the_wrong_state_is_a_conflict_and_changes_nothing(
    scene: Scene, browser_for: BrowserFor
) -> None:
    reached, table = leads(), by_move()
    browsers = {name: await browser_for(WHO[name]) for name in ("te1", "hd1", "hlp", "off")}
    await stand(LATER, browsers["off"])
    wrong: list[str] = []
    for state in State:
        incident = await scene.incident(state)
        appointment = await scene.proposed(incident)
        async with acting_as(system("tests")):  # so that nothing but the state is in the technician's way
            await Incident.filter(id=incident.id).update(assignee_id=person_of(scene.desk.technician))
        before = await kept(incident)
        for move in (move for move, action in IS.items() if reached[state, action] is None):
            name = next(name for name in browsers if table[move][1][name] == "ok")
            fields = scene.fields(move, appointment)
            answer = await attempt(browsers[name], f"/incidents/{incident.id}", move, **fields)
            if answer.status_code != 409:
                wrong.append(f"{move} of {state} by {name}: {answer.status_code} {said(answer)[:200]}")
            if await kept(incident) != before:
                wrong.append(f"{move} of {state} by {name} changed something")
    assert wrong == []


async def test_the_agreement_and_the_administrator_s_blindness(scene: Scene, browser_for: BrowserFor) -> None:
    opened = await scene.incident(State.CLOSED)
    technician, head, admin = [await browser_for(who) for who in ("technician", "head-network", "admin")]
    await stand(at(2026, 12, 8, 10), admin)
    for browser, code in ((technician, "5.1"), (head, "3.1")):  # rows 43 and 42
        assert (await browser.get(f"/sla/{code}/edit")).status_code == 403
        assert (await browser.submit(f"/sla/{code}", {"process_th": "x", "mode": "none"})).status_code == 403
    assert (await head.get("/sla/5.1/edit")).status_code == 200
    # Row 45: no ticket's content, wherever the administrator looks.
    for address in (f"/incidents/{opened.id}", "/incidents", "/desk", "/desk/overview", "/outages", "/knowledge"):
        assert (await admin.get(address)).status_code == 403, address
    for address in ("/", "/news", "/audit", "/users"):
        page = await admin.get(address)
        assert page.status_code == 200, address
        assert CANARY not in said(page), address
        assert opened.title not in said(page), address
