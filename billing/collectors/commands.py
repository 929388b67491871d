"""Collectors: set up by staff, handed out when due, and what came of each run.

Nothing here talks to the network. Times are the business clock's, as those of the usage are.
"""

import datetime as dt
import uuid
from typing import Any

from auth.errors import Conflict, Invalid, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import one, record, rows, scoped
from billing.collectors.models import Collector
from billing.collectors.rules import Plan, SignIn, faults_of, full_hour, next_run
from billing.metering.models import Meter

# One handed out is not handed out again before this, should its worker die.
CLAIM = dt.timedelta(minutes=15)
_LONGEST_DETAIL = 1000
_DUE = """
    UPDATE collector SET next_run_at = $2 WHERE id IN (
        SELECT id FROM collector WHERE is_on AND next_run_at <= $1
        ORDER BY next_run_at LIMIT $3 FOR UPDATE SKIP LOCKED
    ) RETURNING id
"""


async def set_up(plan: Plan, *, to_this_machine: bool = False, by: Actor, now: dt.datetime) -> Collector:
    """Pull usage from an address from an hour on.

    Refuses (Invalid, by field) what is no plan; the machine's own addresses too unless `to_this_machine`, which is for
    demonstrations; and a name given already.
    """
    facts = await _facts(plan, None, to_this_machine=to_this_machine, by=by, now=now)
    collector = await Collector.create(provider_id=by.provider_id, **facts)
    _recorded(collector, plan, now)
    return collector


async def change(
    collector_id: uuid.UUID, plan: Plan, *, to_this_machine: bool = False, by: Actor, now: dt.datetime
) -> Collector:
    """Change a collector, and let it run on; see `set_up`. An hour pulled again changes nothing."""
    collector = await one(Collector, lock=True, id=collector_id)
    facts = await _facts(plan, collector, to_this_machine=to_this_machine, by=by, now=now)
    await collector.update_from_dict(facts | {"last_failure": "", "last_detail": ""}).save()
    _recorded(collector, plan, now)
    return collector


async def stop(collector_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Collector:
    """Pull nothing more until it is changed or run again; it stays where it is. Conflict for one that stands still."""
    _by_staff(by)
    collector = await one(Collector, lock=True, id=collector_id)
    if not collector.is_on:
        raise Conflict("the collector is stopped already")
    await _save(collector, is_on=False, changed_at=now, changed_by=by.name)
    record("collector.stopped", at=now, subject=("collector", collector.id), name=collector.name)
    return collector


async def run_now(collector_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Collector:
    """Let a collector run at once, and on from there: the worker takes it up within moments."""
    _by_staff(by)
    collector = await one(Collector, lock=True, id=collector_id)
    await _save(collector, is_on=True, next_run_at=now)
    record("collector.run", at=now, subject=("collector", collector.id), name=collector.name)
    return collector


async def take_due(now: dt.datetime, *, most: int = 5) -> list[Collector]:
    """Hand out the collectors that are due, each to one worker only; run as the system, in a unit of its own."""
    taken = [row["id"] for row in await rows(_DUE, now, now + CLAIM, most)]
    return await scoped(Collector).filter(id__in=taken).order_by("next_run_at", "id")


async def advance(collector_id: uuid.UUID, until: dt.datetime) -> None:
    """Keep that every hour before a moment was pulled; in the unit that stored the last of them."""
    await scoped(Collector).filter(id=collector_id, collected_until__lt=until).update(collected_until=until)


async def settle(
    collector_id: uuid.UUID, *, stored: int, failure: str = "", detail: str = "", next_at: dt.datetime, now: dt.datetime
) -> None:
    """Record what a run came to, and when the next one is; words of a server may hold a NUL, which no column takes."""
    await (
        scoped(Collector)
        .filter(id=collector_id)
        .update(
            last_run_at=now,
            last_stored=stored,
            last_failure=failure,
            last_detail=detail.replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST_DETAIL],
            next_run_at=next_at,
        )
    )


async def _facts(
    plan: Plan, known: Collector | None, *, to_this_machine: bool, by: Actor, now: dt.datetime
) -> dict[str, Any]:
    _by_staff(by)
    meters = await scoped(Meter).distinct().values_list("code", flat=True)
    faults = faults_of(plan, {str(code) for code in meters}, known, to_this_machine=to_this_machine)
    others = scoped(Collector).filter(name=plan.name[:120]).exclude(id=known.id) if known else None
    if "name" not in faults and await (others or scoped(Collector).filter(name=plan.name[:120])).exists():
        faults["name"] = "There is one of this name already."
    if plan.since > now:
        faults["since"] = "This lies in the future."
    if faults:
        raise Invalid(faults)
    since = full_hour(plan.since)
    return {
        "name": plan.name,
        "address": plan.address,
        **_sign_in(plan),
        "queries": [dict(query) for query in plan.queries],
        "every_hours": plan.every_hours,
        "is_on": True,
        "collected_until": since,
        "next_run_at": next_run(since, plan.every_hours),
        "changed_at": now,
        "changed_by": by.name,
    }


def _sign_in(plan: Plan) -> dict[str, Any]:
    """Return how to sign in; a secret that is not given anew is kept, one that is not used any more is not."""
    if plan.signs_in is SignIn.NONE:
        return {"signs_in": SignIn.NONE, "user_name": "", "sealed_secret": ""}
    user_name = plan.user_name if plan.signs_in is SignIn.BASIC else ""
    given = {"sealed_secret": plan.sealed_secret} if plan.sealed_secret else {}
    return {"signs_in": plan.signs_in, "user_name": user_name} | given


def _recorded(collector: Collector, plan: Plan, now: dt.datetime) -> None:
    """Record what was set; of the secret only that it was given anew."""
    record(
        "collector.set",
        at=now,
        subject=("collector", collector.id),
        name=plan.name,
        address=plan.address,
        signs_in=plan.signs_in,
        secret_replaced=bool(plan.sealed_secret),
    )


async def _save(collector: Collector, **facts: Any) -> None:
    await collector.update_from_dict(facts).save(update_fields=list(facts))


def _by_staff(by: Actor) -> None:
    if by.provider_id is None or not by.may(Permission.USAGE_ENTER):
        raise NotPermitted("collectors are set up by the provider's staff")
