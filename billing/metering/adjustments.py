"""What the next invoice charges or gives back for months invoiced before (late and corrected usage)."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from auth.tenancy import rows
from billing.metering.models import Adjustment, UsageCorrection
from billing.metering.queries import Days, Key, usages_of
from billing.metering.retention import kept_from
from billing.money import ZERO, exactly
from billing.months import Month
from billing.statements.charges import Charge, Component, Usage
from billing.statements.rules import rate_month

_HOLD = """
    SELECT 1 FROM late_usage WHERE agency_id = $1 AND provider_id = $2 AND statement_id IS NULL
    ORDER BY service_id, component_id, month FOR UPDATE
"""
_INVOICES = """
    SELECT id, provider_id, number, month, issued_at, max(month) OVER (PARTITION BY provider_id) AS latest
    FROM statement WHERE agency_id = $1
"""
_EARLIER = """
    SELECT service_id, component_id, month, sum(amount) AS amount, coalesce(sum(quantity), 0) AS quantity
    FROM adjustment
    WHERE agency_id = $1 AND month = ANY($2::date[]) GROUP BY service_id, component_id, month
"""
_SETTLE = """
    UPDATE late_usage SET statement_id = $1
    FROM unnest($3::uuid[], $4::uuid[], $5::date[]) AS w(service, component, month)
    WHERE agency_id = $2 AND service_id = w.service AND component_id = w.component AND late_usage.month = w.month
        AND statement_id IS NULL
"""


@dataclass(frozen=True, slots=True)
class Due:
    """What a component's usage of an invoiced month comes to now, and what was charged for it so far.

    `quantity_then` and `amount_so_far` are as invoiced and as settled since. `carried_in` is the month whose invoice
    settles the difference: the one after the last invoiced.
    """

    component: Component
    service_id: uuid.UUID
    component_id: uuid.UUID
    provider_id: uuid.UUID
    month: Month
    carried_in: Month
    corrects_id: uuid.UUID
    corrects_number: str
    quantity_now: Decimal
    quantity_then: Decimal
    amount_now: Decimal
    amount_so_far: Decimal
    charges: tuple[Charge, ...]

    @property
    def amount(self) -> Decimal:
        """The difference to settle, negative when something is given back."""
        return self.amount_now - self.amount_so_far


async def hold_marks(agency_id: uuid.UUID, provider_id: uuid.UUID) -> None:
    """Keep late usage from being marked while an invoice settles what is marked already."""
    await rows(_HOLD, agency_id, provider_id)


async def dues_of(
    agency_id: uuid.UUID,
    late: Iterable[tuple[uuid.UUID, uuid.UUID, Month]],
    components: Mapping[Key, Component],
    in_use: Mapping[Key, Days],
    *,
    by_event: bool = False,
) -> list[Due]:
    """Return what is to be settled for an agency, by month, service and component; no query where nothing is late.

    `late` is usage that came or changed after its month's invoice and waits for the next: service, component, month.
    It is added up from the days' sums, or `by_event` from the events, and rated at the prices that were known when the
    month was invoiced: one set afterwards for those days changes nothing that was billed by then.
    """
    marks = {mark for mark in late if mark[:2] in components}
    if not marks:
        return []
    months = {month for _, _, month in marks}
    wanted = {key: components[key] for key in {mark[:2] for mark in marks}}
    invoices = await rows(_INVOICES, agency_id)
    invoice = {(row["provider_id"], Month.of(row["month"])): row for row in invoices}
    earlier = {
        (row["service_id"], row["component_id"], Month.of(row["month"])): (row["amount"], row["quantity"])
        for row in await rows(_EARLIER, agency_id, [month.first for month in months])
    }
    owners = {row["id"]: row["provider_id"] for row in await rows(_OWNERS, agency_id)}
    issued_at = {mark: invoice[owners[mark[0]], mark[2]]["issued_at"] for mark in marks}
    now: dict[tuple[str, Month], list[Usage]] = defaultdict(list)
    then: dict[tuple[str, Month], list[Usage]] = defaultdict(list)
    for known, of_months in await _as_known(wanted, issued_at):
        now |= _by_mark(await usages_of(agency_id, known, of_months, in_use, by_event=by_event))
        then |= _by_mark(await usages_of(agency_id, known, of_months, in_use, as_invoiced=True))
    dues = []
    for service_id, component_id, month in sorted(marks, key=lambda mark: (mark[2], str(mark[0]), str(mark[1]))):
        component = components[service_id, component_id]
        stands = invoice[owners[service_id], month]
        name = str(component.id), month
        charges = rate_month((), month, now[name])
        before = rate_month((), month, then[name])
        settled, counted = earlier.get((service_id, component_id, month), (ZERO, ZERO))
        with exactly():
            dues.append(
                Due(
                    component,
                    service_id,
                    component_id,
                    stands["provider_id"],
                    month,
                    Month.of(stands["latest"]).next,
                    stands["id"],
                    stands["number"],
                    _quantity(now[name]),
                    _quantity(then[name]) + counted,
                    _amount(charges),
                    _amount(before) + settled,
                    tuple(charges),
                )
            )
    return dues


_MADE = "SELECT id, made_at FROM price_version WHERE id = ANY($1::uuid[])"


async def _as_known(
    components: Mapping[Key, Component], issued_at: Mapping[tuple[uuid.UUID, uuid.UUID, Month], dt.datetime]
) -> list[tuple[dict[Key, Component], set[Month]]]:
    """Return components with the prices known when their months were invoiced, and the months that is so for.

    All months at once where no price was set afterwards, as is usual; else each by itself.
    """
    ids = {str(version.id) for component in components.values() for version in component.prices}
    made_at = {str(row["id"]): row["made_at"] for row in await rows(_MADE, [uuid.UUID(each) for each in ids])}
    by_month: defaultdict[Month, dict[Key, Component]] = defaultdict(dict)
    for (service_id, component_id, month), moment in issued_at.items():
        component = components[service_id, component_id]
        known_then = {version.id for version in component.prices if made_at[str(version.id)] <= moment}
        since = min((each.effective_from for each in component.prices if each.id in known_then), default=dt.date.max)
        # What had no price at all then has the one it was given since.
        prices = tuple(each for each in component.prices if each.id in known_then or each.effective_from < since)
        is_whole = len(prices) == len(component.prices)
        by_month[month][service_id, component_id] = component if is_whole else replace(component, prices=prices)
    if all(each is components[key] for known in by_month.values() for key, each in known.items()):
        return [(dict(components), set(by_month))]
    return [(known, {month}) for month, known in by_month.items()]


_OWNERS = "SELECT id, provider_id FROM billed_service WHERE agency_id = $1"


async def settled_of(agency_id: uuid.UUID, since: Month, until: Month) -> set[tuple[uuid.UUID, uuid.UUID, Month]]:
    """Return the usage of some months that came or changed after their invoice and is settled: what `dues_of` takes.

    Left out is what cannot be checked by the events there are: months whose events are not kept any more, and what
    waits for the next invoice besides.
    """
    kept = await kept_from()
    first = since if kept is None else max(since, kept)
    found = await rows(_SETTLED, agency_id, first.first, until.first)
    return {(row["service_id"], row["component_id"], Month.of(row["month"])) for row in found}


_SETTLED = """
    SELECT service_id, component_id, month FROM late_usage
    WHERE agency_id = $1 AND month BETWEEN $2 AND $3
    GROUP BY service_id, component_id, month HAVING bool_and(statement_id IS NOT NULL)
"""


async def settle(agency_id: uuid.UUID, dues: Iterable[Due], statement_id: uuid.UUID, now: dt.datetime) -> None:
    """Keep what an invoice settled: which invoices it corrects and by how much, the marks done with."""
    settled = list(dues)
    if not settled:
        return
    await Adjustment.bulk_create(
        [
            Adjustment(
                agency_id=agency_id,
                provider_id=due.provider_id,
                service_id=due.service_id,
                component_id=due.component_id,
                month=due.month.first,
                corrects_id=due.corrects_id,
                statement_id=statement_id,
                amount=due.amount,
                quantity=due.quantity_now - due.quantity_then,
                made_at=now,
            )
            for due in settled
            if due.amount
        ]
    )
    await rows(
        _SETTLE,
        statement_id,
        agency_id,
        [due.service_id for due in settled],
        [due.component_id for due in settled],
        [due.month.first for due in settled],
    )


def _by_mark(usages: Iterable[Usage]) -> defaultdict[tuple[str, Month], list[Usage]]:
    found: defaultdict[tuple[str, Month], list[Usage]] = defaultdict(list)
    for usage in usages:
        found[str(usage.component.id), Month.of(usage.first)].append(usage)
    return found


def _quantity(usages: Iterable[Usage]) -> Decimal:
    quantities = [usage.quantity for usage in usages]
    return sum(quantities, ZERO)


def _amount(charges: Iterable[Charge]) -> Decimal:
    return sum((charge.amount for charge in charges), Decimal("0.00"))


@dataclass(frozen=True, slots=True)
class Settlement:
    """That usage of a component came or changed after its month's invoice, and what that came to.

    `carried_by` is the number of the invoice that settled it, None while the next one is still to come; the amount is
    then not known yet.
    """

    corrects: str
    carried_by: str | None
    carried_in: Month | None
    amount: Decimal | None


_SETTLEMENTS = """
    SELECT DISTINCT corrected.number AS corrects, carrier.number AS carried_by, carrier.month AS carried_in, a.amount
    FROM late_usage l
    JOIN statement corrected ON corrected.agency_id = l.agency_id AND corrected.provider_id = l.provider_id
        AND corrected.month = l.month
    LEFT JOIN statement carrier ON carrier.agency_id = l.agency_id AND carrier.id = l.statement_id
    LEFT JOIN adjustment a ON a.agency_id = l.agency_id AND a.statement_id = l.statement_id
        AND a.service_id = l.service_id AND a.component_id = l.component_id AND a.month = l.month
    WHERE l.agency_id = $1 AND l.service_id = $2 AND l.component_id = $3 AND l.month = $4
    ORDER BY carrier.month NULLS LAST
"""


async def settlements_of(key: tuple[uuid.UUID, uuid.UUID, uuid.UUID], month: Month) -> list[Settlement]:
    """Return what came of usage of an agency's service and component after that month's invoice; one query."""
    return [
        Settlement(
            row["corrects"],
            row["carried_by"],
            Month.of(row["carried_in"]) if row["carried_in"] else None,
            row["amount"],
        )
        for row in await rows(_SETTLEMENTS, *key, month.first)
    ]


_CARRIERS = """
    SELECT l.service_id, l.component_id, l.month, s.number, s.month AS carried_in, s.issued_at FROM late_usage l
    JOIN statement s ON s.agency_id = l.agency_id AND s.id = l.statement_id
    WHERE l.service_id = ANY($1::uuid[]) ORDER BY s.issued_at
"""


async def carriers_of(corrections: Iterable[UsageCorrection]) -> dict[uuid.UUID, tuple[str, Month]]:
    """Return the invoice that settled each correction made after its month's invoice: its number and month; one query.

    Those still to be settled are left out.
    """
    late = [each for each in corrections if each.is_late]
    found = await rows(_CARRIERS, list({each.service_id for each in late})) if late else []
    carriers: dict[uuid.UUID, tuple[str, Month]] = {}
    for each in late:
        place = each.service_id, each.component_id, Month.of(each.event_starts_at).first
        for row in found:
            after = row["issued_at"] >= each.made_at
            if after and (row["service_id"], row["component_id"], row["month"]) == place:
                carriers[each.id] = row["number"], Month.of(row["carried_in"])
                break
    return carriers
