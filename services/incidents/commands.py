"""The desk's moves: one verb per function, each on a locked incident, each leaving a fact (seed B 3(2)–3(4))."""

import datetime as dt
import uuid
from collections.abc import Sequence

from auth.errors import Conflict, Invalid, NotFound
from auth.people.models import Membership
from auth.rules import Actor, Role
from auth.tenancy import one
from billing.months import bangkok_date
from services.calendar.queries import official
from services.channels.answering import pass_on
from services.channels.rules import Kind
from services.disruptions.models import Disruption
from services.incidents.history import advance, facts_of, grasp, side_of
from services.incidents.models import Incident, IncidentFact
from services.incidents.news import spread
from services.incidents.rules import (
    REMINDS_AFTER_WORKING_DAYS,
    Action,
    ConditionNotMet,
    State,
    WrongState,
)
from services.sections.models import Section
from services.sections.queries import staff_of
from services.sla.facts import FactKind
from services.sla.models import SlaRow
from services.sla.queries import row_at
from services.sla.rules import WORKING_DAY_MINUTES, Severity, Terms, terms_of
from services.staff.queries import require_clearance
from services.staff.rules import NotAssignable


async def first_analysis(
    incident_id: uuid.UUID, *, condition_met: bool = False, note: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Accept an incident after a first look, and say whether its row's condition is met already."""
    incident = await grasp(incident_id, Action.ACCEPT, by=by, now=now)
    await advance(incident, Action.ACCEPT, by=by, now=now, note=note)
    if condition_met:
        await _meet(incident, None, by=by, now=now)
    return incident


async def meet_condition(
    incident_id: uuid.UUID, *, account: int | None = None, note: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Record that the condition of the row is met: documents complete, preliminary check done; the clock starts.

    `account` where it is met for one of several. Refuses a row without a condition, and one met already
    (ConditionNotMet).
    """
    incident = await grasp(incident_id, Action.MEET_CONDITION, by=by, now=now)
    await _meet(incident, account, note=note, by=by, now=now)
    return incident


async def reclassify(
    incident_id: uuid.UUID,
    *,
    code: str | None = None,
    items: int | None = None,
    severity: Severity | None = None,
    emergency: bool | None = None,
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> Incident:
    """Put an incident under another row, or change its items, severity or urgency; the clock keeps all that ran.

    What is not given stays. The row is the version in force when the desk was reached (seed B 6). Refuses a
    row of another section while somebody is assigned: that is a forwarding (Invalid).
    """
    incident = await grasp(incident_id, Action.RECLASSIFY, by=by, now=now)
    await _reclassify(incident, code, items, severity, emergency, note=note, by=by, now=now)
    return incident


async def forward(
    incident_id: uuid.UUID,
    section_id: uuid.UUID,
    *,
    code: str | None = None,
    note: str,
    by: Actor,
    now: dt.datetime,
) -> Incident:
    """Send an incident to another section, saying why; nobody is assigned there yet. The clock goes on."""
    incident = await grasp(incident_id, Action.FORWARD, by=by, now=now)
    _say_why(note)
    section = await one(Section, id=section_id)
    if section.provider_id != incident.provider_id:
        raise NotFound("Section")
    if section.id == incident.section_id:
        raise Conflict("it is with that section already")
    if code and (await _row_for(incident, code)).section_id != section.id:
        raise Invalid({"code": "This belongs to another section: forward it there."})
    left = await Section.get_or_none(id=incident.section_id) if incident.section_id else None
    await _take_from(incident, by=by, now=now)
    incident.update_from_dict({"section_id": section.id, "assignee_id": None, "assignee_name": ""})
    await advance(
        incident,
        Action.FORWARD,
        by=by,
        now=now,
        note=note,
        to_th=section.name_th,
        to_en=section.name_en,
        from_th=left.name_th if left else "",
        from_en=left.name_en if left else "",
    )
    if code is not None and code != incident.row_code:
        await _reclassify(incident, code, None, None, None, by=by, now=now)
    return incident


async def assign(
    incident_id: uuid.UUID, person_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Give an incident of one's own section to one of its technicians (seed B 3(3)).

    Refuses who is not of the section, holds no role for the work, or whose certificates, record check or
    NDA have lapsed (NotAssignable; standard 9).
    """
    incident = await grasp(incident_id, Action.ASSIGN, by=by, now=now)
    name = await _assignable(incident, person_id, now)
    if incident.assignee_id != person_id:
        await _take_from(incident, by=by, now=now)
    incident.assignee_id, incident.assignee_name = person_id, name
    await advance(incident, Action.ASSIGN, by=by, now=now, note=note, to=name)
    return incident


async def assign_all(
    incident_ids: Sequence[uuid.UUID], person_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> list[Incident]:
    """Give several incidents to one technician: all of them, or on any refusal none."""
    # One order for all, so that two heads at it never wait for each other.
    return [await assign(incident_id, person_id, by=by, now=now) for incident_id in sorted(set(incident_ids))]


async def take(incident_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Incident:
    """Take up work assigned to oneself (seed B 3(4))."""
    incident = await grasp(incident_id, Action.TAKE, by=by, now=now)
    facts = [fact.kind for fact in await facts_of(incident.id) if fact.kind in {FactKind.ASSIGNED, FactKind.TAKEN}]
    if incident.state is State.ASSIGNED and facts[-1:] == [FactKind.TAKEN]:
        raise WrongState("this work is taken already")
    await advance(incident, Action.TAKE, by=by, now=now)
    return incident


async def wait_for_requester(incident_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> Incident:
    """Wait for the requester, saying for what, by mail or LINE too; the clock pauses, and the requester is reminded."""
    incident = await grasp(incident_id, Action.WAIT, by=by, now=now)
    _say_why(note)
    incident.remind_at = (await official()).add_minutes(now, REMINDS_AFTER_WORKING_DAYS * WORKING_DAY_MINUTES)
    await advance(incident, Action.WAIT, by=by, now=now, note=note)
    await pass_on(incident, note.strip(), kind=Kind.ASKED, now=now)
    return incident


async def resume(incident_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime) -> Incident:
    """Go on: what was waited for has come."""
    incident = await grasp(incident_id, Action.RESUME, by=by, now=now)
    await advance(incident, Action.RESUME, by=by, now=now, note=note)
    return incident


async def send_to_vendor(
    incident_id: uuid.UUID, *, vendor: str = "", note: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Send it to the vendor for repair (ส่งซ่อมบริษัท): the clock stops, and there is no due time."""
    incident = await grasp(incident_id, Action.SEND_TO_VENDOR, by=by, now=now)
    await advance(incident, Action.SEND_TO_VENDOR, by=by, now=now, note=note, vendor=vendor)
    return incident


async def return_from_vendor(incident_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime) -> Incident:
    """Have it back from the vendor: the clock goes on where it stood."""
    incident = await grasp(incident_id, Action.RETURN, by=by, now=now)
    await advance(incident, Action.RETURN, by=by, now=now, note=note)
    return incident


async def finish_account(
    incident_id: uuid.UUID, account: int, *, note: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Finish one of several accounts asked for; its own clock ends (“ต่อ 1 รหัส”).

    Accounts are counted from 1. Refuses one there is not (Invalid) or that is finished (Conflict).
    """
    incident = await grasp(incident_id, Action.FINISH_ITEM, by=by, now=now)
    await _check_account(incident, account, FactKind.ITEM_DONE)
    await advance(incident, Action.FINISH_ITEM, by=by, now=now, account=account, note=note)
    return incident


async def link(incident_id: uuid.UUID, disruption_id: uuid.UUID | None, *, by: Actor, now: dt.datetime) -> Incident:
    """Say which known disruption an incident comes from, so that its news reach it; None undoes it."""
    incident = await grasp(incident_id, Action.LINK, by=by, now=now)
    disruption = await one(Disruption, id=disruption_id) if disruption_id else None
    incident.update_from_dict({"disruption_id": disruption.id if disruption else None})
    await advance(
        incident,
        Action.LINK,
        by=by,
        now=now,
        title_th=disruption.title_th if disruption else "",
        title_en=disruption.title_en if disruption else "",
    )
    return incident


async def _meet(incident: Incident, account: int | None, *, note: str = "", by: Actor, now: dt.datetime) -> None:
    facts = await facts_of(incident.id)
    terms = latest_terms(facts)
    if terms is None or not terms.waits:
        raise ConditionNotMet("this incident's clock waits for no condition")
    if account is not None:
        await _check_account(incident, account, FactKind.CONDITION_MET)
    if any(fact.kind is FactKind.CONDITION_MET and fact.account in {None, account} for fact in facts):
        raise ConditionNotMet("the condition is met already")
    await advance(incident, Action.MEET_CONDITION, by=by, now=now, account=account, note=note)


async def _reclassify(
    incident: Incident,
    code: str | None,
    items: int | None,
    severity: Severity | None,
    emergency: bool | None,
    *,
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> None:
    row = await _row_for(incident, code)
    if row.section_id != incident.section_id and code is not None:
        if incident.assignee_id is not None:
            raise Invalid({"code": "This belongs to another section: forward it there."})
        incident.section_id = row.section_id
    incident.items = items or incident.items
    incident.severity = severity or incident.severity
    incident.is_emergency = incident.is_emergency if emergency is None else emergency
    terms = terms_of(row, items=incident.items, severity=incident.severity, emergency=incident.is_emergency)
    facts = await facts_of(incident.id)
    if terms == latest_terms(facts):
        raise Invalid({"code": "Nothing is changed by this."})
    before, incident.row_code, incident.sla_row_id = incident.row_code, row.code, row.id
    await advance(
        incident,
        Action.RECLASSIFY,
        by=by,
        now=now,
        note=note,
        terms=terms,
        code=row.code,
        before=before,
        process_th=row.process_th,
        process_en=row.process_en,
        items=incident.items,
        severity=incident.severity,
        emergency=incident.is_emergency,
    )


async def _row_for(incident: Incident, code: str | None) -> SlaRow:
    """Return the very version it stands under, or for another code the one in force at the contact."""
    if incident.sla_row_id and code in {None, incident.row_code}:
        return await SlaRow.get(id=incident.sla_row_id)
    if not code:
        raise Invalid({"code": "Say what kind of work this is."})
    try:
        return await row_at(incident.provider_id, code, incident.contacted_at)
    except NotFound:
        raise Invalid({"code": "There is no such service level."}) from None


def latest_terms(facts: Sequence[IncidentFact]) -> Terms | None:
    """Return the terms an incident stands under; None while it is unclassified."""
    documents = [fact.terms for fact in facts if fact.terms]
    return Terms.read(documents[-1]) if documents else None


async def _check_account(incident: Incident, account: int, kind: FactKind) -> None:
    facts = await facts_of(incident.id)
    terms = latest_terms(facts)
    if terms is None or not 1 <= account <= terms.clocks or terms.clocks == 1:
        raise Invalid({"account": "There is no such account."})
    if any(fact.kind is kind and fact.account == account for fact in facts):
        raise Conflict("this was recorded already")


async def _assignable(incident: Incident, person_id: uuid.UUID, now: dt.datetime) -> str:
    """Return the name of somebody who can be given this work; NotAssignable says why not."""
    staff = await staff_of(incident.section_id, now) if incident.section_id else []
    place = next((member for member in staff if member.person_id == person_id), None)
    if place is None:
        raise NotAssignable("this person is not of the section")
    roles = Membership.filter(organisation_id=incident.provider_id, person_id=person_id, revoked_at=None)
    if not await roles.filter(role__in=[Role.TECHNICIAN, Role.SECTION_HEAD]).exists():
        raise NotAssignable("this person holds no role for the work")
    await require_clearance(person_id, bangkok_date(now))
    return place.name


async def _take_from(incident: Incident, *, by: Actor, now: dt.datetime) -> None:
    """Tell whoever worked on it that it goes to somebody else."""
    await spread(incident, "withdrawn_from", now.isoformat(), side=side_of(by), by=by, now=now)


def _say_why(note: str) -> None:
    if not note.strip():
        raise Invalid({"note": "Say why."})
