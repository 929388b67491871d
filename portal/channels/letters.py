"""A mail as it came, read into what the desk is given: believed nowhere, broken anywhere. Pure."""

import datetime as dt
import email
import email.policy
import email.utils
import hashlib
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Final

from portal.channels.quoting import from_html, without_history
from portal.channels.wording import with_left_out
from services.channels.rules import Incoming, believable, numbers_in
from services.files.rules import Given, sifted
from services.incidents.rules import Channel

LARGEST: Final = 25 * 1024 * 1024  # a larger mail is left where it is; its headers are read
_MOST_FILES = 20
_DEEPEST = 20
_SMALLEST_PICTURE = 10 * 1024  # what is smaller and in the text is a signature's logo
_LONGEST_TEXT = 1_000_000
_ID = re.compile(r"<[^<>\s]{1,250}>")
_MACHINES = re.compile(r"(mailer-daemon|postmaster)@", re.IGNORECASE)
_BULK = frozenset({"bulk", "junk", "list", "auto_reply"})
# What Python does not know under the name mail programs give it.
_CHARSETS = {"windows-874": "cp874", "iso-8859-11": "iso8859_11", "tis620": "tis-620", "unicode-1-1-utf-7": "utf-7"}


def read(
    raw: bytes, *, received_at: dt.datetime, own_address: str, vouched_by: str = "", is_whole: bool = True
) -> Incoming:
    """Return a mail as the desk is given it; `raw` are its headers alone where it is not whole.

    `vouched_by` names the mail server whose word on the sender's authenticity is believed.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    sender, name, is_one = _sender(message)
    subject = _header(message, "subject")
    whole, said, files = _content(message) if is_whole else ("", "", [])
    kept, left_out = sifted(files[:_MOST_FILES])
    left_out += [(file.name, "More files than can be taken from one mail.") for file in files[_MOST_FILES:]]
    if not is_whole:
        left_out.append((subject or "mail", "The mail is too large; it was left in the mailbox."))
    return Incoming(
        channel=Channel.EMAIL,
        external_id=_identity(message, raw),
        sender=sender.lower()[:254],
        sender_name=name[:200],
        title=subject[:500],
        text=with_left_out(said or whole or subject or "–", left_out),
        whole_text=with_left_out(whole or subject or "–", left_out),
        sent_at=believable(_date(message), received_at),
        received_at=received_at,
        answers=tuple(_ID.findall(_header(message, "in-reply-to") + " " + _header(message, "references")))[-50:],
        files=tuple(kept),
        left_out=tuple(left_out),
        numbers=numbers_in(subject),
        is_automatic=_is_automatic(message, sender, own_address),
        is_vouched=bool(sender) and is_one and (not vouched_by or _vouches(message, vouched_by)),
    )


def unreadable(raw: bytes, *, received_at: dt.datetime) -> Incoming:
    """Return what can be shown of a mail that cannot be read: its beginning, as it stands."""
    beginning = cleaned(raw[:4000].decode("utf-8", "replace"))
    sender = re.search(r"(?mi)^from:.*?([^\s<>,;]+@[^\s<>,;]+)", beginning)
    return Incoming(
        channel=Channel.EMAIL,
        external_id=_by_content(raw),
        sender=(sender[1] if sender else "")[:254].lower(),
        title="",
        text=beginning or "–",
        received_at=received_at,
        is_unreadable=True,
    )


def cleaned(text: str) -> str:
    """Return text that can be stored and shown: no NULs, no other control characters, no halves of characters."""
    whole = text.encode("utf-8", "replace").decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]", "", whole)


def _header(message: EmailMessage, name: str) -> str:
    """Return a header's text, decoded as far as it can be."""
    try:
        text = str(message.get(name, ""))
    except Exception:  # noqa: BLE001 - the standard library raises anything on headers nobody should send
        text = next((str(value) for key, value in message.raw_items() if key.lower() == name), "")
    return " ".join(cleaned(text).split())


def _sender(message: EmailMessage) -> tuple[str, str, bool]:
    """Return the address a mail is from, the name beside it, and whether it is from one sender alone."""
    try:
        found = [(each.addr_spec, each.display_name) for each in message["from"].addresses]
    except Exception:  # noqa: BLE001 - as for any header
        found = [(address, name) for name, address in email.utils.getaddresses([_header(message, "from")])]
    found = [(cleaned(address), cleaned(name)) for address, name in found if "@" in address]
    return (*found[0], len(found) == 1) if found else ("", "", False)


def _date(message: EmailMessage) -> dt.datetime | None:
    try:
        claimed = email.utils.parsedate_to_datetime(_header(message, "date"))
        return claimed if claimed.tzinfo else claimed.replace(tzinfo=dt.UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _identity(message: EmailMessage, raw: bytes) -> str:
    found = _ID.search(_header(message, "message-id"))
    return found[0] if found else _by_content(raw)


def _by_content(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def _is_automatic(message: EmailMessage, sender: str, own_address: str) -> bool:
    """Say whether a machine wrote it: nothing of that kind is ever answered (RFC 3834)."""
    submitted = _header(message, "auto-submitted").lower()
    return (
        submitted not in {"", "no"}
        or _header(message, "precedence").lower() in _BULK
        or any(name in message for name in ("list-id", "x-autoreply", "x-autorespond", "x-autogenerated"))
        or _header(message, "return-path") == "<>"
        or message.get_content_type() == "multipart/report"
        or _MACHINES.match(sender) is not None
        or sender.lower() == own_address.lower()
    )


def _vouches(message: EmailMessage, server: str) -> bool:
    """Say whether our own mail server found the sender authentic; it strips what others claim for it (RFC 8601)."""
    for name, value in message.raw_items():
        if name.lower() == "authentication-results":
            who, _, found = str(value).partition(";")
            words = who.split()
            if words and words[0].lower() == server.lower():
                return re.search(r"\bdmarc\s*=\s*pass\b", found, re.IGNORECASE) is not None
    return False


def _content(message: EmailMessage) -> tuple[str, str, list[Given]]:
    """Return all that was written, what of it is new, and the files."""
    plain, html, files = [], [], []
    for part in _leaves(message, 0):
        kind, name = part.get_content_type(), _filename(part)
        is_file = bool(name) or part.get_content_disposition() == "attachment"
        if kind == "text/plain" and not is_file:
            plain.append(_text(part))
        elif kind == "text/html" and not is_file:
            html.append(_text(part))
        elif content := _bytes(part):
            is_logo = "content-id" in part and kind.startswith("image/") and len(content) < _SMALLEST_PICTURE
            if not is_logo:
                files.append(Given(name or kind, content))
    if any(text.strip() for text in plain):
        whole = cleaned("\n".join(plain)).strip()
        return whole, without_history(whole), files
    source = "\n".join(html)
    whole = cleaned(from_html(source)).strip()
    return whole, without_history(cleaned(from_html(source, with_quotes=False)).strip()), files


def _leaves(part: EmailMessage, depth: int) -> Iterator[EmailMessage]:
    """Give the parts that hold something; a mail within a mail is one file."""
    inside = part.get_payload()
    if part.get_content_maintype() == "multipart" and isinstance(inside, list) and depth < _DEEPEST:
        for each in inside:
            if isinstance(each, EmailMessage):
                yield from _leaves(each, depth + 1)
    else:
        yield part


def _filename(part: EmailMessage) -> str:
    try:
        return cleaned(part.get_filename() or "")
    except Exception:  # noqa: BLE001 - as for any header
        return "file"


def _bytes(part: EmailMessage) -> bytes:
    if part.get_content_maintype() in {"message", "multipart"}:
        return part.as_bytes()
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: EmailMessage) -> str:
    content = _bytes(part)[: 4 * _LONGEST_TEXT]
    said = (part.get_content_charset() or "utf-8").lower()
    for charset in (_CHARSETS.get(said, said), "utf-8", "cp874"):
        try:
            return content.decode(charset)[:_LONGEST_TEXT]
        except (LookupError, UnicodeDecodeError):
            continue
    return content.decode("latin-1")[:_LONGEST_TEXT]
