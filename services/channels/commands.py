"""Setting up a provider's mailbox and LINE account, and keeping how far the mailbox was read."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from auth.addresses import is_here
from auth.errors import Invalid, NotPermitted
from auth.fields import too_long
from auth.rules import Actor, Permission
from auth.tenancy import record, rows, scoped
from services.automation.rules import AT_ONCE
from services.channels.models import LineAccount, Mailbox
from services.channels.rules import Security

LOOKS_EVERY = dt.timedelta(seconds=60)
_CLAIM = dt.timedelta(minutes=10)  # a mailbox being read is not read by another worker meanwhile


@dataclass(frozen=True, slots=True)
class Post:
    """How a mailbox is read and how answers leave; `sealed_secret` is empty to keep the one there is."""

    address: str
    host: str
    port: int
    security: Security
    user_name: str
    sealed_secret: str
    folder: str
    smtp_host: str
    smtp_port: int
    smtp_security: Security
    smtp_signs_in: bool
    vouched_by: str
    is_on: bool


async def set_mailbox(post: Post, *, to_this_machine: bool = False, by: Actor, now: dt.datetime) -> Mailbox:
    """Set up the provider's mailbox; it is read from what is unread now on.

    Refuses who does not keep the channels (NotPermitted), and (Invalid) what no mailbox can be: the machine's own
    addresses too unless `to_this_machine`, and a connection without encryption to any other machine.
    """
    provider_id = _provider(by)
    mailbox = await scoped(Mailbox).filter(provider_id=provider_id).select_for_update().first()
    facts: dict[str, Any] = {name: getattr(post, name) for name in Post.__slots__}
    if not post.sealed_secret:
        facts.pop("sealed_secret")
    wrong = _wrong(post, to_this_machine=to_this_machine) | too_long(Mailbox, facts)
    if mailbox is None and not post.sealed_secret:
        wrong["secret"] = "Enter the secret."  # noqa: S105 - a message
    if not post.folder.isascii() or any(sign in post.folder for sign in '"\\\r\n'):
        wrong["folder"] = "Use a folder with a name in plain letters."
    if wrong:
        raise Invalid(wrong)
    where = ("host", "user_name", "folder")
    if mailbox is None or any(getattr(mailbox, name) != facts[name] for name in where):
        facts |= {"uid_validity": None, "last_uid": 0}
    facts |= {"changed_at": now, "next_look_at": AT_ONCE, "last_error": ""}
    if mailbox is None:
        mailbox = await Mailbox.create(provider_id=provider_id, **facts)
    else:
        await mailbox.update_from_dict(facts).save()
    record("mailbox.set", at=now, subject=("mailbox", mailbox.id), address=post.address, host=post.host, on=post.is_on)
    return mailbox


async def set_line(
    basic_id: str, sealed_channel_secret: str, sealed_access_token: str, *, is_on: bool, by: Actor, now: dt.datetime
) -> LineAccount:
    """Set up the provider's LINE official account; an empty secret keeps the one there is. Refuses as above."""
    provider_id = _provider(by)
    account = await scoped(LineAccount).filter(provider_id=provider_id).select_for_update().first()
    given = {"sealed_channel_secret": sealed_channel_secret, "sealed_access_token": sealed_access_token}
    wrong = too_long(LineAccount, {"basic_id": basic_id})
    if not basic_id.startswith("@") or len(basic_id) < 2 or any(sign.isspace() for sign in basic_id):
        wrong["basic_id"] = "Enter the account's ID, such as @help."
    if account is None:
        fields = {"sealed_channel_secret": "channel_secret", "sealed_access_token": "access_token"}
        wrong |= {fields[name]: "Enter the secret." for name, value in given.items() if not value}
    if wrong:
        raise Invalid(wrong)
    facts: dict[str, Any] = {name: value for name, value in given.items() if value}
    facts |= {"basic_id": basic_id, "is_on": is_on, "changed_at": now, "last_error": ""}
    if account is None:
        account = await LineAccount.create(provider_id=provider_id, **facts)
    else:
        await account.update_from_dict(facts).save()
    record("line.set", at=now, subject=("line_account", account.id), basic_id=basic_id, on=is_on)
    return account


async def look_now(*, by: Actor, now: dt.datetime) -> None:
    """Have the mailbox read at the worker's next look, rather than within the minute."""
    provider_id = _provider(by)
    await scoped(Mailbox).filter(provider_id=provider_id).update(next_look_at=AT_ONCE)
    record("mailbox.looked", at=now, subject=("provider", provider_id))


async def mailboxes_due(wall: dt.datetime) -> list[Mailbox]:
    """Hand out the mailboxes to be read now, each to one worker only; run as the system."""
    taken = await rows(
        "UPDATE mailbox SET next_look_at = $2 WHERE id IN ("
        " SELECT id FROM mailbox WHERE is_on AND next_look_at <= $1 ORDER BY next_look_at FOR UPDATE SKIP LOCKED)"
        " RETURNING id",
        wall,
        wall + _CLAIM,
    )
    return await Mailbox.filter(id__in=[row["id"] for row in taken])


async def keep_place(mailbox_id: uuid.UUID, uid_validity: int, uid: int) -> None:
    """Keep up to where a mailbox was read; in the unit that takes the message, so that both happen or neither."""
    await Mailbox.filter(id=mailbox_id).update(uid_validity=uid_validity, last_uid=uid)


async def looked(mailbox_id: uuid.UUID, fault: str, *, wall: dt.datetime) -> None:
    """Record a look into a mailbox, with what went wrong where something did."""
    facts: dict[str, Any] = {"looked_at": wall, "last_error": fault[:200], "next_look_at": wall + LOOKS_EVERY}
    if not fault:
        facts["worked_at"] = wall
    await Mailbox.filter(id=mailbox_id).update(**facts)


async def line_heard(account_id: uuid.UUID, fault: str = "", *, wall: dt.datetime) -> None:
    """Record that LINE was heard, or what went wrong with it."""
    facts: dict[str, Any] = {"last_error": fault[:200]} if fault else {"heard_at": wall, "last_error": ""}
    await LineAccount.filter(id=account_id).update(**facts)


def _provider(by: Actor) -> uuid.UUID:
    if by.provider_id is None or not by.may(Permission.CHANNELS_EDIT):
        raise NotPermitted("channels are set up by the provider's administrator")
    return by.provider_id


def _wrong(post: Post, *, to_this_machine: bool) -> dict[str, str]:
    wrong = {}
    local, at, domain = post.address.partition("@")
    if not (local and at and "." in domain) or any(sign.isspace() for sign in post.address):
        wrong["address"] = "Enter a mail address."
    for name in ("host", "smtp_host"):
        host = getattr(post, name)
        if not host or any(sign.isspace() or sign in "/@:" for sign in host) or (is_here(host) and not to_this_machine):
            wrong[name] = "Enter the name of a mail server."
        elif getattr(post, f"{name.removesuffix('host')}security") is Security.NONE and not is_here(host):
            wrong[name.replace("host", "security")] = "Without encryption the secret could be read on the way."
    for name in ("port", "smtp_port"):
        if not 1 <= getattr(post, name) <= 65535:
            wrong[name] = "Enter a port between 1 and 65535."
    if not post.user_name:
        wrong["user_name"] = "Enter the user's name."
    return wrong
