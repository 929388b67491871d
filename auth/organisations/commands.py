"""An agency keeping its own profile up to date (standard 7.5.1)."""

import datetime as dt
import re
import uuid
from collections.abc import Mapping

from auth.errors import Invalid, NotFound, NotPermitted
from auth.fields import too_long
from auth.organisations.models import Coordinator, Organisation, Purpose
from auth.rules import Actor, Permission
from auth.tenancy import record

EDITABLE = ("name_th", "name_en", "tax_id", "branch_code", "address_th", "address_en", "phone", "email")
CONTACT = ("name", "position", "phone", "email", "line_id")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


async def edit_profile(facts: Mapping[str, str], *, by: Actor, now: dt.datetime) -> Organisation:
    """Change the actor's own organisation's names, codes, addresses and channels; Invalid names what is wrong."""
    organisation_id = _edited_by(by)
    organisation = await Organisation.filter(id=organisation_id).select_for_update().get()
    given = {name: facts[name].strip() for name in EDITABLE if name in facts}
    _check(given)
    changed = {name: value for name, value in given.items() if getattr(organisation, name) != value}
    if changed:
        before = {name: getattr(organisation, name) for name in changed}
        await organisation.update_from_dict(changed).save(update_fields=list(changed))
        record("organisation.edited", at=now, subject=("organisation", organisation_id), before=before, after=changed)
    return organisation


async def allow_asker_to_confirm(allowed: bool, *, by: Actor, now: dt.datetime) -> None:
    """Decide whether the one who asked may also confirm; an administrator's decision."""
    if by.agency_id is None or not by.may(Permission.USERS_GRANT):
        raise NotPermitted("the agency's administrator decides this")
    await Organisation.filter(id=by.agency_id).update(asker_may_confirm=allowed)
    record("organisation.asker_may_confirm", at=now, subject=("organisation", by.agency_id), allowed=allowed)


async def add_coordinator(purpose: Purpose, facts: Mapping[str, str], *, by: Actor, now: dt.datetime) -> Coordinator:
    """Add somebody to reach, by purpose; needs a name and a way to reach them."""
    organisation_id = _edited_by(by)
    given = _contact(facts)
    added = Coordinator(organisation_id=organisation_id, purpose=purpose, changed_at=now, **given)
    await added.save()
    record("coordinator.added", at=now, subject=("coordinator", added.id), purpose=purpose, after=given)
    return added


async def edit_coordinator(
    coordinator_id: uuid.UUID, purpose: Purpose, facts: Mapping[str, str], *, by: Actor, now: dt.datetime
) -> Coordinator:
    """Change how somebody is reached, or for what."""
    coordinator = await _own_coordinator(coordinator_id, by)
    given = _contact(facts)
    before = {name: getattr(coordinator, name) for name in CONTACT}
    await coordinator.update_from_dict({"purpose": purpose, "changed_at": now} | given).save()
    record("coordinator.edited", at=now, subject=("coordinator", coordinator_id), before=before, after=given)
    return coordinator


async def end_coordinator(coordinator_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Take somebody off the list; the record of having been there stays."""
    coordinator = await _own_coordinator(coordinator_id, by)
    coordinator.ended_at = now
    await coordinator.save(update_fields=["ended_at"])
    record("coordinator.ended", at=now, subject=("coordinator", coordinator_id), name=coordinator.name)


def _edited_by(by: Actor) -> uuid.UUID:
    if by.seat is None or not by.may(Permission.AGENCY_EDIT):
        raise NotPermitted("the profile is kept by the agency's own people")
    return by.seat.id


async def _own_coordinator(coordinator_id: uuid.UUID, by: Actor) -> Coordinator:
    owned = Coordinator.filter(id=coordinator_id, organisation_id=_edited_by(by), ended_at=None)
    coordinator = await owned.select_for_update().first()
    if coordinator is None:
        raise NotFound("Coordinator")
    return coordinator


def _contact(facts: Mapping[str, str]) -> dict[str, str]:
    given = {name: facts.get(name, "").strip() for name in CONTACT}
    faults = too_long(Coordinator, given)
    if not given["name"]:
        faults["name"] = "Give a name."
    if not (given["phone"] or given["email"] or given["line_id"]):
        faults["phone"] = "Give at least one way to reach them."
    if given["email"] and not _EMAIL.fullmatch(given["email"]):
        faults["email"] = "This is not an e-mail address."
    if faults:
        raise Invalid(faults)
    return given


def _check(given: Mapping[str, str]) -> None:
    faults = too_long(Organisation, given)
    faults |= {name: "Give a name." for name in ("name_th", "name_en") if name in given and not given[name]}
    if given.get("tax_id") and not re.fullmatch(r"\d{13}", given["tax_id"]):
        faults["tax_id"] = "A tax number has 13 digits."
    if given.get("branch_code") and not re.fullmatch(r"\d{5}", given["branch_code"]):
        faults["branch_code"] = "A branch code has 5 digits."
    if given.get("email") and not _EMAIL.fullmatch(given["email"]):
        faults["email"] = "This is not an e-mail address."
    if faults:
        raise Invalid(faults)
