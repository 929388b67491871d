"""Connecting to PostgreSQL, and bringing its schema up to date."""

import asyncio
import urllib.parse
from typing import Any

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api import migrate as apply_migrations
from tortoise.migrations.autodetector import MigrationAutodetector
from tortoise.migrations.writer import MigrationWriter

from portal import job_queue
from portal.migrating import without_needless_copies

APPS = ("auth", "billing", "services", "portal")
MODELS: dict[str, list[str]] = {
    "auth": [
        "auth.organisations.models",
        "auth.people.models",
        "auth.sessions.models",
        "auth.audit.models",
        "auth.clients.models",
    ],
    "billing": [
        "billing.numbers.models",
        "billing.tariffs.models",
        "billing.usage.models",
        "billing.metering.models",
        "billing.collectors.models",
        "billing.credits.models",
        "billing.statements.models",
        "billing.documents.models",
        "billing.payments.models",
        "billing.budgets.models",
        "billing.acknowledgements.models",
        "billing.disputes.models",
    ],
    "services": [
        "services.capacity.models",
        "services.catalogue.models",
        "services.subscriptions.models",
        "services.calendar.models",
        "services.requests.models",
        "services.sections.models",
        "services.staff.models",
        "services.sla.models",
        "services.callers.models",
        "services.disruptions.models",
        "services.incidents.models",
        "services.channels.models",
        "services.knowledge.models",
        "services.notifications.models",
        "services.automation.models",
        "services.oversight.models",
    ],
    "portal": ["portal.models"],
}
# Any two portals migrating one database meet at this advisory lock.
_MIGRATION_LOCK = 7_105_2570
_LOCK_TIMEOUT = "10s"
_WAIT_FOR_OTHERS = 120
# Compiling a plan takes longer than what is asked here. Groups may take 32 MB before they go to the disk, so that the
# month of ten thousand components is added up in memory.
_SETTINGS = {"jit": "off", "hash_mem_multiplier": "8"}


class UnsafeRole(RuntimeError):
    """The database role could look past row-level security."""


def orm_config(url: str, *, pool: int = 10, **server_settings: str) -> dict[str, Any]:
    """Return Tortoise's configuration for a database address."""
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query))
    credentials = {
        "host": query.get("host") or parts.hostname or "127.0.0.1",
        "port": parts.port or int(query.get("port", "5432")),
        "user": urllib.parse.unquote(parts.username or ""),
        "password": urllib.parse.unquote(parts.password or ""),
        "database": parts.path.lstrip("/"),
        "minsize": 1,
        "maxsize": pool,
        "reset": _nothing_to_reset,
        "server_settings": {"application_name": "portal", **_SETTINGS, **server_settings},
    }
    return {
        "connections": {"default": {"engine": "tortoise.backends.asyncpg", "credentials": credentials}},
        "apps": {
            name: {"models": MODELS[name], "default_connection": "default", "migrations": f"{name}.migrations"}
            for name in APPS
        },
        "use_tz": True,
        "timezone": "UTC",
    }


async def connect(url: str, *, pool: int = 10) -> None:
    """Connect as the application's role; refuse one that row-level security would not bind (UnsafeRole)."""
    config = orm_config(
        url,
        pool=pool,
        statement_timeout="30s",
        lock_timeout="5s",
        idle_in_transaction_session_timeout="60s",
    )
    await Tortoise.init(config=config, _enable_global_fallback=True)
    await _refuse_unsafe_role()


async def _nothing_to_reset(_: Any) -> None:
    """Give a connection back as it is: what a unit of work sets and locks ends with its transaction.

    asyncpg would ask the database to reset everything, twice for every page. The one lock of a session, that of
    catching up, is given back or goes with its connection.
    """


async def disconnect() -> None:
    """Close every connection."""
    await Tortoise.close_connections()


async def migrate(owner_url: str) -> None:
    """Bring the schema up to date as its owner; several at once take turns, none waits long for a table."""
    gate = await asyncpg.connect(owner_url)
    try:
        async with asyncio.timeout(_WAIT_FOR_OTHERS):
            await gate.execute("SELECT pg_advisory_lock($1)", _MIGRATION_LOCK)
        try:
            with without_needless_copies():
                await apply_migrations(config=orm_config(owner_url, pool=2, lock_timeout=_LOCK_TIMEOUT))
            await job_queue.install(owner_url)
        finally:
            await Tortoise.close_connections()
    finally:
        await gate.close()


async def is_migrated() -> bool:
    """Say whether the database connected to has the portal's tables at all."""
    [found] = await Tortoise.get_connection("default").execute_query_dict(
        "SELECT to_regclass('organisation') IS NOT NULL AS so"
    )
    return bool(found["so"])


async def missing_migrations() -> list[MigrationWriter]:
    """Return the migrations that the models ask for and the folders lack."""
    config = orm_config("postgresql://nobody@localhost/none")
    await Tortoise.init(config=config, init_connections=False)
    return await MigrationAutodetector(Tortoise.apps, config["apps"]).changes()


async def _refuse_unsafe_role() -> None:
    [role] = await Tortoise.get_connection("default").execute_query_dict(
        "SELECT r.rolname, r.rolsuper, r.rolbypassrls,"
        " EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid AND c.relkind IN ('r', 'p')) AS owns"
        " FROM pg_roles r WHERE r.rolname = current_user"
    )
    faults = [
        why
        for why, so in (
            ("is a superuser", role["rolsuper"]),
            ("bypasses row-level security", role["rolbypassrls"]),
            ("owns tables", role["owns"]),
        )
        if so
    ]
    if faults:
        await disconnect()
        raise UnsafeRole(
            f"The database role {role['rolname']!r} {' and '.join(faults)}, so agencies would not be kept apart. "
            "Let PORTAL_DATABASE_URL name a role that is none of these, such as portal_app."
        )
