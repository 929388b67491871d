"""What was quoted is what is billed when nothing else changes, whatever is asked and whenever (annex ก 1.6)."""

import asyncio
import datetime as dt
import uuid
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.money import satang
from billing.months import Month
from billing.statements.queries import book_of
from billing.tariffs.rules import Basis
from services.catalogue.queries import bounds_on
from services.catalogue.rules import Bounds
from services.requests import commands as requests
from services.requests.models import Quote
from services.requests.rules import Kind
from tests.stage import Stage, at

COUNTED = {Basis.DAILY, Basis.HOURLY}
NOW = at("2026-12-01", "10:00")
FIRST_DAY = dt.date(2027, 1, 11)  # past every lead time
EXAMPLES = 15


@dataclass(frozen=True)
class Wish:
    """Which component, how much of it at first and later, and from which days."""

    place: int
    steps: int
    steps_later: int
    days: int
    days_later: int


wishes = st.builds(
    Wish, st.integers(0, 100), st.integers(0, 40), st.integers(0, 40), st.integers(0, 70), st.integers(0, 45)
)


async def test_what_was_quoted_is_what_is_billed(stage: Stage) -> None:
    loop = asyncio.get_running_loop()
    async with acting_as(system("test")):
        await rows("UPDATE pool SET size = size + 1000000 RETURNING 1")

    @settings(max_examples=EXAMPLES, database=None, deadline=None)
    @given(wishes)
    def each_is_billed_as_quoted(wish: Wish) -> None:
        asyncio.run_coroutine_threadsafe(_given_and_changed(stage, wish), loop).result()

    await asyncio.to_thread(each_is_billed_as_quoted)


async def _given_and_changed(stage: Stage, wish: Wish) -> None:
    """Have a service given, and changed later; each must be billed as it was quoted."""
    counted = sorted(key for key, part in stage.catalogue.components.items() if part.price_item.basis in COUNTED)
    code, name = counted[wish.place % len(counted)]
    part = stage.component(code, name)
    async with acting_as(system("test")):
        bounds = (await bounds_on([part.id], FIRST_DAY))[part.id]
    effective_on = FIRST_DAY + dt.timedelta(days=wish.days)
    amount = _amount(bounds, wish.steps)
    quote, service = await _through(stage, Kind.NEW, code, {part.id: amount}, effective_on, None)
    await _billed_as_quoted(stage, quote, service)
    other = _amount(bounds, wish.steps_later)
    if other != amount:
        effective_on += dt.timedelta(days=1 + wish.days_later)
        quote, _ = await _through(stage, Kind.CHANGE, code, {part.id: other}, effective_on, service)
        await _billed_as_quoted(stage, quote, service)


async def _through(
    stage: Stage,
    kind: Kind,
    code: str,
    asked: dict[uuid.UUID, Decimal],
    effective_on: dt.date,
    service: uuid.UUID | None,
) -> tuple[Quote, uuid.UUID]:
    """Take a request the whole way, delivered before the day it is for; return its quote and its service."""
    request = await stage.as_(
        "official-a",
        requests.draft,
        stage.agency("a"),
        kind,
        subscription_id=service,
        offering_id=stage.catalogue.offerings[code].id,
        asked=asked,
        effective_on=effective_on,
        justification="จำเป็นต้องใช้",
        now=NOW,
    )
    await stage.as_("official-a", requests.submit, request.id, now=NOW)
    quote = await stage.review(request.id, accepted=NOW, quoted=NOW)
    await stage.as_("approver-a", requests.confirm, request.id, quote.sha256, now=NOW)
    await stage.deliver(request.id, now=NOW + dt.timedelta(days=1))
    subscription_id = (await stage.request(request.id)).subscription_id
    assert subscription_id is not None
    return quote, subscription_id


async def _billed_as_quoted(stage: Stage, quote: Quote, service: uuid.UUID) -> None:
    document = quote.document
    effective_on = dt.date.fromisoformat(document["effective_on"])
    first = Month.of(effective_on)
    assert document["first_month"]["month"] == str(first)
    full = first.next
    while full.days != 31:
        full = full.next
    async with acting_as(system("test")):
        book = await book_of(stage.agency("a"), first, full)
    assert book.service_charge(service, first) == Decimal(document["first_month"]["amount"])
    assert book.service_charge(service, full) == Decimal(document["monthly"]["after"])
    assert Decimal(document["monthly"]["after"]) > 0
    with_vat = Decimal(document["monthly"]["after_with_vat"])
    after = Decimal(document["monthly"]["after"])
    assert with_vat == after + satang(after * Decimal(document["vat_rate"]))


def _amount(bounds: Bounds, steps: int) -> Decimal:
    """Return the quantity so many steps above the least that can be ordered, within what can be."""
    amount = bounds.minimum + bounds.step * steps if bounds.minimum else bounds.step * (steps + 1)
    return min(amount, bounds.maximum) if bounds.maximum is not None else amount
