"""An organisation as others and itself see it (standard 7.5.1)."""

import uuid

from auth.errors import NotFound
from auth.organisations.models import Coordinator, Organisation


async def organisation(organisation_id: uuid.UUID) -> Organisation:
    """Return an organisation the actor may know of; NotFound for another agency's."""
    found = await Organisation.get_or_none(id=organisation_id)
    if found is None:
        raise NotFound("Organisation")
    return found


async def coordinators_of(organisation_id: uuid.UUID) -> list[Coordinator]:
    """Return whom to reach, by purpose and name."""
    return await Coordinator.filter(organisation_id=organisation_id, ended_at=None).order_by("purpose", "name")
