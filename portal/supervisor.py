"""Everything on one machine: `python -m portal run` starts the parts in order, watches them, and ends them."""

import asyncio
import contextlib
import datetime as dt
import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

from pydantic import SecretStr

from portal import embedded_postgres, lifeline
from portal.embedded_postgres import OWNER, Running
from portal.settings import Mode, Settings

_ROOT: Final = Path(__file__).resolve().parents[1]
_READY_WITHIN: Final = 60.0
_FAILURES_ALLOWED: Final = 4
_FAILURES_WITHIN: Final = 60.0


class RunRefused(Exception):
    """The portal cannot run here; the text names the reason and the remedy."""


@dataclass(slots=True)
class Part:
    """One process of the portal, started again when it ends by itself."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    patience: float = 10.0
    """Seconds it may take to end when asked."""
    waits: bool = False
    """It gets itself ready and then waits to be told to begin."""
    told: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    ended: list[float] = field(default_factory=list)

    def start(self) -> None:
        """Start it; it is told to end when this process ends, however that comes about."""
        # preexec_fn is safe here: from the main thread, one system call, no lock taken.
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, *self.arguments],
            cwd=_ROOT,
            env=dict(self.environment),
            stdin=subprocess.PIPE if self.waits else subprocess.DEVNULL,
            start_new_session=True,  # the terminal's Ctrl-C is for this process, which ends its parts in order
            preexec_fn=lifeline.tied_to(os.getpid(), signal.SIGTERM),  # noqa: PLW1509
        )

        if self.told:
            self.tell()

    def tell(self) -> None:
        """Let a part that waits begin; also whenever it is started again."""
        self.told = True
        if self.process is not None and self.process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it has ended already, and will be looked after
                self.process.stdin.write(b"begin\n")
                self.process.stdin.close()
            self.process.stdin = None

    def look_after(self, now: float) -> None:
        """Start it again when it has ended; refuses (RunRefused) when it keeps ending."""
        if self.process is None or self.process.poll() is None:
            return
        self.ended = [*(each for each in self.ended if now - each < _FAILURES_WITHIN), now]
        if len(self.ended) >= _FAILURES_ALLOWED:
            raise RunRefused(f"The {self.name} process keeps ending; what it said is above.")
        _say(f"The {self.name} process ended ({_how(self.process.returncode)}); starting it again.")
        self.start()

    def stop(self) -> None:
        """End it: asked first, made to after its patience."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            _say(f"The {self.name} process did not end in {self.patience:.0f} seconds and is killed.")
            self.process.kill()
            self.process.wait()


def run(settings: Settings) -> int:
    """Run database, identity provider, web and worker until SIGTERM or SIGINT; returns the exit status.

    Refuses (RunRefused, DatabaseRefused) a port in use, a data folder in use, and a database without its owner.
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end_at_once)
    _refuse_busy_port("PORT", settings.port)
    if settings.embedded_identity_provider:
        _refuse_busy_port("PORTAL_IDENTITY_PORT", settings.identity_port)
    with database(settings, start=True) as (connected, server):
        web, worker, *others = parts = _parts(connected)
        try:
            # Importing is most of a start: these do theirs while the database is being prepared.
            for part in (web, *others):
                part.start()
            _say("Preparing the database …")
            asyncio.run(prepare(connected, demo=connected.mode is Mode.DEMO))
            with _wake_on_signals() as woken:
                web.tell()
                if _wait_until_served(connected, [web, *others], woken):
                    worker.start()
                    _say(_welcome(connected))
                    _watch(parts, server, woken)
        finally:
            _say("Ending …")
            for part in parts:
                part.stop()
    return 0


@contextlib.contextmanager
def database(settings: Settings, *, start: bool = False) -> Iterator[tuple[Settings, Running | None]]:
    """Yield the settings with the database's addresses, and the embedded server where this process had to start it.

    `start` refuses (DataFolderInUse) an embedded server that another process runs, instead of using it.
    """
    if settings.database_url:
        yield settings, None
    elif not start and (address := embedded_postgres.attach(settings.data_dir)):
        yield _with_addresses(settings, address.url(), address.url(OWNER)), None
    else:
        with embedded_postgres.start(settings.data_dir) as server:
            yield _with_addresses(settings, server.url(), server.url(OWNER)), server


def url_of(settings: Settings) -> str:
    """Return the database's address as the application's role; only settings that `database` yielded have one."""
    if settings.database_url is None:
        raise LookupError("settings without a database")
    return settings.database_url.get_secret_value()


async def prepare(settings: Settings, *, demo: bool) -> None:
    """Bring the schema up to date and add the reference data that is missing; with `demo` the demo data too.

    Refuses (RunRefused) when the owner's address is not known, demo data in production, and a database role that
    row-level security would not bind.
    """
    from portal import database as schema  # noqa: PLC0415 - imports the whole product
    from portal import reference  # noqa: PLC0415
    from portal.demo import DemoRefused, load  # noqa: PLC0415

    if settings.database_owner_url is None:
        raise RunRefused(
            "PORTAL_DATABASE_OWNER_URL is missing: the schema is brought up to date as its owner. "
            "Set it to the same database as PORTAL_DATABASE_URL, as the role portal_owner."
        )
    await schema.migrate(settings.database_owner_url.get_secret_value())
    try:
        await schema.connect(url_of(settings))
        await reference.load(dt.datetime.now(dt.UTC))
        if demo:
            await load(settings, dt.datetime.now(dt.UTC))
    except (DemoRefused, schema.UnsafeRole) as refusal:
        raise RunRefused(str(refusal)) from refusal
    finally:
        await schema.disconnect()


def _parts(settings: Settings) -> list[Part]:
    """Return the processes in the order they end: web, worker, and the embedded identity provider if there is one."""
    environment = dict(os.environ) | {
        "PORTAL_MODE": settings.mode,
        "PORTAL_PORT": str(settings.port),
        "PORTAL_DATA_DIR": str(settings.data_dir.absolute()),
        "PORTAL_DATABASE_URL": url_of(settings),
        "PYTHONUNBUFFERED": "1",
    }
    patience = settings.unready_seconds + settings.drain_seconds + 5
    environment.pop("PORTAL_DATABASE_OWNER_URL", None)  # neither pages nor jobs change the schema
    parts = [
        Part("web", ["-m", "portal", "web", "--when-told"], environment, patience, waits=True),
        Part("worker", ["-m", "portal", "worker"], environment),
    ]
    if settings.embedded_identity_provider:
        arguments = ["-m", "portal.identity_provider", "--host", settings.host, "--port", str(settings.identity_port)]
        arguments += ["--issuer", str(settings.oidc_issuer), "--mode", settings.mode, "--portal", settings.public_url]
        parts.append(Part("identity provider", arguments, environment, patience=3))
    return parts


def _watch(parts: list[Part], server: Running | None, woken: int) -> None:
    """Keep everything running until a signal says to end."""
    while not _told_to_end(woken, 0.5):
        if server is not None and server.revive():
            _say("The database had ended; it runs again.")
        for part in parts:
            part.look_after(time.monotonic())


def _wait_until_served(settings: Settings, parts: list[Part], woken: int) -> bool:
    """Wait for the first page, and the sign-in behind it; False when told to end meanwhile."""
    until = time.monotonic() + _READY_WITHIN
    ports = [settings.port, *([settings.identity_port] if settings.embedded_identity_provider else [])]
    while not all(_answers(_own_address(settings.host), port) for port in ports):
        if _told_to_end(woken, 0.05):
            return False
        for part in parts:
            part.look_after(time.monotonic())
        if time.monotonic() > until:
            raise RunRefused(f"No page was served within {_READY_WITHIN:.0f} seconds; what the parts said is above.")
    return True


def _answers(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _own_address(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - asking, not listening


def _refuse_busy_port(setting: str, port: int) -> None:
    for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with contextlib.suppress(OSError), socket.socket(family) as probe:
            probe.settimeout(0.5)
            if probe.connect_ex((host, port)) == 0:
                raise RunRefused(
                    f"Port {port} is in use. Stop what uses it, or choose another: "
                    + ("make run PORT=8001." if setting == "PORT" else f"{setting}=9501 make run.")
                )


def _with_addresses(settings: Settings, url: str, owner_url: str) -> Settings:
    return settings.model_copy(update={"database_url": SecretStr(url), "database_owner_url": SecretStr(owner_url)})


def _welcome(settings: Settings) -> str:
    lines = ["", f"  Portal        {settings.public_url}"]
    if settings.embedded_identity_provider:
        from portal.identity_provider import ACCOUNTS  # noqa: PLC0415

        lines += ["", "  Sign in as one of these; each is one click and needs no password:", ""]
        names = max(len(each.username) for each in ACCOUNTS), max(len(each.name_en) for each in ACCOUNTS)
        lines += [f"    {each.username:<{names[0]}}  {each.name_en:<{names[1]}}  {each.name_th}" for each in ACCOUNTS]
    return "\n".join([*lines, "", "  Ctrl-C ends everything.", ""])


# --- signals


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End while still starting: the database is stopped on the way out."""
    raise SystemExit(0)


_ENDINGS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextlib.contextmanager
def _wake_on_signals() -> Iterator[int]:
    """Yield a file descriptor that becomes readable at every signal; handlers do nothing else."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    for number in (*_ENDINGS, signal.SIGCHLD):
        signal.signal(number, lambda *_: None)
    try:
        yield reading
    finally:
        signal.set_wakeup_fd(before)
        os.close(writing)
        os.close(reading)


def _told_to_end(woken: int, wait: float) -> bool:
    select.select([woken], [], [], wait)
    with contextlib.suppress(BlockingIOError):
        return any(number in _ENDINGS for number in os.read(woken, 64))
    return False


def _how(status: int) -> str:
    return f"status {status}" if status >= 0 else signal.Signals(-status).name


def _say(text: str) -> None:
    print(text, flush=True)
