"""The values of a sign-in: what is kept while the person is away at the provider, and what comes back."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Self

PENDING_FOR = timedelta(minutes=15)

_LOCAL_PATH = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")


def local_path(value: str | None) -> str:
    """Return `value` when it is a path on this site, else `/`; another site's address never passes."""
    return value if value and _LOCAL_PATH.fullmatch(value) else "/"


@dataclass(frozen=True)
class Pending:
    """A sign-in under way, to be stored on the server and used once; `max_age` is in seconds."""

    state: str
    nonce: str = field(repr=False)
    code_verifier: str = field(repr=False)
    return_to: str
    started_at: datetime
    max_age: int | None = None
    subject: str | None = None

    def to_json(self) -> dict[str, str | int | None]:
        """The same as plain JSON values."""
        return asdict(self) | {"started_at": self.started_at.isoformat()}

    @classmethod
    def from_json(cls, stored: Mapping[str, str | int | None]) -> Self:
        """Read what `to_json` wrote; refuses (KeyError, ValueError) anything else."""
        max_age, subject = stored["max_age"], stored["subject"]
        return cls(
            state=str(stored["state"]),
            nonce=str(stored["nonce"]),
            code_verifier=str(stored["code_verifier"]),
            return_to=local_path(str(stored["return_to"])),
            started_at=datetime.fromisoformat(str(stored["started_at"])),
            max_age=None if max_age is None else int(max_age),
            subject=None if subject is None else str(subject),
        )


@dataclass(frozen=True)
class Authorization:
    """Where to send the browser, and what to keep until it comes back."""

    url: str
    pending: Pending


@dataclass(frozen=True)
class Identity:
    """A person as the provider vouches for them: (issuer, subject) is who they are, the rest is only said of them.

    `id_token` is kept as the hint for signing out; `sid` names the provider's session in a back-channel logout.
    """

    issuer: str
    subject: str
    name: str | None
    email: str | None
    auth_time: datetime | None
    sid: str | None
    id_token: str = field(repr=False)
    claims: Mapping[str, object] = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LogoutNotice:
    """The provider says that a person's session (`sid`), or all of theirs, has ended; `jti` must be new."""

    issuer: str
    subject: str | None
    sid: str | None
    jti: str
    expires_at: datetime
    """Until when the caller must remember `jti`."""
