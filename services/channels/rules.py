"""How mail and LINE reach the desk: what comes in, why it may wait, codes and reference numbers. Pure."""

import datetime as dt
import enum
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Final

from services.files.rules import Checked
from services.incidents.rules import Channel

CODE_LASTS: Final = dt.timedelta(minutes=10)
# One sender opens no more than so many incidents by mail in an hour: two machines answering each other stop here.
MOST_OPENED: Final = 10
OPENED_WITHIN: Final = dt.timedelta(hours=1)
_OLDEST_CLAIM: Final = dt.timedelta(days=14)  # how long before its receipt a mail may say it was written

_NUMBER = re.compile(r"INC-[^\s-]{1,8}-\d{4}-\d{4,8}")
_CODE_SIGNS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_CODE = re.compile(rf"[{_CODE_SIGNS}]{{4}}[- ]?[{_CODE_SIGNS}]{{4}}")
_ANEW = re.compile(r"(?:แจ้งเรื่องใหม่|เรื่องใหม่|แจ้งใหม่|new\b)[\s:,-]*", re.IGNORECASE)


class Security(enum.StrEnum):
    """How a connection to a mail server is protected."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class ArrivalState(enum.StrEnum):
    """What became of something that arrived."""

    WAITING = "waiting"  # the help-desk sorts it
    TAKEN = "taken"  # on an incident
    AUTOMATIC = "automatic"  # a machine's answer or a bounce: kept, never answered
    DISMISSED = "dismissed"


class Why(enum.StrEnum):
    """Why something that arrived waits to be sorted."""

    UNKNOWN = "unknown"
    SEVERAL = "several"  # the sender belongs to several agencies, or several people share the address
    MAY_NOT = "may_not"  # known, but not one who reports incidents to this provider
    UNVOUCHED = "unvouched"
    TOO_MANY = "too_many"
    UNREADABLE = "unreadable"


class Kind(enum.StrEnum):
    """What an answer by mail or LINE says."""

    RECEIVED = "received"  # with the reference number of the new incident
    CONTINUED = "continued"  # to which incident a LINE message was added
    MESSAGE = "message"  # of the desk's people
    ASKED = "asked"  # what the desk waits for
    RESOLVED = "resolved"  # what was done, to be confirmed
    LINKED = "linked"
    UNKNOWN = "unknown"  # to a LINE account nobody has linked


# What somebody at the desk wrote: sent as a letter of theirs, which a machine may answer, not as a machine's answer.
WRITTEN: Final = frozenset({Kind.MESSAGE, Kind.ASKED, Kind.RESOLVED})


class ReplyState(enum.StrEnum):
    """How far an answer has come."""

    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A mail or a LINE message as the desk is given it.

    `text` is what was said, `whole_text` with what it quotes; `answers` the Message-IDs a mail answers; `left_out`
    the files that could not be taken, with why.
    """

    channel: Channel
    external_id: str
    sender: str
    text: str
    received_at: dt.datetime
    sender_name: str = ""
    title: str = ""
    whole_text: str = ""
    sent_at: dt.datetime | None = None
    answers: tuple[str, ...] = ()
    files: tuple[Checked, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    reply_token: str = ""
    is_automatic: bool = False
    is_vouched: bool = True
    is_unreadable: bool = False
    numbers: tuple[str, ...] = field(default=())


def numbers_in(text: str) -> tuple[str, ...]:
    """Return the reference numbers of incidents that a text names, each once."""
    return tuple(dict.fromkeys(_NUMBER.findall(text.upper())))


def without_number(subject: str) -> str:
    """Return a subject without reply marks and reference numbers: what an incident would be called."""
    bare = re.sub(_NUMBER, "", re.sub(r"\[\s*" + _NUMBER.pattern + r"\s*\]", "", subject, flags=re.IGNORECASE), count=0)
    return re.sub(r"^(\s*(re|fw|fwd|aw|ตอบ|ตอบกลับ|ส่งต่อ)\s*:)+", "", bare.strip(), flags=re.IGNORECASE).strip()


def believable(claimed: dt.datetime | None, received_at: dt.datetime) -> dt.datetime | None:
    """Return when a sender says to have written, where that lies within two weeks before it was received."""
    if claimed is None or not received_at - _OLDEST_CLAIM <= claimed <= received_at:
        return None
    return claimed


def new_code() -> str:
    """Return a code that links a LINE account, easy to type: ABCD-2345."""
    signs = "".join(secrets.choice(_CODE_SIGNS) for _ in range(8))
    return f"{signs[:4]}-{signs[4:]}"


def code_in(text: str) -> str | None:
    """Return the digest of a linking code where a message is one and nothing else."""
    said = text.strip().upper()
    return digest_of(said) if _CODE.fullmatch(said) else None


def digest_of(code: str) -> str:
    """Return what is kept of a code."""
    return hashlib.sha256(re.sub(r"[- ]", "", code).encode()).hexdigest()


def told_apart(text: str) -> tuple[str, bool]:
    """Return a LINE message, and whether its sender says that it is about something new."""
    found = _ANEW.match(text.strip())
    if found is None:
        return text.strip(), False
    return text.strip()[found.end() :].strip() or text.strip(), True
