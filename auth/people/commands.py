"""Meeting people, deciding their access, granting and revoking roles (seed B 3(6))."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.organisations.models import Organisation
from auth.people.models import AccessRequest, AccessState, Membership, Person
from auth.rules import ROLES_OF, Actor, Permission, Role
from auth.tenancy import record

_ADMINS = (Role.AGENCY_ADMIN, Role.PROVIDER_ADMIN, Role.CENTRAL)


async def meet(issuer: str, subject: str, *, name: str, email: str, now: dt.datetime) -> Person:
    """Return the person of (issuer, subject), new at first sign-in, with the name and e-mail of today."""
    person, _ = await Person.get_or_create(
        issuer=issuer, subject=subject, defaults={"name": name, "email": email, "created_at": now}
    )
    if (person.name, person.email) != (name, email):
        person.name, person.email = name, email
        await person.save(update_fields=["name", "email"])
    return person


async def ask_for_access(
    person_id: uuid.UUID, organisation_id: uuid.UUID, role: Role, note: str, *, now: dt.datetime
) -> AccessRequest:
    """Ask an organisation's administrator for a role; one open wish per organisation (run as the system).

    Refuses a role that one has there already (Invalid).
    """
    organisation = await Organisation.get_or_none(id=organisation_id)
    if organisation is None:
        raise NotFound("Organisation")
    _check_role(organisation, role)
    if await AccessRequest.filter(
        person_id=person_id, organisation_id=organisation_id, state=AccessState.PENDING
    ).exists():
        raise Conflict("a request for this organisation is already waiting")
    if await Membership.filter(
        person_id=person_id, organisation_id=organisation_id, role=role, revoked_at=None
    ).exists():
        raise Invalid({"role": "You have this role there already."})
    asked = await AccessRequest.create(
        person_id=person_id, organisation_id=organisation_id, role=role, note=note, asked_at=now
    )
    person = await Person.get(id=person_id)
    who = Actor(name=person.name, person_id=person_id)
    record("access.asked", at=now, subject=("person", person_id), agency_id=organisation_id, by=who, role=role)
    return asked


async def decide_access(
    request_id: uuid.UUID, *, grant_it: bool, note: str = "", by: Actor, now: dt.datetime
) -> AccessRequest:
    """Grant or refuse a wish for access to the administrator's own organisation."""
    organisation_id = _administered(by)
    asked = await AccessRequest.filter(id=request_id, organisation_id=organisation_id).select_for_update().first()
    if asked is None:
        raise NotFound("AccessRequest")
    if asked.state is not AccessState.PENDING:
        raise Conflict("this request was already decided")
    asked.state = AccessState.GRANTED if grant_it else AccessState.REFUSED
    asked.decided_by, asked.decided_at, asked.decision_note = by.name, now, note
    await asked.save()
    if grant_it:
        await grant(asked.person_id, asked.role, by=by, now=now)
    else:
        record("access.refused", at=now, subject=("person", asked.person_id), role=asked.role, note=note)
    return asked


async def grant(person_id: uuid.UUID, role: Role, *, by: Actor, now: dt.datetime) -> Membership:
    """Give a person known to the organisation a role in it; holding it already changes nothing."""
    organisation_id = _administered(by)
    organisation = await Organisation.filter(id=organisation_id).select_for_update().get()
    _check_role(organisation, role)
    known = (
        await Membership.filter(person_id=person_id, organisation_id=organisation_id).exists()
        or await AccessRequest.filter(person_id=person_id, organisation_id=organisation_id).exists()
    )
    if not known:
        raise NotFound("Person")
    held = await _held(organisation_id, person_id, role)
    if held:
        return held
    given = await Membership.create(
        organisation_id=organisation_id, person_id=person_id, role=role, granted_by=by.name, granted_at=now
    )
    record("role.granted", at=now, subject=("person", person_id), role=role)
    return given


async def revoke(person_id: uuid.UUID, role: Role, *, by: Actor, now: dt.datetime) -> None:
    """Take a role away, from the person's next request on; the last administrator stays."""
    organisation_id = _administered(by)
    await Organisation.filter(id=organisation_id).select_for_update().get()
    held = await _held(organisation_id, person_id, role)
    if held is None:
        raise NotFound("Membership")
    if role in _ADMINS and not await _others_hold(organisation_id, person_id, role):
        raise Conflict("the last administrator cannot be removed")
    held.revoked_by, held.revoked_at = by.name, now
    await held.save(update_fields=["revoked_by", "revoked_at"])
    record("role.revoked", at=now, subject=("person", person_id), role=role)


def _administered(by: Actor) -> uuid.UUID:
    if by.seat is None or not by.may(Permission.USERS_GRANT):
        raise NotPermitted("only an administrator grants rights")
    return by.seat.id


def _check_role(organisation: Organisation, role: Role) -> None:
    if role not in ROLES_OF[organisation.kind]:
        raise Invalid({"role": "This role does not exist in that organisation."})


async def _held(organisation_id: uuid.UUID, person_id: uuid.UUID, role: Role) -> Membership | None:
    return await Membership.filter(
        organisation_id=organisation_id, person_id=person_id, role=role, revoked_at=None
    ).first()


async def _others_hold(organisation_id: uuid.UUID, person_id: uuid.UUID, role: Role) -> bool:
    holders = Membership.filter(organisation_id=organisation_id, role=role, revoked_at=None)
    return await holders.exclude(person_id=person_id).exists()
