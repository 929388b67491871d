"""Requests as a service in use shows them: what was asked about it, and what is still open."""

import uuid
from collections.abc import Iterable

from services.requests.models import ServiceRequest
from services.requests.queries import visible
from services.requests.rules import OPEN, State


async def requests_about(subscription_id: uuid.UUID) -> list[ServiceRequest]:
    """Return the requests about a service in use, the latest first."""
    return await visible().filter(subscription_id=subscription_id).order_by("-created_at", "-number")


async def open_requests(subscription_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, ServiceRequest]:
    """Return the request still to be decided or done of each service that has one; drafts do not count."""
    waiting = visible().filter(subscription_id__in=list(subscription_ids), state__in=list(OPEN - {State.DRAFT}))
    return {request.subscription_id: request for request in await waiting if request.subscription_id}
