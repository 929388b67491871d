"""What the desk says by mail and LINE: Thai first, English below; and what it notes of files it could not take."""

from collections.abc import Iterable
from typing import Final

from portal import i18n
from portal.formats import date_time
from portal.i18n import gettext as _
from portal.i18n import lazy
from services.channels.models import Reply
from services.channels.rules import WRITTEN, Kind
from services.incidents.models import Incident

# Why a file was not taken, as the layers below say it.
REASONS: Final = (
    lazy("More files than can be taken from one mail."),
    lazy("The mail is too large; it was left in the mailbox."),
    lazy("LINE no longer has it."),
)


def with_left_out(text: str, left_out: Iterable[tuple[str, str]]) -> str:
    """Return a message with a line for each file that could not be taken."""
    with i18n.using("th"):
        lines = [_("(File not taken: %(name)s – %(why)s)", name=name, why=_(why)) for name, why in left_out]
    return "\n".join([text, *lines])


def words_of(reply: Reply, incident: Incident | None, portal: str) -> str:
    """Return what an answer says, in Thai and then in English; `portal` is the address people type."""
    said = []
    for language in ("th", "en"):
        with i18n.using(language):
            said.append("\n".join(_paragraphs(reply, incident, portal)))
    if reply.kind is Kind.MESSAGE:
        return f"{reply.text}\n\n--\n{said[0]}"
    if reply.kind in WRITTEN:
        return "\n\n--\n".join([reply.text, "\n\n".join(said)])
    return "\n\n".join(said)


def _paragraphs(reply: Reply, incident: Incident | None, portal: str) -> list[str]:
    number = incident.number if incident else ""
    address = f"{portal}/incidents/{incident.id}" if incident else f"{portal}/account"
    match reply.kind:
        case Kind.RECEIVED:
            said = [
                _("The help-desk has your report. Reference number: %(number)s", number=number),
                _("Quote this number when you call. What you answer to this message is added to it."),
            ]
        case Kind.CONTINUED:
            said = [_("Added to %(number)s. For something new, begin your message with the word “new”.", number=number)]
        case Kind.MESSAGE:
            said = [_("Reference number: %(number)s", number=number)]
        case Kind.ASKED:
            said = [
                _(
                    "The help-desk waits for your answer about %(number)s; its clock is paused until then.",
                    number=number,
                ),
                _("What you answer to this message is added to it."),
            ]
        case Kind.RESOLVED:
            said = [_("%(number)s is resolved, see above. Confirm it in the portal, or open it again.", number=number)]
            if incident and incident.closes_at:
                moment = date_time(incident.closes_at, i18n.language())
                said.append(_("Without an answer it closes by itself on %(moment)s.", moment=moment))
        case Kind.LINKED:
            said = [_("This LINE account now reports for %(name)s.", name=reply.text)]
        case Kind.UNKNOWN:
            said = [
                _("The help-desk got your message and will sort it."),
                _("To report in your own name, get a code on the page “My account” and send it here."),
            ]
    for name, why in reply.detail.get("left_out", []):
        said.append(_("(File not taken: %(name)s – %(why)s)", name=name, why=_(why)))
    return [*said, address]
