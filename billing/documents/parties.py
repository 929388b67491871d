"""Seller and buyer as a document names them on the day it is issued."""

import uuid
from typing import Any

from auth.organisations.models import Organisation

_NAMED = ("name_th", "name_en", "tax_id", "branch_code", "address_th", "address_en", "phone", "email")


async def parties_of(agency_id: uuid.UUID, provider_id: uuid.UUID) -> dict[str, dict[str, Any]]:
    """Return {"seller": …, "buyer": …}: names, tax ids, branches and addresses as they stand; one query."""
    found = {each.id: each for each in await Organisation.filter(id__in=[agency_id, provider_id])}
    return {
        side: {name: getattr(found[who], name) for name in _NAMED} if who in found else {}
        for side, who in (("seller", provider_id), ("buyer", agency_id))
    }
