"""Setting prices, their ceilings and tax rates, each from a day on (standard 7.1)."""

import datetime as dt
import uuid
from collections.abc import Sequence
from decimal import Decimal

from auth.errors import Invalid
from auth.rules import Actor
from auth.tenancy import record
from billing.tariffs import rules
from billing.tariffs.models import Ceiling, PriceItem, PriceVersion, TaxKind, TaxRate
from billing.tariffs.queries import ceilings_of, vat_rates, versions_of
from billing.tariffs.rules import Basis, Tier, check_ceilings, checked_tiers, tiers_to_json


async def add_item(
    provider_id: uuid.UUID,
    code: str,
    *,
    names: tuple[str, str],
    units: tuple[str, str],
    basis: Basis,
) -> PriceItem:
    """Add something with a price; names and units come as (Thai, English)."""
    return await PriceItem.create(
        provider_id=provider_id,
        code=code,
        name_th=names[0],
        name_en=names[1],
        unit_th=units[0],
        unit_en=units[1],
        basis=basis,
    )


async def set_price(
    item: PriceItem,
    tiers: Sequence[Tier],
    effective_from: dt.date,
    *,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> PriceVersion:
    """Set an item's price from a day on; AboveCeiling where any tier is above a ceiling in force while it is.

    It is in force until the next price that is set already; VAT is that of each day.
    """
    tiers = checked_tiers(tiers)
    known = (await versions_of([item.id]))[item.id]
    last = _day_before_next(effective_from, known)
    check_ceilings(tiers, effective_from, last, await ceilings_of(item.id), await vat_rates())
    versions = await PriceVersion.filter(price_item_id=item.id).order_by("-number")
    if any(version.effective_from == effective_from for version in versions):
        raise Invalid({"effective_from": "A price from this day is set already."})
    version = await PriceVersion.create(
        provider_id=item.provider_id,
        price_item_id=item.id,
        number=versions[0].number + 1 if versions else 1,
        effective_from=effective_from,
        tiers=tiers_to_json(tiers),
        reason=reason,
        made_by=by.name,
        made_at=now,
    )
    record("price.set", at=now, subject=("price_item", item.id), number=version.number, tiers=version.tiers)
    return version


async def set_ceiling(
    item: PriceItem,
    amount: Decimal,
    effective_from: dt.date,
    *,
    includes_vat: bool = False,
    reason: str = "",
    by: Actor,
    now: dt.datetime,
) -> Ceiling:
    """Set an item's ceiling price from a day on; AboveCeiling where a price in force then or later is above it.

    Refuses (Invalid) a second ceiling from the same day, and an amount that is not above zero.
    """
    if amount <= 0:
        raise Invalid({"amount": "Enter a number above zero."})
    known = await ceilings_of(item.id)
    if any(ceiling.effective_from == effective_from for ceiling in known):
        raise Invalid({"effective_from": "A ceiling price from this day is set already."})
    rule = rules.Ceiling(amount, effective_from, includes_vat)
    last = _day_before_next(effective_from, known)
    rules.check_prices(rule, last, (await versions_of([item.id]))[item.id], await vat_rates())
    ceiling = await Ceiling.create(
        provider_id=item.provider_id,
        price_item_id=item.id,
        effective_from=effective_from,
        amount=amount,
        includes_vat=includes_vat,
        reason=reason,
        made_by=by.name,
        made_at=now,
    )
    record(
        "ceiling.set",
        at=now,
        subject=("price_item", item.id),
        amount=amount,
        effective_from=effective_from,
        includes_vat=includes_vat,
    )
    return ceiling


def _day_before_next(day: dt.date, known: Sequence[rules.Ceiling] | Sequence[rules.PriceVersion]) -> dt.date | None:
    """Return the last day of what begins on a day, among what is known already and sorted; None without an end."""
    following = next((each.effective_from for each in known if each.effective_from > day), None)
    return following - dt.timedelta(days=1) if following else None


async def set_tax_rate(
    kind: TaxKind, rate: Decimal, effective_from: dt.date, *, provider_id: uuid.UUID | None = None, now: dt.datetime
) -> TaxRate:
    """Set a tax's rate, a fraction, from a day on: for everybody, or for one provider's bills."""
    known = await TaxRate.get_or_none(kind=kind, provider_id=provider_id, effective_from=effective_from)
    if known:
        return known
    record("tax_rate.set", at=now, subject=("tax", kind), rate=rate, effective_from=effective_from)
    return await TaxRate.create(kind=kind, provider_id=provider_id, effective_from=effective_from, rate=rate)
