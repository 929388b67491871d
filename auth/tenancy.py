"""The one door to the database: a unit of work that acts for one tenant, and queries scoped to it.

Row-level security stands behind every query made here: the unit of work tells PostgreSQL for whom it
acts, and the policies of `auth/schema.py` hold even where a query forgets its scope.
"""

import asyncio
import contextlib
import contextvars
import datetime as dt
import random
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import OperationalError
from tortoise.models import Model
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from auth.audit.commands import append, describe
from auth.audit.models import AuditRecord
from auth.errors import NotFound
from auth.rules import Actor

M = TypeVar("M", bound=Model)
T = TypeVar("T")

ATTEMPTS = 5
_SET_SCOPE = (
    "SELECT set_config('portal.organisation', $1, true), set_config('portal.agency', $2, true),"
    " set_config('portal.provider', $3, true), set_config('portal.scope', $4, true),"
    " set_config('portal.roles', $5, true)"
)


@dataclass(slots=True)
class Unit:
    """One unit of work: its actor, its transaction, and the audit records it will leave."""

    actor: Actor
    connection: BaseDBAsyncClient
    records: list[AuditRecord] = field(default_factory=list)
    after_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


class Busy(Exception):
    """The work met others' too often to finish; it may be tried again later."""


_current: contextvars.ContextVar[Unit] = contextvars.ContextVar("unit_of_work")


@contextlib.asynccontextmanager
async def acting_as(actor: Actor) -> AsyncIterator[Unit]:
    """Open one transaction that sees and changes only what the actor may.

    Commits on return, audit records last so that their chain is locked briefly; rolls back on an
    exception. Retrying needs the body again, so it is `unit_of_work` that retries.
    """
    async with in_transaction() as connection:
        await connection.execute_query(_SET_SCOPE, _scope_of(actor))
        unit = Unit(actor, connection)
        token = _current.set(unit)
        try:
            yield unit
            await append(connection, unit.records)
        finally:
            _current.reset(token)
    for act in unit.after_commit:
        await act()


async def unit_of_work(actor: Actor, work: Callable[[], Awaitable[T]]) -> T:
    """Run `work` in one unit, whole again when it met a serialization failure or a deadlock.

    Up to five times with jitter; then raises Busy.
    """
    for attempt in range(ATTEMPTS):
        try:
            async with acting_as(actor):
                return await work()
        except (
            asyncpg.SerializationError,
            asyncpg.DeadlockDetectedError,
            asyncpg.LockNotAvailableError,
        ) as clash:
            last: Exception = clash
        except OperationalError as failure:
            if not _is_clash(failure):
                raise
            last = failure
        await asyncio.sleep(random.uniform(0.01, 0.05) * 2**attempt)  # noqa: S311 - jitter, no secret
    raise Busy("the work met others' too often") from last


@contextlib.asynccontextmanager
async def taken_back() -> AsyncIterator[None]:
    """Undo what the block does when it ends, records and all: for showing what something would change."""
    unit = current()
    records, later = len(unit.records), len(unit.after_commit)
    await unit.connection.execute_query("SAVEPOINT taken_back")
    try:
        yield
    finally:
        await unit.connection.execute_query("ROLLBACK TO SAVEPOINT taken_back")
        await unit.connection.execute_query("RELEASE SAVEPOINT taken_back")
        del unit.records[records:], unit.after_commit[later:]


def current() -> Unit:
    """Return the unit of work being done; LookupError outside of one."""
    return _current.get()


def record(
    action: str,
    *,
    at: dt.datetime,
    subject: tuple[str, object] = ("", ""),
    agency_id: uuid.UUID | None = None,
    by: Actor | None = None,
    **detail: Any,
) -> None:
    """Leave an audit record of what was done; it is stored when the unit commits.

    The unit's actor did it, or `by` where the system works on somebody's behalf.
    """
    unit = current()
    unit.records.append(describe(by or unit.actor, action, at=at, subject=subject, agency_id=agency_id, **detail))


def scoped(model: type[M]) -> QuerySet[M]:
    """Return the model's rows that belong to whom the unit acts for.

    An agency's by `agency_id`, a provider's by `provider_id`; oversight and the system see all.
    """
    return scope_of(model, current().actor)


def scope_of(model: type[M], actor: Actor) -> QuerySet[M]:
    """Return the rows of `model` within the actor's reach."""
    if actor.is_system or actor.oversees:
        return model.all()
    columns = model._meta.fields_db_projection
    if actor.agency_id and "agency_id" in columns:
        return model.filter(agency_id=actor.agency_id)
    if actor.provider_id and "provider_id" in columns:
        return model.filter(provider_id=actor.provider_id)
    raise PermissionError(f"{model.__name__} has no rows for {actor.name}")


async def one(model: type[M], *, lock: bool = False, **filters: Any) -> M:
    """Return the one record within reach, locked when it is to change; NotFound for another tenant's too."""
    rows = scoped(model).filter(**filters)
    if lock:
        rows = rows.select_for_update()
    found = await rows.first()
    if found is None:
        raise NotFound(model.__name__)
    return found


async def rows(sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query in SQL, run inside the unit's transaction and its row-level security."""
    return await current().connection.execute_query_dict(sql, list(values))


async def copied(table: str, lines: str) -> None:
    """Copy rows into a temporary table of the unit's session, each written in PostgreSQL's text format for COPY."""
    async with current().connection.acquire_connection() as connection:
        await connection.copy_to_table(table, source=_at_once(lines.encode()), schema_name="pg_temp")


async def _at_once(data: bytes) -> AsyncIterator[bytes]:
    yield data


def _scope_of(actor: Actor) -> list[str]:
    scope = "system" if actor.is_system else "oversight" if actor.oversees else "member"
    seat = str(actor.seat.id) if actor.seat else ""
    roles = ",".join(sorted(actor.roles))
    return [seat, str(actor.agency_id or ""), str(actor.provider_id or ""), scope, roles]


def _is_clash(failure: OperationalError) -> bool:
    cause = failure.args[0] if failure.args else None
    return isinstance(cause, (asyncpg.SerializationError, asyncpg.DeadlockDetectedError))
