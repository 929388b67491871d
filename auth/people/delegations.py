"""Lending the power to confirm to a colleague for an absence, from one day to another."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.people.models import Delegation, Membership
from auth.rules import Actor, Role
from auth.tenancy import record

LONGEST = dt.timedelta(days=92)


async def lend(
    to_person_id: uuid.UUID,
    *,
    starts_at: dt.datetime,
    ends_at: dt.datetime,
    reason: str,
    by: Actor,
    now: dt.datetime,
) -> Delegation:
    """Lend one's own approver's role to a colleague of the same agency, for three months at most.

    Refuses one who does not hold the role himself, lending to oneself, and what was lent to him (NotPermitted).
    """
    if by.seat is None or Role.APPROVER not in by.roles or by.stands_in_for(Role.APPROVER):
        raise NotPermitted("only an approver lends the approver's role")
    faults = {}
    if ends_at <= max(starts_at, now):
        faults["ends_at"] = "The end must come after the beginning, and after today."
    if ends_at - starts_at > LONGEST:
        faults["ends_at"] = "Three months is the longest."
    colleague = Membership.filter(organisation_id=by.seat.id, person_id=to_person_id, revoked_at=None)
    if to_person_id == by.person_id or not await colleague.exists():
        faults["to_person"] = "Choose a colleague of your agency."
    if not reason.strip():
        faults["reason"] = "Say why."
    if faults:
        raise Invalid(faults)
    lent = await Delegation.create(
        organisation_id=by.seat.id,
        from_person_id=by.person_id,
        to_person_id=to_person_id,
        role=Role.APPROVER,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        given_at=now,
    )
    record("role.lent", at=now, subject=("person", to_person_id), role=Role.APPROVER, until=ends_at)
    return lent


async def take_back(delegation_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """End a delegation at once: the lender's own, from the borrower's next request on."""
    lent = await Delegation.filter(id=delegation_id, from_person_id=by.person_id).select_for_update().first()
    if lent is None:
        raise NotFound("Delegation")
    if lent.revoked_at or lent.ends_at <= now:
        raise Conflict("this delegation has ended already")
    lent.revoked_at = now
    await lent.save(update_fields=["revoked_at"])
    record("role.taken_back", at=now, subject=("person", lent.to_person_id), role=lent.role)


async def delegations_of(organisation_id: uuid.UUID, *, now: dt.datetime) -> list[Delegation]:
    """Return the delegations of an organisation that run or will, by beginning."""
    running = Delegation.filter(organisation_id=organisation_id, revoked_at=None, ends_at__gt=now)
    return await running.select_related("from_person", "to_person").order_by("starts_at")


def lent_roles(to_person: str, organisation: str, at: str) -> str:
    """Return the query, in SQL, of the roles lent to a person at a moment while the lender holds them.

    Each as an array of the role and the lender's name; the person, organisation and moment are places of the query.
    """
    return f"""
        SELECT ARRAY[d.role, lender.name] FROM delegation d JOIN person lender ON lender.id = d.from_person_id
        WHERE d.to_person_id = {to_person} AND d.organisation_id = {organisation} AND d.revoked_at IS NULL
            AND d.starts_at <= {at} AND d.ends_at > {at}
            AND EXISTS (SELECT FROM membership m WHERE m.person_id = d.from_person_id
                AND m.organisation_id = d.organisation_id AND m.role = d.role AND m.revoked_at IS NULL)
    """  # noqa: S608 - places of our own queries
