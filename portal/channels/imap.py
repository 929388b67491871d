"""A mailbox read over IMAP (RFC 3501) with the standard library; each call blocks, so each runs in a thread."""

import contextlib
import datetime as dt
import imaplib
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from portal.channels.letters import LARGEST
from services.channels.models import Mailbox
from services.channels.rules import Security

PATIENCE: Final = 30.0  # seconds
MOST_AT_ONCE: Final = 200
_NUMBER = re.compile(rb"\d+")
_RECEIVED = re.compile(rb'INTERNALDATE "([^"]+)"')
_SIZE = re.compile(rb"RFC822\.SIZE (\d+)")


class NotRead(Exception):
    """A mailbox could not be read; says why as an English message id, with nothing of the secret in it."""


@dataclass(frozen=True, slots=True)
class Found:
    """A mail as the server keeps it; `raw` are its headers alone where it is too large."""

    raw: bytes
    received_at: dt.datetime
    is_whole: bool


class Reading:
    """One look into a mailbox that was opened."""

    def __init__(self, connection: imaplib.IMAP4, uid_validity: int, next_uid: int) -> None:
        self._connection = connection
        self.uid_validity = uid_validity
        self.next_uid = next_uid

    def new_since(self, last_uid: int | None) -> list[int]:
        """Return the UIDs of what came after the last one read; of what is unread, where there is none."""
        wanted = "UNSEEN" if last_uid is None else f"UID {last_uid + 1}:*"
        with _told():
            answer = self._done(*self._connection.uid("SEARCH", wanted))
        listed = answer[0] if answer and isinstance(answer[0], bytes) else b""
        found = sorted(int(uid) for uid in listed.split())
        # "n:*" gives the last message there is even where its UID is lower.
        return [uid for uid in found if last_uid is None or uid > last_uid][:MOST_AT_ONCE]

    def fetch(self, uid: int) -> Found | None:
        """Return a mail without marking it as read; None where it is gone."""
        with _told():
            facts = self._done(*self._connection.uid("FETCH", str(uid), "(INTERNALDATE RFC822.SIZE)"))
            said = b" ".join(each if isinstance(each, bytes) else b" ".join(each) for each in facts if each)
            received, size = _RECEIVED.search(said), _SIZE.search(said)
            if received is None or size is None:
                return None
            is_whole = int(size[1]) <= LARGEST
            part = "BODY.PEEK[]" if is_whole else "BODY.PEEK[HEADER]"
            answer = self._done(*self._connection.uid("FETCH", str(uid), f"({part})"))
        raw = next((each[1] for each in answer if isinstance(each, tuple)), None)
        if raw is None:
            return None
        received_at = dt.datetime.strptime(received[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z")
        return Found(raw, received_at, is_whole)

    def mark_read(self, uid: int) -> None:
        """Mark a mail as read, for people who look into the mailbox; the portal itself does not go by it."""
        with _told():
            self._done(*self._connection.uid("STORE", str(uid), "+FLAGS.SILENT", r"(\Seen)"))

    @staticmethod
    def _done(status: str, answer: list[bytes | tuple[bytes, bytes]]) -> list[bytes | tuple[bytes, bytes]]:
        if status != "OK":
            raise imaplib.IMAP4.error("refused")
        return answer


@contextlib.contextmanager
def reading(mailbox: Mailbox, secret: str) -> Iterator[Reading]:
    """Open a mailbox for one look; refuses (NotRead) one not reached, not signed in to, or without the folder."""
    with _told():
        connection = _connected(mailbox)
    try:
        try:
            connection.login(mailbox.user_name, _quotable(secret))
        except (imaplib.IMAP4.error, UnicodeEncodeError):
            raise NotRead("The mail server refused the user's name or secret.") from None
        try:
            status, _ = connection.select(f'"{mailbox.folder}"')
        except imaplib.IMAP4.error:
            status = "NO"
        if status != "OK":
            raise NotRead("There is no such folder in the mailbox.")
        yield Reading(connection, _told_number(connection, "UIDVALIDITY"), _told_number(connection, "UIDNEXT"))
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            connection.logout()


def _connected(mailbox: Mailbox) -> imaplib.IMAP4:
    trusted = ssl.create_default_context()
    if mailbox.security is Security.TLS:
        return imaplib.IMAP4_SSL(mailbox.host, mailbox.port, ssl_context=trusted, timeout=PATIENCE)
    connection = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=PATIENCE)
    if mailbox.security is Security.STARTTLS:
        connection.starttls(trusted)
    return connection


def _told_number(connection: imaplib.IMAP4, name: str) -> int:
    """Return a number the server told of the folder it opened; 0 where it told none."""
    found = _NUMBER.search((connection.response(name)[1] or [b""])[-1] or b"")
    return int(found[0]) if found else 0


def _quotable(secret: str) -> str:
    return secret.encode("ascii").decode()


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what a connection fails with into what may be shown and logged."""
    try:
        yield
    except socket.gaierror:
        raise NotRead("There is no mail server of this name.") from None
    except ssl.SSLCertVerificationError:
        raise NotRead("The mail server's certificate is not valid.") from None
    except imaplib.IMAP4.abort:
        raise NotRead("The connection to the mail server broke off.") from None
    except imaplib.IMAP4.error:
        raise NotRead("The mail server refused what was asked of it.") from None
    except OSError:
        raise NotRead("The mail server does not answer.") from None
