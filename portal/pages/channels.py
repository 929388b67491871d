"""How a provider's desk is reached by mail and LINE: set up by its administrator, its state seen by the desk."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid, NotPermitted
from auth.rules import Permission
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.sealing import seal
from portal.settings import Mode
from portal.visit import Fields, Visit
from services.channels import commands
from services.channels.answering import try_again
from services.channels.models import Mailbox
from services.channels.queries import failed_replies, line_of, mailbox_of
from services.channels.rules import Security

SECURITIES: Final[dict[Security, Lazy]] = {
    Security.TLS: lazy("TLS from the start"),
    Security.STARTTLS: lazy("STARTTLS"),
    Security.NONE: lazy("None (this machine only)"),
}
# What is said below pages, and by what reads and sends.
REASONS: Final = (
    lazy("Enter the secret."),
    lazy("Use a folder with a name in plain letters."),
    lazy("Enter the account's ID, such as @help."),
    lazy("Enter a mail address."),
    lazy("Enter the name of a mail server."),
    lazy("Without encryption the secret could be read on the way."),
    lazy("Enter a port between 1 and 65535."),
    lazy("Enter the user's name."),
    lazy("The mail server refused the user's name or secret."),
    lazy("There is no such folder in the mailbox."),
    lazy("There is no mail server of this name."),
    lazy("The mail server's certificate is not valid."),
    lazy("The connection to the mail server broke off."),
    lazy("The mail server refused what was asked of it."),
    lazy("The mail server does not answer."),
    lazy("The secret cannot be read any more. Enter it again."),
    lazy("Something went wrong on our side. It has been recorded."),
    lazy("The mailbox is turned off."),
    lazy("The LINE account is turned off."),
    lazy("LINE does not answer."),
    lazy("The mail server refused the address."),
    lazy("The mail server refused the mail."),
    lazy("LINE refused the message."),
)
_TEXTS = ("address", "host", "user_name", "folder", "smtp_host", "vouched_by")


def fault_words(fault: str) -> str:
    """Return what went wrong in the language of the page, with the server's number where it gave one."""
    sentence, _bracket, number = fault.partition(" (")
    return f"{_(sentence)} ({number}" if number else _(fault)


async def show(visit: Visit) -> Response:
    """Show how the desk is reached and whether it works; secrets are never shown again."""
    return await _page(visit)


async def save_mailbox(visit: Visit) -> Response:
    """Set up the mailbox; a secret left empty stays as it is."""
    settings = visit.request.app.state.settings
    try:
        post = _post(visit.form, seal(visit.form.get("secret"), settings.secret_keys))
        here = settings.mode is not Mode.PRODUCTION
        await commands.set_mailbox(post, to_this_machine=here, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, mail=visit.form.values(), errors=in_words(refused), status=422)
    visit.flash(_("The mailbox was saved. It is read within a minute."))
    return visit.redirect("channels")


async def save_line(visit: Visit) -> Response:
    """Set up the LINE official account; a secret left empty stays as it is."""
    keys = visit.request.app.state.settings.secret_keys
    try:
        await commands.set_line(
            visit.form.get("basic_id"),
            seal(visit.form.get("channel_secret"), keys),
            seal(visit.form.get("access_token"), keys),
            is_on=visit.form.get("line_on") == "yes",
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _page(visit, line=visit.form.values(), errors=in_words(refused), status=422)
    visit.flash(_("The LINE account was saved."))
    return visit.redirect("channels")


async def look(visit: Visit) -> Response:
    """Have the mailbox read at once."""
    await commands.look_now(by=visit.by, now=visit.now)
    visit.flash(_("The mailbox is read now. Load this page again in a moment."))
    return visit.redirect("channels")


async def send_again(visit: Visit) -> Response:
    """Try the answers again that were given up."""
    if visit.by.provider_id is None:
        raise NotPermitted("answers are a provider's")
    await try_again(visit.by.provider_id, now=visit.now)
    visit.flash(_("The answers are sent again."))
    return visit.redirect("channels")


def _post(form: Fields, sealed: str) -> commands.Post:
    wrong: dict[str, str] = {}
    post = commands.Post(
        address=form.get("address"),
        host=form.get("host"),
        port=_port(form, "port", wrong),
        security=_security(form, "security", wrong),
        user_name=form.get("user_name"),
        sealed_secret=sealed,
        folder=form.get("folder") or "INBOX",
        smtp_host=form.get("smtp_host"),
        smtp_port=_port(form, "smtp_port", wrong),
        smtp_security=_security(form, "smtp_security", wrong),
        smtp_signs_in=form.get("smtp_signs_in") == "yes",
        vouched_by=form.get("vouched_by"),
        is_on=form.get("mail_on") == "yes",
    )
    if wrong:
        raise Invalid(wrong)
    return post


def _port(form: Fields, name: str, wrong: dict[str, str]) -> int:
    text = form.get(name)
    if text.isascii() and text.isdecimal() and len(text) <= 5:
        return int(text)
    wrong[name] = "Enter a port between 1 and 65535."
    return 1


def _security(form: Fields, name: str, wrong: dict[str, str]) -> Security:
    if form.get(name) in set(Security):
        return Security(form.get(name))
    wrong[name] = "Choose one of the list."
    return Security.TLS


def _as_entered(mailbox: Mailbox | None) -> dict[str, str]:
    """Return a mailbox's settings as the form holds them."""
    if mailbox is None:
        start = {"port": "993", "security": "tls", "folder": "INBOX", "smtp_port": "587", "smtp_security": "starttls"}
        return start | {"smtp_signs_in": "yes", "mail_on": "yes"}
    names = (*_TEXTS, "port", "smtp_port", "security", "smtp_security")
    kept = {name: str(getattr(mailbox, name)) for name in names}
    ticks = {"smtp_signs_in": mailbox.smtp_signs_in, "mail_on": mailbox.is_on}
    return kept | {name: "yes" for name, is_ticked in ticks.items() if is_ticked}


async def _page(
    visit: Visit,
    *,
    mail: Mapping[str, str] | None = None,
    line: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
) -> Response:
    provider_id = visit.by.provider_id
    if provider_id is None:
        raise NotPermitted("channels are a provider's")
    mailbox, account = await mailbox_of(provider_id), await line_of(provider_id)
    kept = {"basic_id": account.basic_id, "line_on": "yes" if account.is_on else ""} if account else {"line_on": "yes"}
    return visit.render(
        "channels/show.html",
        status=status,
        mailbox=mailbox,
        account=account,
        mail=mail if mail is not None else _as_entered(mailbox),
        line=line if line is not None else kept,
        errors=errors or {},
        may_edit=visit.by.may(Permission.CHANNELS_EDIT),
        securities=[(each.value, str(words)) for each, words in SECURITIES.items()],
        failed=await failed_replies(),
        fault_words=fault_words,
        webhook=f"{visit.request.app.state.settings.public_url}{visit.path('line.webhook', provider=provider_id)}",
    )
