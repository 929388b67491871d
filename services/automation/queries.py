"""What was set up, and what became of the messages."""

import uuid
from dataclasses import dataclass

from auth.tenancy import scoped
from services.automation.models import Automation, Dispatch
from services.requests.models import ServiceRequest


@dataclass(frozen=True, slots=True)
class Sent:
    """A message with the number of the request it is about."""

    dispatch: Dispatch
    request_number: str


async def automation_of(offering_id: uuid.UUID) -> Automation | None:
    """Return an offering's automation, also one that is stopped; None where there never was one."""
    return await scoped(Automation).filter(offering_id=offering_id).first()


async def dispatches_of(offering_id: uuid.UUID, *, limit: int = 50) -> list[Sent]:
    """Return an offering's messages, the latest first; two queries."""
    found = await scoped(Dispatch).filter(offering_id=offering_id).order_by("-created_at", "-id").limit(limit)
    requests = await scoped(ServiceRequest).filter(id__in={sent.request_id for sent in found})
    numbers = {request.id: request.number for request in requests}
    return [Sent(sent, numbers[sent.request_id]) for sent in found]
