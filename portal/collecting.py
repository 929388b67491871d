"""Pulling usage from providers' Prometheus servers, hour by hour: each hour stored in a unit of its own."""

import asyncio
import datetime as dt
import functools
from collections.abc import Sequence

import httpx2
import structlog
from pydantic import SecretStr

from auth.organisations.models import Organisation
from auth.rules import Actor, Seat, system
from auth.tenancy import acting_as, unit_of_work
from billing.collectors.commands import advance, settle, take_due
from billing.collectors.models import Collector
from billing.collectors.rules import HOUR, TRIES_AGAIN, SignIn, hours_due, next_run
from billing.metering.commands import Receipt, take
from billing.metering.rules import BadReadings, Contradicted, Reading
from billing.metering.storing import Origin
from portal.collectors.prometheus import Bearer, NotCollected, NotLetIn, Query, collect
from portal.sealing import Unreadable, unseal

COLLECTING = system("collecting")
AT_ONCE = 48  # hours pulled before others have their turn
TURN = 120.0  # seconds after which no other hour is begun in a turn
_TOLD = 3  # of the readings refused
_LOGGED = 1000  # signs of a server's own words
log = structlog.get_logger("portal.collecting")


async def collect_due(now: dt.datetime, keys: Sequence[SecretStr]) -> int:
    """Run the collectors that are due and return how many were; one that fails keeps none of the others.

    `keys` open the passwords and tokens.

    After a time away every hour missed is pulled, the earliest first. An hour that cannot be pulled or stored whole is
    told and tried again; those after it wait, so that none is ever left out silently.
    """
    async with acting_as(COLLECTING):
        due = await take_due(now)
        owners = {each.id: each for each in await Organisation.filter(id__in={c.provider_id for c in due})}
    for collector in due:
        owner = owners[collector.provider_id]
        seat = Seat(owner.id, owner.kind, owner.code, owner.name_th, owner.name_en)
        await _run(collector, Actor(collector.name, seat=seat), now, keys)
    return len(due)


async def _run(collector: Collector, by: Actor, now: dt.datetime, keys: Sequence[SecretStr]) -> None:
    stored, failure, detail, until = 0, "", "", collector.collected_until
    ends = asyncio.get_running_loop().time() + TURN
    for hour in hours_due(until, now, most=AT_ONCE):
        readings: list[Reading] = []
        try:
            readings = await _pull(collector, hour, keys)
            receipt = await unit_of_work(by, functools.partial(_keep, collector, readings, hour, by, now))
        except Exception as error:  # noqa: BLE001 - one provider's server must not hold up the others'
            failure, detail = _told(error, readings)
            log.warning("collector failed", collector=str(collector.id), hour=hour.isoformat(), why=detail[:_LOGGED])
            break
        stored, until = stored + receipt.stored, hour + HOUR
        if asyncio.get_running_loop().time() > ends:
            break
    # What is left of a long time away is pulled in the next turn, after the other collectors'.
    is_behind = not failure and hours_due(until, now, most=1)
    again = now + TRIES_AGAIN if failure else now if is_behind else next_run(until, collector.every_hours)
    async with acting_as(COLLECTING):
        await settle(collector.id, stored=stored, failure=failure, detail=detail, next_at=again, now=now)
    log.info("collector ran", collector=str(collector.id), stored=stored, until=until.isoformat())


async def _pull(collector: Collector, hour: dt.datetime, keys: Sequence[SecretStr]) -> list[Reading]:
    queries = [Query(each["meter"], each["text"], each["label"]) for each in collector.queries]
    # Under the collector's own name, whatever its address becomes: the same hour never counts twice.
    source = f"/collectors/{collector.id}"
    return await collect(collector.address, queries, hour, source=source, auth=_auth(collector, keys))


def _auth(collector: Collector, keys: Sequence[SecretStr]) -> httpx2.Auth | None:
    """Return how to sign in; refuses (Unreadable) a secret that none of the keys opens."""
    if collector.signs_in is SignIn.NONE:
        return None
    secret = unseal(collector.sealed_secret, keys)
    return Bearer(secret) if collector.signs_in is SignIn.BEARER else httpx2.BasicAuth(collector.user_name, secret)


async def _keep(
    collector: Collector, readings: list[Reading], hour: dt.datetime, by: Actor, now: dt.datetime
) -> Receipt:
    receipt = await take(readings, Origin(entered_by=by.name), by=by, now=now) if readings else Receipt(0, 0)
    await advance(collector.id, hour + HOUR)
    return receipt


def _told(error: Exception, readings: list[Reading]) -> tuple[str, str]:
    """Return what went wrong as a kind, and in the words of whom it went wrong with."""
    match error:
        case Unreadable():
            return "unreadable", ""
        case NotLetIn():
            return "not_let_in", str(error)
        case NotCollected():
            return "unread", str(error)
        case BadReadings():
            told = list(error.events.items())[:_TOLD]
            return "refused", "; ".join(
                f"{readings[index].subject} {readings[index].meter}: "
                + ", ".join(f"{field} {why}" for field, why in faults.items())
                for index, faults in told
            )
        case Contradicted():
            known = [readings[index] for index in error.events[:_TOLD]]
            return "contradicted", "; ".join(f"{each.subject} {each.meter} {each.quantity}" for each in known)
    log.error("collector fault", exc_info=error)
    return "fault", type(error).__name__
