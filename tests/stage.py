"""A stage for stories: the cast, the whole catalogue, the official calendar, and a few services in use.

Import `database` and `stage` into a folder's conftest to have its tests play there. The stage is built once
into a template; each test gets a copy of its own.
"""

import datetime as dt
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeVar

import asyncpg
import pytest

from auth.rules import Actor, system
from auth.tenancy import acting_as, unit_of_work
from billing.budgets.commands import set_budget
from billing.months import BANGKOK, Month, midnight
from billing.statements.commands import issue
from portal import database as portal_database
from portal import reference
from portal.demo.catalogue import Catalogue, offer_everything
from portal.demo.people import cast_of
from portal.embedded_postgres import SUPERUSER, Address
from services.capacity import commands as capacity
from services.capacity.models import Pool
from services.catalogue.models import Component, Offering
from services.requests import commands as requests
from services.requests.models import Quote, ServiceRequest
from services.requests.rules import CheckKind, Kind
from services.subscriptions.commands import open_subscription
from services.subscriptions.models import Subscription
from tests.cast import ISSUER
from tests.conftest import create_database
from tests.services.incidents.desk import cleared

T = TypeVar("T")
TEMPLATE = "template_stage"
BUILT_AT = dt.datetime(2026, 9, 1, 9, 0, tzinfo=BANGKOK)
FISCAL_YEAR_STARTS = midnight(dt.date(2026, 10, 1))
_ONE_BUILDS = 7_105_2599

IN_USE: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("a", "GI", {"bandwidth": "200"}),
    ("a", "EP", {"endpoint": "620"}),
    ("a", "SC", {"eps": "800"}),
    ("b", "GI", {"bandwidth": "100"}),
    ("b", "VM", {"vcpu": "8", "ram": "32", "ssd": "500"}),
    ("b", "CO", {"rack-unit": "10", "cross-connect": "2"}),
)


def at(day: str, time: str = "09:00") -> dt.datetime:
    """Return a moment in Bangkok: at("2026-12-04", "15:20")."""
    return dt.datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=BANGKOK)


@dataclass(frozen=True)
class Stage:
    """Who acts, what is on offer, and which services are in use, by agency letter and offering code."""

    cast: Mapping[str, Actor]
    catalogue: Catalogue
    services: Mapping[tuple[str, str], Subscription]

    def agency(self, letter: str) -> uuid.UUID:
        """Return an agency's id."""
        return self._seat(f"official-{letter}")

    @property
    def provider(self) -> uuid.UUID:
        """The provider's id."""
        return self._seat("reviewer")

    def component(self, code: str, name: str) -> Component:
        """Return a component of an offering."""
        return self.catalogue.components[code, name]

    async def as_(self, who: str, command: Callable[..., Awaitable[T]], *args: Any, **kwargs: Any) -> T:
        """Run a command that takes `by` as somebody of the cast, in a unit of work of its own."""
        by = self.cast[who]
        return await unit_of_work(by, lambda: command(*args, by=by, **kwargs))

    async def draft(
        self,
        letter: str,
        kind: Kind,
        code: str,
        amounts: Mapping[str, str],
        effective_on: str,
        *,
        now: dt.datetime,
        **more: Any,
    ) -> ServiceRequest:
        """Draft a request of an agency's official."""
        service = None if kind is Kind.NEW else self.services[letter, code].id
        return await self.as_(
            f"official-{letter}",
            requests.draft,
            self.agency(letter),
            kind,
            subscription_id=service,
            offering_id=self.catalogue.offerings[code].id,
            asked=self.catalogue.quantities(code, amounts),
            effective_on=dt.date.fromisoformat(effective_on),
            justification="จำเป็นต้องใช้",
            now=now,
            **more,
        )

    async def review(self, request_id: uuid.UUID, *, accepted: dt.datetime, quoted: dt.datetime, **more: Any) -> Quote:
        """Accept, check three times and quote, as the reviewer."""
        await self.as_("reviewer", requests.accept, request_id, now=accepted)
        for kind in CheckKind:
            await self.as_("reviewer", requests.check, request_id, kind, True, now=quoted)
        return await self.as_("reviewer", requests.quote, request_id, now=quoted, **more)

    async def deliver(self, request_id: uuid.UUID, *, now: dt.datetime) -> None:
        """Start the work and finish its steps, as the technician."""
        await self.as_("technician", requests.start, request_id, now=now)
        position = 1
        while (await self.request(request_id)).state == "in_progress":
            await self.as_("technician", requests.finish_step, request_id, position, now=now)
            position += 1

    async def request(self, request_id: uuid.UUID) -> ServiceRequest:
        """Return a request as it is stored."""
        async with acting_as(system("test")):
            return await ServiceRequest.get(id=request_id)

    async def leave_free(self, code: str, name: str, free: str) -> None:
        """Let so much of a component's pool be free."""
        async with acting_as(system("test")):
            pool = await Pool.get(id=self.component(code, name).pool_id)
            await Pool.filter(id=pool.id).update(in_use=pool.size - pool.held - Decimal(free))

    async def free(self, code: str, name: str) -> Decimal:
        """Return how much of a component's pool is free."""
        async with acting_as(system("test")):
            return (await Pool.get(id=self.component(code, name).pool_id)).free

    def _seat(self, username: str) -> uuid.UUID:
        seat = self.cast[username].seat
        assert seat is not None
        return seat.id


async def load_stage() -> Stage:
    """Return the stage of the database that is connected."""
    async with acting_as(system("test")):
        cast = await cast_of(ISSUER)
        offerings = {offering.id: offering for offering in await Offering.all()}
        components = await Component.all().select_related("price_item", "pool")
        services = await Subscription.all()
    letters = {cast[f"official-{letter}"].seat.id: letter for letter in "ab"}  # type: ignore[union-attr]
    return Stage(
        cast,
        Catalogue(
            {offering.code: offering for offering in offerings.values()},
            {(offerings[c.offering_id].code, c.code): c for c in components},
        ),
        {(letters[s.agency_id], offerings[s.offering_id].code): s for s in services},
    )


async def _build() -> None:
    await reference.load(BUILT_AT)
    async with acting_as(system("test")):
        cast = await cast_of(ISSUER)
    manager = cast["manager"]
    async with acting_as(manager):
        assert manager.seat is not None
        catalogue = await offer_everything(manager.seat.id, by=manager, now=BUILT_AT)
    async with acting_as(system("test")):
        for who in ("reviewer", "head-network", "head-hardware", "technician"):
            await cleared(manager.seat.id, cast[who])
    for letter, code, amounts in IN_USE:
        seat = cast[f"official-{letter}"].seat
        assert seat is not None
        async with acting_as(cast["reviewer"]):
            await open_subscription(
                seat.id,
                catalogue.offerings[code],
                catalogue.quantities(code, amounts),
                label="สำนักงานใหญ่",
                starts_at=FISCAL_YEAR_STARTS,
                origin="contract",
                now=BUILT_AT,
            )
            parts = [catalogue.components[code, name] for name in amounts]
            await capacity.take({c.pool_id: Decimal(amounts[c.code]) for c in parts if c.pool_id})
    for letter in "ab":
        finance = cast[f"finance-{letter}"]
        async with acting_as(finance):
            assert finance.seat is not None
            await set_budget(finance.seat.id, 2570, Decimal("1000000.00"), by=finance, now=BUILT_AT)


@pytest.fixture(scope="session")
async def stage_template(cluster: Address) -> str:
    """The database every stage is copied from, built by whichever worker comes first."""
    gate = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    try:
        await gate.execute("SELECT pg_advisory_lock($1)", _ONE_BUILDS)
        if not await gate.fetchval("SELECT true FROM pg_database WHERE datname = $1", TEMPLATE):
            building = f"{TEMPLATE}_building"
            await create_database(cluster, building, "template_peopled")
            await portal_database.connect(cluster.url(database=building))
            try:
                await _build()
            finally:
                await portal_database.disconnect()
            await gate.execute(f"ALTER DATABASE {building} RENAME TO {TEMPLATE}")
    finally:
        await gate.close()
    return TEMPLATE


@pytest.fixture
async def database(cluster: Address, stage_template: str) -> AsyncIterator[str]:
    """A copy of the stage of the test's own; yields its name. Connected as the application."""
    name = f"test_{uuid.uuid4().hex}"
    await create_database(cluster, name, stage_template)
    await portal_database.connect(cluster.url(database=name))
    try:
        yield name
    finally:
        await portal_database.disconnect()
        connection = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


@pytest.fixture
async def stage(database: str) -> Stage:
    """The stage, set."""
    return await load_stage()


async def close_months(stage: Stage, letter: str, first: Month, last: Month) -> None:
    """Issue an agency's invoices for months that are over."""
    month, by = first, system("month end")
    while month <= last:
        async with acting_as(by):
            await issue(stage.agency(letter), stage.provider, month, by=by, now=month.ends_at)
        month = month.next
