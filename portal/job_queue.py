"""Jobs that a unit of work leaves for later, in PostgreSQL.

A job is enqueued in the transaction of the unit that wants it, so that it exists exactly when the unit's
changes do. One that fails is held for a person to look at; one whose worker dies is taken up again.
"""

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import asyncpg
import structlog
from pgqueuer import PgQueuer, Queries
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings

from auth.audit.queries import verify
from auth.fields import canonical
from auth.rules import system
from auth.schema import APP_ROLE
from auth.tenancy import acting_as, current, unit_of_work
from portal.channels.fetching import fetch_content
from portal.settings import Settings
from services.incidents.holidays import holidays_changed

PICKED_AT_MOST = 3
_LOOK_EVERY = dt.timedelta(seconds=3)
_TABLES = ("queue_table", "queue_table_log", "statistics_table", "schedules_table")
_log = structlog.get_logger("portal.jobs")


class Poisoned(RuntimeError):
    """A job whose workers died again and again."""


async def verify_audit(_: Mapping[str, Any], __: Settings) -> None:
    """Check every audit chain, and say in the log which record is the first bad one."""
    async with acting_as(system("verify")):
        async for chain in verify():
            if chain.broken:
                _log.error(
                    "audit chain broken",
                    chain=str(chain.chain_id),
                    record=chain.broken.number,
                    why=chain.broken.why,
                )


async def recompute_everywhere(payload: Mapping[str, Any], _: Settings) -> None:
    """Compute every provider's open incidents anew after a holiday changed; what is done already moves no more."""
    days = [dt.date.fromisoformat(day) for day in payload["days"]]
    by, now = system("holidays"), dt.datetime.fromisoformat(payload["now"])
    await unit_of_work(by, lambda: holidays_changed(*days, by=by, now=now))


async def line_content(payload: Mapping[str, Any], settings: Settings) -> None:
    """Fetch a file that somebody sent in LINE; again later while LINE prepares it or is away."""
    again = await fetch_content(payload, settings)
    if again is not None:
        async with acting_as(system("line")):
            await enqueue("line_content", {**payload, "attempt": payload["attempt"] + 1}, after=again)


Work = Callable[[Mapping[str, Any], Settings], Awaitable[None]]
JOBS: dict[str, Work] = {
    "verify_audit": verify_audit,
    "recompute_everywhere": recompute_everywhere,
    "line_content": line_content,
}
"""What can be left for later, by name; each takes its payload and the settings, and opens its own units of work."""


async def install(owner_url: str) -> None:
    """Create or bring up to date the queue's tables, as the owner; the application may use them, no more."""
    connection = await asyncpg.connect(owner_url)
    try:
        queries = Queries.from_asyncpg_connection(connection)
        if await queries.schema_is_installed():
            await queries.upgrade()
        else:
            await queries.install()
        tables = ", ".join(getattr(DBSettings(), name) for name in _TABLES)
        await connection.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {APP_ROLE}")
        for sequence in await connection.fetch(
            "SELECT s.oid::regclass::text AS name FROM pg_class s JOIN pg_depend d ON d.objid = s.oid"
            " WHERE s.relkind = 'S' AND d.refobjid = ANY($1::regclass[])",
            tables.split(", "),
        ):
            await connection.execute(f"GRANT USAGE ON SEQUENCE {sequence['name']} TO {APP_ROLE}")
    finally:
        await connection.close()


async def enqueue(
    job: str, payload: Mapping[str, Any], *, once: str | None = None, after: dt.timedelta = dt.timedelta()
) -> None:
    """Leave a job for later, in the unit of work's own transaction; `once` names what is to be queued only once.

    `after` is how long it is left at least.

    Refuses (KeyError) a job nobody does.
    """
    JOBS[job]
    await current().connection.execute_query(
        QueryQueueBuilder().build_enqueue_query("skip"),
        [[0], [job], [canonical(payload).encode()], [after], [once], ["{}"]],
    )


async def work_through_the_queue(url: str, told: asyncio.Event, settings: Settings) -> None:
    """Do the jobs of the queue until told to end; a lost connection is made again."""
    while not told.is_set():
        try:
            connection = await asyncpg.connect(url)
        except (OSError, asyncpg.PostgresError) as failure:
            _log.warning("queue not reached", why=type(failure).__name__)
            await pause(told, _LOOK_EVERY.total_seconds())
            continue
        try:
            queue = PgQueuer(AsyncpgDriver(connection))
            queue.shutdown = queue.qm.shutdown = queue.sm.shutdown = told
            for name, do in JOBS.items():
                queue.entrypoint(name, on_failure="hold")(_guarded(name, do, queue.qm.queries, settings))
            await queue.qm.run(batch_size=5, dequeue_timeout=_LOOK_EVERY)
        except Exception as failure:  # noqa: BLE001 - whatever broke it, the queue is taken up again
            _log.warning("queue interrupted", why=type(failure).__name__)
            await pause(told, _LOOK_EVERY.total_seconds())
        finally:
            await connection.close()


def _guarded(name: str, do: Work, queries: Any, settings: Settings) -> Callable[[Job], Awaitable[None]]:
    """Return the job as the queue calls it: told in the log, and held once it has ended too many workers."""
    picks = f"SELECT count(*) AS times FROM {DBSettings().queue_table_log} WHERE job_id = $1 AND status = 'picked'"  # noqa: S608 - the table's name is ours

    async def run(job: Job) -> None:
        [found] = await queries.driver.fetch(picks, job.id)
        if found["times"] > PICKED_AT_MOST:
            _log.error("job held", job=name, id=job.id, why="its workers died")
            raise Poisoned(f"job {job.id} was taken up {found['times']} times and never ended")
        try:
            await do(json.loads(job.payload or b"{}"), settings)
        except Exception:
            _log.exception("job failed", job=name, id=job.id)
            raise
        _log.info("job done", job=name, id=job.id)

    return run


async def pause(told: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until told to end."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(told.wait(), seconds)
