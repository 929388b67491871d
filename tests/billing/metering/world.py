"""A data centre rack of agency ก.: rack units by the day, energy by the kWh, traffic by its monthly high."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.fields import new_id
from auth.rules import Actor, Seat, system
from auth.tenancy import acting_as, rows
from billing.metering.commands import Receipt, name_meters, take
from billing.metering.rules import LATEST, Reading
from billing.metering.storing import Origin
from billing.metering.sums import sum_up
from billing.months import BANGKOK
from billing.tariffs.commands import add_item, set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import Basis, Tier
from billing.usage.commands import Quantity, allocate, open_service
from billing.usage.models import BilledService
from tests.cast import organisation

MACHINE = uuid.uuid4()
SINCE = dt.date(2023, 1, 1)
TIERS = (Tier(Decimal(1000), Decimal("4.50")), Tier(None, Decimal("4.00")))


def at(*when: int) -> dt.datetime:
    """Return a moment of Bangkok."""
    return dt.datetime(*when, tzinfo=BANGKOK)  # type: ignore[misc, arg-type]


OPENED = at(2026, 1, 1)


@dataclass
class World:
    """A provider with a measured offering, and its machine."""

    provider: Actor
    agency_id: uuid.UUID
    items: dict[str, PriceItem]
    components: dict[str, uuid.UUID]
    services: list[BilledService]

    @property
    def provider_id(self) -> uuid.UUID:
        assert self.provider.provider_id
        return self.provider.provider_id

    @property
    def service(self) -> BilledService:
        return self.services[0]

    def reading(self, event_id: object = "1", quantity: object = "1.5", **given: Any) -> Reading:
        starts_at = given.pop("starts_at", at(2026, 12, 10, 9))
        values = {
            "source": "/meters/rack-1",
            "event_id": str(event_id),
            "subject": self.service.number,
            "meter": "energy",
            "quantity": str(quantity),
            "starts_at": starts_at,
            "ends_at": starts_at + dt.timedelta(hours=1),
        }
        return Reading(**(values | given))

    async def take(
        self,
        *readings: Reading,
        now: dt.datetime | None = None,
        latest: dt.timedelta | None = LATEST,
        reason: str | None = None,
    ) -> Receipt:
        async with acting_as(self.provider):
            return await take(
                readings,
                Origin(client_id=MACHINE, reason=reason),
                by=self.provider,
                now=now or at(2026, 12, 15, 12),
                latest=latest,
            )

    async def add_service(self, agency: str = "agency-a", *, since: dt.datetime = OPENED) -> BilledService:
        home = await organisation(agency)
        async with acting_as(system("world")):
            service = await open_service(
                new_id(),
                home.id,
                self.provider_id,
                number=f"CO-{home.short_code}-2570-{len(self.services) + 1:03d}",
                offering_code="CO",
                family="data_centre",
                names=("ตู้เซิร์ฟเวอร์", "Rack"),
            )
            await allocate(
                service.id,
                [Quantity(self.components["rack"], self.items["rack"], Decimal(10))],
                since,
                origin="world",
            )
        self.services.append(service)
        return service


async def found() -> World:
    """Put the offering into the cast's world, with one service of agency ก."""
    provider, agency = await organisation("provider"), await organisation("agency-a")
    seat = Seat(provider.id, provider.kind, provider.code, provider.name_th, provider.name_en)
    items: dict[str, PriceItem] = {}
    bases = {
        "rack": Basis.DAILY,
        "energy": Basis.METERED_SUM,
        "traffic": Basis.METERED_MAX,
        "visit": Basis.PER_EVENT,
    }
    async with acting_as(system("world")):
        for code, basis in bases.items():
            items[code] = await add_item(
                provider.id, f"CO-{code}", names=(code, code), units=("หน่วย", "unit"), basis=basis
            )
            await set_price(
                items[code],
                TIERS if code == "energy" else (Tier(None, Decimal(100)),),
                SINCE,
                by=system("world"),
                now=at(2025, 1, 1),
            )
        components = {code: new_id() for code in bases}
        await name_meters(provider.id, "CO", {code: (components[code], items[code]) for code in bases})
    world = World(Actor("machine", seat=seat), agency.id, items, components, [])
    await world.add_service()
    return world


async def hours(service_id: uuid.UUID) -> list[tuple[dt.datetime, Decimal, Decimal, int]]:
    """Return a service's hours with what was summed in them, once all is summed up."""
    await sum_up()
    async with acting_as(system("test")):
        found = await rows(
            "SELECT hour, total, high, events FROM usage_hour WHERE service_id = $1 ORDER BY component_id, hour",
            service_id,
        )
    return [(row["hour"], row["total"], row["high"], row["events"]) for row in found]


async def everything(tables: Iterable[str] = ("usage_event", "usage_identity", "usage_hour", "usage_day")) -> list[int]:
    """Return how many rows each table of usage has, once all is summed up."""
    await sum_up()
    async with acting_as(system("test")):
        return [(await rows(f"SELECT count(*) AS n FROM {table}"))[0]["n"] for table in tables]  # noqa: S608 - ours
