import contextlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from tortoise.backends.base.config_generator import expand_db_url

from portal import embedded_postgres
from portal.embedded_postgres import APP, OWNER, SUPERUSER, DatabaseRefused, DataFolderInUse, Running

ROOT = Path(__file__).parents[2]
PORTAL_IN_A_PROCESS = """
import sys, time
from pathlib import Path
from portal import embedded_postgres
running = embedded_postgres.start(Path(sys.argv[1]))
print(running.pid, running.url(), flush=True)
time.sleep(60)
"""
# Where the tests run as root, this shows that an ordinary user can start the server too.
AS_AN_ORDINARY_USER = ["unshare", "--user", "--map-user=1000", "--map-group=1000", "--"] if os.geteuid() == 0 else []


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with embedded_postgres.start(tmp_path_factory.mktemp("data"), durable=False) as server:
        yield server


async def test_the_applications_role_is_neither_owner_nor_able_to_bypass_row_level_security(running: Running) -> None:
    connection = await asyncpg.connect(running.url(APP))
    try:
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        owner = await connection.fetchval("SELECT datdba::regrole::text FROM pg_database WHERE datname = 'portal'")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute("CREATE TABLE mine (id int)")
    finally:
        await connection.close()
    assert role["rolname"] == APP
    assert not any(role[right] for right in ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole"))
    assert owner == OWNER


async def test_the_owner_makes_the_schema_and_is_no_superuser(running: Running) -> None:
    connection = await asyncpg.connect(running.url(OWNER))
    try:
        await connection.execute("CREATE TABLE made_by_owner (id int)")
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
    finally:
        await connection.close()
    assert not any(role[right] for right in ("rolsuper", "rolbypassrls", "rolcreatedb", "rolcreaterole"))


async def test_texts_are_utf8_and_times_utc(running: Running) -> None:
    connection = await asyncpg.connect(running.url())
    try:
        seen = await connection.fetchrow(
            "SELECT upper('é'), current_setting('server_encoding'), current_setting('timezone')"
        )
    finally:
        await connection.close()
    assert tuple(seen) == ("É", "UTF8", "UTC")


async def test_a_wrong_password_is_refused(running: Running) -> None:
    url = running.url().replace(running.address.passwords[APP], "guess")
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)


async def test_a_database_for_tests_is_copied_and_dropped(running: Running) -> None:
    running.create_database("first")
    connection = await asyncpg.connect(running.url(OWNER, "first"))
    await connection.execute("CREATE TABLE kept (id int)")
    await connection.close()
    running.create_database("second", template="first")
    connection = await asyncpg.connect(running.url(OWNER, "second"))
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    running.drop_database("second")
    with contextlib.suppress(asyncpg.PostgresError, OSError):
        await connection.close()
    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await asyncpg.connect(running.url(OWNER, "second"))


@pytest.mark.parametrize("name", ["x; DROP DATABASE portal", "Upper", "", "a-b", "x" * 64])
def test_a_database_name_that_is_no_plain_word_is_refused(running: Running, name: str) -> None:
    with pytest.raises(ValueError, match="plain database name"):
        running.create_database(name)
    with pytest.raises(ValueError, match="plain database name"):
        running.drop_database(name)


def test_tortoise_reads_the_url_as_asyncpg_does(running: Running) -> None:
    credentials = expand_db_url(running.url())["credentials"]
    assert credentials["host"] == str(running.address.socket_folder)
    assert (credentials["user"], credentials["database"]) == (APP, "portal")
    assert credentials["password"] == running.address.passwords[APP]


def test_nothing_listens_on_a_network_and_secrets_are_private(running: Running) -> None:
    kept = running.data_folder / "cluster.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(running.address.socket_folder.stat().st_mode) == 0o700
    pid_file = (running.data_folder / "postgres" / "postmaster.pid").read_text().splitlines()
    assert pid_file[5].strip() == ""  # the listen address


def test_a_second_portal_on_the_folder_is_refused_and_told_what_to_do(running: Running) -> None:
    with pytest.raises(DataFolderInUse) as refusal:
        embedded_postgres.start(running.data_folder)
    assert str(running.data_folder) in str(refusal.value)
    assert str(os.getpid()) in str(refusal.value)
    assert "PORTAL_DATA_DIR" in str(refusal.value)


def test_another_process_finds_the_running_server(running: Running, tmp_path: Path) -> None:
    assert embedded_postgres.attach(running.data_folder) == running.address
    assert embedded_postgres.attach(tmp_path) is None


def _kill_and_wait(pid: int | None) -> None:
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


async def test_a_killed_server_is_revived_where_it_was(running: Running) -> None:
    assert not running.revive()
    _kill_and_wait(running.pid)
    assert embedded_postgres.attach(running.data_folder) is None
    assert running.revive()
    connection = await asyncpg.connect(running.url())
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_the_server_dies_with_a_killed_portal_and_keeps_what_was_committed(tmp_path: Path) -> None:
    portal = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs on this loop
        [*AS_AN_ORDINARY_USER, sys.executable, "-c", PORTAL_IN_A_PROCESS, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert portal.stdout is not None
        _, url = portal.stdout.readline().split()
        connection = await asyncpg.connect(url.replace(APP, SUPERUSER).replace(_password(url), _kept(tmp_path)))
        await connection.execute("CREATE TABLE kept AS SELECT 42 AS figure")
        await connection.close()
        with pytest.raises(DataFolderInUse):
            embedded_postgres.start(tmp_path)
    finally:
        portal.kill()
        portal.wait()
        assert portal.stdout is not None
        portal.stdout.close()
    with embedded_postgres.start(tmp_path) as server:
        connection = await asyncpg.connect(server.url(SUPERUSER))
        assert await connection.fetchval("SELECT figure FROM kept") == 42
        await connection.close()


def test_lock_files_of_a_dead_server_do_not_stop_a_start(tmp_path: Path) -> None:
    embedded_postgres.start(tmp_path, durable=False).stop()
    # Process 1 lives, and is not this server: PostgreSQL alone would take its own file's word and refuse.
    (tmp_path / "postgres" / "postmaster.pid").write_text(f"{os.getppid()}\n{tmp_path}/postgres\n")
    (tmp_path / "socket" / ".s.PGSQL.5432.lock").write_text(f"{os.getppid()}\n")
    with embedded_postgres.start(tmp_path, durable=False) as server:
        assert server.pid is not None


def test_a_long_path_gets_a_short_private_socket(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60)
    with embedded_postgres.start(deep, durable=False) as server:
        socket = server.address.socket_folder
        assert len(os.fsencode(socket / ".s.PGSQL.5432")) < 107
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert embedded_postgres.attach(deep) == server.address
    socket.rmdir()


if os.geteuid() == 0:  # an ordinary user has nobody to give the server to

    async def test_root_without_user_namespaces_runs_the_server_unprivileged(tmp_path: Path) -> None:
        # pytest's own folders are private; the account cannot reach them, so the cluster moves and leaves them alone.
        modes = [folder.stat().st_mode for folder in tmp_path.parents]
        with embedded_postgres.start(tmp_path, durable=False, namespaces=False) as server:
            home = server.address.socket_folder.parent
            try:
                assert os.stat(f"/proc/{server.pid}").st_uid != 0  # noqa: PTH116
                connection = await asyncpg.connect(server.url())
                assert await connection.fetchval("SELECT current_user") == APP
                await connection.close()
                assert embedded_postgres.attach(tmp_path) == server.address
            finally:
                server.stop()
                if home != tmp_path:
                    shutil.rmtree(home)
        assert [folder.stat().st_mode for folder in tmp_path.parents] == modes


def test_a_cluster_whose_passwords_are_gone_is_refused_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(DatabaseRefused, match=r"cluster\.json is missing[\s\S]*backup"):
        embedded_postgres.start(tmp_path)
    assert not list((tmp_path / "postgres").iterdir())


def test_a_server_that_cannot_start_says_why_and_where_its_log_is(tmp_path: Path) -> None:
    with pytest.raises(DatabaseRefused) as refusal:
        embedded_postgres.start(tmp_path, durable=False, options={"max_connections": "none"})
    assert "max_connections" in str(refusal.value)
    assert str(tmp_path / "postgres-log") in str(refusal.value)
    # The folder is free again.
    embedded_postgres.start(tmp_path, durable=False).stop()


def _password(url: str) -> str:
    return url.split(":")[2].split("@", maxsplit=1)[0]


def _kept(folder: Path) -> str:

    return str(json.loads((folder / "cluster.json").read_text())["passwords"][SUPERUSER])
