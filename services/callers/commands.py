"""Remembering who called."""

import datetime as dt
import uuid

from auth.errors import Invalid
from auth.tenancy import scoped
from services.callers.models import Caller
from services.callers.queries import digits_of


async def remember(
    agency_id: uuid.UUID,
    provider_id: uuid.UUID,
    *,
    name: str,
    phone: str = "",
    email: str = "",
    line_user_id: str = "",
    person_id: uuid.UUID | None = None,
    now: dt.datetime,
) -> Caller:
    """Return the caller, new or as known before with what was learned; refuses one without a name (Invalid).

    The same person who signs in, the same LINE account, or the same name with the same number or address is
    the same caller.
    """
    if not name.strip():
        raise Invalid({"caller_name": "Say who asks."})
    name, email, digits = name.strip(), email.strip().lower(), digits_of(phone)
    known = scoped(Caller).filter(agency_id=agency_id, provider_id=provider_id)
    found: Caller | None = None
    if person_id:
        found = await known.filter(person_id=person_id).first()
    if found is None and line_user_id:
        found = await known.filter(line_user_id=line_user_id).first()
    if found is None and digits:
        found = await known.filter(name=name, phone_digits=digits).first()
    if found is None and email:
        found = await known.filter(name=name, email=email).first()
    caller = found or Caller(agency_id=agency_id, provider_id=provider_id, name=name)
    caller.name, caller.seen_at = name, now
    caller.person_id = person_id or caller.person_id
    caller.email = email or caller.email
    caller.line_user_id = line_user_id or caller.line_user_id
    if digits:
        caller.phone, caller.phone_digits = phone.strip(), digits
    await caller.save(force_create=found is None)
    return caller
