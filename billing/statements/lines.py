"""The lines of a bill: a charge, the settlement of an earlier month, something given back."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from billing.credits.models import Credit, CreditKind
from billing.documents.models import Kind
from billing.metering.adjustments import Due
from billing.months import Month
from billing.statements.charges import Charge
from billing.statements.facts import Given, PricedItem, Service
from billing.tariffs.models import PriceItem

Services = Mapping[uuid.UUID, Service]
Items = Mapping[uuid.UUID, PriceItem | PricedItem]

CREDIT_NAMES = {
    CreditKind.SLA: ("ส่วนลดตาม SLA", "SLA credit"),
    CreditKind.GOODWILL: ("ส่วนลดพิเศษ", "Goodwill credit"),
}
NOTE_NAMES = {Kind.CREDIT_NOTE: ("ใบลดหนี้", "Credit note"), Kind.DEBIT_NOTE: ("ใบเพิ่มหนี้", "Debit note")}
WHOLE_INVOICE = ("ทั้งใบแจ้งหนี้", "Whole invoice")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a bill, issued or estimated, with its names and how its amount came about."""

    service_id: uuid.UUID
    service_number: str
    service_names: tuple[str, str]
    family: str
    names: tuple[str, str]
    units: tuple[str, str]
    quantity: Decimal
    starts_on: dt.date
    ends_on: dt.date
    amount: Decimal
    derivation: dict[str, Any]


def derivation_of(charge: Charge) -> dict[str, Any]:
    """Return how a charge's amount came about, as it is kept with the line: numbers as text, no sentences."""
    return {
        "basis": charge.component.basis.value,
        "price_version": charge.price.number,
        "effective_from": charge.price.effective_from.isoformat(),
        "tranches": [
            {"quantity": str(part.quantity), "price": str(part.price), "amount": str(part.amount)}
            for part in charge.tranches
        ],
        "full": str(charge.full),
        "share": charge.share,
        "whole": charge.whole,
        "days": charge.days,
        "days_in_month": charge.days_in_month,
        "hours": None if charge.hours is None else str(charge.hours),
        "starts_at": charge.starts_at.isoformat(),
        "ends_at": charge.ends_at.isoformat(),
        # With the line's service and days, what leads to the hours and events behind it.
        "component": str(charge.component.id).partition("/")[2],
    }


def line_of(charge: Charge, services: Services, items: Items) -> Line:
    """Return the line of a charge, under the names of the day."""
    service = services[uuid.UUID(str(charge.component.subscription))]
    item = items[uuid.UUID(charge.component.name)]
    return Line(
        service.id,
        service.number,
        (service.name_th, service.name_en),
        service.family,
        (item.name_th, item.name_en),
        (item.unit_th, item.unit_en),
        charge.quantity,
        charge.first,
        charge.last,
        charge.amount,
        derivation_of(charge),
    )


def correction_of(due: Due, services: Services, items: Items) -> Line:
    """Return the line that settles a month invoiced before, pointing at the invoice it corrects."""
    service, item = services[due.service_id], items[uuid.UUID(due.component.name)]
    return Line(
        service.id,
        service.number,
        (service.name_th, service.name_en),
        service.family,
        (item.name_th, item.name_en),
        (item.unit_th, item.unit_en),
        due.quantity_now - due.quantity_then,
        due.month.first,
        due.month.last,
        due.amount,
        {
            "basis": due.component.basis.value,
            "component": str(due.component_id),
            "corrects": {
                "month": str(due.month),
                "statement_id": str(due.corrects_id),
                "number": due.corrects_number,
                "quantity_now": str(due.quantity_now),
                "quantity_then": str(due.quantity_then),
                "amount_now": str(due.amount_now),
                "amount_so_far": str(due.amount_so_far),
                "charges": [derivation_of(charge) for charge in due.charges],
            },
        },
    )


def credit_of(credit: Credit | Given, services: Services) -> Line:
    """Return the line that gives something back for a service."""
    service, month = services[credit.service_id], Month.of(credit.month)
    return Line(
        service.id,
        service.number,
        (service.name_th, service.name_en),
        service.family,
        CREDIT_NAMES[credit.kind],
        ("ครั้ง", "time"),
        Decimal(1),
        month.first,
        month.last,
        -credit.amount,
        {
            "credit": {
                "id": str(credit.id),
                "kind": credit.kind.value,
                "reason": credit.reason,
                "given_by": credit.given_by,
                "given_as": credit.given_as,
            }
        },
    )
