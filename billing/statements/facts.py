"""The small facts a book is made of, read in one statement: every page with costs asks for all of them.

Each is a list of rows inside one row, which spares a way to the database and back for each; the many rows there are of
services, of what is set aside and of usage are read by themselves.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from auth.tenancy import current, rows
from billing.credits.models import CreditKind
from billing.documents.models import Kind
from billing.months import Month
from billing.tariffs.models import TaxKind
from billing.tariffs.queries import Rate, TaxTable, tax_table_of
from billing.tariffs.rules import Basis, PriceVersion, tiers_from

OWN = "agency_id = $1 AND ($2::uuid IS NULL OR provider_id = $2)"
"""An agency's rows; for a provider's people its own."""


class Service(NamedTuple):
    """A service in use as billing knows it, a row of `BilledService`: whose, from whom, and under which names."""

    id: uuid.UUID
    agency_id: uuid.UUID
    provider_id: uuid.UUID
    number: str
    offering_code: str
    family: str
    name_th: str
    name_en: str
    cost_centre: str


class Metered(NamedTuple):
    """What of an offering is measured, and the price it is charged at."""

    provider_id: uuid.UUID
    offering_code: str
    component_id: uuid.UUID
    price_item_id: uuid.UUID
    addon_id: uuid.UUID | None


class PricedItem(NamedTuple):
    """Something with a price, under the names of the day."""

    id: uuid.UUID
    code: str
    name_th: str
    name_en: str
    unit_th: str
    unit_en: str
    basis: Basis


class Issued(NamedTuple):
    """An issued invoice, as sums of months show it."""

    id: uuid.UUID
    provider_id: uuid.UUID
    number: str
    month: dt.date
    subtotal: Decimal
    vat: Decimal
    total: Decimal


class NoteLine(NamedTuple):
    """A line of a note; a credit note's is below zero. `service_id` is None where it is of the whole invoice."""

    names: tuple[str, str]
    amount: Decimal
    service_id: uuid.UUID | None


class Noted(NamedTuple):
    """A credit or debit note on an issued invoice, of whose month it is; a credit note's amounts are below zero."""

    statement_id: uuid.UUID
    provider_id: uuid.UUID
    month: dt.date
    kind: Kind
    number: str
    reason: str
    subtotal: Decimal
    vat: Decimal
    total: Decimal
    lines: tuple[NoteLine, ...]


class Given(NamedTuple):
    """A credit that stands."""

    id: uuid.UUID
    service_id: uuid.UUID
    month: dt.date
    kind: CreditKind
    amount: Decimal
    reason: str
    given_by: str
    given_as: str


class Facts(NamedTuple):
    """What prices, taxes, invoices and their notes, credits and late usage a book stands on."""

    meters: list[Metered]
    items: dict[uuid.UUID, PricedItem]
    versions: dict[uuid.UUID, tuple[PriceVersion, ...]]
    issued: list[Issued]
    notes: tuple[Noted, ...]
    credits: tuple[Given, ...]
    late: set[tuple[uuid.UUID, uuid.UUID, Month]]  # usage that came after its month's invoice: service and component
    taxes: TaxTable
    first: Month | None  # from which on there are costs


_FACTS = f"""
    WITH metered AS MATERIALIZED (
        SELECT provider_id, offering_code, component_id, price_item_id, addon_id, code FROM meter
        WHERE provider_id = ANY($5::uuid[]) AND offering_code = ANY($6::text[])
    ), item AS MATERIALIZED (
        SELECT id, code, name_th, name_en, unit_th, unit_en, basis FROM price_item
        WHERE id IN (SELECT unnest($7::uuid[]) UNION SELECT price_item_id FROM metered)
    )
    SELECT
        ARRAY(SELECT ROW(provider_id, offering_code, component_id, price_item_id, addon_id) FROM metered ORDER BY code)
            AS meters,
        ARRAY(SELECT ROW(id, code, name_th, name_en, unit_th, unit_en, basis) FROM item) AS items,
        ARRAY(SELECT ROW(price_item_id, id, number, effective_from, tiers::text) FROM price_version
            WHERE price_item_id IN (SELECT id FROM item) AND ($8::timestamptz IS NULL OR made_at <= $8)
            ORDER BY effective_from, number) AS versions,
        ARRAY(SELECT ROW(id, provider_id, number, month, subtotal, vat, total) FROM statement
            WHERE {OWN} AND month BETWEEN $3 AND $4) AS issued,
        ARRAY(SELECT ROW(d.statement_id, d.provider_id, s.month, d.kind, d.number, d.reason, d.subtotal, d.vat, d.total,
                d.lines::text)
            FROM document d JOIN statement s ON s.agency_id = d.agency_id AND s.id = d.statement_id
            WHERE d.agency_id = $1 AND ($2::uuid IS NULL OR d.provider_id = $2)
                AND d.kind IN ('credit_note', 'debit_note') AND s.month BETWEEN $3 AND $4
            ORDER BY d.issued_at, d.number) AS notes,
        ARRAY(SELECT ROW(id, service_id, month, kind, amount, reason, given_by, given_as) FROM credit
            WHERE {OWN} AND month BETWEEN $3 AND $4 AND withdrawn_at IS NULL
            ORDER BY month, given_at, id) AS credits,
        ARRAY(SELECT ROW(service_id, component_id, month) FROM late_usage
            WHERE agency_id = $1 AND statement_id IS NULL) AS late,
        ARRAY(SELECT ROW(kind, provider_id, effective_from, rate) FROM tax_rate ORDER BY effective_from) AS taxes,
        (SELECT min(starts_at) FROM allocation WHERE {OWN}) AS first
"""  # noqa: S608 - our own text


_SERVICES = f"SELECT {', '.join(Service._fields)} FROM billed_service WHERE {OWN} ORDER BY number"  # noqa: S608 - ours


async def services_of(agency_id: uuid.UUID) -> dict[uuid.UUID, Service]:
    """Return an agency's services, ended ones too, by number; to a provider's people its own."""
    found = await rows(_SERVICES, agency_id, current().actor.provider_id)
    return {row["id"]: Service(*row.values()) for row in found}


async def facts_of(
    agency_id: uuid.UUID,
    services: Iterable[Service],
    items: Iterable[uuid.UUID],
    since: Month,
    until: Month,
    *,
    known_at: dt.datetime | None = None,
) -> Facts:
    """Read what an agency's book for some months stands on, both included, beside its services; one query.

    `items` are the prices asked for; those of what the services are measured by come too. Prices set after `known_at`
    are left out.
    """
    known = list(services)
    [found] = await rows(
        _FACTS,
        *(agency_id, current().actor.provider_id, since.first, until.first),
        list({service.provider_id for service in known}),
        list({service.offering_code for service in known}),
        list(items),
        known_at,
    )
    priced = [PricedItem(*row)._replace(basis=Basis(row[-1])) for row in found["items"]]
    return Facts(
        [Metered(*row) for row in found["meters"]],
        {item.id: item for item in priced},
        _versions((item.id for item in priced), found["versions"]),
        [Issued(*row) for row in found["issued"]],
        tuple(_noted(*row) for row in found["notes"]),
        tuple(Given(*row)._replace(kind=CreditKind(row[3])) for row in found["credits"]),
        {(service, component, Month.of(month)) for service, component, month in found["late"]},
        tax_table_of(Rate(TaxKind(kind), *rest) for kind, *rest in found["taxes"]),
        Month.of(found["first"]) if found["first"] else None,
    )


def _noted(
    statement_id: uuid.UUID,
    provider_id: uuid.UUID,
    month: dt.date,
    kind: str,
    number: str,
    reason: str,
    subtotal: Decimal,
    vat: Decimal,
    total: Decimal,
    lines: str,
) -> Noted:
    sign = 1 if kind == Kind.DEBIT_NOTE else -1
    return Noted(
        statement_id,
        provider_id,
        month,
        Kind(kind),
        number,
        reason,
        sign * subtotal,
        sign * vat,
        sign * total,
        tuple(
            NoteLine(
                (line["name_th"], line["name_en"]),
                sign * Decimal(line["amount"]),
                uuid.UUID(line["service_id"]) if "service_id" in line else None,
            )
            for line in json.loads(lines)
        ),
    )


def _versions(
    items: Iterable[uuid.UUID], found: Iterable[tuple[Any, ...]]
) -> dict[uuid.UUID, tuple[PriceVersion, ...]]:
    versions: dict[uuid.UUID, tuple[PriceVersion, ...]] = dict.fromkeys(items, ())
    for item, version, number, since, tiers in found:
        versions[item] += (PriceVersion(str(version), number, since, tiers_from(json.loads(tiers))),)
    return versions
