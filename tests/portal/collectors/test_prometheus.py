"""The collector against Debian's real Prometheus, with a past laid down for it."""

import asyncio
import contextlib
import datetime as dt
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from billing.metering.commands import Receipt
from portal.collectors.prometheus import Bearer, NotCollected, NotLetIn, Query, collect
from tests.billing.metering.world import World, at, found, hours

HOUR = at(2026, 2, 10, 9)
TRAFFIC = Query("traffic", "max_over_time(traffic_mbps[1h])")
ENERGY = Query("energy", "sum by (service) (max_over_time(energy_kwh[1h]) - min_over_time(energy_kwh[1h]))")
SERVICE = "CO-A01-2570-001"


def past() -> str:
    """Two racks of one service, read every five minutes of the hour."""
    lines = ["# TYPE traffic_mbps gauge"]
    for n in range(12):
        second = (HOUR + dt.timedelta(minutes=5 * n + 2)).timestamp()
        lines.append(f'traffic_mbps{{service="{SERVICE}"}} {10 + n * 0.5} {second:.0f}')
    lines.append("# TYPE energy_kwh gauge")
    for rack, start, step in (("1", 100, 0.25), ("2", 7, 0.1)):
        for n in range(12):
            second = (HOUR + dt.timedelta(minutes=5 * n + 2)).timestamp()
            lines.append(f'energy_kwh{{service="{SERVICE}",rack="{rack}"}} {start + n * step} {second:.0f}')
    return "\n".join([*lines, "# EOF", ""])


USER, PASSWORD = "portal", "รหัส ลับ:1"
# bcrypt of the password above, as Prometheus wants it.
HASHED = "$2b$10$3ngaE6hQwtzQLgb1sWTBoOE7qAURj1S4yz.dwyduTsmZaK3G56HVW"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that lets everybody in."""
    with serving(tmp_path_factory.mktemp("prometheus")) as address:
        yield address


@pytest.fixture(scope="module")
def closed_prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that asks for a user name and a password."""
    folder = tmp_path_factory.mktemp("closed")
    web = folder / "web.yml"
    web.write_text(f"basic_auth_users:\n  {USER}: {HASHED}\n")
    with serving(folder, f"--web.config.file={web}") as address:
        yield address


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[str]:
    if not shutil.which("prometheus") or not shutil.which("promtool"):
        if os.environ.get("PORTAL_TEST_NO_SKIP"):
            pytest.fail("Prometheus is not installed (Debian, Ubuntu: apt install prometheus)")
        pytest.skip("Prometheus is not installed (Debian, Ubuntu: apt install prometheus)")
    (folder / "past.txt").write_text(past())
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    laid = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "past.txt"), str(folder / "data")]
    subprocess.run(laid, check=True, capture_output=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            *options,
        ],
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait_for(address: str) -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{address}/-/ready").status_code in {200, 401}:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.1)
    pytest.fail("Prometheus does not answer")


@pytest.fixture
async def world(database: str) -> World:
    return await found()


async def test_an_hour_is_pulled_stored_and_pulled_again_without_effect(prometheus: str, world: World) -> None:
    for expected in (Receipt(2, 0), Receipt(0, 2)):
        readings = await collect(prometheus, [TRAFFIC, ENERGY], HOUR)
        assert await world.take(*readings, now=HOUR + dt.timedelta(hours=2)) == expected
    assert sorted(each[1] for each in await hours(world.service.id)) == [Decimal("3.85"), Decimal("15.5")]
    assert {each[0] for each in await hours(world.service.id)} == {HOUR}


async def test_an_hour_without_values_has_no_readings(prometheus: str) -> None:
    assert await collect(prometheus, [TRAFFIC, ENERGY], HOUR + dt.timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("query", "why"),
    [
        (Query("energy", "max_over_time(energy_kwh[1h])"), "two values"),
        (Query("energy", "sum(energy_kwh)"), "without the label"),
        (Query("energy", "energy_kwh{rack='1'} / 0"), "the value"),
        (Query("energy", "no such query"), "400"),
        (Query("energy", "energy_kwh[5m]"), "energy"),
        (Query("energy", "1"), "energy"),
    ],
)
async def test_an_answer_that_is_no_usage_is_refused(prometheus: str, query: Query, why: str) -> None:
    with pytest.raises(NotCollected, match=why):
        await collect(prometheus, [TRAFFIC, query], HOUR)


async def test_a_server_that_is_away_is_told() -> None:
    with pytest.raises(NotCollected, match="energy"):
        await collect("http://127.0.0.1:9", [ENERGY], HOUR)


async def test_a_server_that_asks_for_a_password_gets_it_and_says_when_it_is_wrong(closed_prometheus: str) -> None:
    for auth in (None, httpx2.BasicAuth(USER, "x"), httpx2.BasicAuth("x", PASSWORD), Bearer("abc.def")):
        with pytest.raises(NotLetIn, match=r"^traffic: HTTP 401$"):
            await collect(closed_prometheus, [TRAFFIC], HOUR, auth=auth)
    assert len(await collect(closed_prometheus, [TRAFFIC], HOUR, auth=httpx2.BasicAuth(USER, PASSWORD))) == 1


async def test_a_token_is_sent_as_its_standard_says_and_follows_no_redirect() -> None:
    seen: list[str] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(
            b"HTTP/1.1 307 Elsewhere\r\nLocation: /elsewhere\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        with pytest.raises(NotCollected, match="307"):
            await collect(f"http://127.0.0.1:{port}", [TRAFFIC], HOUR, auth=Bearer("abc.def-1"))
    assert len(seen) == 1
    assert "authorization: Bearer abc.def-1\r\n" in seen[0].replace("Authorization", "authorization")


async def test_only_full_hours_are_collected() -> None:
    with pytest.raises(ValueError, match="full hour"):
        await collect("http://127.0.0.1:9", [ENERGY], HOUR + dt.timedelta(minutes=30))


@contextlib.asynccontextmanager
async def answering(pieces: AsyncIterator[bytes]) -> AsyncIterator[str]:
    """A server that answers with these pieces."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
            async for piece in pieces:
                writer.write(piece)
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_server_that_never_ends_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            yield b" "
            await asyncio.sleep(0.02)

    async def flood() -> AsyncIterator[bytes]:
        while True:
            yield b" " * 1_000_000

    async with answering(flood()) as address:
        with pytest.raises(NotCollected, match="larger than 16 MB"):
            await collect(address, [TRAFFIC], HOUR)
    monkeypatch.setattr("portal.collectors.prometheus._LONGEST", 0.2)
    async with answering(trickle()) as address:
        with pytest.raises(NotCollected, match="no whole answer"):
            await collect(address, [TRAFFIC], HOUR)
