"""Linking a LINE account to a person: a code from the account's page, sent once from LINE."""

import datetime as dt
import uuid

from auth.people.models import Person
from auth.rules import Actor
from auth.tenancy import record
from services.channels.models import LineCode, LineLink
from services.channels.rules import CODE_LASTS, digest_of, new_code


async def give_code(person_id: uuid.UUID, *, wall: dt.datetime) -> str:
    """Return a new code for a person, good for ten minutes; one before it is good no more. Run as the system."""
    await LineCode.filter(person_id=person_id).delete()
    await LineCode.filter(expires_at__lt=wall).delete()
    code = new_code()
    await LineCode.create(digest=digest_of(code), person_id=person_id, expires_at=wall + CODE_LASTS)
    return code


async def link(
    provider_id: uuid.UUID, line_user_id: str, digest: str, *, now: dt.datetime, wall: dt.datetime
) -> str | None:
    """Link the LINE account that sent a code to its person, and return their name; None for a code that is not good.

    A person has one LINE account at a provider, and a LINE account one person: the latest link holds.
    """
    used = await LineCode.filter(digest=digest).select_for_update().first()
    if used is None or used.expires_at < wall:
        return None
    await used.delete()
    person = await Person.get(id=used.person_id)
    await LineLink.filter(provider_id=provider_id, line_user_id=line_user_id).delete()
    await LineLink.filter(provider_id=provider_id, person_id=person.id).delete()
    made = await LineLink.create(provider_id=provider_id, line_user_id=line_user_id, person_id=person.id, linked_at=now)
    record("line.linked", at=now, subject=("person", person.id), link=str(made.id))
    return person.name


async def links_of(person_id: uuid.UUID) -> list[LineLink]:
    """Return a person's linked LINE accounts; run as the system."""
    return await LineLink.filter(person_id=person_id).order_by("linked_at")


async def unlink(person_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Unlink all LINE accounts of a person; what they write is the help-desk's to sort from then on."""
    await LineLink.filter(person_id=person_id).delete()
    record("line.unlinked", at=now, subject=("person", person_id), by=by)
