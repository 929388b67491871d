"""Whatever order events come in, however often, split or corrected, and whenever months are closed: the same totals."""

import asyncio
import datetime as dt
import itertools
import uuid
from collections.abc import Coroutine
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from auth.fields import new_id
from auth.organisations.models import Organisation
from auth.rules import Actor, OrganisationKind, system
from auth.tenancy import acting_as, rows
from billing.metering.corrections import replace, void
from billing.months import BANGKOK, Month
from billing.statements.commands import issue
from billing.statements.models import Statement, StatementLine
from billing.statements.queries import book_of
from billing.usage.commands import Quantity, allocate, open_service
from billing.usage.models import BilledService
from tests.billing.ledger.books import balanced_books
from tests.billing.metering.world import World, at, found
from tests.cast import actor
from tests.conftest import database

__all__ = ["database"]
T = TypeVar("T")
FIRST = Month(2026, 11)
RACK = Decimal(1000)  # ten units at 100.00, every month
CLOSING = system("month end")
_numbers = itertools.count(1)


def due(quantity: Decimal) -> Decimal:
    """Return what a month's energy costs: 4.50 up to 1,000 kWh, 4.00 above; written apart from the rule."""
    below = min(quantity, Decimal(1000))
    return (below * Decimal("4.50") + (quantity - below) * 4).quantize(Decimal("0.01"), ROUND_HALF_UP)


class Billing(RuleBasedStateMachine):
    """One agency with one rack, whose meter reads in disorder while months are closed."""

    world: World
    finance: Actor
    loop: asyncio.AbstractEventLoop
    sent = Bundle("sent")

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run something on the loop that the database's connections belong to."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    @initialize()
    def open(self) -> None:
        """Open the rack of an agency of its own."""
        self.month, self.counted, self.closed = FIRST, dict[str, tuple[Month, Decimal]](), list[Month]()
        self.service = self.do(self._open())

    async def _open(self) -> BilledService:
        number, world = next(_numbers), self.world
        async with acting_as(system("test")):
            agency = await Organisation.create(
                kind=OrganisationKind.AGENCY,
                code=f"any-{number}",
                short_code=f"X{number}",
                name_th="หน่วยงาน",
                name_en="Agency",
                created_at=at(2026, 1, 1),
            )
            service = await open_service(
                new_id(),
                agency.id,
                world.provider_id,
                number=f"CO-X{number}",
                offering_code="CO",
                family="data_centre",
                names=("ตู้", "Rack"),
            )
            rack = Quantity(world.components["rack"], world.items["rack"], Decimal(10))
            await allocate(service.id, [rack], FIRST.starts_at, origin="test")
        return service

    @property
    def now(self) -> dt.datetime:
        """Ten days into the month that runs."""
        return self.month.starts_at + dt.timedelta(days=10)

    @rule(
        target=sent,
        back=st.integers(0, 2),
        hour=st.integers(0, 200),
        parts=st.lists(st.integers(1, 700_000_000).map(lambda n: Decimal(n) / 1_000_000), min_size=1, max_size=4),
    )
    def measure(self, back: int, hour: int, parts: list[Decimal]) -> list[Any]:
        """Send readings of this month or one before, a quantity in as many parts as it comes."""
        month = self.month
        for _ in range(back):
            month = month.previous if month > FIRST else month
        readings = []
        for part in parts:
            name = uuid.uuid4().hex
            self.counted[name] = month, part
            starts_at = month.starts_at.astimezone(BANGKOK) + dt.timedelta(hours=hour)
            reading = self.world.reading(name, f"{part:f}", subject=self.service.number, starts_at=starts_at)
            readings.append(reading)
        self.do(self._take(readings))
        return readings

    @rule(batches=st.lists(sent, min_size=1, max_size=3), backwards=st.booleans())
    def send_again(self, batches: list[list[Any]], *, backwards: bool) -> None:
        """Send what was sent before once more, joined and in another order."""
        together = [reading for batch in batches for reading in batch]
        self.do(self._take(together[::-1] if backwards else together))

    async def _take(self, readings: list[Any]) -> None:
        await self.world.take(*readings, now=self.now, latest=None, reason="ทดสอบ")

    @rule(
        batch=consumes(sent), quantity=st.none() | st.integers(0, 2_000_000_000).map(lambda n: Decimal(n) / 1_000_000)
    )
    def correct(self, batch: list[Any], quantity: Decimal | None) -> None:
        """Void the first reading of a batch, or give it another quantity."""
        name = batch[0].event_id
        month, was = self.counted[name]
        if quantity == was:
            return
        self.counted[name] = month, quantity or Decimal(0)
        self.do(self._correct(name, quantity))

    async def _correct(self, name: str, quantity: Decimal | None) -> None:
        async with acting_as(system("test")):
            [event] = await rows("SELECT * FROM usage_event WHERE event_id = $1", name)
        async with acting_as(self.finance):
            if quantity is None:
                await void(event, "ทดสอบ", by=self.finance, now=self.now)
            else:
                await replace(event, f"{quantity:f}", "ทดสอบ", by=self.finance, now=self.now)

    @rule(times=st.integers(1, 3))
    def close(self, times: int) -> None:
        """Close the month that runs, perhaps by several at once."""
        month = self.month
        self.month = month.next
        self.do(self._close(month, times))
        self.closed.append(month)

    async def _close(self, month: Month, times: int) -> None:
        async def close() -> None:
            async with acting_as(CLOSING):
                agency, provider = self.service.agency_id, self.world.provider_id
                await issue(agency, provider, month, by=CLOSING, now=month.ends_at)

        await asyncio.gather(*(close() for _ in range(times)))

    @invariant()
    def what_is_billed_is_what_was_used(self) -> None:
        """Invoices so far and the running month come to what the readings that count come to, by month."""
        totals: dict[Month, Decimal] = {}
        for month, quantity in self.counted.values():
            totals[month] = totals.get(month, Decimal(0)) + quantity
        wanted = sum((due(quantity) for quantity in totals.values()), RACK * (len(self.closed) + 1))
        assert self.do(self._billed()) == wanted

    async def _billed(self) -> Decimal:
        agency, provider = self.service.agency_id, self.world.provider_id
        async with acting_as(system("test")):
            statements = await Statement.filter(agency_id=agency)
            lines = await StatementLine.filter(agency_id=agency)
            book = await book_of(agency, self.month, self.month)
        for each in statements:
            own = [line.amount for line in lines if line.statement_id == each.id]
            assert sum(own, Decimal("0.00")) == each.subtotal
        assert len(statements) == len(self.closed)
        running = book.estimate(provider, self.month).totals.subtotal
        return sum((each.subtotal for each in statements), running)


async def test_any_order_duplication_and_splitting_give_the_same_totals(database: str) -> None:
    world = await found()
    Billing.world, Billing.finance = world, await actor("provider-finance")
    Billing.loop = asyncio.get_running_loop()
    checks = settings(
        max_examples=12,
        stateful_step_count=14,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    await asyncio.to_thread(run_state_machine_as_test, Billing, settings=checks)
    async with acting_as(system("test")):
        assert await Statement.all().count() > 5
    books = await balanced_books(world.provider_id)
    assert books["RECEIVABLE"] > 0


@pytest.mark.parametrize(
    ("quantity", "amount"),
    [("0", "0.00"), ("999.999", "4500.00"), ("1000", "4500.00"), ("1000.001", "4500.00"), ("1200.5", "5302.00")],
)
def test_the_price_the_machine_is_held_to(quantity: str, amount: str) -> None:
    assert due(Decimal(quantity)) == Decimal(amount)
