"""LINE's Messaging API, as much as the desk needs: signatures and events of the webhook, answers, files."""

import base64
import datetime as dt
import hashlib
import hmac
import json
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2 as httpx

from portal import i18n
from portal.channels.letters import cleaned
from portal.i18n import gettext as _
from services.channels.rules import Incoming, numbers_in
from services.files.rules import LARGEST
from services.incidents.rules import Channel

_LONGEST: Final = 5000  # signs LINE takes in one message
_KEPT_AT_END: Final = 500
_FETCHED = frozenset({"image", "file", "video", "audio"})


class Refused(Exception):
    """LINE refused something, with which status."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status

    @property
    def for_good(self) -> bool:
        """Whether asking again is of no use: not for a limit reached, a token to be renewed, or a fault of theirs."""
        return 400 <= self.status < 500 and self.status not in {401, 403, 408, 429}


@dataclass(frozen=True, slots=True)
class Said:
    """A message of somebody in LINE, and the file to be fetched for it where there is one."""

    incoming: Incoming
    content_id: str = ""
    file_name: str = ""


def is_signed(body: bytes, signature: str, channel_secret: str) -> bool:
    """Say whether LINE signed the body with the channel's secret, in the same time for a wrong signature."""
    made = base64.b64encode(hmac.new(channel_secret.encode(), body, hashlib.sha256).digest())
    return hmac.compare_digest(made, signature.encode("utf-8", "replace"))


def said_in(body: bytes, *, now: dt.datetime, wall: dt.datetime) -> list[Said]:
    """Return what people said in a webhook's body; refuses (ValueError) what is no such document.

    Groups, stickers and what another module of the account answers are left alone.
    """
    document = json.loads(body)
    if not isinstance(document, dict) or not isinstance(document.get("events"), list):
        raise ValueError("no events")  # noqa: TRY004 - the document, not the argument, is wrong
    return [said for event in document["events"] if isinstance(event, dict) for said in _said(event, now, wall)]


def _said(event: Mapping[str, Any], now: dt.datetime, wall: dt.datetime) -> Iterator[Said]:
    source, message = event.get("source") or {}, event.get("message") or {}
    user, kind = str(source.get("userId") or ""), str(message.get("type") or "")
    if event.get("type") != "message" or source.get("type") != "user" or not user or event.get("mode") == "standby":
        return
    text = _text(kind, message)
    if not text:
        return
    incoming = Incoming(
        channel=Channel.LINE,
        external_id=str(event.get("webhookEventId") or message.get("id"))[:255],
        sender=user[:64],
        text=text,
        received_at=now - max(wall - _moment(event.get("timestamp"), wall), dt.timedelta(0)),
        reply_token=str(event.get("replyToken") or "")[:255],
        numbers=numbers_in(text),
    )
    is_fetched = kind in _FETCHED and (message.get("contentProvider") or {}).get("type", "line") == "line"
    yield Said(incoming, str(message.get("id")) if is_fetched else "", str(message.get("fileName") or kind))


def _text(kind: str, message: Mapping[str, Any]) -> str:
    """Return what a message says, in words also where it is none; empty for what means nothing to the desk."""
    with i18n.using("th"):
        match kind:
            case "text":
                return cleaned(str(message.get("text") or "")).strip()
            case "location":
                place = [str(message.get(name) or "") for name in ("title", "address", "latitude", "longitude")]
                return cleaned(" ".join(filter(None, place)))
            case "image":
                return _("(Picture)")
            case "file":
                return _("(File: %(name)s)", name=cleaned(str(message.get("fileName") or "")))
            case "video" | "audio":
                return _("(Recording)")
    return ""


def _moment(milliseconds: object, wall: dt.datetime) -> dt.datetime:
    try:
        return dt.datetime.fromtimestamp(int(str(milliseconds)) / 1000, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return wall


class Api:
    """LINE's server, asked with one channel's access token."""

    def __init__(self, client: httpx.AsyncClient, address: str, token: str) -> None:
        self._client, self._address = client, address
        self._headers = {"authorization": f"Bearer {token}"}

    async def answer(self, reply_token: str, text: str) -> bool:
        """Answer what was just said; False where the token is used or too old. Refuses (Refused) anything else."""
        body = {"replyToken": reply_token, "messages": [message(text)]}
        answer = await self._client.post(f"{self._address}/v2/bot/message/reply", json=body, headers=self._headers)
        if answer.status_code == 400:
            return False
        self._check(answer)
        return True

    async def push(self, user: str, text: str, *, key: uuid.UUID) -> None:
        """Send a message of our own accord; LINE takes one key once, so that trying again doubles nothing."""
        answer = await self._client.post(
            f"{self._address}/v2/bot/message/push",
            json={"to": user, "messages": [message(text)]},
            headers=self._headers | {"x-line-retry-key": str(key)},
        )
        if answer.status_code != 409:  # taken at an earlier try
            self._check(answer)

    async def content(self, content_id: str) -> bytes | None:
        """Return a file somebody sent, None while LINE prepares it; what is too large ends one byte past the limit."""
        address = f"{self._address}/v2/bot/message/{content_id}/content"
        async with self._client.stream("GET", address, headers=self._headers) as answer:
            if answer.status_code == 202:
                return None
            self._check(answer)
            content = b""
            async for piece in answer.aiter_bytes():
                content += piece
                if len(content) > LARGEST:
                    return content[: LARGEST + 1]
            return content

    @staticmethod
    def _check(answer: httpx.Response) -> None:
        if not answer.is_success:
            raise Refused(answer.status_code)


def message(text: str) -> dict[str, str]:
    """Return a text as LINE takes it; one too long loses of its middle, because its end names the incident."""
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - _KEPT_AT_END - 1]}…{text[-_KEPT_AT_END:]}"
    return {"type": "text", "text": text}
