"""Sentences for the next page, carried by the browser between two requests and signed against tampering."""

import base64
import binascii
import hmac
import json
from collections.abc import Sequence

from portal.rendering import Flash

_KINDS = ("success", "info", "warning", "danger")
_MOST = 4
_LONGEST = 3500  # a cookie holds 4096 bytes


def sealed(flashes: Sequence[Flash], session: str, keys: Sequence[str]) -> str:
    """Return the sentences as a cookie's value, for this session only; signed with the first key."""
    plain = json.dumps([[flash.kind, str(flash.text)] for flash in flashes[:_MOST]], ensure_ascii=False)
    packed = base64.urlsafe_b64encode(plain.encode()).decode()
    value = f"{packed}.{_mac(packed, session, keys[0])}"
    return value if len(value) <= _LONGEST else ""


def opened(value: str, session: str, keys: Sequence[str]) -> list[Flash]:
    """Return the sentences of a cookie; none when it was not made here for this session."""
    packed, _, mac = value.partition(".")
    if not value.isascii() or not any(hmac.compare_digest(mac, _mac(packed, session, key)) for key in keys):
        return []
    try:
        said = json.loads(base64.urlsafe_b64decode(packed))
    except (ValueError, binascii.Error):
        return []
    return [Flash(kind, text) for kind, text in said if kind in _KINDS]


def _mac(packed: str, session: str, key: str) -> str:
    return hmac.digest(key.encode(), f"flash {session} {packed}".encode(), "sha256").hex()
