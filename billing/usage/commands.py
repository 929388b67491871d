"""Recording what is set aside for a service, and from when."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet

from auth.tenancy import one, scoped
from billing.tariffs.models import PriceItem
from billing.usage.models import Allocation, BilledService


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much of a component, under which price, as a service or as that add-on of it."""

    component_id: uuid.UUID
    price_item: PriceItem
    amount: Decimal
    addon_id: uuid.UUID | None = None


async def open_service(
    service_id: uuid.UUID,
    agency_id: uuid.UUID,
    provider_id: uuid.UUID,
    *,
    number: str,
    offering_code: str,
    family: str,
    names: tuple[str, str],
) -> BilledService:
    """Let billing know a service in use; names come as (Thai, English)."""
    return await BilledService.create(
        id=service_id,
        agency_id=agency_id,
        provider_id=provider_id,
        number=number,
        offering_code=offering_code,
        family=family,
        name_th=names[0],
        name_en=names[1],
    )


async def allocate(service_id: uuid.UUID, quantities: Iterable[Quantity], at: dt.datetime, *, origin: str) -> None:
    """Give components of a service these quantities from a moment on; zero ends one.

    What was in force ends then; what was planned for later gives way. The components not named stay.
    """
    service = await one(BilledService, lock=True, id=service_id)
    wanted = {quantity.component_id: quantity for quantity in quantities}
    await _end(scoped(Allocation).filter(service_id=service_id, component_id__in=list(wanted)), at)
    await Allocation.bulk_create(
        [
            Allocation(
                agency_id=service.agency_id,
                provider_id=service.provider_id,
                service_id=service_id,
                component_id=quantity.component_id,
                price_item_id=quantity.price_item.id,
                addon_id=quantity.addon_id,
                quantity=quantity.amount,
                starts_at=at,
                origin=origin,
            )
            for quantity in wanted.values()
            if quantity.amount
        ]
    )


async def close_service(service_id: uuid.UUID, at: dt.datetime) -> None:
    """End everything set aside for a service at a moment."""
    await one(BilledService, lock=True, id=service_id)
    await _end(scoped(Allocation).filter(service_id=service_id), at)


async def reopen(service_id: uuid.UUID, component_ids: Iterable[uuid.UUID], at: dt.datetime) -> None:
    """Let what was to end at a moment go on without end."""
    await one(BilledService, lock=True, id=service_id)
    await (
        scoped(Allocation)
        .filter(service_id=service_id, component_id__in=list(component_ids), ends_at=at, starts_at__lt=at)
        .update(ends_at=None)
    )


async def _end(allocations: QuerySet[Allocation], at: dt.datetime) -> None:
    await allocations.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lt=at).update(ends_at=at)
    # What had not begun by then is left without length rather than deleted: it was planned once.
    await allocations.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__gte=at).update(ends_at=F("starts_at"))
