"""The rules of FOCUS 1.x Cost and Usage that hold for every row, written apart from what writes the rows."""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

NEVER_NULL = {
    "BilledCost", "ContractedCost", "EffectiveCost", "ListCost", "BillingAccountId", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory",
    "ServiceProviderName", "InvoiceIssuerName", "ServiceCategory", "ServiceName",
}  # fmt: skip
MUST_BE_THERE = NEVER_NULL | {
    "PricingQuantity", "PricingUnit", "BillingAccountName", "ChargeClass", "ChargeDescription", "HostProviderName",
}  # fmt: skip
KNOWN = MUST_BE_THERE | {
    "InvoiceId", "InvoiceDetailId", "ConsumedQuantity", "ConsumedUnit", "ListUnitPrice", "ContractedUnitPrice",
    "SkuId", "SkuPriceId", "SkuMeter", "ResourceId", "ResourceName", "ResourceType", "SubAccountId",
    "SubAccountName", "ServiceSubcategory", "ChargeFrequency", "Tags",
}  # fmt: skip
CATEGORIES = {"Usage", "Purchase", "Tax", "Credit", "Adjustment"}
FREQUENCIES = {"One-Time", "Recurring", "Usage-Based"}
SERVICE_CATEGORIES = {"Compute", "Networking", "Security", "Storage", "Other"}
COSTS = ("BilledCost", "ContractedCost", "EffectiveCost", "ListCost")


def faults_of(row: Mapping[str, str]) -> Iterator[str]:
    """Yield what is wrong with a row; an empty text is null."""
    columns = {name for name in row if not name.startswith("x_")}
    yield from (f"{name} is missing" for name in MUST_BE_THERE - columns)
    yield from (f"{name} is no column of FOCUS" for name in columns - KNOWN)
    yield from (f"{name} is null" for name in NEVER_NULL if not row.get(name))
    for name in (*COSTS, "PricingQuantity", "ConsumedQuantity"):
        if row.get(name) and not _is_number(row[name]):
            yield f"{name} is no plain number"
    yield from _faults_of_kind(row)
    yield from _faults_of_periods(row)
    if row["Tags"] and not isinstance(json.loads(row["Tags"]), dict):
        yield "Tags is no object"


def _faults_of_kind(row: Mapping[str, str]) -> Iterator[str]:
    category, frequency = row["ChargeCategory"], row["ChargeFrequency"]
    if category not in CATEGORIES:
        yield f"ChargeCategory {category}"
    if row["ChargeClass"] not in {"", "Correction"}:
        yield f"ChargeClass {row['ChargeClass']}"
    if frequency not in FREQUENCIES or (category == "Purchase" and frequency == "Usage-Based"):
        yield f"ChargeFrequency {frequency} of {category}"
    if row["ServiceCategory"] not in SERVICE_CATEGORIES:
        yield f"ServiceCategory {row['ServiceCategory']}"
    if row["BillingCurrency"] != "THB":
        yield "BillingCurrency is no ISO 4217 code of ours"
    yield from _faults_of_quantities(row, category)
    if category == "Credit" and _is_number(row["BilledCost"]) and Decimal(row["BilledCost"]) > 0:
        yield "a credit gives back"


def _faults_of_quantities(row: Mapping[str, str], category: str) -> Iterator[str]:
    if category == "Tax" and (row["PricingQuantity"] or row["ConsumedQuantity"]):
        yield "a tax has no quantity"
    if category in {"Usage", "Purchase"} and not row["ChargeClass"] and not row["PricingQuantity"]:
        yield "PricingQuantity is null"
    for quantity, unit in (("PricingQuantity", "PricingUnit"), ("ConsumedQuantity", "ConsumedUnit")):
        if bool(row[quantity]) != bool(row[unit]):
            yield f"{quantity} and {unit} come together"
    if category != "Usage" and row["ConsumedQuantity"]:
        yield "only usage is consumed"


def _faults_of_periods(row: Mapping[str, str]) -> Iterator[str]:
    moments = {}
    for period in ("BillingPeriod", "ChargePeriod"):
        for edge in ("Start", "End"):
            text = row[period + edge]
            if not text.endswith("Z"):
                yield f"{period}{edge} is not in UTC"
            moments[period + edge] = dt.datetime.fromisoformat(text)
        if moments[period + "Start"] >= moments[period + "End"]:
            yield f"{period} ends before it starts"
    if not row["ChargeClass"] and not (
        moments["BillingPeriodStart"] <= moments["ChargePeriodStart"]
        and moments["ChargePeriodEnd"] <= moments["BillingPeriodEnd"]
    ):
        yield "the charge lies outside its billing period"


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite() and "e" not in text.lower()
    except InvalidOperation:
        return False
