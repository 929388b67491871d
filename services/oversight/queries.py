"""Reading the provider list (standard 3.5, 13.1)."""

import uuid

from services.catalogue.rules import Family
from services.oversight.models import Listing


async def is_listed(provider_id: uuid.UUID, family: Family) -> bool:
    """Return whether agencies may order this family from this provider today (standard 13.1)."""
    return await Listing.filter(provider_id=provider_id, family=family, revoked_on=None).exists()


async def listed_families(provider_id: uuid.UUID) -> set[Family]:
    """Return the families a provider is on the list for."""
    return {listing.family for listing in await Listing.filter(provider_id=provider_id, revoked_on=None)}


async def listings() -> list[Listing]:
    """Return every entry of the list, revoked ones too, the standing first."""
    found = await Listing.all().order_by("listed_on")
    return sorted(found, key=lambda listing: listing.revoked_on is not None)
