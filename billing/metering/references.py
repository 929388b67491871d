"""What a provider's own systems call services: names given, given to another service, taken back."""

import datetime as dt
import uuid

from tortoise.expressions import Q, Subquery

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor
from auth.tenancy import one, record, rows, scoped
from billing.metering import rules
from billing.metering.models import ExternalReference
from billing.usage.models import BilledService

_LONGEST_NUMBER = 32


async def map_reference(reference: str, service_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ExternalReference:
    """Let events name a service by what the provider's own systems call it; Conflict for a name already given."""
    _by_provider(by)
    reference = reference.strip()
    if not 0 < len(reference) <= rules.LONGEST_TEXT:
        raise Invalid({"reference": "This text is too long." if reference else "Fill in this field."})
    service = await one(BilledService, id=service_id)
    taken = await rows(
        "SELECT 1 FROM external_reference WHERE provider_id = $1 AND reference = $2"
        " UNION ALL SELECT 1 FROM billed_service WHERE provider_id = $1 AND number = $2",
        service.provider_id,
        reference,
    )
    if taken:
        raise Conflict("this reference names a service already")
    record(
        "reference.mapped", at=now, subject=("service", service_id), agency_id=service.agency_id, reference=reference
    )
    return await ExternalReference.create(
        agency_id=service.agency_id,
        provider_id=service.provider_id,
        service_id=service_id,
        reference=reference,
        mapped_at=now,
        mapped_by=by.name,
    )


async def move_reference(
    reference_id: uuid.UUID, service_id: uuid.UUID, *, by: Actor, now: dt.datetime
) -> ExternalReference:
    """Let a name mean another service from now on; what was stored under it stays where it is.

    Conflict where it means that service already.
    """
    _by_provider(by)
    mapped = await one(ExternalReference, lock=True, id=reference_id)
    service = await one(BilledService, id=service_id)
    if mapped.service_id == service_id:
        raise Conflict("this reference names that service already")
    facts = {"service_id": service_id, "agency_id": service.agency_id, "mapped_at": now, "mapped_by": by.name}
    # By its own id alone: the row passes from one agency to the other.
    await scoped(ExternalReference).filter(id=mapped.id).update(**facts)
    for agency_id in dict.fromkeys((mapped.agency_id, service.agency_id)):
        record(
            "reference.moved",
            at=now,
            subject=("service", service_id),
            agency_id=agency_id,
            reference=mapped.reference,
            before=str(mapped.service_id),
        )
    return mapped


async def withdraw_reference(reference_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> ExternalReference:
    """Let a name mean no service any more: events that use it are refused; what was stored under it stays."""
    _by_provider(by)
    mapped = await one(ExternalReference, lock=True, id=reference_id)
    await scoped(ExternalReference).filter(id=mapped.id).delete()
    record(
        "reference.withdrawn",
        at=now,
        subject=("service", mapped.service_id),
        agency_id=mapped.agency_id,
        reference=mapped.reference,
    )
    return mapped


async def references(sought: str, *, most: int, skip: int = 0) -> tuple[list[ExternalReference], int]:
    """Return a page of the names that hold a text, or whose service's number or name does, and how many there are."""
    found = scoped(ExternalReference)
    if sought:
        services = scoped(BilledService).filter(
            Q(number__icontains=sought) | Q(name_th__icontains=sought) | Q(name_en__icontains=sought)
        )
        found = found.filter(Q(reference__icontains=sought) | Q(service_id__in=Subquery(services.values("id"))))
    return await found.order_by("reference").offset(skip).limit(most), await found.count()


async def service_named(text: str) -> BilledService | None:
    """Return the service within reach that a number names, or else what the provider's own systems call it."""
    by_number = await service_numbered(text)
    if by_number is not None or len(text) > rules.LONGEST_TEXT:
        return by_number
    mapped = await scoped(ExternalReference).filter(reference=text).first()
    return None if mapped is None else await scoped(BilledService).filter(id=mapped.service_id).first()


async def service_numbered(number: str) -> BilledService | None:
    """Return the service within reach that has a number."""
    fits = len(number) <= _LONGEST_NUMBER  # the ORM will not even look for a longer one
    return await scoped(BilledService).filter(number=number).first() if fits else None


def _by_provider(by: Actor) -> None:
    if by.provider_id is None:
        raise NotPermitted("only a provider names what it measures")
