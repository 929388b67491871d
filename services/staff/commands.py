"""Keeping the staff register: what somebody holds is noted, and struck out when it was wrong (standard 9.1–9.3)."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.people.models import Membership
from auth.rules import Actor, Permission
from auth.tenancy import one, record
from services.staff.models import StaffRecord
from services.staff.rules import Field, Kind


async def enter(
    person_id: uuid.UUID,
    kind: Kind,
    *,
    field: Field | None = None,
    title: str = "",
    number: str = "",
    held_from: dt.date,
    held_until: dt.date | None = None,
    by: Actor,
    now: dt.datetime,
    provider_id: uuid.UUID | None = None,
) -> StaffRecord:
    """Enter what a member of the provider holds: a certificate, a criminal-record check, a signed NDA.

    Refuses who does not keep the register (NotPermitted), who is no member (NotFound), a certificate without
    its field and name, and an end before the beginning (Invalid).
    """
    desk = _keeper(by, provider_id)
    if not await Membership.filter(organisation_id=desk, person_id=person_id, revoked_at=None).exists():
        raise NotFound("Person")
    wrong = {}
    if kind is Kind.CERTIFICATE and field is None:
        wrong["field"] = "Say what the certificate is about."
    if kind is Kind.CERTIFICATE and not title.strip():
        wrong["title"] = "Name the certificate."
    if held_until is not None and held_until < held_from:
        wrong["held_until"] = "The last day is before the first."
    if wrong:
        raise Invalid(wrong)
    entered = await StaffRecord.create(
        provider_id=desk,
        person_id=person_id,
        kind=kind,
        field=field if kind is Kind.CERTIFICATE else None,
        title=title.strip(),
        number=number.strip(),
        held_from=held_from,
        held_until=held_until,
        noted_by_name=by.name,
        noted_at=now,
    )
    record("staff.entered", at=now, subject=("person", person_id), kind=kind, until=held_until)
    return entered


async def strike(record_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> StaffRecord:
    """Strike out what was entered wrongly, or what no longer holds; it counts from now on no more."""
    _keeper(by, None)
    found = await one(StaffRecord, lock=True, id=record_id)
    if found.struck_at is not None:
        raise Conflict("this is struck out already")
    found.struck_by_name, found.struck_at = by.name, now
    await found.save(update_fields=["struck_by_name", "struck_at"])
    record("staff.struck", at=now, subject=("person", found.person_id), kind=found.kind)
    return found


def _keeper(by: Actor, provider_id: uuid.UUID | None) -> uuid.UUID:
    if by.is_system and provider_id is not None:
        return provider_id
    if by.provider_id is None or not by.may(Permission.STAFF_KEEP):
        raise NotPermitted("the staff register is kept by the provider's manager")
    return by.provider_id
