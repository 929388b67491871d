"""Looking into the mailboxes that are due: each mail taken in the unit that moves the mailbox's place on."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Sequence

import structlog
from pydantic import SecretStr
from tortoise.exceptions import DBConnectionError

from auth.rules import system
from auth.tenancy import Busy, acting_as, unit_of_work
from portal.channels import letters
from portal.channels.imap import MOST_AT_ONCE, Found, NotRead, Reading, reading
from portal.clock import Clock
from portal.sealing import Unreadable, unseal
from services.channels.commands import keep_place, looked, mailboxes_due
from services.channels.models import Mailbox
from services.channels.rules import Incoming
from services.channels.taking import take

log = structlog.get_logger("portal.channels")
MAIL = system("mail")
_NO_AGE = dt.timedelta(0)


async def look_into_mailboxes(clock: Clock, keys: Sequence[SecretStr]) -> int:
    """Read the mailboxes that are due and return how many mails were taken; what goes wrong is kept with each."""
    async with acting_as(MAIL):
        due = await mailboxes_due(clock.wall())
    return sum(await asyncio.gather(*(_look(mailbox, clock, keys) for mailbox in due)))


async def _look(mailbox: Mailbox, clock: Clock, keys: Sequence[SecretStr]) -> int:
    fault, taken = "", 0
    try:
        taken = await _read(mailbox, clock, unseal(mailbox.sealed_secret, keys))
    except NotRead as failure:
        fault = str(failure)
    except Unreadable:
        fault = "The secret cannot be read any more. Enter it again."
    except Exception:
        log.exception("mailbox failed", mailbox=str(mailbox.id))
        fault = "Something went wrong on our side. It has been recorded."
    if fault:
        log.warning("mailbox not read", mailbox=str(mailbox.id), why=fault)
    async with acting_as(MAIL):
        await looked(mailbox.id, fault, wall=clock.wall())
    return taken


async def _read(mailbox: Mailbox, clock: Clock, secret: str) -> int:
    """Read what is new; in a folder not read before, or made anew, what is unread there, and from its end on then."""
    taken = 0
    async with _in_thread(mailbox, secret) as box:
        is_known = mailbox.uid_validity == box.uid_validity
        uids = await asyncio.to_thread(box.new_since, mailbox.last_uid if is_known else None)
        for uid in uids:
            found = await asyncio.to_thread(box.fetch, uid)
            if found is not None:
                taken += await _take(mailbox, (box.uid_validity, uid) if is_known else None, found, clock)
                await asyncio.to_thread(box.mark_read, uid)
        if not is_known and len(uids) < MOST_AT_ONCE:
            async with acting_as(MAIL):
                await keep_place(mailbox.id, box.uid_validity, max(box.next_uid - 1, 0))
    return taken


@contextlib.asynccontextmanager
async def _in_thread(mailbox: Mailbox, secret: str) -> AsyncIterator[Reading]:
    opened = reading(mailbox, secret)
    box: Reading = await asyncio.to_thread(opened.__enter__)
    try:
        yield box
    finally:
        await asyncio.to_thread(opened.__exit__, None, None, None)


async def _take(mailbox: Mailbox, place: tuple[int, int] | None, found: Found, clock: Clock) -> bool:
    """Take one mail and move the place on, both or neither; return whether it was new.

    There is no place to move on while a folder is read for the first time; its mails are told apart by their ids.

    One that cannot be taken as it is, is kept as what cannot be read: it must not stand in the others' way.
    """
    now, wall = await clock.now(), clock.wall()
    # When the server received it, in business time; what its sender claims decides nothing.
    received_at = now - max(wall - found.received_at, _NO_AGE)

    async def keep(said: Incoming) -> bool:
        async def work() -> bool:
            arrival = await take(mailbox.provider_id, said, now=now, wall=wall)
            if place is not None:
                await keep_place(mailbox.id, *place)
            return arrival is not None

        return await unit_of_work(MAIL, work)

    try:
        said = letters.read(
            found.raw,
            received_at=received_at,
            own_address=mailbox.address,
            vouched_by=mailbox.vouched_by,
            is_whole=found.is_whole,
        )
        return await keep(said)
    except (Busy, DBConnectionError, OSError):
        raise
    except Exception:
        log.exception("mail not readable", mailbox=str(mailbox.id), place=place)
        return await keep(letters.unreadable(found.raw, received_at=received_at))
