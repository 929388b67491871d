import datetime as dt

import pytest

from auth.errors import Conflict, Invalid, NotFound, SameHands
from services.incidents.appointments import accept, agenda, appointments_of, propose
from services.incidents.commands import assign
from services.incidents.models import AppointmentState, Incident
from services.incidents.rules import State
from tests.services.incidents.desk import Desk, at, person_of

NOW = at(2026, 12, 8, 9)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
async def assigned(desk: Desk) -> Incident:
    opened = await desk.call("1.3", NOW)
    return await desk.do(desk.head, assign(opened.id, person_of(desk.technician), by=desk.head, now=NOW))


async def test_proposed_by_the_technician_moved_by_the_requester_and_agreed(desk: Desk, assigned: Incident) -> None:
    morning, afternoon = at(2026, 12, 9, 9), at(2026, 12, 9, 13)
    first = await desk.do(desk.technician, propose(assigned.id, morning, morning + HOUR, by=desk.technician, now=NOW))
    with pytest.raises(SameHands):
        await desk.do(desk.technician, accept(first.id, by=desk.technician, now=NOW))
    with pytest.raises(NotFound):
        await desk.do(desk.stranger, accept(first.id, by=desk.stranger, now=NOW))
    second = await desk.do(desk.official, propose(assigned.id, afternoon, afternoon + HOUR, by=desk.official, now=NOW))
    with pytest.raises(Conflict):
        await desk.do(desk.official, accept(first.id, by=desk.official, now=NOW))
    await desk.do(desk.technician, accept(second.id, by=desk.technician, now=NOW))
    made = await desk.do(desk.official, appointments_of(assigned.id))
    assert [each.state for each in made] == [AppointmentState.ACCEPTED, AppointmentState.MOVED]
    [(agreed, number)] = await desk.do(
        desk.technician, agenda(person_of(desk.technician), at(2026, 12, 9), at(2026, 12, 10))
    )
    assert (agreed.id, number) == (second.id, assigned.number)


async def test_accepted_the_incident_has_an_appointment(desk: Desk, assigned: Incident) -> None:
    start = at(2026, 12, 9, 9)
    made = await desk.do(desk.technician, propose(assigned.id, start, start + HOUR, by=desk.technician, now=NOW))
    await desk.do(desk.official, accept(made.id, by=desk.official, now=NOW))
    [incident] = await desk.do(desk.official, Incident.filter(id=assigned.id))
    assert incident.state is State.APPOINTED


async def test_a_time_that_has_passed_or_ends_before_it_starts_is_refused(desk: Desk, assigned: Incident) -> None:
    for start, end in ((NOW, NOW + HOUR), (NOW + 2 * HOUR, NOW + HOUR)):
        with pytest.raises(Invalid):
            await desk.do(desk.technician, propose(assigned.id, start, end, by=desk.technician, now=NOW))
