"""What happens to services in use by itself, as time passes."""

import datetime as dt

from auth.rules import Permission
from auth.tenancy import scoped
from billing.months import ONE_DAY, bangkok_date, midnight
from services.notifications.commands import notify
from services.subscriptions.models import Subscription, SubscriptionState

ANNOUNCE_BEFORE_DAYS = (90, 60, 30)


async def announce_ending_contracts(*, now: dt.datetime) -> int:
    """Tell agencies of contracts that end within 90, 60 and 30 days, each once; returns how many end so soon."""
    today = bangkok_date(now)
    horizon = today + dt.timedelta(days=ANNOUNCE_BEFORE_DAYS[0])
    ending = await scoped(Subscription).filter(state=SubscriptionState.ACTIVE, ends_on__gte=today, ends_on__lte=horizon)
    for subscription in ending:
        left = ((subscription.ends_on or horizon) - today).days
        step = min(days for days in ANNOUNCE_BEFORE_DAYS if left <= days)
        await notify(
            subscription.agency_id,
            "service.contract_ends",
            identity=f"subscription/{subscription.id}/ends/{subscription.ends_on}/{step}",
            subject=("subscription", subscription.id),
            permission=Permission.SERVICES_READ,
            now=now,
            number=subscription.number,
            label=subscription.label,
            ends_on=subscription.ends_on,
            days=left,
        )
    return len(ending)


def days_to_end(subscription: Subscription, today: dt.date) -> int | None:
    """Return in how many days a contract ends, from 90 days ahead; None before, and for what has ended or will."""
    if subscription.ends_on is None or subscription.state is not SubscriptionState.ACTIVE or subscription.last_day:
        return None
    left = (subscription.ends_on - today).days
    return left if 0 <= left <= ANNOUNCE_BEFORE_DAYS[0] else None


async def ending_soon(*, today: dt.date) -> list[Subscription]:
    """Return the services within reach whose contracts end within 90 days and are not cancelled, the next first."""
    horizon = today + dt.timedelta(days=ANNOUNCE_BEFORE_DAYS[0])
    found = scoped(Subscription).filter(
        state=SubscriptionState.ACTIVE, last_day=None, ends_on__gte=today, ends_on__lte=horizon
    )
    return await found.select_related("offering").order_by("ends_on", "number")


async def next_end() -> dt.datetime | None:
    """Return when the first service that was given a last day is over, None while there is none."""
    announced = scoped(Subscription).filter(state=SubscriptionState.ACTIVE, last_day__isnull=False)
    first = await announced.order_by("last_day").first()
    return midnight(first.last_day + ONE_DAY) if first and first.last_day else None
