"""What an audit record's hash covers, and when one follows another. Pure."""

import hashlib
from dataclasses import dataclass
from typing import Any

from auth.fields import canonical

GENESIS = "0" * 64
_COVERED = (
    "chain_id",
    "number",
    "at",
    "actor",
    "person_id",
    "organisation_id",
    "action",
    "subject_type",
    "subject_id",
    "detail",
    "previous",
)


@dataclass(frozen=True, slots=True)
class Link:
    """A place in a chain: how many records lead to it, and the hash of the last."""

    number: int
    hash: str


@dataclass(frozen=True, slots=True)
class Break:
    """Where a chain first fails to hold, and why."""

    number: int
    why: str


def digest(record: Any) -> str:
    """Return the SHA-256, in hex, of the record's canonical text, the previous hash within."""
    document = {name: getattr(record, name) for name in _COVERED}
    return hashlib.sha256(canonical(document).encode()).hexdigest()


def follow(last: Link, record: Any) -> Link | Break:
    """Return the link the record makes after `last`, or why it does not hold."""
    number = last.number + 1
    if record.number != number:
        return Break(number, f"record {number} is missing")
    if record.previous != last.hash:
        return Break(number, f"record {number} does not follow the one before it")
    if record.hash != digest(record):
        return Break(number, f"record {number} was altered")
    return Link(number, record.hash)
