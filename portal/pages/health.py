"""Whether the portal lives, and whether it can take work; asked by machines."""

import asyncio
import shutil

from starlette.responses import PlainTextResponse, Response

from auth.rules import system
from auth.tenancy import acting_as, rows
from portal.visit import Visit

_LEAST_FREE = 64 * 1024 * 1024  # bytes; below, PostgreSQL could not keep what it acknowledges
_WITHIN = 2.0  # seconds


async def alive(visit: Visit) -> Response:  # noqa: ARG001 - a handler's shape
    """Answer that the process lives; says nothing of the database."""
    return PlainTextResponse("alive\n")


async def ready(visit: Visit) -> Response:
    """Answer whether requests can be served: 503 while shutting down, without the database, or on a full disk."""
    state = visit.request.app.state
    settings = state.settings
    if state.draining:
        return PlainTextResponse("draining\n", status_code=503)
    if settings.database_url is None and shutil.disk_usage(settings.data_dir).free < _LEAST_FREE:
        return PlainTextResponse("disk full\n", status_code=503)
    async with asyncio.timeout(_WITHIN):
        async with acting_as(system("readiness")):
            await rows("SELECT 1")
    return PlainTextResponse("ready\n")
