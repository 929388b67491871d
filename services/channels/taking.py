"""Taking in what arrives by mail and LINE: each once, on the incident it belongs to, or kept to be sorted.

Run as the system, one unit of work for each message.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

from auth.rules import system
from auth.tenancy import record
from services.channels.answering import answer
from services.channels.knowing import Sender, belongs, by_address, by_line, open_by_line
from services.channels.linking import link
from services.channels.models import Arrival, ArrivalFile, LineAccount, Mailbox, Reply
from services.channels.rules import (
    MOST_OPENED,
    OPENED_WITHIN,
    ArrivalState,
    Incoming,
    Kind,
    Why,
    code_in,
    told_apart,
    without_number,
)
from services.files.rules import Given
from services.incidents.conversation import hear
from services.incidents.intake import CallerSaid, Wish, log
from services.incidents.models import Incident
from services.incidents.rules import Channel

_LONGEST = 20_000
_LONGEST_KEPT = 200_000
_GREETED_WITHIN = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Where:
    """The incident something belongs to, and whether it was opened by it."""

    incident: Incident
    message_id: uuid.UUID | None = None

    @property
    def opened(self) -> bool:
        return self.message_id is None


async def take(provider_id: uuid.UUID, said: Incoming, *, now: dt.datetime, wall: dt.datetime) -> Arrival | None:
    """Take in a mail or LINE message; None when that very message was taken before.

    A machine's answer is kept and never answered. What answers a mail of ours, or names an incident its sender has a
    part in, becomes a message there; what a known person writes else opens an incident and is answered with its
    number; the rest waits for the help-desk.
    """
    account = Mailbox if said.channel is Channel.EMAIL else LineAccount
    await account.filter(provider_id=provider_id).select_for_update().first()  # one after the other
    if await Arrival.filter(provider_id=provider_id, external_id=said.external_id).exists():
        return None
    if said.channel is Channel.LINE and (digest := code_in(said.text)):
        return await _linked(provider_id, said, digest, now, wall)
    where, why = (None, None) if said.is_automatic else await _placed(provider_id, said, now)
    arrival = await _kept(provider_id, said, where, why, now)
    if where is None:
        for file in said.files:
            await ArrivalFile.create(
                **file.columns(),
                provider_id=provider_id,
                arrival_id=arrival.id,
                added_by_name=said.sender_name[:200] or said.sender[:200],
                added_at=now,
            )
        if said.channel is Channel.LINE and not said.is_automatic:
            await _greet(provider_id, said, now)
    elif where.opened or said.channel is Channel.LINE:
        kind = Kind.RECEIVED if where.opened else Kind.CONTINUED
        await answer(provider_id, kind, said.channel, said.sender, incident=where.incident, said=said, now=now)
    record("arrival.taken", at=now, subject=("arrival", arrival.id), channel=said.channel, state=arrival.state)
    return arrival


async def _placed(provider_id: uuid.UUID, said: Incoming, now: dt.datetime) -> tuple[_Where | None, Why | None]:
    """Find the incident something is about, or open one; else say why it waits."""
    if said.is_unreadable:
        return None, Why.UNREADABLE
    text, is_new = told_apart(said.text) if said.channel is Channel.LINE else (said.text, False)
    incident = None if is_new else await _thread(provider_id, said)
    if incident is not None:
        incident = await _lasting(incident)
        message = await hear(
            incident.id,
            text[:_LONGEST],
            name=await _name(provider_id, said),
            channel=said.channel,
            external_id=said.external_id,
            files=said.files,
            now=now,
        )
        return _Where(incident, message.id if message else uuid.UUID(int=0)), None
    if not said.is_vouched:
        return None, Why.UNVOUCHED
    known = await _known(provider_id, said)
    if isinstance(known, Why):
        return None, known
    lately = Arrival.filter(
        provider_id=provider_id, sender=said.sender, opened=True, received_at__gte=now - OPENED_WITHIN
    )
    if await lately.count() >= MOST_OPENED:
        return None, Why.TOO_MANY
    return _Where(await _open(provider_id, said, text, known, now)), None


async def _thread(provider_id: uuid.UUID, said: Incoming) -> Incident | None:
    """Return the incident something goes on about: by our Message-ID, which nobody guesses, or by number and sender."""
    if said.answers:
        reply = await Reply.filter(
            provider_id=provider_id, own_message_id__in=said.answers, incident_id__isnull=False
        ).first()
        if reply is not None:
            return await Incident.get(id=reply.incident_id)
    if said.is_vouched:
        for incident in await Incident.filter(provider_id=provider_id, number__in=said.numbers):
            if await belongs(incident, said.channel, said.sender):
                return incident
    if said.channel is Channel.LINE:
        return await open_by_line(provider_id, said.sender)
    return None


async def _lasting(incident: Incident) -> Incident:
    """Follow what was merged to the incident that goes on."""
    for _ in range(10):
        if incident.merged_into_id is None:
            break
        incident = await Incident.get(id=incident.merged_into_id)
    return incident


async def _known(provider_id: uuid.UUID, said: Incoming) -> Sender | Why:
    look_up = by_line if said.channel is Channel.LINE else by_address
    return await look_up(provider_id, said.sender)


async def _name(provider_id: uuid.UUID, said: Incoming) -> str:
    """Return whom a message is from: a known person's name, else what they call themselves with their address."""
    known = await _known(provider_id, said) if said.is_vouched else Why.UNVOUCHED
    if isinstance(known, Sender):
        return known.name
    if said.channel is Channel.LINE:
        return said.sender_name[:200] or "LINE"
    return f"{said.sender_name[:100]} <{said.sender}>"[:200] if said.sender_name else said.sender[:200]


async def _open(provider_id: uuid.UUID, said: Incoming, text: str, known: Sender, now: dt.datetime) -> Incident:
    is_line = said.channel is Channel.LINE
    caller = CallerSaid(
        known.agency_id,
        known.name,
        email="" if is_line else said.sender,
        line_user_id=said.sender if is_line else "",
        person_id=known.person_id,
    )
    return await log(
        Wish(title_of(said.title, text), description=text[:_LONGEST]),
        caller,
        channel=said.channel,
        contacted_at=min(said.received_at, now),
        provider_id=provider_id,
        files=[Given(file.name, file.content) for file in said.files],
        by=system(known.name),
        now=now,
    )


def title_of(subject: str, text: str) -> str:
    """Return what an incident is called: its subject, else how its text begins; never more than a line."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    title = " ".join((without_number(subject) or first).split())
    return title if len(title) <= 200 else title[:199] + "…"


async def _kept(
    provider_id: uuid.UUID, said: Incoming, where: _Where | None, why: Why | None, now: dt.datetime
) -> Arrival:
    state = ArrivalState.AUTOMATIC if said.is_automatic else ArrivalState.TAKEN if where else ArrivalState.WAITING
    return await Arrival.create(
        provider_id=provider_id,
        channel=said.channel,
        external_id=said.external_id,
        sender=said.sender,
        sender_name=said.sender_name[:200],
        title=title_of(said.title, said.text),
        text=(said.whole_text or said.text)[:_LONGEST_KEPT],
        sent_at=said.sent_at,
        received_at=min(said.received_at, now),
        state=state,
        why=why,
        incident_id=where.incident.id if where else None,
        message_id=where.message_id if where else None,
        opened=where is not None and where.opened,
        settled_at=now if where else None,
    )


async def _linked(provider_id: uuid.UUID, said: Incoming, digest: str, now: dt.datetime, wall: dt.datetime) -> Arrival:
    """Take a message that is a linking code and nothing else; the code itself is not kept."""
    name = await link(provider_id, said.sender, digest, now=now, wall=wall)
    arrival = await Arrival.create(
        provider_id=provider_id,
        channel=said.channel,
        external_id=said.external_id,
        sender=said.sender,
        title="LINE",
        text="",
        received_at=min(said.received_at, now),
        state=ArrivalState.AUTOMATIC,
    )
    kind = Kind.LINKED if name else Kind.UNKNOWN
    await answer(provider_id, kind, said.channel, said.sender, text=name or "", said=said, now=now)
    return arrival


async def _greet(provider_id: uuid.UUID, said: Incoming, now: dt.datetime) -> None:
    """Tell a LINE account nobody has linked how it is linked; once a day is enough."""
    told = Reply.filter(
        provider_id=provider_id, recipient=said.sender, kind=Kind.UNKNOWN, created_at__gte=now - _GREETED_WITHIN
    )
    if not await told.exists():
        await answer(provider_id, Kind.UNKNOWN, said.channel, said.sender, said=said, now=now)
