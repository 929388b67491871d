"""An organisation as others and itself see it (standard 7.5.1)."""

import uuid
from collections import defaultdict
from dataclasses import dataclass

from tortoise.expressions import Q

from auth.errors import NotFound
from auth.organisations.models import Coordinator, Organisation, Purpose
from auth.rules import OrganisationKind

LEAST_LETTERS = 3  # of a name that organisations are looked for by


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


async def named(text: str, *, most: int) -> list[Organisation]:
    """Return the organisations of a code, or with a text of at least three letters in their name (run as the system).

    Who is here is nobody's to list: whoever asks for access knows where they work.
    """
    wanted = text.strip()
    if not wanted:
        return []
    chosen = Q(code__iexact=wanted) | Q(short_code__iexact=wanted)
    if len(wanted) >= LEAST_LETTERS:
        chosen |= Q(name_th__icontains=wanted) | Q(name_en__icontains=wanted)
    return await Organisation.filter(chosen).order_by("code").limit(most)


async def providers_to_reach() -> list[Reachable]:
    """Return the providers, each with whom to reach there at any hour; two queries."""
    on_call: defaultdict[uuid.UUID, list[Coordinator]] = defaultdict(list)
    for each in await Coordinator.filter(
        organisation__kind=OrganisationKind.PROVIDER, purpose=Purpose.AROUND_THE_CLOCK, ended_at=None
    ).order_by("name"):
        on_call[each.organisation_id].append(each)
    providers = await Organisation.filter(kind=OrganisationKind.PROVIDER).order_by("code")
    return [Reachable(provider, tuple(on_call[provider.id])) for provider in providers]
