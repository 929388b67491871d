"""`python -m portal run` and the other verbs, as processes."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.embedded_postgres import Address

ROOT = Path(__file__).parents[2]


def environment(**settings: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PORTAL_")} | settings


def portal(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "portal", *arguments]
    return subprocess.run(
        command, cwd=ROOT, env=environment(**settings), capture_output=True, text=True, check=False, timeout=60
    )


def free_port() -> int:
    """A port whose neighbour for the identity provider is free as well."""
    while True:
        with socket.socket() as here, contextlib.suppress(OSError, OverflowError), socket.socket() as beside:
            here.bind(("127.0.0.1", 0))
            port: int = here.getsockname()[1]
            beside.bind(("127.0.0.1", port + 1000 if port <= 64535 else port - 1000))
            return port


def processes_of(folder: Path) -> set[int]:
    """The live processes that carry the data folder in their environment or arguments."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            about = (entry / "cmdline").read_bytes() + b"\0" + (entry / "environ").read_bytes()
            if os.fsencode(folder) in about:
                found.add(int(entry.name))
    return found


def server_of(folder: Path) -> int:
    """The ready database server's process; 0 while there is none."""
    try:
        lines = (folder / "postgres" / "postmaster.pid").read_text().splitlines()
        return int(lines[0]) if lines[7].strip() == "ready" else 0
    except (OSError, IndexError, ValueError):
        return 0


def page(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for the module: a second start on it is quick, and has to work anyway."""
    return tmp_path_factory.mktemp("run") / "data"


@contextlib.contextmanager
def running(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "portal", "run", "--port", str(port)],
        cwd=ROOT,
        env=environment(PORTAL_DATA_DIR=str(folder)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "Ctrl-C" in line:
                break
        else:
            pytest.fail("".join(said))
        assert f"http://localhost:{port}" in "".join(said)
        assert "official-a" in "".join(said)
        yield process, port
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def test_everything_starts_refuses_a_second_heals_and_ends_in_order(folder: Path) -> None:
    with running(folder) as (process, port):
        assert page(port) < 400

        beside = portal("run", "--port", str(port), PORTAL_DATA_DIR=str(folder / "other"))
        assert (beside.returncode, f"Port {port} is in use" in beside.stderr) == (78, True)
        beside = portal("run", "--port", str(free_port()), PORTAL_DATA_DIR=str(folder))
        assert (beside.returncode, str(folder) in beside.stderr) == (78, True)

        killed = server_of(folder)
        os.kill(killed, signal.SIGKILL)
        until = time.monotonic() + 15
        while server_of(folder) in {0, killed} and time.monotonic() < until:
            time.sleep(0.05)
        checked = portal("verify", PORTAL_DATA_DIR=str(folder))
        assert (checked.returncode, "none broken" in checked.stdout) == (0, True), checked.stderr

        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        assert processes_of(folder) == set()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with a killed parent")
def test_nothing_is_left_behind_by_a_killed_portal_and_it_starts_again(folder: Path) -> None:
    with running(folder) as (process, _):
        assert len(processes_of(folder)) >= 5
        process.kill()
        process.wait()
    until = time.monotonic() + 15
    while processes_of(folder) and time.monotonic() < until:
        time.sleep(0.1)
    assert processes_of(folder) == set()
    with running(folder) as (_, port):
        assert page(port) < 400


def test_a_verb_with_bad_settings_is_refused_in_plain_words() -> None:
    done = portal("web", PORTAL_PORT="eighty")
    assert done.returncode == 78
    assert "PORTAL_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_only_a_demonstration_has_a_clock_to_set(tmp_path: Path) -> None:
    done = portal("clock", "show", PORTAL_MODE="test", PORTAL_DATA_DIR=str(tmp_path))
    assert (done.returncode, "PORTAL_MODE=demo" in done.stderr) == (78, True)


@pytest.mark.parametrize("verb", [("clock", "advance", "1h"), ("verify",)])
def test_a_verb_beside_no_portal_says_what_to_do_and_starts_nothing(verb: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "8171").mkdir()
    (tmp_path / "8171" / "cluster.json").write_text("{}")
    done = portal(*verb, PORTAL_DATA_DIR=str(tmp_path / "8000"))
    assert done.returncode == 78
    assert done.stderr == (
        f"There is no portal in {tmp_path / '8000'}; name the port of the one you mean before the command, as in"
        " PORTAL_PORT=8171, or its folder with PORTAL_DATA_DIR.\n"
    )
    assert not (tmp_path / "8000" / "cluster.json").exists()


def test_a_verb_on_a_database_never_migrated_is_refused_in_plain_words(cluster: Address) -> None:
    done = portal("verify", PORTAL_MODE="test", PORTAL_DATABASE_URL=cluster.url(database="postgres"))
    assert done.returncode == 78
    assert done.stderr == "The database has no portal in it yet; make it one with: python -m portal migrate\n"


def test_migrating_a_server_of_ones_own_needs_its_owner() -> None:
    done = portal("migrate", PORTAL_MODE="test", PORTAL_DATABASE_URL="postgresql://portal_app:x@localhost/none")
    assert (done.returncode, "PORTAL_DATABASE_OWNER_URL is missing" in done.stderr) == (78, True)
    assert "portal_app:x" not in done.stderr
