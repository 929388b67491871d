"""What a machine may do, and what its token looks like. Pure."""

import enum
import re
import secrets
import uuid
from dataclasses import dataclass

from auth.rules import Actor, Seat


class Scope(enum.StrEnum):
    """One thing a machine may be let do."""

    USAGE_WRITE = "usage:write"
    WORK_WRITE = "work:write"  # progress of work orders


_TOKEN = re.compile(r"pt_[A-Za-z0-9_-]{43}", re.ASCII)
_SHOWN = 10


def new_token() -> str:
    """Return a new token of 256 random bits."""
    return f"pt_{secrets.token_urlsafe(32)}"


def is_token(text: str) -> bool:
    """Say whether a text has the form of a token; anything else need not be looked for."""
    return _TOKEN.fullmatch(text) is not None


def start_of(token: str) -> str:
    """Return the part of a token that a list may show: enough to tell two apart, useless to sign in with."""
    return token[:_SHOWN]


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine that has proved itself: for whom it acts and what it may do."""

    client_id: uuid.UUID
    name: str
    seat: Seat
    scopes: frozenset[Scope]

    @property
    def actor(self) -> Actor:
        """The machine as an actor: its provider's reach, no person's roles."""
        return Actor(name=self.name, seat=self.seat)
