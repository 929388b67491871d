"""The people of every story: agencies ก. and ข., the provider, the central agency, the auditor; one per role.

Their names are those of the demonstration: official-a, approver-a, …, reviewer, manager, admin, central, auditor.
"""

import datetime as dt
import uuid

from auth.organisations.models import Organisation
from auth.people.commands import meet
from auth.people.models import Membership, Person
from auth.rules import Actor, Role, Seat, system
from auth.tenancy import acting_as
from portal.demo.people import found_organisations, seat_people

ISSUER = "http://localhost:9"  # nobody answers there
FOUNDED = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)


async def settle() -> None:
    """Put the cast into an empty database."""
    async with acting_as(system("cast")):
        organisations = await found_organisations(FOUNDED)
        await seat_people(ISSUER, organisations, FOUNDED)


async def person(username: str) -> Person:
    """Return somebody of the cast."""
    async with acting_as(system("cast")):
        return await Person.get(issuer=ISSUER, subject=username)


async def organisation(code: str) -> Organisation:
    """Return an organisation: agency-a, agency-b, provider, central or auditor."""
    async with acting_as(system("cast")):
        return await Organisation.get(code=code)


async def actor(username: str, *, authenticated_at: dt.datetime | None = None) -> Actor:
    """Return somebody of the cast as they act, signed in just now unless told otherwise."""
    async with acting_as(system("cast")):
        who = await Person.get(issuer=ISSUER, subject=username)
        held = await Membership.filter(person_id=who.id, revoked_at=None).select_related("organisation")
        home = held[0].organisation
    return Actor(
        name=who.name,
        person_id=who.id,
        seat=Seat(home.id, home.kind, home.code, home.name_th, home.name_en),
        roles=frozenset(each.role for each in held if each.organisation_id == home.id),
        authenticated_at=authenticated_at or dt.datetime.now(dt.UTC),
        session_id=uuid.uuid4(),
    )


async def newcomer(username: str = "newcomer", name: str = "ผู้มาใหม่") -> Person:
    """Return somebody who has signed in once and belongs to no organisation."""
    async with acting_as(system("cast")):
        return await meet(ISSUER, username, name=name, email=f"{username}@nowhere.example", now=FOUNDED)


async def give(username: str, code: str, role: Role) -> None:
    """Make somebody a member of one more organisation."""
    who, where = await person(username), await organisation(code)
    async with acting_as(system("cast")):
        await Membership.create(
            organisation_id=where.id, person_id=who.id, role=role, granted_by="cast", granted_at=FOUNDED
        )


async def take_away(username: str, role: Role) -> None:
    """Revoke a role, as its administrator would."""
    who = await person(username)
    async with acting_as(system("cast")):
        await Membership.filter(person_id=who.id, role=role, revoked_at=None).update(
            revoked_at=FOUNDED, revoked_by="cast"
        )
