"""Rows as FOCUS 1.x Cost and Usage, in CSV: BilledCost per InvoiceId adds up to what the invoice is payable for.

A note changes what its invoice is payable for, and has no payments of its own: its rows have the invoice's InvoiceId,
and the note's number in InvoiceDetailId.
FOCUS is for costs that are; what a month to come is expected to cost is left out.
"""

import csv
import datetime as dt
import io
import json
import uuid
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import IO, Final

from billing.documents.models import Kind
from billing.exports.rows import Row, RowKind, RowState
from billing.exports.sheets import Names, unspoilt
from billing.money import exactly
from billing.months import ONE_DAY, midnight
from billing.statements.lines import NOTE_NAMES
from billing.tariffs.rules import Basis

COLUMNS: Final = (
    "BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity", "PricingUnit",
    "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency",
    "ServiceProviderName", "HostProviderName", "InvoiceIssuerName", "ServiceCategory", "ServiceName",
    "InvoiceId", "InvoiceDetailId", "ConsumedQuantity", "ConsumedUnit", "SkuId", "SkuPriceId", "SkuMeter",
    "ResourceId", "ResourceName", "ResourceType", "SubAccountId", "SubAccountName", "Tags",
    "x_ServiceNameTh", "x_FiscalYear", "x_State",
)  # fmt: skip
CATEGORY_OF: Final[Mapping[str, str]] = {
    "cloud": "Compute",
    "data_centre": "Other",
    "government_internet": "Networking",
    "government_intranet": "Networking",
    "agency_intranet": "Networking",
    "security": "Security",
}
_CHARGES: Final = {
    RowKind.CHARGE: "Usage",
    RowKind.ADJUSTMENT: "Usage",
    RowKind.CREDIT: "Credit",
    RowKind.CREDIT_NOTE: "Credit",
    RowKind.DEBIT_NOTE: "Adjustment",
    RowKind.VAT: "Tax",
}
_WITHOUT_SERVICE: Final = {
    RowKind.CREDIT_NOTE: NOTE_NAMES[Kind.CREDIT_NOTE][1],
    RowKind.DEBIT_NOTE: NOTE_NAMES[Kind.DEBIT_NOTE][1],
    RowKind.VAT: "Value added tax",
}
_MEASURES: Final = {RowKind.CHARGE, RowKind.ADJUSTMENT}


async def write_focus(
    rows: AsyncIterator[Row], into: IO[bytes], providers: Names, agency: tuple[uuid.UUID, str]
) -> Decimal:
    """Write the rows that are costs already; returns what BilledCost adds up to."""
    total = Decimal("0.00")
    text = io.TextIOWrapper(into, encoding="utf-8", newline="", write_through=True)
    table = csv.DictWriter(text, COLUMNS)
    table.writeheader()
    async for row in rows:
        if row.state is not RowState.FORECAST:
            table.writerow({name: unspoilt_text(value) for name, value in focus(row, providers, agency).items()})
            total += row.amount
    text.detach()
    return total


def unspoilt_text(value: str | Decimal | None) -> str:
    """Return a value as CSV takes it: empty for null, figures plain, no text a formula."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return "" if value is None else unspoilt(value)


def focus(row: Row, providers: Names, agency: tuple[uuid.UUID, str]) -> dict[str, str | Decimal | None]:
    """Return a row under FOCUS's own names; null is None."""
    provider, measures = providers[row.provider_id], row.kind in _MEASURES
    basis = row.derivation.get("basis")
    is_purchase = basis == Basis.ONE_TIME and row.kind is RowKind.CHARGE
    category = "Purchase" if is_purchase else _CHARGES[row.kind]
    frequency = "Usage-Based" if category == "Usage" else "One-Time"
    component = row.derivation.get("component")
    starts_at, ends_at = _period(row)
    note = row.derivation.get("note")
    document = note["number"] if note else row.invoice
    detail = f"{document}/{row.position}" if document else None
    has_service = row.service_id is not None
    corrects = note is not None or row.kind is RowKind.ADJUSTMENT
    return {
        "BilledCost": row.amount,
        "ContractedCost": row.amount,
        "EffectiveCost": row.amount,
        "ListCost": row.amount,
        "PricingQuantity": _pricing_quantity(row) if measures else None,
        "PricingUnit": row.units[1] if measures else None,
        "BillingAccountId": str(agency[0]),
        "BillingAccountName": agency[1],
        "BillingCurrency": "THB",
        "BillingPeriodStart": _when(row.month.starts_at),
        "BillingPeriodEnd": _when(row.month.ends_at),
        "ChargePeriodStart": _when(starts_at),
        "ChargePeriodEnd": _when(ends_at),
        "ChargeCategory": category,
        "ChargeClass": "Correction" if corrects else None,
        "ChargeDescription": row.names[1],
        "ChargeFrequency": frequency,
        "ServiceProviderName": provider,
        "HostProviderName": provider,
        "InvoiceIssuerName": provider,
        "ServiceCategory": CATEGORY_OF.get(row.family, "Other"),
        "ServiceName": row.service_names[1] if has_service else _WITHOUT_SERVICE[row.kind],
        "InvoiceId": row.invoice,
        "InvoiceDetailId": detail,
        "ConsumedQuantity": row.quantity if category == "Usage" else None,
        "ConsumedUnit": row.units[1] if category == "Usage" else None,
        "SkuId": str(component) if component else None,
        "SkuPriceId": f"{component}/{row.derivation['price_version']}" if "price_version" in row.derivation else None,
        "SkuMeter": row.names[1] if measures else None,
        "ResourceId": row.service_number if has_service else None,
        "ResourceName": row.service_names[0] if has_service else None,
        "ResourceType": row.family if has_service else None,
        "SubAccountId": row.cost_centre or None,
        "SubAccountName": row.cost_centre or None,
        "Tags": json.dumps({"cost_centre": row.cost_centre} if row.cost_centre else {}, ensure_ascii=False),
        "x_ServiceNameTh": row.service_names[0] or None,
        "x_FiscalYear": str(row.month.fiscal_year),
        "x_State": row.state.value,
    }


def _period(row: Row) -> tuple[dt.datetime, dt.datetime]:
    """Return from when to when (exclusive) a row is for."""
    if "starts_at" in row.derivation:
        return (
            dt.datetime.fromisoformat(row.derivation["starts_at"]),
            dt.datetime.fromisoformat(row.derivation["ends_at"]),
        )
    return midnight(row.first), midnight(row.last + ONE_DAY)


def _pricing_quantity(row: Row) -> Decimal | None:
    """Return the quantity that was priced: for part of a month that part of it, for hours times the hours."""
    if row.quantity is None or "share" not in row.derivation:
        return row.quantity
    with exactly():
        priced: Decimal = row.quantity * row.derivation["share"] / row.derivation["whole"]
        return priced.quantize(Decimal("0.000001"))


def _when(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
