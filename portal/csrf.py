"""The token each form carries: it proves that the form was ours and for whom it acts, and tells one form from another.

A token is a nonce with its HMAC under the session's secret. Each form gets a token of its own, so the same nonce
arriving twice is the same form sent twice. Nothing is stored for a token that never comes back.
"""

import base64
import hashlib
import hmac
import secrets
import uuid
from collections.abc import Iterable
from urllib.parse import urlsplit

FIELD = "csrf"
HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST = 128


def bound(secret: str, organisation: uuid.UUID | None) -> str:
    """Return the secret of the forms that a session's pages carry while it acts for one organisation."""
    return hmac.digest(secret.encode(), f"for {organisation or ''}".encode(), "sha256").hex() if secret else ""


def token(secret: str) -> str:
    """Return a new token for one form of the session and organisation with this secret."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_mac(secret, nonce)}"


def form_key(given: str, secret: str) -> str | None:
    """Return the nonce of a token that the session's secret made; None for any other text."""
    nonce, _, mac = given.partition(".")
    if not secret or len(given) > _LONGEST or not given.isascii():
        return None
    return nonce if hmac.compare_digest(mac, _mac(secret, nonce)) else None


def digest(fields: Iterable[tuple[str, object]]) -> str:
    """Return the SHA-256, in hex, of what a form says, its token left out."""
    said = "\0".join(f"{name}\0{value}" for name, value in fields if name != FIELD)
    return hashlib.sha256(said.encode()).hexdigest()


def from_elsewhere(origin: str | None, fetch_site: str | None, public_url: str) -> bool:
    """Say whether the browser itself tells that another site sent the request (Origin, Sec-Fetch-Site)."""
    if origin is not None:
        ours = urlsplit(public_url)
        return origin != f"{ours.scheme}://{ours.netloc}"
    return fetch_site not in (None, "same-origin", "none")


def _mac(secret: str, nonce: str) -> str:
    made = hmac.digest(secret.encode(), b"form " + nonce.encode(), "sha256")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()
