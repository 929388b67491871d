"""Appointments: proposed by either side, standing when the other accepts (seed B 3(4))."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, SameHands
from auth.rules import Actor
from auth.tenancy import one, scoped
from services.incidents.history import advance, grasp, side_of
from services.incidents.models import Appointment, AppointmentState, Incident
from services.incidents.rules import Action


async def propose(
    incident_id: uuid.UUID,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    *,
    place: str = "",
    note: str = "",
    by: Actor,
    now: dt.datetime,
) -> Appointment:
    """Propose a time; what was proposed or agreed before is moved by it.

    Refuses a time that has passed, or that ends before it starts (Invalid).
    """
    incident = await grasp(incident_id, Action.PROPOSE, by=by, now=now)
    if starts_at <= now:
        raise Invalid({"starts_at": "This time has passed."})
    if ends_at <= starts_at:
        raise Invalid({"ends_at": "It ends before it starts."})
    moved = (
        await scoped(Appointment)
        .filter(incident_id=incident.id)
        .exclude(state=AppointmentState.MOVED)
        .update(state=AppointmentState.MOVED, answered_by_name=by.name, answered_at=now)
    )
    made = await Appointment.create(
        agency_id=incident.agency_id,
        provider_id=incident.provider_id,
        incident_id=incident.id,
        starts_at=starts_at,
        ends_at=ends_at,
        place=place.strip() or incident.location,
        note=note.strip(),
        proposed_by=by.person_id,
        proposed_by_name=by.name,
        proposed_side=side_of(by),
        proposed_at=now,
    )
    await advance(
        incident, Action.PROPOSE, by=by, now=now, note=note.strip(), starts_at=starts_at, ends_at=ends_at, moved=moved
    )
    return made


async def accept(appointment_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Appointment:
    """Accept the time the other side proposed; one's own cannot be accepted (SameHands)."""
    appointment = await one(Appointment, id=appointment_id)
    incident = await grasp(appointment.incident_id, Action.APPOINT, by=by, now=now)
    appointment = await one(Appointment, lock=True, id=appointment_id)
    if appointment.state is not AppointmentState.PROPOSED:
        raise Conflict("this proposal was answered already")
    if appointment.proposed_side is side_of(by):
        raise SameHands("the other side accepts what one proposes")
    appointment.state, appointment.answered_by_name, appointment.answered_at = AppointmentState.ACCEPTED, by.name, now
    await appointment.save()
    await advance(
        incident, Action.APPOINT, by=by, now=now, starts_at=appointment.starts_at, ends_at=appointment.ends_at
    )
    return appointment


async def appointments_of(incident_id: uuid.UUID) -> list[Appointment]:
    """Return an incident's appointments, the latest proposal first."""
    return await scoped(Appointment).filter(incident_id=incident_id).order_by("-proposed_at", "-id")


async def agenda(person_id: uuid.UUID, first: dt.datetime, last: dt.datetime) -> list[tuple[Appointment, str]]:
    """Return a technician's agreed appointments of a time, in order, each with its incident's number."""
    mine = {each.id: each.number for each in await scoped(Incident).filter(assignee_id=person_id, is_open=True)}
    agreed = await scoped(Appointment).filter(
        incident_id__in=list(mine), state=AppointmentState.ACCEPTED, starts_at__gte=first, starts_at__lt=last
    )
    return [(each, mine[each.incident_id]) for each in sorted(agreed, key=lambda each: each.starts_at)]
