"""The quote's document: everything the customer confirms, as plain data whose SHA-256 names it. Pure."""

import datetime as dt
from typing import Any

from billing.statements.rules import Charge
from services.catalogue.models import OfferingTerms
from services.requests.models import ServiceRequest
from services.requests.pricing import Price, PricedAsk


def quote_document(
    request: ServiceRequest,
    price: Price,
    terms: OfferingTerms,
    *,
    number: int,
    valid_until: dt.datetime,
    lead_working_days: int,
    note: str,
) -> dict[str, Any]:
    """Return the provider's answer (annex ก 1.6): outcome, confirmed quantities, terms, cost up or down.

    Decimals are text.
    """
    return {
        "request": request.number,
        "number": number,
        "kind": request.kind.value,
        "outcome": "approved",
        "effective_on": request.effective_on.isoformat(),
        "valid_until": valid_until.astimezone(dt.UTC).isoformat(),
        "lead_working_days": lead_working_days,
        "note": note,
        "terms": {
            "availability_pct": _plain(terms.availability_pct),
            "exclusions_th": terms.exclusions_th,
            "exclusions_en": terms.exclusions_en,
            "data_kept_days": terms.data_kept_days,
        },
        "items": [_item(row) for row in price.rows],
        "vat_rate": format(price.vat_rate.normalize(), "f"),
        "monthly": {
            "before": str(price.before),
            "after": str(price.after),
            "difference": str(price.difference),
            "before_with_vat": str(price.before_with_vat),
            "after_with_vat": str(price.after_with_vat),
            "difference_with_vat": str(price.difference_with_vat),
        },
        "first_month": {"month": str(price.month), "amount": str(price.first_month)},
        "rest_of_year": {"fiscal_year": price.month.fiscal_year, "difference": str(price.rest_of_year)},
    }


def _item(row: PricedAsk) -> dict[str, Any]:
    component = row.ask.component
    return {
        "component": str(component.id),
        "name_th": component.name_th,
        "name_en": component.name_en,
        "unit_th": component.unit_th,
        "unit_en": component.unit_en,
        "basis": component.price_item.basis.value,
        "before": _plain(row.ask.before),
        "after": _plain(row.ask.after),
        "price_before": _priced(row.before),
        "price_after": _priced(row.after),
    }


def _priced(charge: Charge | None) -> dict[str, Any] | None:
    if charge is None:
        return None
    return {
        "amount": str(charge.amount),
        "price_version": charge.price.number,
        "effective_from": charge.price.effective_from.isoformat(),
        "tranches": [
            {"quantity": _plain(part.quantity), "price": _plain(part.price), "amount": _plain(part.amount)}
            for part in charge.tranches
        ],
    }


def _plain(value: Any) -> str:
    return format(value.normalize(), "f")
