import datetime as dt

import pytest

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from services.sections.commands import be_away, seat, unseat
from services.sections.models import Position
from services.sections.queries import leads_of, led_by, section_by_code, staff_of
from tests.cast import actor, newcomer
from tests.services.incidents.desk import at, person_of, staffed

NOW = at(2026, 12, 8, 9)


async def test_places_are_given_by_the_administrator_and_technicians_by_their_head(database: str) -> None:
    desk = await staffed(sections=("network",))
    network, software = desk.sections["network"].id, desk.sections["software"].id
    helpdesk, admin = person_of(desk.helpdesk), await actor("admin")
    for who, where, position in (
        (desk.official, network, Position.TECHNICIAN),
        (desk.technician, network, Position.TECHNICIAN),
        (desk.head, software, Position.TECHNICIAN),
        (desk.head, network, Position.DELEGATE),
    ):
        with pytest.raises(NotPermitted):
            await desk.do(who, seat(where, helpdesk, position, by=who, now=NOW))
    await desk.do(desk.head, seat(network, helpdesk, Position.TECHNICIAN, by=desk.head, now=NOW))
    with pytest.raises(Conflict):
        await desk.do(admin, seat(network, helpdesk, Position.DELEGATE, by=admin, now=NOW))
    with pytest.raises(NotFound):
        await desk.do(admin, seat(network, (await newcomer()).id, Position.TECHNICIAN, by=admin, now=NOW))
    await desk.do(admin, seat(software, helpdesk, Position.DELEGATE, by=admin, now=NOW))
    assert await desk.do(desk.helpdesk, led_by(desk.helpdesk, NOW)) == {software}


async def test_a_place_ends_and_leads_to_nothing_any_more(database: str) -> None:
    desk = await staffed(sections=("network",))
    network = desk.sections["network"].id
    head, technician = await desk.do(desk.head, staff_of(network, NOW))
    assert (head.position, technician.position) == (Position.HEAD, Position.TECHNICIAN)
    with pytest.raises(NotPermitted):
        await desk.do(desk.head, unseat(head.id, by=desk.head, now=NOW))
    await desk.do(desk.manager, unseat(head.id, by=desk.manager, now=NOW))
    assert await desk.do(desk.head, leads_of(network, NOW)) == []
    assert await desk.do(desk.head, led_by(desk.head, NOW)) == frozenset()
    with pytest.raises(Conflict):
        await desk.do(desk.manager, unseat(head.id, by=desk.manager, now=NOW))


async def test_absence_is_noted_by_oneself_or_the_head(database: str) -> None:
    desk = await staffed(sections=("network",))
    them, day = person_of(desk.technician), dt.date(2026, 12, 9)
    await desk.do(desk.head, be_away(them, day, day, by=desk.head, now=NOW))
    for who in (desk.helpdesk, desk.official):
        with pytest.raises(NotPermitted):
            await desk.do(who, be_away(them, day, day, by=who, now=NOW))
    with pytest.raises(Invalid):
        await desk.do(desk.head, be_away(them, day, day - dt.timedelta(days=1), by=desk.head, now=NOW))
    with pytest.raises(NotFound):
        await desk.do(desk.head, be_away(person_of(desk.official), day, day, by=desk.head, now=NOW))


async def test_a_section_is_known_by_its_code(database: str) -> None:
    desk = await staffed(sections=())
    provider = desk.sections["network"].provider_id
    found = await desk.do(desk.official, section_by_code(provider, "network"))
    assert found.name_en == "Network and security section"
    with pytest.raises(NotFound):
        await desk.do(desk.official, section_by_code(provider, "nowhere"))
