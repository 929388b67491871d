"""Ending a web process: it says that it is not ready, serves on for a while, finishes what runs, and ends with 0."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded_postgres import Address

ROOT = Path(__file__).parents[2]


class Web:
    """One web process on a port of its own."""

    def __init__(self, database_url: str, folder: Path, **settings: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")}
        given = {
            "PORTAL_MODE": "test",
            "PORTAL_PORT": str(self.port),
            "PORTAL_PUBLIC_URL": "http://portal.test",
            "PORTAL_DATA_DIR": str(folder),
            "PORTAL_DATABASE_URL": database_url,
            "PORTAL_OIDC_ISSUER": "http://localhost:9",
            "PORTAL_OIDC_CLIENT_ID": "portal",
            "PORTAL_LOG_LEVEL": "warning",
            "PORTAL_OIDC_TOKEN_AUTH_METHOD": "none",
        }
        self.process = subprocess.Popen([sys.executable, "-m", "portal", "web"], cwd=ROOT, env=kept | given | settings)

    def ask(self, path: str) -> int:
        """Return the status of a page; 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers={"host": "portal.test"})
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def until(self, status: int) -> None:
        """Wait until readiness has a status."""
        end = time.monotonic() + 60
        while (found := self.ask("/readyz")) != status:
            assert self.process.poll() is None, "it has ended"
            assert time.monotonic() < end, f"readiness is {found}, never {status}"
            time.sleep(0.05)


@contextlib.contextmanager
def serving(database_url: str, folder: Path, **settings: str) -> Iterator[Web]:
    web = Web(database_url, folder, **settings)
    try:
        web.until(200)
        yield web
    finally:
        if web.process.poll() is None:
            web.process.kill()
            web.process.wait()


@pytest.fixture
def database_url(cluster: Address, database: str) -> str:
    return cluster.url(database=database)


def half_a_form(web: Web) -> socket.socket:
    """Begin a request whose body comes slowly, and return its connection."""
    connection = socket.create_connection(("127.0.0.1", web.port), timeout=30)
    head = "POST /api/v1/usage HTTP/1.1\r\nHost: portal.test\r\nConnection: close\r\n"
    head += "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 10\r\n\r\na=123"
    connection.sendall(head.encode())
    return connection


def test_a_request_in_flight_is_answered_while_nothing_new_is_sent_here(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, PORTAL_UNREADY_SECONDS="2", PORTAL_DRAIN_SECONDS="20") as web:
        slow = half_a_form(web)
        assert web.ask("/contact") == 200  # the slow one has been taken up before this one was answered
        web.process.send_signal(signal.SIGTERM)
        web.until(503)
        assert web.ask("/contact") == 200
        while web.ask("/contact") != 0:  # until it takes no new connections
            time.sleep(0.05)
        assert web.process.poll() is None
        slow.sendall(b"45678")
        assert slow.recv(4096).startswith(b"HTTP/1.1 401 ")
        slow.close()
        assert web.process.wait(60) == 0


def test_what_does_not_finish_in_time_is_cut_off(database_url: str, tmp_path: Path) -> None:
    with serving(database_url, tmp_path, PORTAL_UNREADY_SECONDS="0", PORTAL_DRAIN_SECONDS="1") as web:
        slow = half_a_form(web)
        assert web.ask("/contact") == 200
        web.process.send_signal(signal.SIGTERM)
        assert web.process.wait(60) == 0
        slow.close()


def test_a_rolling_restart_drops_no_request(database_url: str, tmp_path: Path) -> None:
    settings = {"PORTAL_UNREADY_SECONDS": "3"}
    answers, ended = list[int](), threading.Event()
    with serving(database_url, tmp_path, **settings) as old:
        behind = [old]

        def balancer() -> None:
            while not ended.is_set():
                ready = next((web for web in behind if web.ask("/readyz") == 200), None)
                if ready is not None:
                    answers.append(ready.ask("/contact"))
                time.sleep(0.02)

        sending = threading.Thread(target=balancer)
        sending.start()
        try:
            with serving(database_url, tmp_path, **settings) as new:
                behind.append(new)
                old.process.send_signal(signal.SIGTERM)
                assert old.process.wait(60) == 0
                so_far = len(answers)
                while len(answers) < so_far + 5:
                    time.sleep(0.02)
                ended.set()
                sending.join()
        finally:
            ended.set()
            sending.join()
    assert len(answers) > 5
    assert set(answers) == {200}
