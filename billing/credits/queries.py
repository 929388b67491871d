"""Which credits stand."""

import uuid

from auth.tenancy import current, matching
from billing.credits.models import Credit
from billing.months import Month


async def credits_between(agency_id: uuid.UUID, since: Month, until: Month) -> list[Credit]:
    """Return the credits that stand for an agency's months, both included, oldest first; one query."""
    own = "agency_id = $1 AND ($2::uuid IS NULL OR provider_id = $2)"
    stands = f"{own} AND month BETWEEN $3 AND $4 AND withdrawn_at IS NULL ORDER BY month, given_at, id"
    return await matching(Credit, stands, agency_id, current().actor.provider_id, since.first, until.first)
