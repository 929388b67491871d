"""Opening, changing and ending services in use, with what billing charges for them."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal

from auth.fields import new_id
from auth.organisations.models import Organisation
from auth.tenancy import one, record, scoped
from billing.metering.commands import name_meters
from billing.months import Month, bangkok_date
from billing.numbers.commands import next_number
from billing.usage import commands as usage
from billing.usage.commands import Quantity
from services.catalogue.models import Component, Offering
from services.subscriptions.models import Subscription, SubscriptionState


async def open_subscription(
    agency_id: uuid.UUID,
    offering: Offering,
    quantities: Mapping[uuid.UUID, Decimal],
    *,
    label: str,
    starts_at: dt.datetime,
    ends_on: dt.date | None = None,
    contract_number: str = "",
    origin: str,
    now: dt.datetime,
) -> Subscription:
    """Open a service for an agency with these quantities by component, charged from `starts_at` on."""
    agency = await Organisation.get(id=agency_id)
    starts_on = bangkok_date(starts_at)
    fiscal_year = Month.of(starts_on).fiscal_year
    number = await next_number(agency_id, offering.code, fiscal_year)
    subscription = Subscription(
        id=new_id(),
        agency_id=agency_id,
        provider_id=offering.provider_id,
        offering_id=offering.id,
        number=f"{offering.code}-{agency.short_code}-{fiscal_year}-{number:03d}",
        label=label,
        contract_number=contract_number,
        starts_on=starts_on,
        ends_on=ends_on,
    )
    await usage.open_service(
        subscription.id,
        agency_id,
        offering.provider_id,
        number=subscription.number,
        offering_code=offering.code,
        family=offering.family,
        names=(f"{offering.name_th} – {label}", f"{offering.name_en} – {label}"),
    )
    await subscription.save(force_create=True)
    await set_quantities(subscription.id, quantities, starts_at, origin=origin)
    record("service.opened", at=now, subject=("subscription", subscription.id), agency_id=agency_id, origin=origin)
    return subscription


async def set_quantities(
    subscription_id: uuid.UUID, quantities: Mapping[uuid.UUID, Decimal], at: dt.datetime, *, origin: str
) -> None:
    """Give components of a service these quantities from a moment on; zero ends one, the others stay.

    What is measured of its offering and add-ons can be told from then on, also what came into the catalogue since the
    service was opened.
    """
    subscription = await one(Subscription, id=subscription_id)
    offering = await Offering.get(id=subscription.offering_id)
    components = await Component.filter(offering_id=offering.id).select_related("price_item")
    await name_meters(
        offering.provider_id,
        offering.code,
        {each.code: (each.id, each.price_item) for each in components},
        {each.id: each.addon_id for each in components if each.addon_id},
    )
    await usage.allocate(
        subscription_id,
        [
            Quantity(each.id, each.price_item, quantities[each.id], each.addon_id)
            for each in components
            if each.id in quantities
        ],
        at,
        origin=origin,
    )


async def announce_end(subscription_id: uuid.UUID, last_day: dt.date, at: dt.datetime, *, now: dt.datetime) -> None:
    """Let a service end with its last day; `at`, the midnight after it, is when charging stops."""
    subscription = await one(Subscription, lock=True, id=subscription_id)
    await usage.close_service(subscription_id, at)
    subscription.last_day = last_day
    if at <= now:
        subscription.state = SubscriptionState.ENDED
    await subscription.save(update_fields=["last_day", "state"])
    record(
        "service.end_announced",
        at=now,
        subject=("subscription", subscription_id),
        agency_id=subscription.agency_id,
        last_day=last_day,
    )


async def keep(
    subscription_id: uuid.UUID, components: Iterable[uuid.UUID], at: dt.datetime, *, now: dt.datetime
) -> None:
    """Take back an end announced for `at`: the components go on as they were."""
    subscription = await one(Subscription, lock=True, id=subscription_id)
    await usage.reopen(subscription_id, components, at)
    await Subscription.filter(id=subscription_id).update(last_day=None)
    record("service.kept", at=now, subject=("subscription", subscription_id), agency_id=subscription.agency_id)


async def end_due(*, now: dt.datetime) -> int:
    """End the services whose last day has passed and return how many; run as the system."""
    ended = await scoped(Subscription).filter(state=SubscriptionState.ACTIVE, last_day__lt=bangkok_date(now))
    for subscription in ended:
        await Subscription.filter(id=subscription.id).update(state=SubscriptionState.ENDED)
        record("service.ended", at=now, subject=("subscription", subscription.id), agency_id=subscription.agency_id)
    return len(ended)
