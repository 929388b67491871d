"""No agency sees or touches another's rows, whatever the queries forget: the database itself holds them apart.

Every table with an `agency_id` gets a row of each of two agencies, whatever its columns mean, so that a table
added tomorrow is held to the same.
"""

import datetime as dt
import itertools
import json
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.models import Model
from tortoise.queryset import QuerySet

from auth import tenancy
from auth.rules import Actor, OrganisationKind, Seat, system
from auth.tenancy import acting_as, rows, scoped
from billing.usage.models import Allocation
from portal.embedded_postgres import SUPERUSER, Address
from tests.stage import Stage

MEMBERS = ("official-a", "approver-a", "finance-a", "agency-admin-a")
READERS = ("central", "auditor")
# Different at every call, so that no row is in another's way.
_count = itertools.count(1)
DUMMIES: dict[str, Callable[[int], Any]] = {
    "uuid": lambda _: uuid.uuid4(),
    "text": str,
    "character varying": str,
    "numeric": lambda _: 1,
    "integer": int,
    "bigint": int,
    "smallint": int,
    "boolean": bool,
    "date": lambda n: dt.date(2026, 12, 1) + dt.timedelta(days=n),
    "timestamp with time zone": lambda n: dt.datetime(2026, 12, 1, tzinfo=dt.UTC) + dt.timedelta(minutes=n),
    "jsonb": lambda n: json.dumps({"n": n}),
    "bytea": lambda n: str(n).encode(),
}


def _dummy(kind: str) -> Any:
    return DUMMIES[kind](next(_count))


@pytest.fixture
async def superuser(cluster: Address, database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(cluster.url(SUPERUSER, database))
    yield connection
    await connection.close()


@pytest.fixture
async def tables(stage: Stage, superuser: asyncpg.Connection) -> list[str]:
    """Every table of agencies, with at least one row of each of the two."""
    found = await superuser.fetch(
        "SELECT c.oid, c.relname, c.relkind FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        " AND a.attname = 'agency_id' ORDER BY c.relname"
    )
    await superuser.execute("SET session_replication_role = replica")  # no triggers, no foreign keys
    for table in found:
        for check in await superuser.fetch(
            "SELECT conname FROM pg_constraint WHERE conrelid = $1 AND contype IN ('c', 'x')", table["oid"]
        ):
            await superuser.execute(f'ALTER TABLE "{table["relname"]}" DROP CONSTRAINT "{check["conname"]}"')
        if table["relkind"] == b"p":
            await superuser.execute(f'CREATE TABLE "{table["relname"]}_rest" PARTITION OF "{table["relname"]}" DEFAULT')
        for letter in "ab":
            await _fill(superuser, table["relname"], stage.agency(letter), stage.provider)
    await superuser.execute("SET session_replication_role = origin")
    return [table["relname"] for table in found]


async def _fill(superuser: asyncpg.Connection, table: str, agency_id: uuid.UUID, provider_id: uuid.UUID) -> None:
    columns = await superuser.fetch(
        "SELECT column_name AS name, data_type AS type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER'"
        " AND (is_nullable = 'NO' AND column_default IS NULL OR column_name IN ('agency_id', 'provider_id'))",
        table,
    )
    own = {"agency_id": agency_id, "provider_id": provider_id, "id": uuid.uuid4()}
    values = [own.get(c["name"], _dummy(c["type"])) for c in columns]
    names = ", ".join(f'"{c["name"]}"' for c in columns)
    places = ", ".join(f"${n}::{c['type']}" for n, c in enumerate(columns, 1))
    # A row of the kind may be there already; then that one will do.
    await superuser.execute(f'INSERT INTO "{table}" ({names}) VALUES ({places}) ON CONFLICT DO NOTHING', *values)  # noqa: S608 - names from the catalog


def _of_another_provider() -> Actor:
    seat = Seat(uuid.uuid4(), OrganisationKind.PROVIDER, "other", "อื่น", "Other")
    return Actor("reviewer elsewhere", uuid.uuid4(), seat, frozenset())


async def test_the_rows_of_both_agencies_are_there_to_be_seen(stage: Stage, tables: list[str]) -> None:
    assert len(tables) > 12
    both = {stage.agency("a"), stage.agency("b")}
    for table in tables:
        async with acting_as(system("test")):
            seen = {row["agency_id"] for row in await rows(f'SELECT DISTINCT agency_id FROM "{table}"')}  # noqa: S608
        assert both <= seen, table


async def test_nobody_reads_another_agencys_row(stage: Stage, tables: list[str]) -> None:
    mine = {stage.agency("a")}
    for table in tables:
        question = f'SELECT DISTINCT agency_id FROM "{table}"'  # noqa: S608
        for who in MEMBERS:
            async with acting_as(stage.cast[who]):
                seen = {row["agency_id"] for row in await rows(question)}
            assert seen <= mine, (table, who)
        async with acting_as(_of_another_provider()):
            assert await rows(question) == [], table


async def test_nobody_writes_another_agencys_row(stage: Stage, tables: list[str]) -> None:
    theirs = stage.agency("b")
    for table in tables:
        for who in (*MEMBERS, *READERS):
            for change in (
                f'UPDATE "{table}" SET agency_id = agency_id WHERE agency_id = $1 RETURNING 1 AS done',  # noqa: S608
                f'DELETE FROM "{table}" WHERE agency_id = $1 RETURNING 1 AS done',  # noqa: S608
            ):
                assert await _attempt(stage.cast[who], change, theirs) == [], (table, who, change)


async def test_nobody_moves_an_own_row_to_another_agency(stage: Stage, tables: list[str]) -> None:
    for table in tables:
        change = f'UPDATE "{table}" SET agency_id = $1 WHERE agency_id = $2 RETURNING 1 AS done'  # noqa: S608
        moved = await _attempt(stage.cast["official-a"], change, stage.agency("b"), stage.agency("a"))
        assert moved == [], table


async def _attempt(by: Actor, change: str, *values: object) -> list[dict[str, Any]]:
    try:
        async with acting_as(by):
            return await rows(change, *values)
    except (OperationalError, IntegrityError, asyncpg.PostgresError):  # no right, no row, append-only
        return []


async def test_without_the_queries_scope_no_foreign_row_comes_out(
    stage: Stage, tables: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unscoped(model: type[Model], _: Actor) -> QuerySet[Any]:
        return model.all()

    monkeypatch.setattr(tenancy, "scope_of", unscoped)
    looked_at = 0
    for model in Tortoise.apps.values():
        for each in model.values():
            if each._meta.db_table not in tables:
                continue
            looked_at += 1
            for who in MEMBERS:
                async with acting_as(stage.cast[who]):
                    seen = set(await scoped(each).distinct().values_list("agency_id", flat=True))
                assert seen <= {stage.agency("a")}, (each.__name__, who)
    assert looked_at > 12


async def test_row_level_security_is_forced_wherever_rows_belong_to_somebody(superuser: asyncpg.Connection) -> None:
    open_tables = await superuser.fetch(
        "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND a.attname IN ('agency_id', 'provider_id', 'organisation_id', 'person_id')"
        " AND NOT (c.relrowsecurity AND c.relforcerowsecurity)"
        " AND (has_table_privilege('portal_app', c.oid, 'SELECT')"
        " OR has_table_privilege('portal_app', c.oid, 'INSERT'))"
    )
    assert [row["relname"] for row in open_tables] == []


async def test_every_reference_between_agencies_tables_carries_the_agency(superuser: asyncpg.Connection) -> None:
    loose = await superuser.fetch(
        "WITH tenant AS (SELECT a.attrelid AS oid, a.attnum FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid"
        " WHERE a.attname = 'agency_id' AND c.relnamespace = 'public'::regnamespace)"
        " SELECT k.conname FROM pg_constraint k JOIN tenant f ON f.oid = k.conrelid"
        " JOIN tenant t ON t.oid = k.confrelid"
        " WHERE k.contype = 'f' AND NOT (f.attnum = ANY (k.conkey) AND t.attnum = ANY (k.confkey))"
    )
    assert [row["conname"] for row in loose] == []


async def test_another_agencys_id_cannot_be_stored(stage: Stage) -> None:
    component = stage.component("GI", "ipv4-29")
    with pytest.raises(IntegrityError, match="same_tenant"):
        async with acting_as(system("test")):
            await Allocation.create(
                agency_id=stage.agency("b"),
                provider_id=stage.provider,
                service_id=stage.services["a", "GI"].id,
                component_id=component.id,
                price_item_id=component.price_item_id,
                quantity=1,
                starts_at=dt.datetime(2026, 12, 1, tzinfo=dt.UTC),
            )


async def test_what_is_appended_is_never_changed(tables: list[str], superuser: asyncpg.Connection) -> None:
    frozen = await superuser.fetch(
        "SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE t.tgname = 'append_only'"
    )
    kept = {row["relname"] for row in frozen} & set(tables)
    assert {"statement", "statement_line", "check_record", "quote", "request_event"} <= kept
    for table in sorted(kept):
        for change in (
            f'UPDATE "{table}" SET agency_id = agency_id',  # noqa: S608
            f'DELETE FROM "{table}"',  # noqa: S608
            f'TRUNCATE "{table}" CASCADE',
        ):
            with pytest.raises(asyncpg.RestrictViolationError, match="never changed"):
                await superuser.execute(change)
