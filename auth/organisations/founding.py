"""The first organisations and their administrators: known to nobody yet, so it is the operator's work."""

import datetime as dt

from auth.errors import Conflict, Invalid
from auth.organisations.models import Organisation
from auth.people.commands import meet
from auth.people.models import Membership
from auth.rules import OrganisationKind, Role
from auth.tenancy import current, record

ADMINISTRATOR: dict[OrganisationKind, Role] = {
    OrganisationKind.AGENCY: Role.AGENCY_ADMIN,
    OrganisationKind.PROVIDER: Role.PROVIDER_ADMIN,
    OrganisationKind.CENTRAL: Role.CENTRAL,
    OrganisationKind.AUDITOR: Role.AUDITOR,
}


async def found(
    kind: OrganisationKind,
    code: str,
    short_code: str,
    names: tuple[str, str],
    administrator: tuple[str, str, str],
    *,
    now: dt.datetime,
) -> Organisation:
    """Add an organisation and its first administrator, given as (issuer, subject, name); run as the system.

    Names come as (Thai, English). Refuses a code that is taken (Conflict) and one that is empty or too long
    (Invalid). Everybody else asks for access, and the administrator decides.
    """
    faults = {}
    if not 1 <= len(code) <= 32:
        faults["code"] = "A code has up to 32 characters."
    if not (1 <= len(short_code) <= 8 and short_code.isalnum() and short_code.isascii()):
        faults["short_code"] = "A short code has up to 8 letters and digits."
    if not all(names):
        faults["name"] = "Give a name in Thai and one in English."
    if faults:
        raise Invalid(faults)
    if await Organisation.filter(code=code).exists() or await Organisation.filter(short_code=short_code).exists():
        raise Conflict(f"{code} or {short_code} is taken")
    founded = await Organisation.create(
        kind=kind, code=code, short_code=short_code, name_th=names[0], name_en=names[1], created_at=now
    )
    issuer, subject, name = administrator
    person = await meet(issuer, subject, name=name, email="", now=now)
    await Membership.create(
        organisation_id=founded.id,
        person_id=person.id,
        role=ADMINISTRATOR[kind],
        granted_by=current().actor.name,
        granted_at=now,
    )
    record("organisation.founded", at=now, agency_id=founded.id, subject=("organisation", founded.id), code=code)
    return founded
