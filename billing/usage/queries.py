"""Who has services that cost something."""

import uuid

from tortoise.functions import Count

from auth.tenancy import scoped
from billing.usage.models import BilledService


async def services_by_agency() -> dict[uuid.UUID, int]:
    """Return how many services, ended ones too, each agency within reach has or had; one query."""
    counted = scoped(BilledService).annotate(many=Count("id")).group_by("agency_id").values("agency_id", "many")
    return {row["agency_id"]: row["many"] for row in await counted}
