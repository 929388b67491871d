"""Serving the portal: the process that listens, and its workers."""

import multiprocessing
import os
import signal
import time

from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server
from starlette.applications import Starlette

from portal import lifeline
from portal.settings import Settings

_NOTHING_WRONG = 0
_DRAIN = signal.SIGUSR1


class _Listener(Server):  # type: ignore[misc, valid-type]  # which class it is depends on the interpreter
    """A server that, told to end, says so by its readiness and serves on until the balancer has noticed."""

    unready_seconds = 0

    def shutdown(self, exit_code: int = 0) -> None:
        """Turn readiness to 503 in every worker, wait, and then end as any server: what runs is finished."""
        for worker in self.wrks:
            if worker.is_alive():
                os.kill(worker.inner.pid, _DRAIN)
        time.sleep(self.unready_seconds)
        super().shutdown(exit_code)


def serve(settings: Settings) -> int:
    """Listen until SIGTERM or SIGINT, then drain and finish the running requests; returns the exit status.

    A worker process that dies is replaced.
    """
    signal.signal(_DRAIN, signal.SIG_IGN)  # inherited: a worker that is only starting is not killed by it
    listener = _Listener(
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
    )
    listener.unready_seconds = settings.unready_seconds
    listener.serve()
    return _NOTHING_WRONG


def application() -> Starlette:
    """Make the application in a worker process, which ends with the process that listens."""
    listening = multiprocessing.parent_process()
    if listening is not None and listening.pid is not None:
        lifeline.tied_to(listening.pid, signal.SIGTERM)()
    from portal.app import app_factory  # noqa: PLC0415 - the process that listens needs none of it

    app = app_factory()
    signal.signal(_DRAIN, lambda *_: setattr(app.state, "draining", True))
    return app
