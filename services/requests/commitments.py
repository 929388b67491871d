"""What is confirmed and not yet delivered adds to a fiscal year: the part of a budget that is spoken for."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.tenancy import scoped
from billing.budgets.rules import FiscalYear
from billing.cost_centres.rules import centre_years
from billing.explorer.queries import entries_of
from billing.statements.queries import Book, book_of, component_of
from billing.statements.rules import Item
from billing.tariffs.queries import versions_of
from services.requests.models import RequestItem, ServiceRequest
from services.requests.pricing import takes_effect
from services.requests.queries import prospective
from services.requests.rules import State

_AWAITING_DELIVERY = (State.CONFIRMED, State.IN_PROGRESS)
NOTHING = Decimal("0.00")


async def committed_in(
    agency_id: uuid.UUID, year: FiscalYear, *, now: dt.datetime, but_for: uuid.UUID | None = None
) -> Decimal:
    """Return what an agency's confirmed requests that await delivery add to a fiscal year, in baht with VAT.

    `but_for` is a request that is looked at by itself. What is late is taken to be delivered now. What makes the year
    cheaper commits nothing. One query where nothing waits.
    """
    books = await _books(agency_id, year, now=now, but_for=but_for)
    if books is None:
        return NOTHING
    before, after = books
    added = sum((after.total(month) - before.total(month) for month in year.months), NOTHING)
    return max(added, NOTHING)


async def committed_by_centre(agency_id: uuid.UUID, year: FiscalYear, *, now: dt.datetime) -> dict[str, Decimal]:
    """Return the same by cost centre, as far as there is any; what is new belongs to none yet, the empty name."""
    books = await _books(agency_id, year, now=now)
    if books is None:
        return {}
    before, after = [
        {each.name: each.forecast for each in centre_years(book, await entries_of(book, year.months), year, {})}
        for book in books
    ]
    added = {name: whole - before.get(name, NOTHING) for name, whole in after.items()}
    return {name: amount for name, amount in added.items() if amount > 0}


async def _books(
    agency_id: uuid.UUID, year: FiscalYear, *, now: dt.datetime, but_for: uuid.UUID | None = None
) -> tuple[Book, Book] | None:
    """Return an agency's book without and with its confirmed requests that await delivery; None where none does."""
    found = scoped(ServiceRequest).filter(agency_id=agency_id, state__in=_AWAITING_DELIVERY)
    waiting = [each for each in await found.select_related("offering") if each.id != but_for]
    if not waiting:
        return None
    asked = (
        await scoped(RequestItem)
        .filter(agency_id=agency_id, request_id__in=[each.id for each in waiting])
        .select_related("component__price_item")
    )
    prices = [item.component.price_item for item in asked]
    before = await book_of(agency_id, year.months[0], year.months[-1], and_items=prices)
    versions = await versions_of({price.id for price in prices})
    after = before
    for request in sorted(waiting, key=lambda each: each.effective_on):
        service_id = request.subscription_id or request.id
        if request.subscription_id is None:
            after = after.with_service(prospective(request.id, agency_id, request.offering, request.label))
        items = [
            Item(
                component_of(
                    service_id, item.component_id, item.component.price_item, versions[item.component.price_item_id]
                ),
                item.asked if item.confirmed is None else item.confirmed,
            )
            for item in asked
            if item.request_id == request.id
        ]
        after = after.with_quantities(items, takes_effect(request.kind, request.effective_on, now))
    return before, after
