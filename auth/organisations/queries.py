"""An organisation as others and itself see it (standard 7.5.1)."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

from auth.errors import NotFound
from auth.organisations.models import Coordinator, Organisation, Purpose
from auth.rules import OrganisationKind


@dataclass(frozen=True, slots=True)
class Reachable:
    """A provider with whom to reach there at any hour (standard 7.4)."""

    organisation: Organisation
    around_the_clock: tuple[Coordinator, ...]


async def organisation(organisation_id: uuid.UUID) -> Organisation:
    """Return an organisation the actor may know of; NotFound for another agency's."""
    found = await Organisation.get_or_none(id=organisation_id)
    if found is None:
        raise NotFound("Organisation")
    return found


async def coordinators_of(organisation_id: uuid.UUID) -> list[Coordinator]:
    """Return whom to reach, by purpose and name."""
    return await Coordinator.filter(organisation_id=organisation_id, ended_at=None).order_by("purpose", "name")


async def agencies() -> list[Organisation]:
    """Return the agencies the actor may know of, by code: to an agency, itself."""
    return await Organisation.filter(kind=OrganisationKind.AGENCY).order_by("code")


async def providers_to_reach() -> list[Reachable]:
    """Return the providers, each with whom to reach there at any hour; two queries."""
    on_call: defaultdict[uuid.UUID, list[Coordinator]] = defaultdict(list)
    for each in await Coordinator.filter(
        organisation__kind=OrganisationKind.PROVIDER, purpose=Purpose.AROUND_THE_CLOCK, ended_at=None
    ).order_by("name"):
        on_call[each.organisation_id].append(each)
    providers = await Organisation.filter(kind=OrganisationKind.PROVIDER).order_by("code")
    return [Reachable(provider, tuple(on_call[provider.id])) for provider in providers]
