"""Which cost centres an agency uses."""

import uuid

from auth.tenancy import scoped
from billing.usage.models import BilledService


async def centres_used(agency_id: uuid.UUID) -> list[str]:
    """Return the cost centres an agency's services are under."""
    found = await scoped(BilledService).filter(agency_id=agency_id).exclude(cost_centre="")
    return sorted({service.cost_centre for service in found})
