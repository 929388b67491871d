"""Objecting to a line of an invoice: the agency says why, both sides talk, the provider's finance ends it."""

import uuid
from collections.abc import Awaitable
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid, NotFound
from auth.organisations.models import Organisation
from auth.rules import Permission
from billing.disputes import commands
from billing.disputes.models import DisputeEvent
from billing.disputes.queries import WholeDispute, dispute_of, disputes_within_reach, line_at
from billing.disputes.rules import Move, State
from billing.months import Month
from billing.statements.models import Statement, StatementLine
from portal.formats import NotANumber, parse_number
from portal.i18n import Lazy, gettext, lazy
from portal.refusals import in_words
from portal.visit import Visit
from services.notifications.commands import notify

STATES: Final[dict[State, tuple[Lazy, str, str]]] = {
    State.OPEN: (lazy("Dispute open"), "warning", "message"),
    State.EXPLAINED: (lazy("Explained, the line stands"), "info", "info-circle"),
    State.CREDITED: (lazy("Credit note issued"), "success", "circle-check"),
    State.WITHDRAWN: (lazy("Dispute withdrawn"), "neutral", "circle-minus"),
}
MOVES: Final[dict[Move, tuple[Lazy, str, str]]] = {
    Move.OPEN: (lazy("Disputed the line"), "warning", "alert-triangle"),
    Move.MESSAGE: (lazy("Wrote"), "info", "message"),
    Move.EXPLAIN: (lazy("Explained why the line stands"), "info", "info-circle"),
    Move.CREDIT: (lazy("Issued a credit note"), "success", "circle-check"),
    Move.WITHDRAW: (lazy("Withdrew the dispute"), "neutral", "circle-minus"),
}
# Raised below pages with these words.
REASONS: Final = (lazy("Say why."), lazy("This is too long."), lazy("This is more than the line came to."))


async def index(visit: Visit) -> Response:
    """Show the disputes within reach, the open ones first."""
    found = await disputes_within_reach()
    agencies = await Organisation.filter(id__in=[each.dispute.agency_id for each in found])
    return visit.render(
        "disputes/list.html",
        rows=[(each, STATES[each.dispute.state]) for each in found],
        names={each.id: _name(visit, each) for each in agencies} if visit.by.agency_id is None else {},
        english=visit.language == "en",
    )


async def new(visit: Visit) -> Response:
    """Show the form to dispute a line of an invoice."""
    statement, line = await _line(visit.query.get("statement"), visit.query.get("line"))
    return _form(visit, statement, line)


async def create(visit: Visit) -> Response:
    """Open a dispute, and tell the provider's finance; refuses no reason, keeping what was typed."""
    statement, line = await _line(visit.form.get("statement"), visit.form.get("line"))
    try:
        event = await commands.open_dispute(
            statement.id, line.position, visit.form.get("reason"), by=visit.by, now=visit.now
        )
    except Invalid as refused:
        return _form(visit, statement, line, visit.form.get("reason"), in_words(refused), 422)
    await _tell(event, statement)
    visit.flash(gettext("The dispute is open. The provider's finance was told."))
    return visit.redirect("dispute", id=event.dispute_id)


async def show(visit: Visit) -> Response:
    """Show a dispute: its line, what was said, and what this visitor may do; 404 for another agency's."""
    return await _page(visit, await dispute_of(visit.params["id"]))


async def say(visit: Visit) -> Response:
    """Write to the other side."""
    doing = commands.say(visit.params["id"], visit.form.get("message"), by=visit.by, now=visit.now)
    return await _do(visit, doing, gettext("The message was sent."))


async def withdraw(visit: Visit) -> Response:
    """Take one's agency's dispute back."""
    doing = commands.withdraw(visit.params["id"], by=visit.by, now=visit.now)
    return await _do(visit, doing, gettext("The dispute was withdrawn."))


async def decide(visit: Visit) -> Response:
    """End a dispute with an explanation, or with a credit note of an amount before VAT."""
    text = visit.form.get("text")
    if visit.form.get("outcome") == Move.CREDIT:
        doing = commands.credit(visit.params["id"], _amount(visit), text, by=visit.by, now=visit.now)
        return await _do(visit, doing, gettext("The credit note was issued and the agency told."))
    doing = commands.explain(visit.params["id"], text, by=visit.by, now=visit.now)
    return await _do(visit, doing, gettext("The dispute is explained and the agency told."))


async def _do(visit: Visit, doing: Awaitable[DisputeEvent], said: str) -> Response:
    """Carry a move out and tell the other side; one that is refused shows the page again with what was typed."""
    try:
        event = await doing
    except Invalid as refused:
        found = await dispute_of(visit.params["id"])
        return await _page(visit, found, visit.form.values(), in_words(refused), 422)
    found = await dispute_of(event.dispute_id)
    await _tell(event, found.statement)
    visit.flash(said)
    return visit.redirect("dispute", id=event.dispute_id)


async def _tell(event: DisputeEvent, statement: Statement) -> None:
    """Tell the side that did not act."""
    await notify(
        event.provider_id if event.of_agency else event.agency_id,
        f"dispute.{event.move}",
        identity=f"dispute/{event.id}",
        subject=("dispute", event.dispute_id),
        permission=Permission.BILLS_ISSUE if event.of_agency else Permission.USAGE_ACKNOWLEDGE,
        now=event.at,
        number=statement.number,
    )


async def _line(statement: str, position: str) -> tuple[Statement, StatementLine]:
    try:
        statement_id, place = uuid.UUID(statement), int(position[:6])
    except ValueError:
        raise NotFound("StatementLine") from None
    return await line_at(statement_id, place)


def _amount(visit: Visit) -> Decimal:
    try:
        return parse_number(visit.form.get("amount"))
    except NotANumber:
        return Decimal(0)  # which is refused with the words for it


def _form(
    visit: Visit,
    statement: Statement,
    line: StatementLine,
    reason: str = "",
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    return visit.render(
        "disputes/new.html",
        status=status,
        statement=statement,
        line=line,
        month=Month.of(statement.month),
        english=visit.language == "en",
        reason=reason,
        errors=errors or {},
    )


async def _page(
    visit: Visit,
    found: WholeDispute,
    values: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    is_open = found.dispute.state is State.OPEN
    agency = await Organisation.get(id=found.dispute.agency_id)
    provider = await Organisation.get(id=found.dispute.provider_id)
    names = {True: _name(visit, agency), False: _name(visit, provider)}
    events = [
        {
            "at": event.at,
            "who": f"{event.by_name} · {names[event.of_agency]}",
            "what": MOVES[event.move][0],
            "tone": MOVES[event.move][1],
            "icon": MOVES[event.move][2],
            "note": event.text,
        }
        for event in found.events
    ]
    return visit.render(
        "disputes/show.html",
        status=status,
        found=found,
        statement=found.statement,
        line=found.line,
        month=Month.of(found.statement.month),
        english=visit.language == "en",
        standing=STATES[found.dispute.state],
        events=events,
        agency=None if visit.by.agency_id else agency,
        agency_name=names[True],
        may_write=is_open and visit.by.may(Permission.DISPUTES_JOIN),
        may_withdraw=is_open and visit.by.agency_id is not None and visit.by.may(Permission.USAGE_ACKNOWLEDGE),
        may_decide=is_open and visit.by.may(Permission.BILLS_ISSUE),
        values=values or {},
        errors=errors or {},
    )


def _name(visit: Visit, organisation: Organisation) -> str:
    return organisation.name_en if visit.language == "en" else organisation.name_th
