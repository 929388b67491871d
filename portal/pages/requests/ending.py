"""What becomes of what a request ends: its last day, its last charge, and its data."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from billing.months import Month
from services.requests.pricing import Price
from services.requests.rules import Kind, kept_after


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a service or an add-on; the charge is before VAT, None where it cannot be told."""

    last_day: dt.date
    month: dt.date
    last_charge: Decimal | None
    export_until: dt.date
    erased_on: dt.date


def ending_of(kind: Kind, kept_days: int, last_day: dt.date | None, price: Price | None) -> Ending | None:
    """Return what ends with a request and how; None where nothing ends. Data is kept `kept_days` after the last day."""
    if last_day is None or kind not in {Kind.CANCEL, Kind.CANCEL_ADDON}:
        return None
    until, erased_on = kept_after(last_day, kept_days)
    return Ending(last_day, Month.of(last_day).first, price.last_charge if price else None, until, erased_on)
