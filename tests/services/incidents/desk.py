"""The desk of every story about incidents: the agreement loaded, its people seated, December's holidays declared."""

import datetime as dt
import uuid
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from auth.rules import Actor, system
from auth.tenancy import acting_as
from billing.months import BANGKOK
from services.calendar.commands import declare
from services.calendar.models import Holiday
from services.incidents.intake import CallerSaid, Wish, log
from services.incidents.models import Incident
from services.incidents.rules import Channel
from services.sections.commands import seat
from services.sections.models import Position, Section
from services.sla.commands import load_table
from services.sla.models import SlaRow
from services.staff.commands import enter
from services.staff.rules import Field, Kind
from tests.cast import actor, organisation

T = TypeVar("T")
HOLIDAYS = [dt.date(2026, 12, 7), dt.date(2026, 12, 10), dt.date(2026, 12, 31), dt.date(2027, 1, 1)]
LONG_AGO = dt.datetime(2025, 10, 1, tzinfo=BANGKOK)


def at(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, tzinfo=BANGKOK)


@dataclass(frozen=True)
class Desk:
    """Who is at the desk, and who calls."""

    official: Actor
    approver: Actor
    stranger: Actor  # an official of agency ข.
    helpdesk: Actor
    head: Actor  # of the network section
    technician: Actor
    manager: Actor
    sections: dict[str, Section]

    async def do(self, who: Actor, what: Awaitable[T]) -> T:
        """Do one thing in a unit of work of its own."""
        async with acting_as(who):
            return await what

    async def call(
        self, code: str, when: dt.datetime, *, logged: dt.datetime | None = None, items: int = 1
    ) -> Incident:
        """Have the help-desk log a call of the official's."""
        assert self.official.agency_id
        caller = CallerSaid(
            self.official.agency_id, self.official.name, phone="0 2123 4567", person_id=self.official.person_id
        )
        return await self.do(
            self.helpdesk,
            log(
                Wish("เชื่อมต่อเครือข่ายไม่ได้", code=code, items=items),
                caller,
                channel=Channel.PHONE,
                contacted_at=when,
                by=self.helpdesk,
                now=logged or when,
            ),
        )


async def staffed(*, sections: tuple[str, ...] = ("network", "hardware", "infrastructure")) -> Desk:
    """Load the agreement, seat the head in the named sections and the technician with them."""
    provider = await organisation("provider")
    head, technician = await actor("head-network"), await actor("technician")
    async with acting_as(system("desk")):
        if not await SlaRow.filter(provider_id=provider.id).exists():
            await load_table(provider.id, by=system("desk"), now=LONG_AGO)
        standing = {holiday.day for holiday in await Holiday.filter(withdrawn_at=None)}
        for day in HOLIDAYS:
            if day not in standing:
                await declare(day, "วันหยุด", by=system("desk"), now=LONG_AGO)
        for person in (head, technician):
            await cleared(provider.id, person)
        known = {section.code: section for section in await Section.filter(provider_id=provider.id)}
        for code in sections:
            for person, position in ((head, Position.HEAD), (technician, Position.TECHNICIAN)):
                assert person.person_id
                await seat(known[code].id, person.person_id, position, by=system("desk"), now=LONG_AGO)
    return Desk(
        official=await actor("official-a"),
        approver=await actor("approver-a"),
        stranger=await actor("official-b"),
        helpdesk=await actor("helpdesk"),
        head=head,
        technician=technician,
        manager=await actor("manager"),
        sections=known,
    )


async def cleared(provider_id: uuid.UUID, who: Actor, until: dt.date | None = None) -> None:
    """Enter all that the register asks of somebody, in a unit of the portal's own."""
    for kind in Kind:
        about = {"field": Field.NETWORK, "title": "CCNA"} if kind is Kind.CERTIFICATE else {}
        await enter(
            person_of(who), kind, held_from=LONG_AGO.date(), held_until=until, provider_id=provider_id,
            by=system("desk"), now=LONG_AGO, **about,
        )  # fmt: skip


def person_of(who: Actor) -> uuid.UUID:
    assert who.person_id
    return who.person_id
