"""Agencies put their services under cost centres or projects of their own."""

import datetime as dt
import uuid

from auth.errors import Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record
from billing.usage.models import BilledService

LONGEST_NAME = 64


async def tag(service_id: uuid.UUID, cost_centre: str, *, by: Actor, now: dt.datetime) -> BilledService:
    """Put a service under a cost centre, or with an empty name under none; its past months count there as well.

    Refuses a name that is too long (Invalid), and whoever does not keep the agency's budgets (NotPermitted).
    """
    if by.agency_id is None or not by.may(Permission.BUDGETS_EDIT):
        raise NotPermitted("the agency's finance decides its cost centres")
    name = " ".join(cost_centre.split())
    if len(name) > LONGEST_NAME:
        raise Invalid({"cost_centre": "This is too long."})
    service = await one(BilledService, lock=True, id=service_id)
    before = service.cost_centre
    if before != name:
        service.cost_centre = name
        await service.save(update_fields=["cost_centre"])
        record(
            "cost_centre.set",
            at=now,
            subject=("service", service.number),
            agency_id=service.agency_id,
            before=before,
            after=name,
        )
    return service
