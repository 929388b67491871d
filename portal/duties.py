"""What falls due by the business clock: in the order of its due time, each as if done at that very moment.

Some duties wait for a fact: a quote runs out, a service's last day is over, capacity comes back. Others follow
the clock alone: the end of a month, the start of a day; those remember until when they were done. Doing any of
them again changes nothing, and of several processes one at a time goes through them.
"""

import asyncio
import contextlib
import datetime as dt
import functools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import structlog
from tortoise import Tortoise

from auth.rules import Permission, system
from auth.tenancy import Busy, unit_of_work
from billing.metering.sums import sum_up
from billing.months import BANGKOK, ONE_DAY, Month, bangkok_date
from billing.statements.closing import unsettled_before, waiting_for_review, without_invoice
from billing.statements.commands import issue
from portal.budget_watch import watch_budgets
from portal.models import CaughtUp
from services.capacity.commands import return_due
from services.capacity.queries import next_return
from services.incidents.deadlines import due_work, next_due
from services.notifications.commands import notify
from services.requests.commands import void_stale
from services.requests.deadlines import expire_due, next_expiry, remind_due
from services.subscriptions.commands import end_due
from services.subscriptions.deadlines import announce_ending_contracts, next_end

MONTH_END = system("month end")
CLOSES_AFTER = dt.timedelta(minutes=5)  # past midnight, so that the day's last work is in
DAY_STARTS = dt.time(8)
_ONE_AT_A_TIME = 7_105_2571
_WAIT_FOR_OTHERS = 120.0
_LEAST = dt.timedelta(microseconds=1)
_log = structlog.get_logger("portal.duties")


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that falls due: when it next does, and doing it as of then.

    A duty that follows the clock gives its next moment after another; the others give what waits, or None.
    """

    name: str
    do: Callable[[dt.datetime], Awaitable[object]]
    waits: Callable[[], Awaitable[dt.datetime | None]] | None = None
    follows: Callable[[dt.datetime], dt.datetime] | None = None
    in_pieces: bool = False  # opens its own units of work; those that follow the clock do anyway


@dataclass(frozen=True, slots=True)
class Done:
    """What came of catching up: how many duties were done, and the names of those that failed."""

    count: int
    failed: tuple[str, ...]


def next_month_end(after: dt.datetime) -> dt.datetime:
    """Return when the next month is closed: five minutes past its last midnight in Bangkok."""
    return Month.of(after - CLOSES_AFTER).ends_at + CLOSES_AFTER


def next_morning(after: dt.datetime) -> dt.datetime:
    """Return the next 08:00 in Bangkok."""
    today = dt.datetime.combine(bangkok_date(after), DAY_STARTS, BANGKOK)
    return today if today > after else today + ONE_DAY


async def close_month(month: Month, now: dt.datetime) -> int:
    """Issue the invoices of a month that is over, of providers who do not review them; return how many failed.

    Each is a unit of its own, so that one that fails keeps none of the others; the failed are tried again
    every morning.
    """
    failed = 0
    await sum_up()
    for agency_id, provider_id, when in await unit_of_work(MONTH_END, lambda: _to_invoice(month)):
        invoice = functools.partial(issue, agency_id, provider_id, when, by=MONTH_END, now=now)
        try:
            await unit_of_work(MONTH_END, invoice)
        except Exception:  # noqa: BLE001 - whatever is wrong with one keeps none of the others
            failed += 1
            _log.exception("invoice failed", agency=str(agency_id), provider=str(provider_id), month=str(when))
    await unit_of_work(MONTH_END, lambda: _tell_of_drafts(month, now))
    return failed


async def _to_invoice(month: Month) -> list[tuple[uuid.UUID, uuid.UUID, Month]]:
    """Return (agency, provider, month) of the invoices to issue: the month's, and first what earlier ones settle."""
    return [*await unsettled_before(month), *((*pair, month) for pair in await without_invoice(month))]


async def _tell_of_drafts(month: Month, now: dt.datetime) -> None:
    """Tell providers that review their drafts that a month's wait; once, and their overview goes on showing it."""
    for provider_id, drafts in (await waiting_for_review(month)).items():
        if month not in drafts:
            continue
        await notify(
            provider_id,
            "billing.drafts_wait",
            identity=f"drafts/{month}",
            subject=("billing", provider_id),
            permission=Permission.BILLS_ISSUE,
            now=now,
            month=str(month),
            number=str(drafts[month]),
        )


async def _close_the_month_before(now: dt.datetime) -> None:
    await close_month(Month.of(now).previous, now)


async def _start_the_day(now: dt.datetime) -> None:
    async def tell() -> None:
        await void_stale(now=now)
        await remind_due(now=now)
        await announce_ending_contracts(now=now)

    await unit_of_work(system("reminders"), tell)
    await _close_the_month_before(now)
    await watch_budgets(now)


async def _expiry() -> dt.datetime | None:
    last = await next_expiry()
    return last + _LEAST if last else None  # it still holds at its last moment


async def _do_the_desks_work(now: dt.datetime) -> None:
    while await unit_of_work(system("help desk"), lambda: due_work(now)):
        pass  # a thousand may be due at one moment; each unit of work stays short


DUTIES: tuple[Duty, ...] = (
    Duty("service ends", lambda now: end_due(now=now), waits=next_end),
    Duty("capacity returns", lambda now: return_due(now=now), waits=next_return),
    Duty("quotes expire", lambda now: expire_due(now=now), waits=_expiry),
    Duty("help desk", _do_the_desks_work, waits=next_due, in_pieces=True),
    Duty("month end", _close_the_month_before, follows=next_month_end),
    Duty("morning", _start_the_day, follows=next_morning),
)
"""In the order in which those of one moment are done."""


async def start_from(moment: dt.datetime) -> None:
    """Remember that what follows the clock is done until a moment; one that is remembered already stays."""
    for duty in DUTIES:
        if duty.follows:
            await CaughtUp.get_or_create(duty=duty.name, defaults={"until": moment})


async def catch_up(until: dt.datetime, *, since: dt.datetime | None = None, wait: bool = True) -> Done:
    """Do everything that fell due by `until`, in order of due time, each in its own unit as of its due time.

    `since` is from when a duty that follows the clock starts where it was never done; it starts at `until`
    otherwise. While another process is at it this one waits its turn (Busy after two minutes), or with
    `wait` off leaves it to the other. A duty that fails is logged, named in the answer, and left for the
    next time; the others go on.
    """
    async with _alone(wait=wait) as mine:
        if not mine:
            return Done(0, ())
        await unit_of_work(system("duties"), lambda: start_from(since or until))
        count, failed = 0, dict[str, None]()
        before: tuple[str, dt.datetime] | None = None
        while found := await _next(until, failed):
            at, duty = found
            # A duty that stays due after it was done would go on for ever.
            if before == (duty.name, at) or not await _done(duty, at):
                failed[duty.name] = None
            else:
                count += 1
            before = duty.name, at
        return Done(count, tuple(failed))


async def _next(until: dt.datetime, without: dict[str, None]) -> tuple[dt.datetime, Duty] | None:
    async def look() -> list[tuple[dt.datetime, int, Duty]]:
        reached = {row.duty: row.until for row in await CaughtUp.all()}
        due = []
        for order, duty in enumerate(DUTIES):
            if duty.name in without:
                continue
            at = await duty.waits() if duty.waits else None
            if duty.follows:
                at = duty.follows(reached[duty.name])
            if at is not None and at <= until:
                due.append((at, order, duty))
        return due

    due = await unit_of_work(system("duties"), look)
    if not due:
        return None
    at, _, duty = min(due, key=lambda each: each[:2])
    return at, duty


async def _done(duty: Duty, at: dt.datetime) -> bool:
    """Do a duty as of a moment; False, and a line in the log, when it failed."""
    try:
        if duty.follows:
            await duty.do(at)
            await unit_of_work(system("duties"), lambda: CaughtUp.filter(duty=duty.name).update(until=at))
        elif duty.in_pieces:
            await duty.do(at)
        else:
            await unit_of_work(system(duty.name), lambda: duty.do(at))
    except Exception:  # noqa: BLE001 - a duty that fails is told and left for the next time
        _log.exception("duty failed", duty=duty.name, due=at.isoformat())
        return False
    _log.info("duty done", duty=duty.name, due=at.isoformat())
    return True


@contextlib.asynccontextmanager
async def _alone(*, wait: bool) -> AsyncIterator[bool]:
    """Hold the one right to catch up while the block runs; a process that dies loses it at once."""
    async with Tortoise.get_connection("default").acquire_connection() as connection:
        try:
            deadline = asyncio.get_running_loop().time() + _WAIT_FOR_OTHERS
            while not await connection.fetchval("SELECT pg_try_advisory_lock($1)", _ONE_AT_A_TIME):
                if not wait:
                    yield False
                    return
                if asyncio.get_running_loop().time() > deadline:
                    raise Busy("another process is still catching up")
                await asyncio.sleep(0.1)
            try:
                yield True
            finally:
                await connection.execute("SELECT pg_advisory_unlock($1)", _ONE_AT_A_TIME)
        except asyncio.CancelledError:
            connection.terminate()  # given back as it is, it might keep the right for good
            raise
