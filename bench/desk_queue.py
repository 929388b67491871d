"""How fast the desk's queues are with 100,000 tickets behind them, against 1,000, in one run.

    python bench/desk_queue.py [tickets]

Two databases, each with the portal's own web server, one worker, and a help-desk officer signed in; one ticket in ten
is open. First each queue must show the fifty that it should, found by other means; then both are asked in turn, over
sixteen connections. Each queue is judged by itself: by the median of what the two took in the same moment, round by
round, so that neither a busy minute nor one slow answer decides.
"""

import asyncio
import datetime as dt
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import asyncpg
import httpx2

from auth.organisations.models import Organisation
from auth.people.commands import meet
from auth.people.models import Membership
from auth.rules import OrganisationKind, Role, system
from auth.sessions.commands import Limits, begin
from auth.tenancy import acting_as
from bench.costs_page import asked
from bench.intake import answers, family, free_port, serve
from bench.metered import Spent, busy, megabytes, server
from portal import database
from portal.embedded_postgres import OWNER, SUPERUSER, Running

FEW = 1000
TARGET = 0.9  # of the few's requests a second, of every queue
QUEUES = ("due_next", "breached", "unassigned", "all")
ROUNDS, EACH_ROUND = 15, 16
_FILL = """
    INSERT INTO incident (id, agency_id, provider_id, number, title, requester_name, logged_by_name, channel,
        contacted_at, logged_at, state, changed_at, is_open, standing, due_at, overdue_from, queue_at, outcome,
        description, location, items, reopened_count, row_code, assignee_name, resolution, grade_comment,
        is_emergency, runs_always, escalation, response_escalation)
    SELECT gen_random_uuid(), $1, $2, 'I-' || n, 'ticket ' || n, 'somebody', 'helpdesk', 'phone',
        $3::timestamptz - n * interval '1 minute', $3::timestamptz - n * interval '1 minute',
        CASE WHEN n % 10 = 0 THEN 'assigned' ELSE 'closed' END, $3, n % 10 = 0,
        CASE WHEN n % 10 = 0 THEN 'running' ELSE 'ended' END, due, CASE WHEN n % 10 = 0 THEN due END, due,
        CASE WHEN n % 10 = 0 THEN NULL ELSE 'met' END, '', '', 1, 0, '', '', '', '', false, false, 0, 0
    FROM generate_series(1, $4::int) AS n
    CROSS JOIN LATERAL (
        SELECT $3::timestamptz + (abs(hashtext(n::text)) % 20000 - 10000) * interval '1 minute' AS due
    ) d
"""
_EXPECTED = {
    "due_next": "is_open ORDER BY queue_at, id",
    "breached": "is_open AND overdue_from < now() ORDER BY queue_at, id",
    "unassigned": "is_open AND assignee_id IS NULL ORDER BY queue_at, id",
    "all": "true ORDER BY contacted_at DESC, id DESC",
}


@dataclass
class Desk:
    """A portal with so many tickets, and who looks at them."""

    running: Running
    tickets: int
    token: str
    port: int = 0


def main(tickets: int) -> int:
    with server() as small, server() as large:
        return asyncio.run(measure(small, large, tickets))


async def measure(small: Running, large: Running, tickets: int) -> int:
    desks = [await filled(small, FEW), await filled(large, tickets)]
    workers = []
    took: dict[str, list[tuple[Spent, Spent]]] = {name: [] for name in QUEUES}
    try:
        for desk in desks:
            desk.port = free_port()
            workers.append(serve(desk.running, desk.port))
            await answers(desk.port)
            for name in QUEUES:
                if fault := await wrong(desk, name):
                    print(fault)
                    return 1
                await asked(desk.port, desk.token, EACH_ROUND, path_of(name))
        print(f"{FEW:,} and {tickets:,} tickets, one in ten open: every queue shows the fifty it should")
        for turn in range(ROUNDS):
            for name in QUEUES:  # one right after the other, each first in every second round
                pair = {n: await timed(desks[n], workers[n].pid, name) for n in ((0, 1), (1, 0))[turn % 2]}
                took[name].append((pair[0], pair[1]))
        memory = [sum(megabytes(pid) for pid in family(worker.pid)) for worker in workers]
    finally:
        for worker in workers:
            worker.terminate()
            worker.wait()
    print(f"peak memory of the workers {memory[0]:.0f} and {memory[1]:.0f} MB")
    return verdict(took, tickets)


def verdict(took: dict[str, list[tuple[Spent, Spent]]], tickets: int) -> int:
    slower = []
    for name, rounds in took.items():
        few, many = (median(pair[n].seconds for pair in rounds) / EACH_ROUND * 1e3 for n in (0, 1))
        ratio = median(pair[0].seconds / pair[1].seconds for pair in rounds)
        busy_ratio = median(pair[0].busy / pair[1].busy for pair in rounds)
        print(
            f"{name:12} {few:6.1f} ms a page with {FEW:,}, {many:6.1f} ms with {tickets:,}:"
            f" {ratio:.2f} × as fast ({busy_ratio:.2f} × by processor time)"
        )
        if ratio < TARGET:
            slower.append(name)
    missed = f": not {', '.join(slower)}" if slower else ""
    print(f"{'missed' if slower else 'reached'}: every queue at least {TARGET} × as fast as with {FEW:,}{missed}")
    return 1 if slower else 0


async def timed(desk: Desk, worker: int, name: str) -> Spent:
    """Ask for a queue sixteen times at once, and return what that took of the clock and of a processor."""
    began, spent = perf_counter(), busy(desk.running.pid, worker)
    await asked(desk.port, desk.token, EACH_ROUND, path_of(name))
    return Spent(perf_counter() - began, busy(desk.running.pid, worker) - spent)


def path_of(name: str) -> str:
    return f"/desk?queue={name}"


async def filled(running: Running, tickets: int) -> Desk:
    """Make a provider's desk with so many tickets of one agency, and somebody who looks at them."""
    await database.migrate(running.url(OWNER))
    await database.connect(running.url(), pool=2)
    now = dt.datetime.now(dt.UTC)
    async with acting_as(system("bench")):
        provider, agency = [
            await Organisation.create(kind=kind, code=code, short_code=code, name_th=code, name_en=code, created_at=now)
            for kind, code in ((OrganisationKind.PROVIDER, "P"), (OrganisationKind.AGENCY, "A"))
        ]
        who = await meet("bench", "helpdesk", name="helpdesk", email="helpdesk@nowhere.example", now=now)
        await Membership.create(
            organisation_id=provider.id, person_id=who.id, role=Role.HELPDESK, granted_by="bench", granted_at=now
        )
        limits = Limits(idle=dt.timedelta(hours=9), absolute=dt.timedelta(hours=9))
        _, token = await begin(
            who, id_token="", provider_session="", authenticated_at=now, user_agent="bench", now=now, limits=limits
        )
    await database.disconnect()
    connection = await asyncpg.connect(running.url(SUPERUSER))
    await connection.execute(_FILL, agency.id, provider.id, now, tickets)
    await connection.execute("VACUUM ANALYZE")
    await connection.execute("CHECKPOINT")  # or the many rows would still be written while pages are timed
    await connection.close()
    return Desk(running, tickets, token)


async def wrong(desk: Desk, name: str) -> str | None:
    """Say how the first page of a queue differs from what it should show."""
    connection = await asyncpg.connect(desk.running.url(SUPERUSER))
    found = await connection.fetch(f"SELECT number FROM incident WHERE {_EXPECTED[name]} LIMIT 50")  # noqa: S608 - ours
    await connection.close()
    expected = [row["number"] for row in found]
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{desk.port}", timeout=60) as client:
        client.cookies.set("session", desk.token)
        answer = await client.get(path_of(name))
    shown = list(dict.fromkeys(re.findall(r">\s*(I-\d+)\s*<", answer.text)))
    if answer.status_code != 200 or shown != expected:
        return f"{desk.tickets} tickets, {name}: {answer.status_code}, {shown[:5]} … and not {expected[:5]} …"
    return None


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
