"""Known faults: what is shown before somebody reports, and what was told since."""

import datetime as dt
import uuid

from tortoise.expressions import Q

from auth.errors import NotFound
from services.disruptions.models import Disruption, DisruptionUpdate


async def known_now(
    now: dt.datetime, *, provider_id: uuid.UUID | None = None, offering_id: uuid.UUID | None = None
) -> list[Disruption]:
    """Return the disruptions that last, the latest first; of one offering, also those that name none."""
    lasting = Disruption.filter(ended_at=None, began_at__lte=now)
    if provider_id:
        lasting = lasting.filter(provider_id=provider_id)
    found = await lasting.order_by("-began_at").limit(50)
    return [each for each in found if offering_id is None or each.offering_id in {None, offering_id}]


async def disruptions_of(
    provider_id: uuid.UUID, offering_id: uuid.UUID, *, since: dt.datetime, most: int
) -> list[Disruption]:
    """Return the latest disruptions of an offering that were not over by a moment; also those that name none."""
    named = Q(Q(offering_id=offering_id), Q(offering_id=None), join_type="OR")
    lasted = Q(Q(ended_at=None), Q(ended_at__gte=since), join_type="OR")
    return await Disruption.filter(named, lasted, provider_id=provider_id).order_by("-began_at").limit(most)


async def disruption(disruption_id: uuid.UUID) -> tuple[Disruption, list[DisruptionUpdate]]:
    """Return a disruption with what was told about it, the latest first; NotFound where there is none."""
    found = await Disruption.get_or_none(id=disruption_id)
    if found is None:
        raise NotFound("Disruption")
    return found, await DisruptionUpdate.filter(disruption_id=disruption_id).order_by("-at")
