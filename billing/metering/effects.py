"""What a correction would change, found by making it and taking it back: the rule that does it says what it does."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from auth.rules import Actor
from auth.tenancy import taken_back
from billing.metering.adjustments import Due
from billing.metering.corrections import replace, void
from billing.metering.queries import Hour, Key, hours_of
from billing.money import ZERO, exactly
from billing.months import Month
from billing.statements.queries import Book, book_of
from billing.tariffs.rules import Basis

_NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Effect:
    """What a month's usage of a component comes to before and after a correction, in baht before VAT.

    Where the month's invoice stands, `corrects` is its number and `carried_in` the month whose invoice settles the
    difference; both are None while the month is an estimate.
    """

    month: Month
    quantity_before: Decimal
    quantity_after: Decimal
    amount_before: Decimal
    amount_after: Decimal
    corrects: str | None
    carried_in: Month | None

    @property
    def change(self) -> Decimal:
        """How much more is charged than before, negative for less."""
        return self.amount_after - self.amount_before


def quantity_of(hours: Iterable[Hour], basis: Basis) -> Decimal:
    """Return what hours come to as a basis charges them: their highest, or all of them together."""
    known = list(hours)
    if basis is Basis.METERED_MAX:
        return max((hour.high for hour in known), default=ZERO)
    with exactly():
        return sum((hour.total for hour in known), ZERO)


async def effect_of(
    event: dict[str, Any], quantity: object | None, reason: str, *, basis: Basis, by: Actor, now: dt.datetime
) -> Effect:
    """Return what voiding an event (a quantity of None) or replacing its quantity would change; changes nothing.

    Refuses what `void` and `replace` refuse.
    """
    month, key = Month.of(event["starts_at"]), (event["service_id"], event["component_id"])
    span = event["agency_id"], *key, month.first, month.last
    book, hours = await book_of(event["agency_id"], month, month), await hours_of(*span)
    async with taken_back():
        if quantity is None:
            await void(event, reason, by=by, now=now)
        else:
            await replace(event, quantity, reason, by=by, now=now)
        book_after, hours_after = await book_of(event["agency_id"], month, month), await hours_of(*span)
    issued = book.issued.get((event["provider_id"], month))
    due, due_after = _due(book, key, month), _due(book_after, key, month)
    if issued is None or due_after is None:
        before, after = _estimated(book, key, month), _estimated(book_after, key, month)
    else:
        before, after = due.amount_now if due else due_after.amount_so_far, due_after.amount_now
    return Effect(
        month,
        quantity_of(hours, basis),
        quantity_of(hours_after, basis),
        before,
        after,
        issued.number if issued else None,
        due_after.carried_in if due_after else None,
    )


def _due(book: Book, key: Key, month: Month) -> Due | None:
    return next((due for due in book.dues if (due.service_id, due.component_id, due.month) == (*key, month)), None)


def _estimated(book: Book, key: Key, month: Month) -> Decimal:
    """Return what a month's charges for a component come to, settlements of earlier months left out."""
    service_id, component_id = key
    return sum(
        (
            line.amount
            for line in book.lines(month)
            if line.service_id == service_id
            and line.derivation.get("component") == str(component_id)
            and "corrects" not in line.derivation
        ),
        _NOTHING,
    )
