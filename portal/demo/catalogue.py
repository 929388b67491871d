"""The demonstration's catalogue: the reference's meters, prices, ceilings and pools, with their words."""

import datetime as dt
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from typing import Any

from auth.rules import Actor
from billing.tariffs.commands import add_item, set_ceiling, set_price
from billing.tariffs.models import PriceItem
from billing.tariffs.rules import Basis, Tier, tiers_from
from services.capacity.models import Pool
from services.catalogue.models import Addon, Component, ComponentBounds, Offering, OfferingTerms
from services.catalogue.rules import Family

PRICED_SINCE = dt.date(2024, 10, 1)
_CEILINGS_SINCE = dt.date(2023, 10, 1)
_BY_THE_HOUR = {"vCPU-hour", "GiB-hour"}
_MEASURED = {"kWh", "million-requests", "GB"}


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What is on offer, by the codes of the reference."""

    offerings: Mapping[str, Offering]
    components: Mapping[tuple[str, str], Component]

    def quantities(self, code: str, amounts: Mapping[str, str]) -> dict[uuid.UUID, Decimal]:
        """Return amounts by component of an offering, given by the components' codes."""
        return {self.components[code, name].id: Decimal(amount) for name, amount in amounts.items()}


def basis_of(unit: str) -> Basis:
    """Return what the reference's unit is counted by."""
    if unit.endswith("-month"):
        return Basis.DAILY
    if unit in _BY_THE_HOUR:
        return Basis.HOURLY
    return Basis.METERED_SUM if unit in _MEASURED else Basis.PER_EVENT


async def offer_everything(provider_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Catalogue:
    """Put the eleven offerings on offer, with prices, ceilings, pools and add-ons."""
    words: dict[str, Any] = _read("offerings.json")
    shop = _Shop(provider_id, by, now, {}, {}, {}, {})
    for position, offered in enumerate(_read("catalogue.json"), 1):
        await shop.offer(offered, words[offered["code"]], position)
    for code, described in words.items():
        for borrowed in described.get("borrowed", ()):
            await shop.borrow(code, borrowed)
    return Catalogue(shop.offerings, shop.components)


@dataclass(slots=True)
class _Shop:
    provider_id: uuid.UUID
    by: Actor
    now: dt.datetime
    offerings: dict[str, Offering]
    components: dict[tuple[str, str], Component]
    items: dict[tuple[str, str], PriceItem]
    pools: dict[tuple[str, str], Pool]

    async def offer(self, offered: dict[str, Any], words: dict[str, Any], position: int) -> None:
        code = offered["code"]
        offering = self.offerings[code] = await Offering.create(
            provider_id=self.provider_id,
            code=code,
            family=Family(words["family"]),
            name_th=offered["name_th"],
            name_en=words["name_en"],
            position=position,
        )
        await OfferingTerms.create(
            offering_id=offering.id,
            availability_pct=Decimal(offered["availability_pct"]),
            lead_working_days=offered["lead_working_days"],
            **{key: words[key] for key in ("summary_th", "summary_en", "exclusions_th", "exclusions_en")},
            **self._first(),
        )
        places = _places()
        for meter in offered["meters"]:
            described, place = words["meters"][meter["meter"]], next(places)
            item = self.items[code, meter["meter"]] = await self._priced(
                f"{code}-{place:02d}", described, meter["unit"], tiers_from(meter["tiers"]), meter["ceiling"]
            )
            if "earlier" in words and place == 1:
                earlier = words["earlier"]
                since = dt.date.fromisoformat(earlier["since"])
                tiers = tiers_from(earlier["tiers"])
                await set_price(item, tiers, since, reason=earlier["reason"], by=self.by, now=self.now)
            if meter["pool"] is not None:
                self.pools[code, meter["meter"]] = await self._pool(item.code, described, meter["pool"])
            await self._component(offering, None, described, item, self.pools.get((code, meter["meter"])), place)
        for place, (name, unit, price) in enumerate(offered["addons"], 51):
            described = words["addons"][name]
            item = await self._priced(f"{code}-{place}", described, unit, (Tier(None, Decimal(price)),), None)
            await self._addon(offering, described, item, None, place)

    async def borrow(self, code: str, described: dict[str, Any]) -> None:
        """Let an offering have as an add-on what another sells: its price and its pool."""
        source = described["price_of"], described["meter"]
        await self._addon(self.offerings[code], described, self.items[source], self.pools[source], 61)

    async def _priced(
        self, code: str, words: dict[str, Any], unit: str, tiers: tuple[Tier, ...], ceiling: str | None
    ) -> PriceItem:
        item = await add_item(
            self.provider_id,
            code,
            names=(words["name_th"], words["name_en"]),
            units=(words["unit_th"], words["unit_en"]),
            basis=basis_of(unit),
        )
        if ceiling is not None:
            await set_ceiling(item, Decimal(ceiling), _CEILINGS_SINCE, by=self.by, now=self.now)
        reason = "อัตราค่าบริการปีงบประมาณ พ.ศ. 2568"
        await set_price(item, tiers, PRICED_SINCE, reason=reason, by=self.by, now=self.now)
        return item

    async def _pool(self, code: str, words: dict[str, Any], size: int) -> Pool:
        return await Pool.create(
            provider_id=self.provider_id,
            code=code,
            size=Decimal(size),
            in_use=Decimal(words["taken_by_others"]),
            held=Decimal(0),
            **{key: words[key] for key in ("name_th", "name_en", "unit_th", "unit_en")},
        )

    async def _addon(
        self, offering: Offering, words: dict[str, Any], item: PriceItem, pool: Pool | None, place: int
    ) -> None:
        addon = await Addon.create(
            provider_id=self.provider_id,
            offering_id=offering.id,
            code=words["code"],
            name_th=words["name_th"],
            name_en=words["name_en"],
            position=place,
        )
        await self._component(offering, addon, words, item, pool, place)

    async def _component(
        self,
        offering: Offering,
        addon: Addon | None,
        words: dict[str, Any],
        item: PriceItem,
        pool: Pool | None,
        place: int,
    ) -> None:
        maximum = words["maximum"]
        component = self.components[offering.code, words["code"]] = await Component.create(
            provider_id=self.provider_id,
            offering_id=offering.id,
            addon_id=addon.id if addon else None,
            price_item_id=item.id,
            pool_id=pool.id if pool else None,
            position=place,
            **{key: words[key] for key in ("code", "name_th", "name_en", "unit_th", "unit_en")},
        )
        await ComponentBounds.create(
            component_id=component.id,
            minimum=Decimal(words["minimum"]),
            maximum=None if maximum is None else Decimal(maximum),
            step=Decimal(words["step"]),
            **self._first(),
        )

    def _first(self) -> dict[str, Any]:
        """Return what the first version of terms and bounds has in common."""
        return {
            "provider_id": self.provider_id,
            "number": 1,
            "effective_from": PRICED_SINCE,
            "made_by": self.by.name,
            "made_at": self.now,
        }


def _places() -> Iterator[int]:
    return iter(range(1, 51))


def _read(name: str) -> Any:
    return json.loads(resources.files("portal.demo").joinpath("data", name).read_text("utf-8"))
