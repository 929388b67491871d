"""Ending an incident: resolved by the desk, confirmed or reopened by the requester, graded, or merged away."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid
from auth.rules import Actor
from billing.months import bangkok_date
from services.calendar.queries import official
from services.calendar.rules import Calendar
from services.channels.answering import pass_on
from services.channels.rules import Kind
from services.incidents.commands import latest_terms
from services.incidents.conversation import jot, speak
from services.incidents.history import advance, facts_of, grasp
from services.incidents.models import Incident
from services.incidents.rules import CLOSES_AFTER_WORKING_DAYS, GRADES, Action, NotClassified, State


async def resolve(incident_id: uuid.UUID, *, resolution: str, by: Actor, now: dt.datetime) -> Incident:
    """Resolve an incident, saying what was done, by mail or LINE too; the fact keeps how it ended against its target.

    It closes by itself after five working days. Refuses one that nobody has classified (NotClassified).
    """
    incident = await grasp(incident_id, Action.RESOLVE, by=by, now=now)
    if not resolution.strip():
        raise Invalid({"resolution": "Say what was done."})
    if latest_terms(await facts_of(incident.id)) is None:
        raise NotClassified("classify it first")
    incident.resolution, incident.resolved_at = resolution.strip(), now
    incident.closes_at = closing_time(await official(), now)
    await advance(incident, Action.RESOLVE, by=by, now=now, note=incident.resolution)
    await pass_on(incident, incident.resolution, kind=Kind.RESOLVED, now=now)
    return incident


async def confirm(
    incident_id: uuid.UUID, *, grade: int | None = None, comment: str = "", by: Actor, now: dt.datetime
) -> Incident:
    """Confirm, as the requester, that it is solved, and close it; grading it at once where a grade is given."""
    incident = await grasp(incident_id, Action.CONFIRM, by=by, now=now)
    await advance(incident, Action.CONFIRM, by=by, now=now)
    if grade is not None:
        await _grade(incident, grade, comment, by=by, now=now)
    return incident


async def reopen(incident_id: uuid.UUID, *, note: str, by: Actor, now: dt.datetime) -> Incident:
    """Say, as the requester, that it is not solved, and why; the clock goes on where it stood."""
    incident = await grasp(incident_id, Action.REOPEN, by=by, now=now)
    if not note.strip():
        raise Invalid({"note": "Say why."})
    incident.reopened_count += 1
    incident.update_from_dict({"resolved_at": None})
    await advance(incident, Action.REOPEN, by=by, now=now, note=note.strip())
    return incident


async def rate(incident_id: uuid.UUID, grade: int, *, comment: str = "", by: Actor, now: dt.datetime) -> Incident:
    """Grade the help received, 1 to 5; once."""
    incident = await grasp(incident_id, Action.RATE, by=by, now=now)
    await _grade(incident, grade, comment, by=by, now=now)
    return incident


async def merge(incident_id: uuid.UUID, into_id: uuid.UUID, *, note: str = "", by: Actor, now: dt.datetime) -> Incident:
    """Close an incident because another of the same agency is about the same; it counts in no rate.

    The requester is told where to follow on; what was written goes over, to the desk alone where somebody else
    of the agency asked. Refuses another agency's, itself, and one that is over.
    """
    # Locked in one order for all, so that two merges never wait for each other.
    both = {id_: await grasp(id_, Action.MERGE, by=by, now=now) for id_ in sorted((incident_id, into_id))}
    incident, into = both[incident_id], both[into_id]
    if incident.id == into.id or incident.agency_id != into.agency_id or into.merged_into_id:
        raise Invalid({"into": "Choose another incident of the same agency."})
    if into.state is State.CLOSED:
        raise Conflict("the other one is closed")
    incident.merged_into_id = into.id
    await advance(incident, Action.MERGE, by=by, now=now, note=note, into=into.number)
    text = f"{incident.number}: {incident.title}\n{incident.description}".strip()
    is_the_same = incident.requester_id is not None and incident.requester_id == into.requester_id
    await (speak if is_the_same else jot)(into, text, by=by, now=now)
    return incident


def closing_time(calendar: Calendar, resolved_at: dt.datetime) -> dt.datetime:
    """Return when a resolved incident closes by itself: the closing of the fifth working day after."""
    return calendar.closing(calendar.add_working_days(bangkok_date(resolved_at), CLOSES_AFTER_WORKING_DAYS))


async def _grade(incident: Incident, grade: int, comment: str, *, by: Actor, now: dt.datetime) -> None:
    if grade not in GRADES:
        raise Invalid({"grade": "Choose a grade from 1 to 5."})
    if incident.grade is not None:
        raise Conflict("it is graded already")
    incident.grade, incident.grade_comment = grade, comment.strip()
    await advance(incident, Action.RATE, by=by, now=now, note=comment.strip(), grade=grade)
