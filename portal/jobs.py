"""The worker: what falls due by the business clock, and the jobs that a unit of work left for later."""

import asyncio
import contextlib
import signal
from collections.abc import Iterator
from pathlib import Path

import structlog

from auth.audit.queries import verify
from auth.rules import system
from auth.tenancy import acting_as
from billing.metering.sums import sum_up
from portal import anchors, database, logs
from portal.channels.sending import send_replies
from portal.channels.watching import look_into_mailboxes
from portal.clock import Clock
from portal.collecting import collect_due
from portal.dispatching import send_due
from portal.duties import Done, catch_up
from portal.job_queue import pause, work_through_the_queue
from portal.keeping import let_usage_go
from portal.lifeline import settle
from portal.settings import Settings

__all__ = ["Done", "catch_up", "run_worker"]

_LOOK_EVERY = 3.0  # seconds
_LOOK_AT_LEAST_EVERY = 60.0
_WATCH_EVERY = 3600.0
_SUM_EVERY = 600.0  # a day of an agency is summed anew, whatever came for it: seldom is cheaper
_log = structlog.get_logger("portal.jobs")


async def run_worker(settings: Settings) -> None:
    """Do what falls due and what was left for later, until told to end by SIGTERM or SIGINT.

    Needs the database's address in the settings; refuses a role row-level security would not bind (UnsafeRole).
    """
    if settings.database_url is None:
        raise ValueError("the worker needs the database's address")
    logs.configure(settings.log_format, settings.log_level)
    url = settings.database_url.get_secret_value()
    told = asyncio.Event()
    await database.connect(url, pool=settings.database_pool)
    settle()
    try:
        with _told_to_end(told):
            _log.info("worker started")
            await asyncio.gather(
                _follow_the_clock(Clock(demo=settings.demo_clock), told),
                _carry_messages(told),
                _pull_usage(settings, told),
                _sum_usage(told),
                _watch_the_audit_trail(settings.data_dir, told),
                _let_usage_go(Clock(demo=settings.demo_clock), settings.usage_events_months, told),
                work_through_the_queue(url, told, settings),
                _read_mail(settings, told),
                _carry_answers(settings, told),
            )
            _log.info("worker ended")
    finally:
        await database.disconnect()


async def _carry_messages(told: asyncio.Event) -> None:
    """Send what is to go to providers' own systems; by the machine's time, because theirs is no demonstration."""
    clock = Clock()
    while not told.is_set():
        sent = 0
        try:
            sent = await send_due(clock.wall())
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("sending failed")
        if not sent:
            await pause(told, _LOOK_EVERY)


async def _pull_usage(settings: Settings, told: asyncio.Event) -> None:
    """Pull usage from the servers that providers named; by business time, which usage is counted in."""
    clock = Clock(demo=settings.demo_clock)
    while not told.is_set():
        ran = 0
        try:
            ran = await collect_due(await clock.now(), settings.secret_keys)
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("collecting failed")
        if not ran:
            await pause(told, _LOOK_EVERY)


async def _sum_usage(told: asyncio.Event) -> None:
    """Sum up the usage that came, so that what reads it need not; what is not summed yet is read all the same."""
    while not told.is_set():
        try:
            await sum_up()
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("summing up usage failed")
        await pause(told, _SUM_EVERY)


async def _read_mail(settings: Settings, told: asyncio.Event) -> None:
    """Look into the mailboxes that are due; each is looked into once a minute."""
    clock = Clock(demo=settings.demo_clock)
    while not told.is_set():
        try:
            await look_into_mailboxes(clock, settings.secret_keys)
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("reading mail failed")
        await pause(told, _LOOK_EVERY)


async def _carry_answers(settings: Settings, told: asyncio.Event) -> None:
    """Send the desk's answers by mail and LINE; by the machine's time, as their servers know no demonstration."""
    clock = Clock()
    while not told.is_set():
        sent = 0
        try:
            sent = await send_replies(settings, clock.wall())
        except Exception:  # noqa: BLE001 - as above
            _log.exception("answering failed")
        if not sent:
            await pause(told, _LOOK_EVERY)


async def _watch_the_audit_trail(folder: Path, told: asyncio.Event) -> None:
    """Check the chains once an hour, and keep the heads of the whole ones outside the database: log and folder."""
    while not told.is_set():
        try:
            async with acting_as(system("verify")):
                chains = [chain async for chain in verify()]
            for chain in chains:
                if chain.broken:
                    _log.error("audit chain broken", chain=str(chain.chain_id), record=chain.broken.number)
                else:
                    _log.info("audit head", chain=str(chain.chain_id), record=chain.length, hash=chain.head)
            anchors.keep(folder, chains)
        except Exception:  # noqa: BLE001 - the database may be away, the folder read-only; the worker stays
            _log.exception("watching the audit trail failed")
        await pause(told, _WATCH_EVERY)


async def _let_usage_go(clock: Clock, months: int, told: asyncio.Event) -> None:
    """Look once an hour for usage events that are kept no longer; by business time, which their months run by."""
    while months and not told.is_set():
        try:
            await let_usage_go(months, await clock.now())
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("letting usage events go failed")
        await pause(told, _WATCH_EVERY)


async def _follow_the_clock(clock: Clock, told: asyncio.Event) -> None:
    seconds = _LOOK_EVERY
    while not told.is_set():
        try:
            failed = (await catch_up(await clock.now(), wait=False)).failed
        except Exception:  # noqa: BLE001 - the database may be away for a while; the worker stays
            _log.exception("catching up failed")
            failed = ("all",)
        # What fails is tried again ever more seldom; anything done well brings the usual pace back.
        seconds = min(2 * seconds, _LOOK_AT_LEAST_EVERY) if failed else _LOOK_EVERY
        await pause(told, seconds)


@contextlib.contextmanager
def _told_to_end(told: asyncio.Event) -> Iterator[None]:
    """Set the event on SIGTERM and SIGINT while the block runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    try:
        yield
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
