"""An add-on's meter counts while the add-on is set aside for the service; the service's own go on by their own rule."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from auth.errors import Invalid
from auth.fields import new_id
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.metering.commands import Receipt, faults_in, name_meters
from billing.metering.corrections import replace, void
from billing.metering.rules import BadReadings
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import Basis, Tier
from billing.usage.commands import Quantity, allocate, close_service
from tests.billing.metering.world import SINCE, World, at

NOT_THEN = {"data.start": "the add-on was not in use then"}


class Hunting:
    """An add-on of two components: a fee by the day, and what is counted."""

    def __init__(self, world: World, items: Mapping[str, PriceItem]) -> None:
        self.world, self.items, self.addon_id = world, items, new_id()
        self.components = {code: new_id() for code in items}

    async def order(self, when: dt.datetime, **amounts: int) -> None:
        async with acting_as(system("test")):
            ordered = [
                Quantity(self.components[code], self.items[code], Decimal(amount), self.addon_id)
                for code, amount in amounts.items()
            ]
            await allocate(self.world.service.id, ordered, when, origin="test")

    async def faults(self, *days: dt.datetime, hours: int = 1) -> dict[int, dict[str, str]]:
        """Return what is wrong with a day of hunting at each of the moments."""
        length = dt.timedelta(hours=hours)
        readings = [
            self.world.reading(n, meter="hunting", starts_at=day, ends_at=day + length) for n, day in enumerate(days)
        ]
        async with acting_as(self.world.provider):
            return await faults_in(readings, by=self.world.provider, now=at(2026, 12, 15, 12))


@pytest.fixture
async def hunting(world: World) -> Hunting:
    items = {}
    async with acting_as(system("test")):
        for code, basis in (("fee", Basis.DAILY), ("hunting", Basis.PER_EVENT)):
            items[code] = await add_item(
                world.provider_id, f"CO-{code}", names=(code, code), units=("วัน", "day"), basis=basis
            )
            tiers = (Tier(None, Decimal(12_000)),)
            await set_price(items[code], tiers, SINCE, by=system("test"), now=at(2025, 1, 1))
        made = Hunting(world, items)
        named = {code: (made.components[code], item) for code, item in items.items()}
        addons = dict.fromkeys(made.components.values(), made.addon_id)
        await name_meters(world.provider_id, "CO", named, addons)
    return made


async def test_usage_of_an_addon_never_ordered_is_refused_and_of_the_service_itself_taken(
    world: World, hunting: Hunting
) -> None:
    with pytest.raises(BadReadings) as refused:
        await world.take(world.reading(1), world.reading(2, meter="hunting"))
    assert refused.value.events == {1: NOT_THEN}
    assert await world.take(world.reading(1), world.reading(2, meter="visit")) == Receipt(2, 0)


async def test_it_counts_from_the_order_to_the_end_and_again_when_ordered_again(hunting: Hunting) -> None:
    await hunting.order(at(2026, 12, 1), hunting=2)
    await hunting.order(at(2026, 12, 4), hunting=0)
    await hunting.order(at(2026, 12, 8), hunting=1)
    assert await hunting.faults(
        at(2026, 11, 30, 22), at(2026, 11, 30, 23), at(2026, 12, 1), at(2026, 12, 3, 23), at(2026, 12, 4)
    ) == {0: NOT_THEN, 1: NOT_THEN, 4: NOT_THEN}
    moments = at(2026, 12, 1), at(2026, 12, 4), at(2026, 12, 7, 23), at(2026, 12, 8)
    assert await hunting.faults(*moments, hours=0) == {1: NOT_THEN, 2: NOT_THEN}


async def test_another_quantity_from_then_on_is_no_gap(hunting: Hunting) -> None:
    await hunting.order(at(2026, 12, 1), hunting=2)
    await hunting.order(at(2026, 12, 4), hunting=3)
    assert await hunting.faults(at(2026, 12, 3, 23), at(2026, 12, 4), hours=0) == {}


async def test_what_was_planned_and_given_up_before_it_began_was_never_in_use(hunting: Hunting) -> None:
    await hunting.order(at(2026, 12, 5), hunting=2)
    await hunting.order(at(2026, 12, 2), hunting=0)
    assert await hunting.faults(at(2026, 12, 5), at(2026, 12, 4, 23), hours=2) == {0: NOT_THEN, 1: NOT_THEN}


async def test_any_component_of_the_addon_keeps_it_in_use(hunting: Hunting) -> None:
    await hunting.order(at(2026, 12, 3), fee=1)
    assert await hunting.faults(at(2026, 12, 2), at(2026, 12, 3)) == {0: NOT_THEN}


async def test_another_addon_or_another_services_is_none_of_it(world: World, hunting: Hunting) -> None:
    other = Hunting(world, hunting.items)
    await other.order(at(2026, 12, 1), fee=1)
    await world.add_service()
    async with acting_as(system("test")):
        ordered = Quantity(hunting.components["fee"], hunting.items["fee"], Decimal(1), hunting.addon_id)
        await allocate(world.services[1].id, [ordered], at(2026, 12, 1), origin="test")
    assert await hunting.faults(at(2026, 12, 3)) == {0: NOT_THEN}


async def test_it_ends_with_its_service(world: World, hunting: Hunting) -> None:
    await hunting.order(at(2026, 12, 1), hunting=1)
    async with acting_as(system("test")):
        await close_service(world.service.id, at(2026, 12, 6))
    assert await hunting.faults(at(2026, 12, 5), at(2026, 12, 6)) == {
        1: {"data.start": "the service was not in use then"}
    }


async def _event() -> dict[str, Any]:
    async with acting_as(system("test")):
        [found] = await rows("SELECT * FROM usage_event")
    return found


async def test_what_came_is_replaced_only_if_the_addon_was_in_use_and_voided_at_any_time(
    world: World, hunting: Hunting
) -> None:
    await hunting.order(at(2026, 12, 1), hunting=2)
    await world.take(world.reading(1, meter="hunting"))
    event, now = await _event(), at(2026, 12, 15, 13)
    async with acting_as(world.provider):
        await replace(event, "2", "อ่านผิด", by=world.provider, now=now)
    await hunting.order(at(2026, 12, 5), hunting=0)  # it turns out that it had ended
    with pytest.raises(Invalid) as refused:
        async with acting_as(world.provider):
            await replace(event, "3", "อ่านผิด", by=world.provider, now=now)
    assert refused.value.fields == {"quantity": "The add-on was not in use then; the event can only be voided."}
    async with acting_as(world.provider):
        await replace(event, "0", "ไม่ได้ใช้บริการเสริม", by=world.provider, now=now)
        await void(event, "ไม่ได้ใช้บริการเสริม", by=world.provider, now=now)
