"""Which months an agency has checked."""

import uuid

from auth.tenancy import scoped
from billing.acknowledgements.models import Acknowledgement
from billing.acknowledgements.rules import unchecked
from billing.months import Month
from billing.statements.queries import first_month


async def acknowledgement_of(agency_id: uuid.UUID, month: Month) -> Acknowledgement | None:
    """Return who checked a month and when; None where nobody did."""
    return await scoped(Acknowledgement).filter(agency_id=agency_id, month=month.first).first()


async def acknowledged_between(agency_id: uuid.UUID, since: Month, until: Month) -> dict[Month, Acknowledgement]:
    """Return the checks of an agency's months, both included; one query."""
    found = scoped(Acknowledgement).filter(agency_id=agency_id, month__gte=since.first, month__lte=until.first)
    return {Month.of(each.month): each for each in await found}


async def months_unchecked(agency_id: uuid.UUID, now: Month) -> tuple[Month, ...]:
    """Return the months of the fiscal year that are over and nobody checked, the latest first; two queries."""
    since = await first_month(agency_id)
    if since is None or since >= now:
        return ()
    return unchecked(since, now, await acknowledged_between(agency_id, since, now))
