"""Sending work orders to a provider's own system: written down with the confirmation, sent by the worker.

Nothing here talks to the network; `take_due` hands out what is to be sent, `settle` records what came of it.
Times are the machine's: a receiver outside knows no demo clock.
"""

import datetime as dt
import uuid
from typing import Any

from auth.addresses import may_be_called
from auth.errors import Conflict, Invalid, NotPermitted
from auth.fields import too_long
from auth.rules import Actor, Permission
from auth.tenancy import one, record, rows, scoped
from services.automation.models import Automation, Dispatch, DispatchState
from services.automation.rules import AT_ONCE, new_secret, next_attempt
from services.catalogue.models import Offering

# A message handed out is not handed out again before this, should its sender die.
CLAIM = dt.timedelta(minutes=2)


async def automate(
    offering_id: uuid.UUID, url: str, *, to_this_machine: bool = False, by: Actor, now: dt.datetime
) -> Automation:
    """Send an offering's work orders to an address from now on; returns the secret they are signed with, once.

    Refuses (Invalid) what is no https address; the machine's own addresses too unless `to_this_machine`, which is for
    demonstrations: in production they would let a provider reach what only the portal may.
    """
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("automation is set up by the provider's staff")
    if not may_be_called(url, to_this_machine=to_this_machine):
        raise Invalid({"url": "Enter an address that begins with https://."})
    if faults := too_long(Automation, {"url": url}):
        raise Invalid(faults)
    offering = await one(Offering, lock=True, id=offering_id)
    automation = await scoped(Automation).filter(offering_id=offering_id).first() or Automation(
        provider_id=offering.provider_id, offering_id=offering_id
    )
    facts = {
        "url": url,
        "retiring_secret": automation.secret or "",
        "secret": new_secret(),
        "is_on": True,
        "changed_at": now,
    }
    await automation.update_from_dict(facts).save()
    offering.is_automated = True
    await offering.save(update_fields=["is_automated"])
    record("automation.set", at=now, subject=("offering", offering_id), url=url)
    return automation


async def stop(offering_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    """Let an offering's work orders be done by hand again; what was not taken yet is given up."""
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("automation is set up by the provider's staff")
    await scoped(Automation).filter(offering_id=offering_id).update(is_on=False, changed_at=now)
    await scoped(Offering).filter(id=offering_id).update(is_automated=False)
    pending = scoped(Dispatch).filter(offering_id=offering_id, state=DispatchState.PENDING)
    await pending.update(state=DispatchState.FAILED, last_answer="stopped", settled_at=now)
    record("automation.stopped", at=now, subject=("offering", offering_id))


async def send_again(dispatch_id: uuid.UUID, *, by: Actor, now: dt.datetime, wall: dt.datetime) -> Dispatch:
    """Send a message that was given up once more, under the same id; Conflict for one that was not."""
    if by.provider_id is None or not by.may(Permission.CATALOGUE_EDIT):
        raise NotPermitted("automation is set up by the provider's staff")
    sent = await one(Dispatch, lock=True, id=dispatch_id)
    if sent.state is not DispatchState.FAILED:
        raise Conflict("only a message that was given up is sent again")
    facts = {"state": DispatchState.PENDING, "attempts": 0, "next_attempt_at": wall, "settled_at": None}
    await sent.update_from_dict(facts).save(update_fields=list(facts))
    record("dispatch.again", at=now, subject=("dispatch", dispatch_id), agency_id=sent.agency_id)
    return sent


async def dispatch(
    offering: Offering,
    kind: str,
    data: dict[str, Any],
    *,
    agency_id: uuid.UUID,
    request_id: uuid.UUID,
    now: dt.datetime,
) -> Dispatch | None:
    """Write a message down in the unit that caused it; None where the offering is done by hand."""
    if not offering.is_automated:
        return None
    return await Dispatch.create(
        agency_id=agency_id,
        provider_id=offering.provider_id,
        request_id=request_id,
        offering_id=offering.id,
        kind=kind,
        body={"type": kind, "timestamp": now.astimezone(dt.UTC).isoformat(), "data": data},
        next_attempt_at=AT_ONCE,
        created_at=now,
    )


async def take_due(wall: dt.datetime, *, most: int = 20) -> list[tuple[Dispatch, Automation]]:
    """Hand out messages that are due, each to one worker only; run as the system, in a unit of its own.

    What became manual again meanwhile is not sent any more.
    """
    taken = await rows(
        "UPDATE dispatch SET attempts = attempts + 1, next_attempt_at = $2 WHERE id IN ("
        " SELECT id FROM dispatch WHERE state = 'pending' AND next_attempt_at <= $1"
        " ORDER BY next_attempt_at LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id",
        wall,
        wall + CLAIM,
        most,
    )
    due = await scoped(Dispatch).filter(id__in=[row["id"] for row in taken])
    automations = {
        automation.offering_id: automation
        for automation in await scoped(Automation).filter(
            offering_id__in={sent.offering_id for sent in due}, is_on=True
        )
    }
    return [(sent, automations[sent.offering_id]) for sent in due if sent.offering_id in automations]


async def settle(dispatch_id: uuid.UUID, answer: str, *, taken: bool, wall: dt.datetime) -> None:
    """Record what a try came to: taken, to be tried again, or given up, which a person must look at."""
    sent = await one(Dispatch, lock=True, id=dispatch_id)
    again = next_attempt(sent.attempts, wall)
    sent.last_answer = answer[:200]
    if taken:
        sent.state, sent.settled_at = DispatchState.DELIVERED, wall
    elif again is None:
        sent.state, sent.settled_at = DispatchState.FAILED, wall
    else:
        sent.next_attempt_at = again
    await sent.save()
