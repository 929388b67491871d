"""The worker as a process: it follows the clock, works through the queue, and ends when told."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.statements.models import Statement
from portal.duties import start_from
from portal.embedded_postgres import Address
from portal.job_queue import enqueue
from portal.models import DemoClock
from tests.stage import Stage, at

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


@contextlib.contextmanager
def worker(url: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
    settings = {
        "PORTAL_MODE": "test",
        "PORTAL_DEMO_CLOCK": "true",
        "PORTAL_DATABASE_URL": url,
        "PORTAL_DATA_DIR": str(folder),
    }
    with subprocess.Popen([sys.executable, "-m", "portal", "worker"], cwd=ROOT, env=own | settings) as process:
        try:
            yield process
        finally:
            process.kill()


async def left_to_do() -> int:
    async with acting_as(system("test")):
        [left] = await rows("SELECT count(*) AS n FROM pgqueuer")
        return 4 - await Statement.all().count() + int(left["n"])


async def test_two_workers_do_everything_once_and_end_when_told(
    stage: Stage, cluster: Address, database: str, tmp_path: Path
) -> None:
    now = at("2026-12-04", "15:15")
    async with acting_as(system("test")):
        await start_from(at("2026-10-15"))
        await DemoClock.create(id=1, demo_at=now, real_at=now, is_held=True)
        for _ in range(3):
            await enqueue("verify_audit", {})
    url = cluster.url(database=database)
    with contextlib.ExitStack() as stack:
        workers = [stack.enter_context(worker(url, tmp_path)) for _ in range(2)]
        deadline = time.monotonic() + PATIENCE
        while await left_to_do():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        for process in workers:
            process.send_signal(signal.SIGTERM)
        codes = [await asyncio.to_thread(process.wait, PATIENCE) for process in workers]
    assert codes == [0, 0]
    async with acting_as(system("test")):
        assert sorted([(s.month.month, s.number[-1]) for s in await Statement.all()]) == [
            (10, "1"),
            (10, "2"),
            (11, "3"),
            (11, "4"),
        ]
        done = await rows("SELECT status::text, count(*) AS n FROM pgqueuer_log WHERE status = 'successful' GROUP BY 1")
    assert [row["n"] for row in done] == [3]
