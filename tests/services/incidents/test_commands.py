import datetime as dt
import uuid
from dataclasses import replace

import pytest

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import Role, system
from auth.tenancy import acting_as
from services.callers.queries import caller_by, digits_of, find_callers
from services.incidents.commands import (
    assign,
    assign_all,
    finish_account,
    first_analysis,
    forward,
    link,
    meet_condition,
    reclassify,
    return_from_vendor,
    send_to_vendor,
    take,
    wait_for_requester,
)
from services.incidents.conversation import hear, say
from services.incidents.ending import confirm, merge, rate, reopen, resolve
from services.incidents.intake import CallerSaid, Wish, log, report
from services.incidents.models import IncidentFact
from services.incidents.queries import alike, candidates, whole
from services.incidents.rules import Channel, ConditionNotMet, NotClassified, State, WrongState
from services.sections.commands import be_away, unseat
from services.sections.models import SectionMember
from services.sla.commands import edit_row
from services.sla.facts import FactKind, Status
from services.sla.rules import Severity
from services.staff.commands import enter, strike
from services.staff.queries import records_of
from services.staff.rules import Kind, NotAssignable
from tests.cast import take_away
from tests.services.incidents.desk import Desk, at, person_of

SUNDAY = at(2026, 12, 6, 3)
TUESDAY = at(2026, 12, 8, 9)
HOUR = dt.timedelta(hours=1)


async def test_reported_at_three_on_a_sunday_it_is_accepted_and_named(desk: Desk) -> None:
    wish = Wish("เข้าใช้งานเว็บไซต์ไม่ได้", code="4.2", location="ชั้น 3")
    provider = desk.sections["network"].provider_id
    made = await desk.do(desk.official, report(wish, provider_id=provider, by=desk.official, now=SUNDAY))
    assert made.number == "INC-A01-2570-0001"
    assert (made.channel, made.logged_by, made.requester_id) == (
        Channel.PORTAL,
        desk.official.person_id,
        desk.official.person_id,
    )
    assert made.due_at == at(2026, 12, 8, 16)


async def test_a_wish_without_a_title_or_a_desk_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid) as refused:
        await desk.do(
            desk.official,
            report(Wish(" "), provider_id=desk.sections["network"].provider_id, by=desk.official, now=SUNDAY),
        )
    assert set(refused.value.fields) == {"title"}
    with pytest.raises(Invalid):
        await desk.do(desk.official, report(Wish("x"), provider_id=uuid.uuid4(), by=desk.official, now=SUNDAY))
    with pytest.raises(NotPermitted):
        await desk.do(desk.helpdesk, report(Wish("x"), by=desk.helpdesk, now=SUNDAY))


async def test_a_contact_in_the_future_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid):
        await desk.call("4.2", SUNDAY + HOUR, logged=SUNDAY)


async def test_a_caller_is_found_again_by_number_and_name(desk: Desk) -> None:
    await desk.call("4.2", SUNDAY)
    await desk.call("4.2", SUNDAY + HOUR)
    assert digits_of("+66 2 123 4567") == "021234567"
    async with acting_as(desk.helpdesk):
        [by_number] = await find_callers("123-4567")
        [by_name] = await find_callers(desk.official.name[:6])
        assert by_number.id == by_name.id
        assert await caller_by(by_number.provider_id, phone="0-2123-4567")
        assert await find_callers("9999") == []
    async with acting_as(desk.stranger):
        assert await find_callers("123-4567") == []


async def test_another_section_s_head_assigns_nothing(desk: Desk) -> None:
    opened = await desk.call("4.2", TUESDAY)  # the website section's
    with pytest.raises(NotPermitted):
        await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=TUESDAY))


async def test_who_cannot_be_assigned(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    technician = person_of(desk.technician)

    async def refused(who: uuid.UUID) -> None:
        with pytest.raises(NotAssignable):
            await desk.do(desk.head, assign(opened.id, who, by=desk.head, now=TUESDAY))

    await refused(person_of(desk.helpdesk))  # not of the section
    async with acting_as(desk.manager):
        held = await records_of([technician])
        [nda] = [each for each in held[technician] if each.kind is Kind.NDA]
        await strike(nda.id, by=desk.manager, now=TUESDAY)
    await refused(technician)  # there is no NDA any more
    for last, is_refused in ((dt.date(2026, 12, 7), True), (dt.date(2026, 12, 8), False)):
        signed = {"held_from": dt.date(2026, 1, 1), "held_until": last, "by": desk.manager, "now": TUESDAY}
        await desk.do(desk.manager, enter(technician, Kind.NDA, **signed))
        if is_refused:
            await refused(technician)  # it lapsed yesterday
    assigned = await desk.do(desk.head, assign(opened.id, technician, by=desk.head, now=TUESDAY))
    assert (assigned.state, assigned.assignee_id) == (State.ASSIGNED, technician)
    await take_away("technician", Role.TECHNICIAN)
    await refused(technician)
    async with acting_as(system("x")):
        [place] = await SectionMember.filter(person_id=technician, section_id=opened.section_id)
    await desk.do(desk.head, unseat(place.id, by=desk.head, now=TUESDAY))
    await refused(technician)


async def test_load_and_absence_are_visible_before_assigning(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    technician = person_of(desk.technician)
    await desk.do(desk.head, assign(opened.id, technician, by=desk.head, now=TUESDAY))
    await desk.do(
        desk.technician,
        be_away(technician, dt.date(2026, 12, 8), dt.date(2026, 12, 9), by=desk.technician, now=TUESDAY),
    )
    assert opened.section_id
    head, them = await desk.do(desk.head, candidates(opened.section_id, now=TUESDAY))
    assert (head.open_incidents, head.is_away) == (0, False)
    assert (them.open_incidents, them.is_away, them.clearance.is_whole) == (1, True, True)


async def test_bulk_assignment_is_all_or_nothing(desk: Desk) -> None:
    mine = [await desk.call("1.2a", TUESDAY), await desk.call("3.2b", TUESDAY)]
    foreign = await desk.call("4.2", TUESDAY)
    technician = person_of(desk.technician)
    ids = [each.id for each in [*mine, foreign]]
    with pytest.raises(NotPermitted):
        await desk.do(desk.head, assign_all(ids, technician, by=desk.head, now=TUESDAY))
    async with acting_as(desk.head):
        assert not await IncidentFact.filter(kind=FactKind.ASSIGNED).exists()
    done = await desk.do(desk.head, assign_all([each.id for each in mine], technician, by=desk.head, now=TUESDAY))
    assert {each.state for each in done} == {State.ASSIGNED}


async def test_work_is_taken_once_by_who_it_was_given_to(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=TUESDAY))
    await desk.do(desk.technician, take(opened.id, by=desk.technician, now=TUESDAY))
    with pytest.raises(WrongState):
        await desk.do(desk.technician, take(opened.id, by=desk.technician, now=TUESDAY))


async def test_forwarding_says_why_and_leaves_nobody_assigned(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=TUESDAY))
    software = desk.sections["software"].id
    with pytest.raises(Invalid):
        await desk.do(desk.head, forward(opened.id, software, note=" ", by=desk.head, now=TUESDAY))
    with pytest.raises(Invalid):  # a network row does not belong there
        await desk.do(desk.head, forward(opened.id, software, code="3.2b", note="x", by=desk.head, now=TUESDAY))
    sent = await desk.do(
        desk.head, forward(opened.id, software, code="2.4", note="เป็นปัญหาโปรแกรม", by=desk.head, now=TUESDAY + HOUR)
    )
    assert (sent.state, sent.assignee_id, sent.section_id, sent.row_code) == (State.FORWARDED, None, software, "2.4")
    assert sent.due_at == TUESDAY + HOUR  # it has run for an hour, and keeps it


async def test_unclassified_it_waits_for_the_desk_and_cannot_be_resolved(desk: Desk) -> None:
    opened = await desk.call("", TUESDAY)
    assert (opened.section_id, opened.due_at) == (None, None)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=TUESDAY))
    with pytest.raises(NotClassified):
        await desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=TUESDAY))
    with pytest.raises(Invalid):
        await desk.do(desk.helpdesk, reclassify(opened.id, code="99", by=desk.helpdesk, now=TUESDAY))
    sorted_ = await desk.do(desk.helpdesk, reclassify(opened.id, code="4.2", by=desk.helpdesk, now=TUESDAY + HOUR))
    assert sorted_.due_at == at(2026, 12, 9, 9)  # from the contact on
    assert sorted_.section_id == desk.sections["web-mail"].id


async def test_a_condition_is_met_once_and_only_where_there_is_one(desk: Desk) -> None:
    plain, waiting = await desk.call("1.2a", TUESDAY), await desk.call("3.1", TUESDAY)
    with pytest.raises(ConditionNotMet):
        await desk.do(desk.helpdesk, meet_condition(plain.id, by=desk.helpdesk, now=TUESDAY))
    met = await desk.do(desk.helpdesk, meet_condition(waiting.id, by=desk.helpdesk, now=TUESDAY))
    assert met.due_at == at(2026, 12, 9, 9)
    with pytest.raises(ConditionNotMet):
        await desk.do(desk.helpdesk, meet_condition(waiting.id, by=desk.helpdesk, now=TUESDAY))


async def test_accounts_have_a_clock_each(desk: Desk) -> None:
    opened = await desk.call("5.1", TUESDAY, items=3)
    await desk.do(desk.helpdesk, first_analysis(opened.id, condition_met=True, by=desk.helpdesk, now=TUESDAY))
    one = await desk.do(desk.helpdesk, finish_account(opened.id, 1, by=desk.helpdesk, now=TUESDAY + HOUR))
    assert one.is_open
    for wrong, refusal in ((1, Conflict), (4, Invalid)):
        with pytest.raises(refusal):
            await desk.do(desk.helpdesk, finish_account(opened.id, wrong, by=desk.helpdesk, now=TUESDAY + HOUR))
    done = await desk.do(desk.helpdesk, resolve(opened.id, resolution="ครบ", by=desk.helpdesk, now=at(2026, 12, 11, 9)))
    assert done.outcome is Status.MET_AMBER
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=at(2027, 1, 4)))
    assert [clock.status for clock in seen.clocks.resolution] == [Status.MET, Status.MET_AMBER, Status.MET_AMBER]


async def test_severity_decides_the_target(desk: Desk) -> None:
    opened = await desk.call("3.3", TUESDAY)
    assert (opened.amber_at, opened.due_at) == (at(2026, 12, 8, 13), at(2026, 12, 14, 9))
    graver = await desk.do(
        desk.helpdesk, reclassify(opened.id, severity=Severity.MEDIUM, by=desk.helpdesk, now=TUESDAY)
    )
    assert (graver.amber_at, graver.due_at) == (None, at(2026, 12, 9, 9))


async def test_an_emergency_on_sunday_runs_at_once(desk: Desk) -> None:
    opened = await desk.call("3.2a", SUNDAY)
    await desk.do(desk.helpdesk, first_analysis(opened.id, condition_met=True, by=desk.helpdesk, now=SUNDAY))
    urgent = await desk.do(desk.helpdesk, reclassify(opened.id, emergency=True, by=desk.helpdesk, now=SUNDAY))
    assert (urgent.due_at, urgent.runs_always) == (SUNDAY + 8 * HOUR, True)


async def test_an_edit_of_the_agreement_moves_no_due_time(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    provider = opened.provider_id
    changed = {"target_min_minutes": 30, "target_max_minutes": 30}
    edited = await desk.do(desk.head, edit_row(provider, "1.2a", by=desk.head, now=TUESDAY, **changed))
    assert edited.number == 2
    after = await desk.do(desk.helpdesk, reclassify(opened.id, emergency=True, by=desk.helpdesk, now=TUESDAY))
    assert after.due_at == TUESDAY + HOUR
    assert after.sla_row_id != edited.id
    later = await desk.call("1.2a", TUESDAY)
    assert later.due_at == TUESDAY + HOUR / 2


async def test_the_requester_s_answer_is_what_was_waited_for(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=TUESDAY))
    await desk.do(desk.helpdesk, wait_for_requester(opened.id, note="รุ่นใด", by=desk.helpdesk, now=TUESDAY))
    await desk.do(desk.official, say(opened.id, "รุ่น ก", by=desk.official, now=TUESDAY + HOUR))
    seen = await desk.do(desk.official, whole(opened.id, by=desk.official, now=TUESDAY + HOUR))
    assert seen.incident.state is State.ACCEPTED
    assert seen.incident.due_at == TUESDAY + 2 * HOUR


async def test_a_mail_is_taken_in_once(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    for expected in (True, False):
        async with acting_as(system("mail")):
            taken = await hear(
                opened.id, "ส่งเพิ่มเติม", name="ผู้แจ้ง", channel=Channel.EMAIL, external_id="<1@x>", now=TUESDAY
            )
        assert (taken is not None) == expected


async def test_the_portal_logs_what_comes_by_mail(desk: Desk) -> None:
    provider = desk.sections["network"].provider_id
    assert desk.official.agency_id
    who = CallerSaid(desk.official.agency_id, "ผู้แจ้ง", email="Someone@agency.example")
    by = system("mail")
    made = await desk.do(
        by, log(Wish("ขอความช่วยเหลือ"), who, channel=Channel.EMAIL, provider_id=provider, by=by, now=TUESDAY)
    )
    assert (made.requester_id, made.requester_name) == (None, "ผู้แจ้ง")
    known = await desk.do(desk.helpdesk, caller_by(provider, email="someone@AGENCY.example"))
    assert known
    assert known.id == made.caller_id


async def test_reopened_it_goes_on_and_confirmed_it_is_closed(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    await desk.do(desk.helpdesk, first_analysis(opened.id, by=desk.helpdesk, now=TUESDAY))
    half, hour = TUESDAY + HOUR / 2, TUESDAY + HOUR
    resolved = await desk.do(desk.helpdesk, resolve(opened.id, resolution="x", by=desk.helpdesk, now=half))
    assert resolved.closes_at == at(2026, 12, 16, 16)
    with pytest.raises(Invalid):
        await desk.do(desk.official, reopen(opened.id, note="", by=desk.official, now=hour))
    again = await desk.do(desk.official, reopen(opened.id, note="ยังใช้ไม่ได้", by=desk.official, now=hour))
    assert (again.state, again.outcome, again.closes_at, again.due_at) == (State.REOPENED, None, None, hour + HOUR / 2)
    done = await desk.do(desk.helpdesk, resolve(opened.id, resolution="y", by=desk.helpdesk, now=hour + HOUR))
    assert (done.outcome, done.used_minutes, done.reopened_count) == (Status.BREACHED, 90, 1)
    with pytest.raises(NotFound):
        await desk.do(desk.stranger, confirm(opened.id, by=desk.stranger, now=hour + HOUR))
    await desk.do(desk.official, confirm(opened.id, by=desk.official, now=hour + HOUR))
    with pytest.raises(Invalid):
        await desk.do(desk.official, rate(opened.id, 6, by=desk.official, now=hour + HOUR))
    graded = await desk.do(desk.official, rate(opened.id, 4, comment="ดี", by=desk.official, now=hour + HOUR))
    assert (graded.state, graded.grade) == (State.CLOSED, 4)
    with pytest.raises(WrongState):
        await desk.do(desk.official, say(opened.id, "x", by=desk.official, now=hour + HOUR))


async def test_merged_away_it_counts_nowhere_and_its_words_move(desk: Desk) -> None:
    one, two = await desk.call("1.2a", TUESDAY), await desk.call("1.2a", TUESDAY)
    with pytest.raises(Invalid):
        await desk.do(desk.helpdesk, merge(one.id, one.id, by=desk.helpdesk, now=TUESDAY))
    gone = await desk.do(desk.helpdesk, merge(two.id, one.id, by=desk.helpdesk, now=TUESDAY + 2 * HOUR))
    assert (gone.state, gone.outcome, gone.merged_into_id) == (State.CLOSED, None, one.id)
    seen = await desk.do(desk.official, whole(one.id, by=desk.official, now=TUESDAY + 2 * HOUR))
    assert two.number in seen.messages[0].text
    with pytest.raises(WrongState):
        await desk.do(desk.helpdesk, link(two.id, None, by=desk.helpdesk, now=TUESDAY + 2 * HOUR))


async def test_possible_duplicates_are_shown(desk: Desk) -> None:
    first = await desk.call("3.2b", TUESDAY)
    found = await desk.do(
        desk.helpdesk, alike("เชื่อมต่อเครือข่ายไร้สายไม่ได้", code="3.2c", by=desk.helpdesk, now=TUESDAY + HOUR)
    )
    assert [each.id for each in found] == [first.id]
    assert await desk.do(desk.helpdesk, alike("ขอแป้นพิมพ์", by=desk.helpdesk, now=TUESDAY + HOUR)) == []
    assert await desk.do(desk.stranger, alike(first.title, by=desk.stranger, now=TUESDAY + HOUR)) == []


async def test_to_the_vendor_and_back(desk: Desk) -> None:
    opened = await desk.call("1.2b", TUESDAY)
    await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=TUESDAY))
    await desk.do(desk.technician, send_to_vendor(opened.id, by=desk.technician, now=TUESDAY + HOUR))
    back = await desk.do(desk.technician, return_from_vendor(opened.id, by=desk.technician, now=at(2026, 12, 14, 10)))
    assert (back.state, back.due_at) == (State.ASSIGNED, at(2026, 12, 14, 11))


async def test_who_lost_the_role_acts_no_more(desk: Desk) -> None:
    opened = await desk.call("1.2a", TUESDAY)
    former = replace(desk.helpdesk, roles=frozenset({Role.REVIEWER}))
    with pytest.raises(NotPermitted):
        await desk.do(former, first_analysis(opened.id, by=former, now=TUESDAY))
