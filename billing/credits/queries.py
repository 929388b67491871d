"""Which credits stand."""

import uuid

from auth.tenancy import scoped
from billing.credits.models import Credit
from billing.months import Month


async def credits_between(agency_id: uuid.UUID, since: Month, until: Month) -> list[Credit]:
    """Return the credits that stand for an agency's months, both included, oldest first; one query."""
    return (
        await scoped(Credit)
        .filter(agency_id=agency_id, month__gte=since.first, month__lte=until.first, withdrawn_at=None)
        .order_by("month", "given_at", "id")
    )
