"""Fetching a file that somebody sent in LINE: a job, as LINE keeps it only for a while and may need a moment itself."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any, Final

import httpx2 as httpx
import structlog

from auth.rules import system
from auth.tenancy import acting_as, unit_of_work
from portal import i18n
from portal.channels import line
from portal.channels.wording import with_left_out
from portal.clock import Clock
from portal.sealing import Unreadable, unseal
from portal.settings import Settings
from services.channels.contents import add_file, leave_out
from services.channels.models import Arrival, LineAccount
from services.files.rules import Given, sifted

JOB: Final = "line_content"
_LINE = system("line")
_PATIENCE: Final = 30.0
# When to ask again, after the first time.
_WAITS: Final = tuple(dt.timedelta(seconds=seconds) for seconds in (10, 60, 300, 1800, 7200))
log = structlog.get_logger("portal.channels")


async def fetch_content(payload: Mapping[str, Any], settings: Settings) -> dt.timedelta | None:
    """Fetch one file and put it with its message; return after how long to try again, None when it is settled."""
    arrival_id, attempt = uuid.UUID(payload["arrival"]), int(payload["attempt"])
    async with acting_as(_LINE):
        arrival = await Arrival.get(id=arrival_id)
        account = await LineAccount.get_or_none(provider_id=arrival.provider_id)
    content = None
    try:
        if account is not None:
            token = unseal(account.sealed_access_token, settings.secret_keys)
            async with httpx.AsyncClient(timeout=_PATIENCE, follow_redirects=False) as client:
                content = await line.Api(client, settings.line_data_url, token).content(str(payload["content"]))
        is_gone = account is None
    except line.Refused as refused:
        is_gone = refused.for_good
    except (httpx.HTTPError, Unreadable):
        is_gone = False
    if content is None and not is_gone and attempt < len(_WAITS):
        return _WAITS[attempt]
    now = await Clock(demo=settings.demo_clock).now()
    name = str(payload["name"])
    kept, left_out = sifted([Given(name, content)]) if content is not None else ([], [(name, "LINE no longer has it.")])

    async def work() -> None:
        if kept:
            await add_file(arrival_id, kept[0], now=now)
        else:
            with i18n.using("th"):
                await leave_out(arrival_id, with_left_out("", left_out).strip(), now=now)

    await unit_of_work(_LINE, work)
    return None
