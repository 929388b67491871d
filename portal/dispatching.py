"""Carrying messages to providers' own systems: outside any unit of work, each try recorded in one of its own."""

import datetime as dt

import httpx2 as httpx
import structlog

from auth.fields import canonical
from auth.rules import system
from auth.tenancy import acting_as
from services.automation.commands import settle, take_due
from services.automation.models import Automation, Dispatch
from services.automation.rules import headers

log = structlog.get_logger("portal.dispatching")

PATIENCE = 15.0  # seconds, as the specification advises


async def send_due(wall: dt.datetime) -> int:
    """Send what is due and return how many were tried; an answer of 2xx settles a message, any other tries again."""
    async with acting_as(system("dispatching")):
        due = await take_due(wall)
    async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
        for sent, automation in due:
            answer, taken = await _send(client, sent, automation, wall)
            log.info("dispatch.tried", dispatch=str(sent.id), answer=answer, attempt=sent.attempts)
            async with acting_as(system("dispatching")):
                await settle(sent.id, answer, taken=taken, wall=wall)
    return len(due)


async def _send(
    client: httpx.AsyncClient, sent: Dispatch, automation: Automation, wall: dt.datetime
) -> tuple[str, bool]:
    body = canonical(sent.body)
    secrets = [secret for secret in (automation.secret, automation.retiring_secret) if secret]
    try:
        answer = await client.post(
            automation.url, content=body.encode(), headers=headers(str(sent.id), body, secrets, wall)
        )
    except Exception as failure:  # noqa: BLE001 - one provider's bad address must not hold up the others' messages
        return type(failure).__name__, False
    return str(answer.status_code), answer.is_success
