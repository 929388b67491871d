"""Answers by mail and LINE: written down in the unit that causes them, handed out to be sent, settled.

Nothing here talks to the network. Times of sending are the machine's, as a mail server knows no demo clock.
"""

import datetime as dt
import secrets
import uuid

from auth.tenancy import one, record, rows, scoped
from services.automation.rules import AT_ONCE
from services.channels.models import Arrival, LineAccount, Mailbox, Reply
from services.channels.rules import ArrivalState, Incoming, Kind, ReplyState
from services.incidents.models import Incident
from services.incidents.rules import Channel

CLAIM = dt.timedelta(minutes=2)  # an answer handed out is not handed out again before this, should its sender die
_WAITS = tuple(dt.timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))


async def answer(
    provider_id: uuid.UUID,
    kind: Kind,
    channel: Channel,
    recipient: str,
    *,
    incident: Incident | None = None,
    text: str = "",
    in_reply_to: str = "",
    said: Incoming | None = None,
    now: dt.datetime,
) -> Reply | None:
    """Write an answer down; None where the provider has no such channel, or has turned it off."""
    mailbox = await Mailbox.filter(provider_id=provider_id, is_on=True).first() if channel is Channel.EMAIL else None
    has_line = channel is Channel.LINE and await LineAccount.filter(provider_id=provider_id, is_on=True).exists()
    if mailbox is None and not has_line:
        return None
    domain = mailbox.address.rpartition("@")[2] if mailbox else "line.invalid"
    return await Reply.create(
        provider_id=provider_id,
        incident_id=incident.id if incident else None,
        channel=channel,
        kind=kind,
        recipient=recipient,
        text=text,
        # Not to be guessed: whoever answers to it speaks on the incident.
        own_message_id=f"<{secrets.token_hex(16)}@{domain}>",
        in_reply_to=in_reply_to or (said.external_id if said and said.channel is Channel.EMAIL else ""),
        detail={"left_out": [list(each) for each in said.left_out]} if said and said.left_out else {},
        reply_token=said.reply_token if said else "",
        next_attempt_at=AT_ONCE,
        created_at=now,
    )


async def pass_on(incident: Incident, text: str, *, kind: Kind = Kind.MESSAGE, now: dt.datetime) -> None:
    """Have what the desk wrote go out by mail or LINE too, to whoever wrote in first about this incident."""
    arrivals = Arrival.filter(provider_id=incident.provider_id, incident_id=incident.id, state=ArrivalState.TAKEN)
    first = await arrivals.order_by("received_at", "id").first()
    if first is None:
        return
    last = await arrivals.filter(channel=first.channel).order_by("-received_at", "-id").first() or first
    await answer(
        incident.provider_id,
        kind,
        first.channel,
        first.sender,
        incident=incident,
        text=text,
        in_reply_to=last.external_id if first.channel is Channel.EMAIL else "",
        now=now,
    )


async def take_due(wall: dt.datetime, *, most: int = 20) -> list[tuple[Reply, Incident | None]]:
    """Hand out answers that are due, each to one worker only; run as the system, in a unit of its own."""
    taken = await rows(
        "UPDATE reply SET attempts = attempts + 1, next_attempt_at = $2 WHERE id IN ("
        " SELECT id FROM reply WHERE state = 'pending' AND next_attempt_at <= $1"
        " ORDER BY next_attempt_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) RETURNING id",
        wall,
        wall + CLAIM,
        most,
    )
    due = await scoped(Reply).filter(id__in=[row["id"] for row in taken]).order_by("created_at", "id")
    known = {each.id: each for each in await scoped(Incident).filter(id__in={each.incident_id for each in due})}
    return [(each, known.get(each.incident_id)) for each in due]


async def settle(reply_id: uuid.UUID, said: str, *, sent: bool, for_good: bool = False, wall: dt.datetime) -> None:
    """Record what a try came to: sent, to be tried again, or given up, which the help-desk is shown."""
    reply = await one(Reply, lock=True, id=reply_id)
    reply.last_answer = said[:200]
    if sent:
        reply.state, reply.settled_at = ReplyState.SENT, wall
    elif for_good or reply.attempts > len(_WAITS):
        reply.state, reply.settled_at = ReplyState.FAILED, wall
    else:
        reply.next_attempt_at = wall + _WAITS[reply.attempts - 1]
    await reply.save()


async def try_again(provider_id: uuid.UUID, *, now: dt.datetime) -> int:
    """Send what was given up once more; return how many answers that are."""
    failed = scoped(Reply).filter(provider_id=provider_id, state=ReplyState.FAILED)
    count = await failed.update(state=ReplyState.PENDING, attempts=0, next_attempt_at=AT_ONCE, settled_at=None)
    record("reply.again", at=now, subject=("provider", provider_id), count=count)
    return count
