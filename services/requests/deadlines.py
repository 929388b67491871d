"""What happens to requests by itself, as time passes; each is told once, however often it is looked for."""

import datetime as dt

from auth.rules import system
from auth.tenancy import scoped
from billing.months import bangkok_date
from services.calendar.queries import official
from services.notifications.commands import notify
from services.requests.deciding import expire
from services.requests.models import Quote, ServiceRequest
from services.requests.rules import PERMISSIONS, REMIND_BEFORE_WORKING_DAYS, Audience, State


async def expire_due(*, now: dt.datetime) -> int:
    """End every request whose quote was not confirmed in time, and return how many; run as the system."""
    late = await scoped(Quote).filter(valid_until__lt=now).values_list("id", flat=True)
    waiting = await scoped(ServiceRequest).filter(state=State.AWAITING_CONFIRMATION, quote_id__in=late)
    for request in waiting:
        await expire(request.id, by=system("deadlines"), now=now)
    return len(waiting)


async def remind_due(*, now: dt.datetime) -> int:
    """Remind the approvers of quotes whose last day comes near, and return how many were looked at."""
    calendar = await official()
    waiting = await scoped(ServiceRequest).filter(state=State.AWAITING_CONFIRMATION)
    quotes = {quote.id: quote for quote in await scoped(Quote).filter(id__in=[r.quote_id for r in waiting])}
    for request in waiting:
        until = quotes[request.quote_id].valid_until
        for days in REMIND_BEFORE_WORKING_DAYS:
            if calendar.add_working_days(bangkok_date(now), days) < bangkok_date(until):
                continue
            await notify(
                request.agency_id,
                "request.remind",
                identity=f"request/{request.id}/remind/{request.quote_id}/{days}",
                subject=("request", request.id),
                permission=PERMISSIONS[Audience.APPROVERS],
                now=now,
                number=request.number,
                label=request.label,
                until=until,
            )
    return len(waiting)


async def next_expiry() -> dt.datetime | None:
    """Return the last moment of the first quote to run out, None while nobody is asked to confirm."""
    waiting = await scoped(ServiceRequest).filter(state=State.AWAITING_CONFIRMATION).values_list("quote_id", flat=True)
    first = await scoped(Quote).filter(id__in=waiting).order_by("valid_until").first()
    return first.valid_until if first else None
