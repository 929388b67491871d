"""Sealing secrets of others that the portal has to show to third parties: readable with the portal's own keys only."""

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from pydantic import SecretStr


class Unreadable(Exception):
    """What was sealed cannot be opened: by none of the keys in force, or it was altered."""


def seal(secret: str, keys: Sequence[SecretStr]) -> str:
    """Return a secret sealed with the newest key; nothing for nothing."""
    return _box(keys).encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str, keys: Sequence[SecretStr]) -> str:
    """Return what was sealed, with any of the keys; refuses (Unreadable) what none of them opens."""
    try:
        return _box(keys).decrypt(sealed.encode()).decode()
    except InvalidToken:
        raise Unreadable("sealed with a key that is no longer there") from None


def _box(keys: Sequence[SecretStr]) -> MultiFernet:
    return MultiFernet([Fernet(_derived(key.get_secret_value())) for key in keys])


def _derived(key: str) -> bytes:
    """Return a key for this purpose alone."""
    digest = hashlib.blake2b(key.encode(), digest_size=32, person=b"portal sealing").digest()
    return base64.urlsafe_b64encode(digest)
