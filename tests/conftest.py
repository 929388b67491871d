"""What all tests share: one PostgreSQL server, a database of its own for each test that wants one, the application."""

import asyncio
import ipaddress
import logging
import os
import re
import shutil
import socket
import tempfile
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import hypothesis
import pytest
from starlette.applications import Starlette

from portal import database as portal_database
from portal import embedded_postgres, logs
from portal.app import create_app
from portal.embedded_postgres import OWNER, SUPERUSER, Address
from portal.settings import Mode, Settings
from tests.browsing import PUBLIC_URL, Browser, sign_in
from tests.cast import ISSUER, settle

_EMPTY = "template_empty"
_PEOPLED = "template_peopled"
_SERVER: list[embedded_postgres.Running] = []

hypothesis.settings.register_profile("portal", deadline=None)  # a busy machine is no fault
hypothesis.settings.load_profile("portal")


# One server for the whole run, also when several workers share the tests


def pytest_configure(config: pytest.Config) -> None:
    """Start the server before the workers, in the process that outlives them."""
    if not hasattr(config, "workerinput") and getattr(config.option, "numprocesses", None):
        _start()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the server and leave nothing behind."""
    if _SERVER:
        server = _SERVER.pop()
        server.stop()
        shutil.rmtree(server.data_folder, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker where the server is."""
    node.workerinput["cluster"] = str(_SERVER[0].data_folder)


def _start() -> embedded_postgres.Running:
    if not _SERVER:
        folder = Path(tempfile.mkdtemp(prefix="portal-tests-", dir=_fastest_folder()))
        server = embedded_postgres.start(folder, durable=False, options={"max_connections": "200"})
        _SERVER.append(server)
        asyncio.run(_make_templates(server.address))
    return _SERVER[0]


def _fastest_folder() -> str | None:
    """Return the folder in memory where there is one with room: a database is copied for each test."""
    memory = Path("/dev/shm")  # noqa: S108 - a fresh folder of our own is made in it
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2**30
    return str(memory) if has_room else None


async def _make_templates(address: Address) -> None:
    await create_database(address, _EMPTY, "template0")
    await portal_database.migrate(address.url(OWNER, _EMPTY))
    await create_database(address, _PEOPLED, _EMPTY)
    await portal_database.connect(address.url(database=_PEOPLED))
    try:
        await settle()
    finally:
        await portal_database.disconnect()


async def create_database(address: Address, name: str, template: str) -> None:
    """Create a database like its template, which nobody may be connected to."""
    connection = await asyncpg.connect(address.url(SUPERUSER, "postgres"))
    try:
        await connection.execute(f"CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template} STRATEGY file_copy")
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Address:
    """The server that all tests share."""
    workerinput = getattr(request.config, "workerinput", None)
    if workerinput is None:
        return _start().address
    address = embedded_postgres.attach(Path(workerinput["cluster"]))
    assert address is not None, "the shared database server has died"
    return address


@pytest.fixture
async def database(cluster: Address) -> AsyncIterator[str]:
    """A database of the test's own, migrated, with the cast in it; yields its name. Connected as the application."""
    name = f"test_{uuid.uuid4().hex}"
    await create_database(cluster, name, _PEOPLED)
    await portal_database.connect(cluster.url(database=name))
    try:
        yield name
    finally:
        await portal_database.disconnect()
        connection = await asyncpg.connect(cluster.url(SUPERUSER, "postgres"))
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.close()


@pytest.fixture
def queries() -> Iterator[list[str]]:
    """The queries sent to the database, as they are sent.

    Left out is what a page may or may not need, whatever it shows: opening a unit of work, the demo clock, which is
    asked at most once a second, and the visit, which is noted once a minute.
    """
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if not re.search('set_config|demo_clock|UPDATE "session"', record.getMessage()):
                heard.append(record.getMessage())

    ear, log = Ear(logging.DEBUG), logging.getLogger("tortoise.db_client")
    before = log.level
    log.addHandler(ear)
    log.setLevel(logging.DEBUG)
    yield heard
    log.removeHandler(ear)
    log.setLevel(before)


# The application


@pytest.fixture
async def make_app(database: str, tmp_path: Path) -> AsyncIterator[Callable[..., Starlette]]:
    """Make the application with some settings of the test's own."""
    made: list[Starlette] = []

    def make(**given: Any) -> Starlette:
        values = {
            "mode": Mode.TEST,
            "public_url": PUBLIC_URL,
            "data_dir": tmp_path,
            "database_url": "postgresql://portal_app@/unused",
            "oidc_issuer": ISSUER,
            "oidc_client_id": "portal",
            "oidc_client_secret": "not-a-real-one",
            "demo_clock": True,
        }
        made.append(create_app(Settings.load(**(values | given))))
        return made[-1]

    yield make
    for app in made:
        await app.state.relying_party.close()


@pytest.fixture
def app(make_app: Callable[..., Starlette]) -> Starlette:
    """The application, on the test's database."""
    return make_app()


@pytest.fixture
async def browser_for(app: Starlette) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Open a browser for somebody of the cast, signed in; for a stranger without a name."""
    opened: list[Browser] = []

    async def open_for(username: str | None = None) -> Browser:
        browser = Browser(app)
        opened.append(browser)
        if username is not None:
            await sign_in(browser, username)
        return browser

    yield open_for
    for browser in opened:
        await browser.aclose()


# Nothing outside of this machine


@pytest.fixture(scope="session", autouse=True)
def loopback_only() -> Iterator[None]:
    """Refuse connections to other machines, whoever tries."""
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex

    def checked(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_here(address[0]):
            raise RuntimeError(f"a test tried to reach {address[0]}")

    def guarded(self: socket.socket, address: Any) -> Any:
        checked(self, address)
        return connect(self, address)

    def guarded_ex(self: socket.socket, address: Any) -> Any:
        checked(self, address)
        return connect_ex(self, address)

    socket.socket.connect, socket.socket.connect_ex = guarded, guarded_ex  # type: ignore[method-assign]
    yield
    socket.socket.connect, socket.socket.connect_ex = connect, connect_ex  # type: ignore[method-assign]


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@pytest.fixture(scope="session", autouse=True)
def quiet_log() -> None:
    """Write the log as production does, so that a failing test shows no screens of local variables."""
    logs.configure("json", "warning")
