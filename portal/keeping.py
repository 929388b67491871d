"""Letting single usage events go once they are older than the setting says and nothing needs them any more."""

import datetime as dt
import functools

import structlog

from auth.rules import system
from auth.tenancy import unit_of_work
from billing.metering.retention import let_go, next_to_go
from billing.metering.sums import sum_up
from billing.months import Month

RETENTION = system("retention")
_log = structlog.get_logger("portal.keeping")


async def let_usage_go(months: int, now: dt.datetime) -> list[Month]:
    """Drop the events of every month longer ago than `months`, the oldest first, each in a unit of its own.

    Stops at the first month whose events something still needs, and says in the log what; 0 keeps all for ever.
    """
    gone: list[Month] = []
    if months:
        await sum_up()
    while months and (month := await unit_of_work(RETENTION, lambda: next_to_go(months, now))):
        if needed := await unit_of_work(RETENTION, functools.partial(let_go, month, now=now)):
            _log.info("usage events still needed", month=str(month), by=needed)
            break
        _log.info("usage events let go", month=str(month))
        gone.append(month)
    return gone
