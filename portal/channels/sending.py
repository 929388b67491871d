"""Sending the desk's answers: mail over SMTP, LINE over its Messaging API; each try recorded in a unit of its own."""

import datetime as dt
import email.utils
import ssl
from email.message import EmailMessage

import aiosmtplib
import httpx2 as httpx
import structlog

from auth.rules import system
from auth.tenancy import acting_as
from portal.channels import line
from portal.channels.wording import words_of
from portal.sealing import Unreadable, unseal
from portal.settings import Settings
from services.channels.answering import settle, take_due
from services.channels.models import LineAccount, Mailbox, Reply
from services.channels.rules import WRITTEN, Security
from services.incidents.models import Incident
from services.incidents.rules import Channel

log = structlog.get_logger("portal.channels")
PATIENCE = 30.0  # seconds
_SENDING = system("answering")
_FOR_GOOD = 500  # and above: the mail server will not change its mind


class NotSent(Exception):
    """An answer could not be sent; says why, and whether trying again is of no use."""

    def __init__(self, why: str, *, for_good: bool = False) -> None:
        super().__init__(why)
        self.for_good = for_good


async def send_replies(settings: Settings, wall: dt.datetime) -> int:
    """Send the answers that are due and return how many were tried."""
    async with acting_as(_SENDING):
        due = await take_due(wall)
        providers = {reply.provider_id for reply, _ in due}
        mailboxes = {each.provider_id: each for each in await Mailbox.filter(provider_id__in=providers, is_on=True)}
        accounts = {each.provider_id: each for each in await LineAccount.filter(provider_id__in=providers, is_on=True)}
    async with httpx.AsyncClient(timeout=PATIENCE, follow_redirects=False) as client:
        for reply, incident in due:
            said, sent, for_good = "sent", True, False
            try:
                text = words_of(reply, incident, settings.public_url)
                if reply.channel is Channel.EMAIL:
                    await _mail(reply, incident, text, mailboxes.get(reply.provider_id), settings, wall)
                else:
                    await _line(client, reply, text, accounts.get(reply.provider_id), settings)
            except NotSent as failure:
                said, sent, for_good = str(failure), False, failure.for_good
            except Exception as failure:
                log.exception("answer failed", reply=str(reply.id))
                said, sent = type(failure).__name__, False
            log.info("answer tried", reply=str(reply.id), channel=reply.channel, answer=said, attempt=reply.attempts)
            async with acting_as(_SENDING):
                await settle(reply.id, said, sent=sent, for_good=for_good, wall=wall)
    return len(due)


def letter(reply: Reply, incident: Incident | None, text: str, mailbox: Mailbox, wall: dt.datetime) -> EmailMessage:
    """Return an answer as a mail that threads with what it answers, and that no machine answers in turn."""
    message = EmailMessage()
    message["From"] = email.utils.formataddr(("", mailbox.address))
    message["To"] = reply.recipient
    message["Subject"] = f"[{incident.number}] {incident.title}" if incident else mailbox.address
    message["Date"] = email.utils.format_datetime(wall)
    message["Message-ID"] = reply.own_message_id
    if reply.in_reply_to.startswith("<"):
        message["In-Reply-To"] = message["References"] = reply.in_reply_to
    if reply.kind not in WRITTEN:
        message["Auto-Submitted"] = "auto-replied"
        message["X-Auto-Response-Suppress"] = "All"
    message.set_content(text, charset="utf-8", cte="base64")
    return message


async def _mail(
    reply: Reply, incident: Incident | None, text: str, mailbox: Mailbox | None, settings: Settings, wall: dt.datetime
) -> None:
    if mailbox is None:
        raise NotSent("The mailbox is turned off.", for_good=True)
    try:
        secret = unseal(mailbox.sealed_secret, settings.secret_keys) if mailbox.smtp_signs_in else None
        await aiosmtplib.send(
            letter(reply, incident, text, mailbox, wall),
            hostname=mailbox.smtp_host,
            port=mailbox.smtp_port,
            username=mailbox.user_name if mailbox.smtp_signs_in else None,
            password=secret,
            use_tls=mailbox.smtp_security is Security.TLS,
            start_tls=mailbox.smtp_security is Security.STARTTLS,
            tls_context=ssl.create_default_context() if mailbox.smtp_security is not Security.NONE else None,
            timeout=PATIENCE,
        )
    except Unreadable:
        raise NotSent("The secret cannot be read any more. Enter it again.") from None
    except aiosmtplib.SMTPAuthenticationError:
        raise NotSent("The mail server refused the user's name or secret.") from None
    except aiosmtplib.SMTPRecipientsRefused as refused:
        code = max((each.code for each in refused.recipients), default=0)
        raise NotSent(f"The mail server refused the address. ({code})", for_good=code >= _FOR_GOOD) from None
    except aiosmtplib.SMTPResponseException as refused:
        raise NotSent(
            f"The mail server refused the mail. ({refused.code})", for_good=refused.code >= _FOR_GOOD
        ) from None
    except (aiosmtplib.SMTPException, OSError):
        raise NotSent("The mail server does not answer.") from None


async def _line(
    client: httpx.AsyncClient, reply: Reply, text: str, account: LineAccount | None, settings: Settings
) -> None:
    if account is None:
        raise NotSent("The LINE account is turned off.", for_good=True)
    try:
        token = unseal(account.sealed_access_token, settings.secret_keys)
    except Unreadable:
        raise NotSent("The secret cannot be read any more. Enter it again.") from None
    api = line.Api(client, settings.line_api_url, token)
    try:
        # Answering costs nothing and is good for a minute; pushing counts, and is taken once however often it is sent.
        if reply.attempts == 1 and reply.reply_token and await api.answer(reply.reply_token, text):
            return
        await api.push(reply.recipient, text, key=reply.id)
    except line.Refused as refused:
        raise NotSent(f"LINE refused the message. ({refused.status})", for_good=refused.for_good) from None
    except httpx.HTTPError:
        raise NotSent("LINE does not answer.") from None
