"""How fast usage is taken in over HTTP, against Tortoise's bulk_create of the same rows, in one run.

    python bench/intake.py [events]

Batches of 1,000 events over HTTP with a token, one worker, four connections, every event checked and its sums by hour
and day kept, committed durably. The sums are compared with the events' own, and a full replay must add no row.
"""

import asyncio
import datetime as dt
import json
import os
import random
import socket
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx2
from tortoise import Tortoise, fields
from tortoise.models import Model

from auth.fields import ExactDecimalField, InstantField, new_id
from auth.rules import system
from auth.tenancy import acting_as, rows
from bench.metered import METERS, World, found, megabytes, server
from portal import database
from portal.embedded_postgres import OWNER, Running

TARGET = 3  # times bulk_create
BATCH = 1000
CONNECTIONS = 4


class PeerEvent(Model):
    """The same columns and keys as a stored event, as a Tortoise user would write them."""

    id = fields.UUIDField(primary_key=True)
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    component_id = fields.UUIDField()
    starts_at = InstantField()
    ends_at = InstantField()
    received_at = InstantField()
    is_late = fields.BooleanField()
    quantity = ExactDecimalField(max_digits=20, decimal_places=6)
    source = fields.TextField()
    event_id = fields.TextField()

    class Meta:
        table = "peer_event"


def main(events: int) -> int:
    with server() as running:
        return asyncio.run(measure(running, events))


async def measure(running: Running, events: int) -> int:
    await database.migrate(running.url(OWNER))
    await database.connect(running.url())
    services = -(-BATCH // METERS)
    world = await found(services)
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    batches = make_batches(world, events, now)
    await database.disconnect()

    port = free_port()
    worker = serve(running, port)
    try:
        await answers(port)
        await send(port, world.token, make_batches(world, 20 * BATCH, now - dt.timedelta(days=10), source="/warm"))
        first, stored = await send(port, world.token, batches)
        again, replayed = await send(port, world.token, batches)
        memory = sum(megabytes(pid) for pid in family(worker.pid))
    finally:
        worker.terminate()
        worker.wait()
    if (stored, replayed) != (events, 0):
        print(f"stored {stored} of {events}; the replay stored {replayed}")
        return 1

    await database.connect(running.url())
    async with acting_as(system("bench")):
        [seen] = await rows("SELECT sum(total) AS total FROM usage_hour")
        [days] = await rows("SELECT sum(total) AS total FROM usage_day")
        [raw] = await rows("SELECT sum(quantity) AS total, count(*) AS events FROM usage_event WHERE source <> '/warm'")
        [warm] = await rows("SELECT sum(quantity) AS total FROM usage_event WHERE source = '/warm'")
    expected = sum((Decimal(e["data"]["quantity"]) for batch in batches for e in json.loads(batch)), Decimal(0))
    await database.disconnect()
    if not (raw["total"] == expected and seen["total"] == days["total"] == expected + warm["total"]):
        print(f"sums differ: {expected} sent, {raw} stored, {seen} by hour, {days} by day")
        return 1
    print(f"{events} events in batches of {BATCH}: every sum is the events' own, a full replay added no row")

    peer = await bulk_create(running, world, batches)
    print(f"{'over HTTP':22}{events / first:10,.0f} events/s  worker's peak memory {memory:.0f} MB")
    print(f"{'the replay':22}{events / again:10,.0f} events/s")
    print(f"{'bulk_create':22}{events / peer:10,.0f} rows/s")
    ratio = peer / first
    print(f"{'reached' if ratio >= TARGET else 'missed'}: {ratio:.2f} of at least {TARGET} × bulk_create")
    return 0 if ratio >= TARGET else 1


def make_batches(world: World, events: int, now: dt.datetime, *, source: str = "/collector/1") -> list[bytes]:
    rng = random.Random(2570)
    pairs = [(number, f"m{meter}") for _, _, number in world.services for meter in range(METERS)][:BATCH]
    batches = []
    for n in range(events // BATCH):
        start = now - dt.timedelta(hours=n % (24 * 20) + 1)
        span = {"start": start.isoformat(), "end": (start + dt.timedelta(hours=1)).isoformat()}
        batches.append(
            json.dumps(
                [
                    {
                        "specversion": "1.0",
                        "type": "usage",
                        "source": source,
                        "id": f"{number}/{meter}/{n}",
                        "subject": number,
                        "data": {"meter": meter, "quantity": f"{rng.randrange(10**9) / 10**6:.6f}", **span},
                    }
                    for number, meter in pairs
                ]
            ).encode()
        )
    return batches


async def send(port: int, token: str, batches: list[bytes]) -> tuple[float, int]:
    """Send the batches over four connections; return the seconds taken and how many events were stored."""
    waiting = iter(batches)
    stored = 0
    headers = {"content-type": "application/cloudevents-batch+json", "authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:

        async def connection() -> None:
            nonlocal stored
            for batch in waiting:
                answer = await client.post("/api/v1/usage", content=batch, headers=headers)
                if answer.status_code != 200:
                    raise RuntimeError(f"{answer.status_code}: {answer.text[:500]}")
                stored += answer.json()["stored"]

        began = perf_counter()
        await asyncio.gather(*(connection() for _ in range(CONNECTIONS)))
        return perf_counter() - began, stored


async def bulk_create(running: Running, world: World, batches: list[bytes]) -> float:
    """Return how long Tortoise takes for the same rows in a table with the same columns, keys and identity."""
    config: dict[str, Any] = database.orm_config(running.url(OWNER), pool=2)
    config["apps"] = {"peer": {"models": [__name__], "default_connection": "default"}}
    await Tortoise.init(config=config, _enable_global_fallback=True)
    await Tortoise.generate_schemas()
    await Tortoise.get_connection("default").execute_script(
        "CREATE UNIQUE INDEX peer_event_identity ON peer_event (provider_id, source, event_id);"
        "CREATE INDEX peer_event_service ON peer_event (agency_id, service_id, component_id, starts_at);"
    )
    places = {number: (agency, service) for agency, service, number in world.services}
    provider_id = world.provider.provider_id
    now = dt.datetime.now(dt.UTC)
    began = perf_counter()
    for batch in batches:
        made = []
        for event in json.loads(batch):
            data = event["data"]
            agency_id, service_id = places[event["subject"]]
            made.append(
                PeerEvent(
                    id=new_id(),
                    agency_id=agency_id,
                    provider_id=provider_id,
                    service_id=service_id,
                    component_id=world.components[int(data["meter"][1:])],
                    starts_at=dt.datetime.fromisoformat(data["start"]),
                    ends_at=dt.datetime.fromisoformat(data["end"]),
                    received_at=now,
                    is_late=False,
                    quantity=Decimal(data["quantity"]),
                    source=event["source"],
                    event_id=event["id"],
                )
            )
        await PeerEvent.bulk_create(made)
    taken = perf_counter() - began
    await Tortoise.close_connections()
    return taken


def serve(running: Running, port: int) -> subprocess.Popen[bytes]:
    """Start the portal's own web server, one worker, on that database."""
    settings = {
        "PORTAL_MODE": "test",
        "PORTAL_DATABASE_URL": running.url(),
        "PORTAL_PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PORTAL_HOST": "127.0.0.1",
        "PORTAL_PORT": str(port),
        "PORTAL_WEB_PROCESSES": "1",
        "PORTAL_DATA_DIR": str(running.data_folder),
        "PORTAL_LOG_LEVEL": "warning",
        "PORTAL_OIDC_ISSUER": "http://127.0.0.1:9",
        "PORTAL_OIDC_CLIENT_ID": "bench",
        "PORTAL_OIDC_CLIENT_SECRET": "nobody-signs-in-here",
    }
    command = [sys.executable, "-m", "portal", "web"]
    return subprocess.Popen(command, env=os.environ | settings, cwd=Path(__file__).resolve().parent.parent)  # noqa: S603 - ours


async def answers(port: int) -> None:
    async with httpx2.AsyncClient() as client:
        for _ in range(300):
            try:
                if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError("the portal does not answer")


def family(pid: int) -> list[int]:
    found = [pid]
    for each in Path("/proc").glob("[0-9]*/stat"):
        fields_of = each.read_text().rpartition(")")[2].split()
        if int(fields_of[1]) in found:
            found.append(int(each.parent.name))
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 200_000))
