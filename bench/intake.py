"""How fast usage is taken in over HTTP, against Tortoise's bulk_create of the same rows, in one run.

    python bench/intake.py [events]

Batches of 1,000 events over HTTP with a token, one worker, four connections, every event checked, committed durably.
What is read of them is compared with the events' own sums, at once and after the sums by hour and day were made; a full
replay must add no row. Making those sums is timed too, and the ratio given with it and without.
"""

import asyncio
import datetime as dt
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
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
from billing.metering.queries import usages_of
from billing.metering.sums import sum_up
from billing.months import Month
from billing.statements.queries import component_of
from billing.tariffs.queries import versions_of
from portal import database
from portal.embedded_postgres import OWNER, Running

TARGET = 3  # times bulk_create
BATCH = 1000
WARM = 20  # batches before anything is timed
CONNECTIONS = 4
ROUNDS = 4


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


@dataclass
class Race:
    """The seconds both sides took, what the portal stored, and the most memory its worker held."""

    over_http: float = 0.0
    replay: float = 0.0
    bulk_create: float = 0.0
    stored: int = 0
    stored_again: int = 0
    megabytes: float = 0.0


async def measure(running: Running, events: int) -> int:
    await database.migrate(running.url(OWNER))
    await database.connect(running.url())
    world = await found(-(-BATCH // METERS))
    await database.disconnect()
    now = dt.datetime.now(dt.UTC).replace(minute=0, second=0, microsecond=0)
    batches = make_batches(world, events, now)
    warming = make_batches(world, WARM * BATCH, now - dt.timedelta(days=10), source="/warm")

    race = await raced(running, world, warming, batches)
    if (race.stored, race.stored_again) != (events, 0):
        print(f"stored {race.stored} of {events}; the replay stored {race.stored_again}")
        return 1
    await database.connect(running.url())
    summing = await checked(world, sums_of([*warming, *batches]), events + WARM * BATCH, now)
    await database.disconnect()
    if summing is None:
        return 1
    print(f"{events} events in batches of {BATCH}: every sum is the events' own, a full replay added no row")

    both = race.over_http + summing * events / (events + WARM * BATCH)
    print(f"{'over HTTP':22}{events / race.over_http:10,.0f} events/s  worker's peak memory {race.megabytes:.0f} MB")
    print(f"{'summed up as well':22}{events / both:10,.0f} events/s")
    print(f"{'the replay':22}{events / race.replay:10,.0f} events/s")
    print(f"{'bulk_create':22}{events / race.bulk_create:10,.0f} rows/s")
    ratio = race.bulk_create / race.over_http
    print(f"with the sums by hour and day, made afterwards: {race.bulk_create / both:.2f} × bulk_create")
    print(f"{'reached' if ratio >= TARGET else 'missed'}: {ratio:.2f} of at least {TARGET} × bulk_create")
    return 0 if ratio >= TARGET else 1


async def raced(running: Running, world: World, warming: list[bytes], batches: list[bytes]) -> Race:
    """Let both sides take the same batches in turn, so that whatever else this machine does meets both."""
    port = free_port()
    worker = serve(running, port)
    race = Race()
    try:
        await answers(port)
        await bulk_create_table(running)
        await send(port, world.token, warming)
        await bulk_create(world, warming)
        for n in range(ROUNDS):
            part = batches[n::ROUNDS]
            taken, stored = await send(port, world.token, part)
            race.over_http, race.stored = race.over_http + taken, race.stored + stored
            race.bulk_create += await bulk_create(world, part)
            taken, stored = await send(port, world.token, part)
            race.replay, race.stored_again = race.replay + taken, race.stored_again + stored
        race.megabytes = sum(megabytes(pid) for pid in family(worker.pid))
    finally:
        worker.terminate()
        worker.wait()
        await Tortoise.close_connections()
    return race


async def checked(world: World, expected: list[Decimal], events: int, now: dt.datetime) -> float | None:
    """Return the seconds that summing up took; None where what is read before or afterwards is not what was sent."""
    at_once = await sums_read(world, now)
    began = perf_counter()
    await sum_up()
    summing = perf_counter() - began
    summed = await sums_read(world, now)
    async with acting_as(system("bench")):
        [kept] = await rows(
            "SELECT (SELECT count(*) FROM usage_event) AS events, (SELECT count(*) FROM usage_unsummed) AS unsummed,"
            " (SELECT sum(events) FROM usage_hour) AS in_hours, (SELECT sum(events) FROM usage_day) AS in_days"
        )
    if at_once == summed == expected and list(kept.values()) == [events, 0, events, events]:
        return summing
    print(f"sums differ: {expected} sent, {at_once} read at once, {summed} afterwards; {kept}")
    return None


def sums_of(batches: Iterable[bytes]) -> list[Decimal]:
    """Return what each meter but the last, which counts by its highs, comes to."""
    totals = [Decimal(0)] * (METERS - 1)
    for event in (event for batch in batches for event in json.loads(batch)):
        meter = int(event["data"]["meter"][1:])
        if meter < len(totals):
            totals[meter] += Decimal(event["data"]["quantity"])
    return totals


async def sums_read(world: World, now: dt.datetime) -> list[Decimal]:
    """Return the same as whoever makes a bill reads it."""
    months = [month := Month.of(now), month.previous, month.previous.previous]
    totals = {str(item.id): Decimal(0) for item in world.items[:-1]}
    async with acting_as(system("bench")):
        versions = await versions_of([item.id for item in world.items])
        for agency_id in world.agency_ids:
            components = {
                (service, component): component_of(service, component, item, versions[item.id])
                for home, service, _ in world.services
                for component, item in zip(world.components[:-1], world.items[:-1], strict=True)
                if home == agency_id
            }
            for usage in await usages_of(agency_id, components, months, {}):
                totals[usage.component.name] += usage.quantity
    return list(totals.values())


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


async def bulk_create_table(running: Running) -> None:
    """Make a table with the same columns, keys and identity as the portal's."""
    config: dict[str, Any] = database.orm_config(running.url(OWNER), pool=2)
    config["apps"] = {"peer": {"models": [__name__], "default_connection": "default"}}
    await Tortoise.init(config=config, _enable_global_fallback=True)
    await Tortoise.generate_schemas()
    await Tortoise.get_connection("default").execute_script(
        "CREATE UNIQUE INDEX peer_event_identity ON peer_event (provider_id, source, event_id);"
        "CREATE INDEX peer_event_agency ON peer_event (agency_id, starts_at);"
    )


async def bulk_create(world: World, batches: list[bytes]) -> float:
    """Return how long Tortoise takes for the same rows, read from the same batches."""
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
    return perf_counter() - began


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
        for _ in range(1200):
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
        with suppress(OSError):  # it ended meanwhile
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
