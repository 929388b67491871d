"""Keeping the provider list: the central agency enters providers, and takes them off (standard 12.2–12.3)."""

import datetime as dt
import uuid

from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.organisations.models import Organisation
from auth.rules import Actor, OrganisationKind, Permission
from auth.tenancy import record
from billing.months import bangkok_date
from services.catalogue.rules import Family
from services.oversight.models import Listing


async def list_provider(provider_id: uuid.UUID, family: Family, *, by: Actor, now: dt.datetime) -> Listing:
    """Enter a provider on the list for a family; being on it already changes nothing."""
    _keeper(by)
    if not await Organisation.filter(id=provider_id, kind=OrganisationKind.PROVIDER).exists():
        raise NotFound("Organisation")
    facts = {"listed_on": bangkok_date(now), "listed_by": by.name, "listed_at": now}
    listing, is_new = await Listing.get_or_create(
        provider_id=provider_id, family=family, revoked_on=None, defaults=facts
    )
    if is_new:
        record("provider.listed", at=now, subject=("organisation", provider_id), family=family)
    return listing


async def revoke(provider_id: uuid.UUID, family: Family, reason: str, *, by: Actor, now: dt.datetime) -> Listing:
    """Take a provider off the list for a family, saying why: no new request reaches it, existing services go on."""
    _keeper(by)
    if not reason.strip():
        raise Invalid({"reason": "Say why."})
    standing = await Listing.filter(provider_id=provider_id, family=family, revoked_on=None).first()
    if standing is None:
        raise Conflict("this provider is not on the list for this family")
    facts = {"revoked_on": bangkok_date(now), "revoked_by": by.name, "reason": reason.strip()}
    await standing.update_from_dict(facts).save(update_fields=list(facts))
    record("provider.revoked", at=now, subject=("organisation", provider_id), family=family, reason=reason.strip())
    return standing


def _keeper(by: Actor) -> None:
    if not by.may(Permission.PROVIDERS_LIST):
        raise NotPermitted("the provider list is kept by the central agency")
