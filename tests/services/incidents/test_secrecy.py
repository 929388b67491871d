"""What an agency never reads: another agency's incidents, a colleague's, and what the desk notes for itself."""

import pytest
from tortoise.exceptions import OperationalError

from auth.errors import NotFound, NotPermitted
from auth.rules import Actor
from auth.tenancy import acting_as, rows
from services.incidents.conversation import log_work, note, notes_of
from services.incidents.models import Incident, IncidentFact, InternalNote, WorkEntry
from services.incidents.queries import by_number, whole
from services.incidents.queues import Queue, queue, reported
from services.knowledge.commands import withdraw, write
from services.knowledge.queries import find_articles
from tests.cast import actor, give
from tests.services.incidents.desk import Desk, at

CANARY = "คะนารี-7d41"
NOW = at(2026, 12, 8, 9)


async def everything(who: Actor, table: str) -> str:
    """Return all of a table that row-level security shows, asked for without any scope."""
    async with acting_as(who):
        return str(await rows(f'SELECT * FROM "{table}"'))  # noqa: S608 - a table's name from this file


async def test_internal_notes_never_reach_the_agency(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    await desk.do(desk.helpdesk, note(opened.id, CANARY, by=desk.helpdesk, now=NOW))
    await desk.do(desk.helpdesk, log_work(opened.id, CANARY, minutes=5, by=desk.helpdesk, now=NOW))
    for who in (desk.official, desk.approver, desk.stranger):
        for table in ("internal_note", "work_entry", "incident", "incident_fact", "incident_message", "audit_record"):
            assert CANARY not in await everything(who, table)
        async with acting_as(who):
            assert not await InternalNote.all().exists()
            assert not await WorkEntry.all().exists()
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=NOW))
    assert (seen.notes, seen.work) == ((), ())
    assert CANARY not in str([entry.__dict__ for entry in seen.timeline])
    theirs = await desk.do(desk.helpdesk, whole(opened.id, by=desk.helpdesk, now=NOW))
    assert theirs.notes[0].text == theirs.work[0].text == CANARY
    assert CANARY in await everything(desk.helpdesk, "internal_note")
    assert await desk.do(desk.official, notes_of(opened.id, desk.official)) == ([], [])


async def test_an_agency_writes_no_internal_note(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    with pytest.raises(NotPermitted):
        await desk.do(desk.official, note(opened.id, "x", by=desk.official, now=NOW))
    forged = InternalNote(
        agency_id=opened.agency_id, provider_id=opened.provider_id, incident_id=opened.id, at=NOW, by_name="x", text="x"
    )
    with pytest.raises(OperationalError, match="row-level security"):
        await desk.do(desk.official, forged.save())


async def test_a_requester_follows_their_own_and_nobody_else_s(desk: Desk) -> None:
    mine = await desk.call("1.2a", NOW)
    await give("finance-a", "agency-a", next(iter(desk.official.roles)))
    colleague = await actor("finance-a")
    with pytest.raises(NotFound):
        await desk.do(colleague, whole(mine.id, by=colleague, now=NOW))
    assert (await desk.do(colleague, reported(by=colleague, now=NOW))).lines == ()
    assert await desk.do(colleague, by_number(mine.number, by=colleague)) is None
    for who in (desk.official, desk.approver):
        [line] = (await desk.do(who, reported(by=who, now=NOW))).lines
        assert line.id == mine.id


async def test_another_agency_learns_nothing(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    with pytest.raises(NotFound):
        await desk.do(desk.stranger, whole(opened.id, by=desk.stranger, now=NOW))
    async with acting_as(desk.stranger):
        assert not await Incident.all().exists()
        assert not await IncidentFact.all().exists()
    with pytest.raises(NotPermitted):
        await desk.do(desk.stranger, queue(Queue.ALL, by=desk.stranger, now=NOW))


async def test_the_administrator_reads_no_incident(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    admin = await actor("admin")
    with pytest.raises(NotPermitted):
        await desk.do(admin, whole(opened.id, by=admin, now=NOW))
    with pytest.raises(NotPermitted):
        await desk.do(admin, queue(Queue.ALL, by=admin, now=NOW))


async def test_auditors_read_and_facts_are_never_changed(desk: Desk) -> None:
    opened = await desk.call("1.2a", NOW)
    auditor = await actor("auditor")
    seen = await desk.do(auditor, whole(opened.id, by=auditor, now=NOW))
    assert seen.actions == frozenset()
    with pytest.raises(OperationalError):
        await desk.do(desk.helpdesk, IncidentFact.filter(incident_id=opened.id).update(note="x"))
    with pytest.raises(OperationalError):
        await desk.do(desk.helpdesk, IncidentFact.filter(incident_id=opened.id).delete())


async def test_the_desk_s_own_articles_stay_with_it(desk: Desk) -> None:
    open_ = await desk.do(desk.helpdesk, write("ลองก่อน", "ปิดแล้วเปิด", is_public=True, by=desk.helpdesk, now=NOW))
    own = await desk.do(desk.helpdesk, write("ของเจ้าหน้าที่", CANARY, by=desk.helpdesk, now=NOW))
    found = await desk.do(desk.official, find_articles(by=desk.official))
    assert [each.id for each in found] == [open_.id]
    assert CANARY not in await everything(desk.official, "article")
    assert await desk.do(desk.helpdesk, find_articles("คะนารี", by=desk.helpdesk))
    with pytest.raises(NotPermitted):
        await desk.do(desk.official, write("x", "y", by=desk.official, now=NOW))
    await desk.do(desk.helpdesk, withdraw(own.id, by=desk.helpdesk, now=NOW))
    assert not await desk.do(desk.helpdesk, find_articles("คะนารี", by=desk.helpdesk))
