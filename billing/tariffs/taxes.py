"""Announcing tax rates ahead of their day, and taking back what has not begun."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.errors import Conflict, Invalid, NotFound
from auth.rules import Actor
from auth.tenancy import record
from billing.months import bangkok_date
from billing.tariffs.models import TaxKind, TaxRate

MOST_DECIMALS = 6  # of the fraction: four of the percentage


async def announce_rate(
    kind: TaxKind, rate: Decimal, effective_from: dt.date, *, by: Actor, now: dt.datetime
) -> TaxRate:
    """Set a tax's rate, a fraction, from a day on: for everybody by who oversees, for its own bills by a provider.

    A month is billed at the rates of its last day. Refuses (Invalid) a rate that cannot be, a day that has passed or
    has one already, and VAT of a provider's own, which the law does not know.
    """
    if kind is TaxKind.VAT and by.provider_id:
        raise Invalid({"kind": "VAT is the same for everybody."})
    if not 0 <= rate < 1 or round(rate, MOST_DECIMALS) != rate:
        raise Invalid({"rate": "Give a percentage from 0 to below 100, with at most four decimals."})
    if effective_from < bangkok_date(now):
        raise Invalid({"effective_from": "Give a day from today on."})
    if await TaxRate.filter(kind=kind, provider_id=by.provider_id, effective_from=effective_from).exists():
        raise Invalid({"effective_from": "A rate from this day is set already."})
    made = await TaxRate.create(kind=kind, provider_id=by.provider_id, effective_from=effective_from, rate=rate)
    record("tax_rate.set", at=now, subject=("tax", kind), rate=rate, effective_from=effective_from)
    return made


async def withdraw_rate(rate_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> TaxRate:
    """Take a rate back before its day; NotFound for another's, Conflict for one that has begun."""
    found = await TaxRate.get_or_none(id=rate_id)
    if found is None or found.provider_id != by.provider_id:
        raise NotFound("TaxRate")
    if found.effective_from <= bangkok_date(now):
        raise Conflict("the rate has begun")
    await found.delete()
    record(
        "tax_rate.withdrawn",
        at=now,
        subject=("tax", found.kind),
        rate=found.rate,
        effective_from=found.effective_from,
    )
    return found


async def rates_for(provider_id: uuid.UUID | None) -> list[TaxRate]:
    """Return the general rates and a provider's own, the latest day first."""
    rates = await TaxRate.all().order_by("-effective_from")
    return [rate for rate in rates if rate.provider_id in {None, provider_id}]
