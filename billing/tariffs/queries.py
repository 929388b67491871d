"""Prices as the rules take them."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from billing.money import VatRate
from billing.tariffs import models
from billing.tariffs.models import TaxKind, TaxRate
from billing.tariffs.rules import Ceiling, PriceVersion, tiers_from


@dataclass(frozen=True, slots=True)
class TaxTable:
    """VAT and withholding as effective-dated rates."""

    vat: tuple[VatRate, ...]
    withholding: tuple[tuple[uuid.UUID | None, dt.date, Decimal], ...]

    def vat_on(self, on: dt.date) -> Decimal:
        """Return the VAT rate in force; zero before the first."""
        known = [(rate.effective_from, rate.rate) for rate in self.vat if rate.effective_from <= on]
        return max(known)[1] if known else Decimal(0)

    def withholding_on(self, on: dt.date, provider_id: uuid.UUID) -> Decimal:
        """Return what payers withhold from a provider: its own rate, else the general one, else nothing."""
        for owner in (provider_id, None):
            known = [(start, rate) for whose, start, rate in self.withholding if whose == owner and start <= on]
            if known:
                return max(known)[1]
        return Decimal(0)


class Rate(NamedTuple):
    """A tax's rate from a day on; of one provider, or of all."""

    kind: TaxKind
    provider_id: uuid.UUID | None
    effective_from: dt.date
    rate: Decimal


async def tax_table() -> TaxTable:
    """Return every tax rate known to the unit's actor."""
    known = await TaxRate.all().order_by("effective_from")
    return tax_table_of(Rate(each.kind, each.provider_id, each.effective_from, each.rate) for each in known)


def tax_table_of(rates: Iterable[Rate]) -> TaxTable:
    """Return tax rates, the oldest first, as a table."""
    known = list(rates)
    return TaxTable(
        tuple(VatRate(r.effective_from, r.rate) for r in known if r.kind is TaxKind.VAT and r.provider_id is None),
        tuple((r.provider_id, r.effective_from, r.rate) for r in known if r.kind is TaxKind.WITHHOLDING),
    )


async def vat_rates() -> list[VatRate]:
    """Return the VAT rates, the oldest first."""
    return list((await tax_table()).vat)


async def versions_of(item_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[PriceVersion, ...]]:
    """Return each item's price versions, the oldest first, in one query."""
    found: dict[uuid.UUID, list[PriceVersion]] = {item_id: [] for item_id in item_ids}
    for row in await models.PriceVersion.filter(price_item_id__in=list(found)).order_by("effective_from", "number"):
        found[row.price_item_id].append(
            PriceVersion(str(row.id), row.number, row.effective_from, tiers_from(row.tiers))
        )
    return {item_id: tuple(versions) for item_id, versions in found.items()}


async def ceilings_of(item_id: uuid.UUID) -> list[Ceiling]:
    """Return an item's ceiling prices, the oldest first."""
    return list((await ceilings_of_all([item_id]))[item_id])


async def ceilings_of_all(item_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, tuple[Ceiling, ...]]:
    """Return each item's ceiling prices, the oldest first, in one query."""
    found: dict[uuid.UUID, list[Ceiling]] = {item_id: [] for item_id in item_ids}
    for row in await models.Ceiling.filter(price_item_id__in=list(found)).order_by("effective_from"):
        found[row.price_item_id].append(Ceiling(row.amount, row.effective_from, row.includes_vat))
    return {item_id: tuple(ceilings) for item_id, ceilings in found.items()}
