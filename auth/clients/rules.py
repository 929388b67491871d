"""What a machine may do, and what its token looks like. Pure."""

import enum
import re
import secrets
import uuid
from dataclasses import dataclass

from auth.rules import Actor, OrganisationKind, Role, Seat


class Scope(enum.StrEnum):
    """One thing a machine may be let do."""

    USAGE_WRITE = "usage:write"
    USAGE_CORRECT = "usage:correct"  # void and replace what was reported
    WORK_WRITE = "work:write"  # progress of work orders
    REQUESTS_READ = "requests:read"
    REQUESTS_WRITE = "requests:write"  # draft, submit, withdraw; confirming is a person's
    PRICES_WRITE = "prices:write"
    PRICES_BACKDATE = "prices:backdate"  # for days that have passed, with a reason


# What an organisation's machines may be let do; the central agency and auditors have none.
SCOPES_OF: dict[OrganisationKind, tuple[Scope, ...]] = {
    OrganisationKind.AGENCY: (Scope.REQUESTS_READ, Scope.REQUESTS_WRITE),
    OrganisationKind.PROVIDER: (
        Scope.USAGE_WRITE,
        Scope.USAGE_CORRECT,
        Scope.WORK_WRITE,
        Scope.REQUESTS_READ,
        Scope.PRICES_WRITE,
        Scope.PRICES_BACKDATE,
    ),
}

# Whose work a scope lets a machine do; each route asks for its scope all the same.
_ROLE_OF: dict[Scope, Role] = {
    Scope.WORK_WRITE: Role.TECHNICIAN,
    Scope.REQUESTS_WRITE: Role.OFFICIAL,
    Scope.PRICES_WRITE: Role.PROVIDER_FINANCE,
    Scope.PRICES_BACKDATE: Role.MANAGER,
}


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
        """The machine as an actor: its organisation's reach, the roles its scopes imply, its own id as who acted.

        It has never signed in, so nothing that needs a fresh sign-in is done by it.
        """
        roles = frozenset(_ROLE_OF[scope] for scope in self.scopes if scope in _ROLE_OF)
        return Actor(name=self.name, person_id=self.client_id, seat=self.seat, roles=roles)
