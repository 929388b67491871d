"""A job exists exactly when the unit of work that left it does, is done once, and is held when it fails."""

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from auth.rules import system
from auth.tenancy import acting_as, rows
from portal import job_queue
from portal.embedded_postgres import OWNER, Address
from portal.job_queue import enqueue, install, work_through_the_queue
from portal.settings import Mode, Settings


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What was done: "noting" notes its payload, "failing" fails."""
    seen: list[Mapping[str, Any]] = []

    async def note(payload: Mapping[str, Any], _: Settings) -> None:
        seen.append(payload)

    async def fail(payload: Mapping[str, Any], _: Settings) -> None:
        seen.append(payload)
        raise RuntimeError("cannot")

    monkeypatch.setattr(job_queue, "JOBS", {"noting": note, "failing": fail})
    monkeypatch.setattr(job_queue, "_LOOK_EVERY", dt.timedelta(milliseconds=50))
    return seen


async def work(url: str) -> None:
    """Work through the queue until nothing is left to take up."""
    told = asyncio.Event()
    working = asyncio.create_task(work_through_the_queue(url, told, Settings(mode=Mode.TEST)))
    for _ in range(200):
        await asyncio.sleep(0.05)
        if "queued" not in await statuses() and "picked" not in await statuses():
            break
    told.set()
    await working


async def statuses() -> list[str]:
    async with acting_as(system("test")):
        return [row["status"] for row in await rows("SELECT status::text FROM pgqueuer ORDER BY id")]


async def test_a_job_is_done_once_its_unit_has_committed(
    cluster: Address, database: str, done: list[Mapping[str, Any]]
) -> None:
    async with acting_as(system("test")):
        await enqueue("noting", {"number": 1, "on": dt.date(2026, 12, 4)})
    await work(cluster.url(database=database))
    assert done == [{"number": 1, "on": "2026-12-04"}]
    assert await statuses() == []


async def test_a_unit_that_fails_leaves_no_job(database: str, done: list[Mapping[str, Any]]) -> None:
    async def fail() -> None:
        async with acting_as(system("test")):
            await enqueue("noting", {})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    assert await statuses() == []


async def test_a_job_that_fails_is_held(cluster: Address, database: str, done: list[Mapping[str, Any]]) -> None:
    async with acting_as(system("test")):
        await enqueue("failing", {"number": 1})
        await enqueue("noting", {"number": 2})
    await work(cluster.url(database=database))
    assert sorted(each["number"] for each in done) == [1, 2]
    assert await statuses() == ["failed"]


async def test_a_job_named_once_is_queued_once(database: str, done: list[Mapping[str, Any]]) -> None:
    for _ in range(3):
        async with acting_as(system("test")):
            await enqueue("noting", {}, once="every day")
    assert await statuses() == ["queued"]


async def test_a_job_nobody_does_is_refused(database: str, done: list[Mapping[str, Any]]) -> None:
    async with acting_as(system("test")):
        with pytest.raises(KeyError):
            await enqueue("unheard of", {})


async def test_a_job_whose_workers_died_again_and_again_is_held(
    cluster: Address, database: str, done: list[Mapping[str, Any]]
) -> None:
    async with acting_as(system("test")):
        await enqueue("noting", {})
        await rows(
            "INSERT INTO pgqueuer_log (job_id, status, entrypoint, priority)"
            " SELECT id, 'picked', entrypoint, priority FROM pgqueuer, generate_series(1, $1::int) RETURNING 1",
            job_queue.PICKED_AT_MOST,
        )
    await work(cluster.url(database=database))
    assert done == []
    assert await statuses() == ["failed"]


async def test_installing_again_changes_nothing_and_the_application_owns_nothing(
    cluster: Address, database: str
) -> None:
    await install(cluster.url(OWNER, database))
    await install(cluster.url(OWNER, database))
    application = await asyncpg.connect(cluster.url(database=database))
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute("DROP TABLE pgqueuer")
    finally:
        await application.close()
