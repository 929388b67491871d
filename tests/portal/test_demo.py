"""The demonstration: loaded once, true to its figures, and lived through the real commands."""

import datetime as dt
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from auth.audit.queries import verify
from auth.organisations.models import Organisation
from auth.people.models import Membership
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.budgets.queries import budget_of, year_view
from billing.budgets.rules import FiscalYear
from billing.documents.models import Document, Kind
from billing.months import Month
from billing.payments.queries import invoices
from billing.payments.rules import Age
from billing.statements.models import Statement, StatementLine
from billing.statements.queries import book_of
from portal import database as portal_database
from portal import demo, reference
from portal.demo import DEMO_STARTS, DemoRefused
from portal.duties import catch_up
from portal.embedded_postgres import SUPERUSER, Address
from portal.models import DemoClock
from portal.settings import Mode, Settings
from services.requests.models import ServiceRequest
from services.requests.rules import OPEN, State
from services.subscriptions.models import Subscription
from tests.conftest import create_database

NOW = dt.datetime(2026, 11, 21, 3, 0, tzinfo=dt.UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings.load(mode=Mode.DEMO, data_dir=tmp_path)


@pytest.fixture
async def empty(cluster: Address) -> AsyncIterator[str]:
    """A migrated database with the reference data and nobody in it."""
    name = f"test_{uuid.uuid4().hex}"
    await create_database(cluster, name, "template_empty")
    await portal_database.connect(cluster.url(database=name))
    await reference.load(NOW)
    yield name
    await portal_database.disconnect()
    connection = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def counts() -> dict[str, int]:
    tables = ("organisation", "person", "membership", "offering", "subscription", "allocation", "service_request")
    tables += ("statement", "statement_line", "quote", "audit_record", "demo_clock")
    async with acting_as(system("test")):
        return {name: (await rows(f"SELECT count(*) AS n FROM {name}"))[0]["n"] for name in tables}  # noqa: S608


async def test_the_demonstration_is_what_it_says(empty: str, settings: Settings) -> None:
    assert await demo.load(settings, NOW) is True
    once = await counts()
    assert await demo.load(settings, NOW + dt.timedelta(days=1)) is False
    assert await counts() == once

    async with acting_as(system("test")):
        agency = await Organisation.get(code="agency-a")
        year = FiscalYear(2570)
        book = await book_of(agency.id, year.months[0], year.months[-1])
        view = year_view(book, year, await budget_of(agency.id, year))
        assert [book.total(month) for month in year.months[:2]] == [Decimal("73723.00")] * 2
        assert view.forecast == Decimal("884676.00")
        assert view.standing is not None
        assert view.standing.budget == Decimal("1000000.00")
        # At least twelve months issued, for each agency, each just after the month's end.
        for code in ("agency-a", "agency-b"):
            issued = await Statement.filter(agency_id=(await Organisation.get(code=code)).id).order_by("month")
            assert len(issued) >= 12
            assert issued[-1].month == dt.date(2026, 11, 1)
            assert len({statement.total for statement in issued}) > 5
        # What agency ข.'s rack draws is on every invoice, as it was read: daily at first, by the hour in November.
        power = await StatementLine.filter(name_en="Power used").order_by("starts_on")
        assert len(power) == len(issued)
        [read] = await rows(
            "SELECT count(*) AS n, sum(quantity) AS total FROM usage_event WHERE starts_at >= $1 AND starts_at < $2",
            Month(2026, 11).starts_at,
            Month(2026, 11).ends_at,
        )
        assert (read["n"], read["total"]) == (30 * 24, power[-1].quantity)
        # Agencies pay: of what is older than two months one invoice alone is open, and one was paid in two parts.
        accounts = await invoices()
        ages = Counter(invoice.age(DEMO_STARTS.date()) for invoice in accounts)
        assert ages == {None: 23, Age.NOT_DUE: 2, Age.TO_30: 2, Age.TO_90: 1}
        paid = [invoice for invoice in accounts if not invoice.account.open]
        assert all(invoice.account.withheld == invoice.to_withhold for invoice in paid)
        receipts = await Document.filter(kind=Kind.RECEIPT)
        assert len(receipts) == len(paid) + 1
        assert all(receipt.issued_at < DEMO_STARTS for receipt in receipts)
        # Nothing stands in the way of S1, and there is something of every kind to look at.
        internet = await Subscription.get(agency_id=agency.id, number__startswith="GI-")
        assert not await ServiceRequest.filter(subscription_id=internet.id, state__in=OPEN).exists()
        states = {request.state for request in await ServiceRequest.all()}
        assert {
            State.COMPLETED,
            State.DECLINED,
            State.REJECTED,
            State.WITHDRAWN,
            State.EXPIRED,
            State.IN_PROGRESS,
            State.AWAITING_CONFIRMATION,
            State.SUBMITTED,
        } <= states
        clock = await DemoClock.get(id=1)
        assert (clock.demo_at, clock.real_at, clock.is_held) == (DEMO_STARTS, NOW, False)
        assert [chain.broken async for chain in verify() if chain.broken] == []

    # Nothing of the history is left to be done when the worker starts.
    assert (await catch_up(DEMO_STARTS)).count == 0
    assert await counts() == once


async def test_the_accounts_of_another_provider_join_what_is_there(empty: str, settings: Settings) -> None:
    await demo.load(settings, NOW)
    once = await counts()
    elsewhere = settings.model_copy(update={"oidc_issuer": "http://localhost:9999"})
    assert await demo.load(elsewhere, NOW) is False
    assert (await counts())["person"] == 2 * once["person"]
    async with acting_as(system("test")):
        await Membership.filter(person__issuer="http://localhost:9999").update(revoked_at=NOW, revoked_by="admin")
    await demo.load(elsewhere, NOW)
    async with acting_as(system("test")):
        assert not await Membership.filter(person__issuer="http://localhost:9999", revoked_at=None).exists()


async def test_a_database_of_others_is_left_alone(empty: str, settings: Settings) -> None:
    async with acting_as(system("test")):
        await Organisation.create(
            kind="agency", code="real", short_code="R01", name_th="จริง", name_en="Real", created_at=NOW
        )
    with pytest.raises(DemoRefused):
        await demo.load(settings, NOW)
    assert (await counts())["organisation"] == 1


async def test_production_is_refused(settings: Settings) -> None:
    with pytest.raises(DemoRefused):
        await demo.load(settings.model_copy(update={"mode": Mode.PRODUCTION}), NOW)
