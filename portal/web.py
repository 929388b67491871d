"""Serving the portal: the process that listens, and its workers."""

import multiprocessing
import signal

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from starlette.types import ASGIApp

from portal import lifeline
from portal.settings import Settings

_NOTHING_WRONG = 0


def serve(settings: Settings) -> int:
    """Listen until SIGTERM or SIGINT, then finish the running requests; returns the exit status.

    A worker process that dies is replaced.
    """
    Server(
        target="portal.web:application",
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=settings.web_processes,
        workers_kill_timeout=settings.drain_seconds,
        respawn_failed_workers=True,
        websockets=False,
        log_level=LogLevels.warning,
    ).serve()
    return _NOTHING_WRONG


def application() -> ASGIApp:
    """Make the application in a worker process, which ends with the process that listens."""
    listening = multiprocessing.parent_process()
    if listening is not None and listening.pid is not None:
        lifeline.tied_to(listening.pid, signal.SIGTERM)()
    from portal.app import app_factory  # noqa: PLC0415 - the process that listens needs none of it

    return app_factory()
