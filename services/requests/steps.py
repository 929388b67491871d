"""Which steps the work orders of an offering take, by kind: its own, else the provider's, else the portal's."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence

from auth.errors import Invalid, NotPermitted
from auth.fields import too_long
from auth.rules import Actor, Permission
from auth.tenancy import one, record
from services.catalogue.models import Offering
from services.requests.models import StepTemplate
from services.requests.rules import STEPS, Kind

MOST_STEPS = 20


async def steps_of(provider_id: uuid.UUID, offering_id: uuid.UUID, kind: Kind) -> Sequence[tuple[str, str]]:
    """Return a work order's steps in (Thai, English): the offering's own, else the provider's, else the portal's."""
    templates = await StepTemplate.filter(provider_id=provider_id, kind=kind).order_by("position")
    for whose in (offering_id, None):
        own = [(step.name_th, step.name_en) for step in templates if step.offering_id == whose]
        if own:
            return own
    return STEPS[kind]


async def own_steps_of(offering_id: uuid.UUID) -> Mapping[Kind, list[tuple[str, str]]]:
    """Return an offering's own steps in (Thai, English) by kind; none for a kind that takes the usual ones."""
    own: dict[Kind, list[tuple[str, str]]] = {}
    for step in await StepTemplate.filter(offering_id=offering_id).order_by("position"):
        own.setdefault(step.kind, []).append((step.name_th, step.name_en))
    return own


async def set_steps(
    offering_id: uuid.UUID, kind: Kind, steps: Sequence[tuple[str, str]], *, by: Actor, now: dt.datetime
) -> None:
    """Set an offering's steps of a kind, for work orders given from now on; none takes the usual ones again.

    Refuses a step without a name in both languages, names too long and more than twenty steps (Invalid, under the
    kind), and whoever does not edit the catalogue (NotPermitted).
    """
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("the catalogue is edited by the provider's staff")
    offering = await one(Offering, lock=True, id=offering_id)
    if len(steps) > MOST_STEPS:
        raise Invalid({kind.value: "At most twenty steps."})
    if any(not th or not en for th, en in steps):
        raise Invalid({kind.value: "Write each step on a line of its own, in Thai and in English: ไทย | English."})
    if any(too_long(StepTemplate, {"name_th": th, "name_en": en}) for th, en in steps):
        raise Invalid({kind.value: "This text is too long."})
    before = (await own_steps_of(offering_id)).get(kind, [])
    if list(steps) == before:
        return
    await StepTemplate.filter(offering_id=offering_id, kind=kind).delete()
    await StepTemplate.bulk_create(
        StepTemplate(
            provider_id=offering.provider_id, offering_id=offering_id, kind=kind, position=n, name_th=th, name_en=en
        )
        for n, (th, en) in enumerate(steps, 1)
    )
    record("offering.steps", at=now, subject=("offering", offering_id), kind=kind, before=before, after=list(steps))
