"""What LINE's platform posts: believed only with the signature of the provider's own channel."""

import uuid
from dataclasses import replace

import structlog
from starlette.responses import Response
from tortoise.exceptions import DBConnectionError

from auth.rules import system
from auth.tenancy import Busy, acting_as, unit_of_work
from portal.channels.fetching import JOB
from portal.channels.line import Said, is_signed, said_in
from portal.job_queue import enqueue
from portal.sealing import Unreadable, unseal
from portal.visit import Visit
from services.channels.commands import line_heard
from services.channels.models import LineAccount
from services.channels.taking import take

log = structlog.get_logger("portal.channels")
_LINE = system("line")


async def hear(visit: Visit) -> Response:
    """Take in what people said to a provider's LINE account, each event once however often it is delivered.

    Refuses (415) what is not JSON, (401) what is not signed with that provider's channel secret, also where there is
    no such account, and (400) a signed body that is no webhook's.
    """
    if visit.request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return Response(status_code=415)
    body = await visit.request.body()
    account = await _account(visit.params["provider"])
    if account is None or not _believes(account, body, visit):
        log.warning("webhook not believed", provider=str(visit.params["provider"]))
        return Response(status_code=401)
    try:
        found = said_in(body, now=visit.now, wall=visit.wall)
    except ValueError:
        return Response(status_code=400)
    for said in found:
        try:
            await _take(account.provider_id, said, visit)
        except (Busy, DBConnectionError, OSError):
            raise  # LINE delivers it again
        except Exception:
            log.exception("event not readable", provider=str(account.provider_id))
            unreadable = replace(said.incoming, is_unreadable=True, files=(), numbers=())
            await _take(account.provider_id, Said(unreadable), visit)
    async with acting_as(_LINE):
        await line_heard(account.id, wall=visit.wall)
    return Response(status_code=200)


async def _account(provider_id: uuid.UUID) -> LineAccount | None:
    async with acting_as(_LINE):
        return await LineAccount.get_or_none(provider_id=provider_id, is_on=True)


def _believes(account: LineAccount, body: bytes, visit: Visit) -> bool:
    try:
        secret = unseal(account.sealed_channel_secret, visit.request.app.state.settings.secret_keys)
    except Unreadable:
        return False
    return is_signed(body, visit.request.headers.get("x-line-signature", ""), secret)


async def _take(provider_id: uuid.UUID, said: Said, visit: Visit) -> None:
    async def work() -> None:
        arrival = await take(provider_id, said.incoming, now=visit.now, wall=visit.wall)
        if arrival is not None and said.content_id:
            payload = {"arrival": arrival.id, "content": said.content_id, "name": said.file_name, "attempt": 0}
            await enqueue(JOB, payload)

    await unit_of_work(_LINE, work)
