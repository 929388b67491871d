"""Starting, preparing and stopping the embedded database server."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Self

from portal import lifeline
from portal.embedded_postgres import account, folder, process
from portal.embedded_postgres.folder import APP, DATABASE, OWNER, PORT, SUPERUSER, Address, DatabaseRefused

_STALE_FOR: Final = 15.0
_READY_WITHIN: Final = 300.0  # recovery after a crash may take its time
_TRANSIENT: Final = ("lock file", "pre-existing shared memory", "could not create any Unix-domain sockets")
_SET_UP: Final = r"""
SELECT 'CREATE ROLE portal_owner' WHERE to_regrole('portal_owner') IS NULL \gexec
SELECT 'CREATE ROLE portal_app' WHERE to_regrole('portal_app') IS NULL \gexec
ALTER ROLE portal_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'owner';
ALTER ROLE portal_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'app';
SELECT 'CREATE DATABASE portal OWNER portal_owner TEMPLATE template0 ENCODING ''UTF8'' '
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'portal') \gexec
"""
_NAME: Final = re.compile(r"[a-z_][a-z0-9_]{0,62}")


class Running:
    """An embedded database server that this process started and that ends with it."""

    def __init__(self, data_folder: Path, *, durable: bool, namespaces: bool, options: Mapping[str, str]) -> None:
        self.data_folder = data_folder
        self._options = process.server_options(durable=durable) | dict(options)
        self._lock: int | None = folder.hold(data_folder)
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._account = account.choose(namespaces=namespaces)
            self._home = account.home_for(data_folder, self._account)
            self.programs = account.programs_for(self._home, self._account)
            self._cluster = self._home / "postgres"
            self.address = Address(
                folder.socket_folder(self._home, self._account.uid), folder.passwords(data_folder, self._home)
            )
            if not (self._cluster / "PG_VERSION").exists():
                self._create(durable=durable)
            self._launch()
            self._prepare()
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def url(self, role: str = APP, database: str = DATABASE) -> str:
        """Return a connection URL for `portal_app`, `portal_owner` or the superuser `postgres`."""
        return self.address.url(role, database)

    @property
    def pid(self) -> int | None:
        """The server's process, or None when it is not running."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def revive(self) -> bool:
        """Start the server again if it has died; True when it had. Call from the main thread."""
        if self.pid is not None:
            return False
        self._launch()
        return True

    def create_database(self, name: str, *, template: str = "template0") -> None:
        """Create a database owned by `portal_owner`; refuses a name that is not a plain lower-case word."""
        for word in (name, template):
            if not _NAME.fullmatch(word):
                raise ValueError(f"not a plain database name: {word!r}")
        encoding = " ENCODING 'UTF8'" if template == "template0" else ""
        self._sql(
            f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}{encoding};\n" + process.connect_rights(name)
        )

    def drop_database(self, name: str) -> None:
        """Drop a database and whoever is connected to it; an absent one is no error."""
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a plain database name: {name!r}")
        self._sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE);")

    def stop(self, *, within: float = 30.0) -> None:
        """Stop the server and release the folder; after `within` seconds without waiting for its clients."""
        server, self._process = self._process, None
        if server and server.poll() is None:
            server.send_signal(signal.SIGINT)
            try:
                server.wait(within)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)
                server.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _command(self, name: str, *arguments: str) -> list[str]:
        return [*self._account.prefix, str(self.programs / name), *arguments]

    def _create(self, *, durable: bool) -> None:
        # Made aside and renamed, so that an interrupted first start leaves no half-made cluster behind.
        aside = self._home / "postgres.new"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        password = self._home / "initdb-password"
        folder.write_private(password, self.address.passwords[SUPERUSER])
        folder.give(aside, self._account.uid)
        folder.give(password, self._account.uid)
        command = self._command("initdb", "-D", str(aside), "-U", SUPERUSER, "--auth=scram-sha-256")
        command += [
            f"--pwfile={password}",
            "--encoding=UTF8",
            *account.locale_options(self.programs),
            "--no-instructions",
        ]
        command += [] if durable else ["--no-sync"]
        try:
            # Every argument is ours; nothing comes from a request.
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, check=False, cwd="/", **self._account.options
            )
        finally:
            password.unlink()
        if done.returncode:
            raise DatabaseRefused(
                f"Creating the database in {self._home} failed: {(done.stderr or done.stdout).strip()}\n"
                "Check that the disk has room, or set PORTAL_DATA_DIR to another folder."
            )
        aside.rename(self._cluster)

    def _launch(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            # The parent-death signal follows the thread that forked, not the process.
            raise RuntimeError("start the embedded database from the main thread")
        until = time.monotonic() + _STALE_FOR
        while True:
            self._clear_stale()
            started = self._start_once()
            if started is None:
                return
            if time.monotonic() > until or not any(reason in started for reason in _TRANSIENT):
                raise DatabaseRefused(
                    f"The embedded database in {self._cluster} does not start:\n{started}\n"
                    f"The log is in {self._home / 'postgres-log'}. To begin again with empty data, move "
                    f"{self.data_folder} away; to use a server of your own, set PORTAL_DATABASE_URL."
                )
            time.sleep(0.2)

    def _start_once(self) -> str | None:
        """Start the server and wait until it serves; returns what it said when it ended instead."""
        options = self._options | {
            "unix_socket_directories": str(self.address.socket_folder),
            "log_directory": str(self._home / "postgres-log"),
        }
        command = self._command("postgres", "-D", str(self._cluster))
        command += [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        spoken = self._home / "postgres-start.log"
        with spoken.open("wb") as output:
            # preexec_fn is safe here: from the main thread, one system call, no lock taken.
            self._process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,  # the terminal's Ctrl-C is for the portal alone
                preexec_fn=lifeline.tied_to(os.getpid(), signal.SIGINT),  # noqa: PLW1509
                **self._account.options,
            )
        until = time.monotonic() + _READY_WITHIN
        while time.monotonic() < until:
            if self._process.poll() is not None:
                return spoken.read_text(errors="replace")[-2000:].strip()
            with contextlib.suppress(OSError):
                lines = (self._cluster / "postmaster.pid").read_text().splitlines()
                if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                    return None
            time.sleep(0.02)
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        return f"not ready after {_READY_WITHIN:.0f} seconds"

    def _clear_stale(self) -> None:
        """Wait out, then end, a server left from a killed portal; remove what a dead one left."""
        pid_file = self._cluster / "postmaster.pid"
        try:
            left = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            left = 0
        for ending in (None, signal.SIGINT, signal.SIGQUIT):
            if left and ending and process.is_server(left, self._cluster):
                os.kill(left, ending)
            until = time.monotonic() + 10
            while left and process.is_server(left, self._cluster) and time.monotonic() < until:
                time.sleep(0.05)
        # The folder is locked by us and its server is gone. Its lock files may name a process that is now a
        # zombie or somebody else's, and PostgreSQL would refuse to start.
        for path in (pid_file, *self.address.socket_folder.glob(f".s.PGSQL.{PORT}*")):
            path.unlink(missing_ok=True)

    def _prepare(self) -> None:
        """Bring roles and database to what they should be; repeats harmlessly after an interrupted start."""
        passwords = self.address.passwords
        variables = f"\\set owner '{passwords[OWNER]}'\n\\set app '{passwords[APP]}'\n"
        self._sql(variables + _SET_UP + process.connect_rights(DATABASE))

    def _sql(self, script: str) -> None:
        environment = {"PATH": os.environ.get("PATH", ""), "PGPASSWORD": self.address.passwords[SUPERUSER]}
        command = [str(self.programs / "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", "-U", SUPERUSER]
        command += ["-h", str(self.address.socket_folder), "-p", str(PORT), "-d", "postgres"]
        done = subprocess.run(  # noqa: S603 - every argument is ours
            command, input=script, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            # Not the script: it carries passwords.
            raise DatabaseRefused(f"The embedded database refused its set-up: {done.stderr.strip()}")


def start(
    data_folder: Path,
    *,
    durable: bool = True,
    namespaces: bool = True,
    options: Mapping[str, str] | None = None,
) -> Running:
    """Start the embedded database in `data_folder`, creating it on first use, and wait until it serves.

    Refuses (`DataFolderInUse`) when another portal runs on the folder, and (`DatabaseRefused`) when the
    server cannot start. `durable=False` is for tests: it trades crash safety for speed. `namespaces=False` lets root
    behave as where user namespaces are forbidden. `options` are server settings that override ours. Call from
    the main thread.
    """
    place = data_folder.absolute()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Running(place, durable=durable, namespaces=namespaces, options=options or {})


def folders_beside(data_folder: Path) -> list[str]:
    """Return the names of the folders beside `data_folder`, itself included, that hold an embedded database."""
    return sorted(kept.parent.name for kept in data_folder.absolute().parent.glob("*/cluster.json"))


def attach(data_folder: Path) -> Address | None:
    """Find the embedded database that another process runs in `data_folder`; None when none does."""
    try:
        kept = json.loads((data_folder.absolute() / "cluster.json").read_text())
        cluster = Path(kept["home"]) / "postgres"
        lines = (cluster / "postmaster.pid").read_text().splitlines()
        if process.is_server(int(lines[0]), cluster):
            return Address(Path(lines[4]), kept["passwords"])
    except (OSError, ValueError, LookupError):
        pass
    return None
