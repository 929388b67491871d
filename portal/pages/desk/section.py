"""The head's section: who is in it, how much is on them, who is away; and work given to several at once."""

from collections.abc import Mapping
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid, NotPermitted, Refusal
from billing.months import bangkok_date
from portal import refusals
from portal.formats import NotADate, parse_date
from portal.i18n import gettext as _
from portal.i18n import ngettext
from portal.pages.incidents import wording
from portal.pages.incidents.listing import agency_names
from portal.visit import Visit
from services.incidents.commands import assign_all as give
from services.incidents.queries import candidates
from services.incidents.queues import Queue, Wanted, queue
from services.sections.commands import be_away
from services.sections.models import Section
from services.sections.queries import led_by, sections_of

_MOST = 100  # given at once


async def section(visit: Visit) -> Response:
    """Show the sections one heads: their people with load and absence, and what nobody works on yet."""
    return await _shown(visit)


async def assign_all(visit: Visit) -> Response:
    """Give the incidents ticked to one person: all of them, or on any refusal none."""
    try:
        chosen = [_id(text) for text in visit.form.all("incident")][:_MOST]
        if not chosen:
            raise Invalid({"incident": "Tick at least one incident."})
        person = visit.form.uuid("person")
        async with in_transaction():
            given = await give(chosen, person, by=visit.by, now=visit.now)
    except Refusal as refused:
        return await _refused(visit, refused)
    visit.flash(ngettext("%(num)s incident was assigned.", "%(num)s incidents were assigned.", len(given)))
    return visit.redirect("desk.section")


async def away(visit: Visit) -> Response:
    """Note that somebody of the own section is away."""
    try:
        days = {}
        for name in ("first_day", "last_day"):
            try:
                days[name] = parse_date(visit.form.get(name))
            except NotADate:
                raise Invalid({name: "Give a day such as 16/12/2569."}) from None
        await be_away(
            visit.form.uuid("absent"),
            days["first_day"],
            days["last_day"],
            note=visit.form.get("note")[:200],
            by=visit.by,
            now=visit.now,
        )
    except Refusal as refused:
        return await _refused(visit, refused)
    visit.flash(_("The absence was noted."))
    return visit.redirect("desk.section")


async def _refused(visit: Visit, refused: Refusal) -> Response:
    answer = refusals.answer_to(refused)
    if answer is None or answer.status not in {409, 422}:
        raise refused
    errors = refusals.in_words(refused) if isinstance(refused, Invalid) else {}
    sentence = refusals.sentence_for(refused, answer) or _("The incident has moved on since you opened this page.")
    return await _shown(visit, errors or {"": sentence}, status=answer.status)


async def _shown(visit: Visit, errors: Mapping[str, str] | None = None, status: int = 200) -> Response:
    if visit.by.provider_id is None:
        raise NotPermitted("sections are the provider's")
    leads = await led_by(visit.by, visit.now)
    own: list[Section] = [each for each in await sections_of(visit.by.provider_id) if each.id in leads]
    chosen = next((each for each in own if str(each.id) == visit.query.get("section")), own[0] if own else None)
    page = (
        await queue(Queue.SECTION, wanted=Wanted(section_id=chosen.id), size=_MOST, by=visit.by, now=visit.now)
        if chosen
        else None
    )
    return visit.render(
        "desk/section.html",
        status=status,
        errors=errors or {},
        values=visit.form.values(),
        ticked=set(visit.form.all("incident")),
        own=own,
        today=bangkok_date(visit.now),
        chosen=chosen,
        people=await candidates(chosen.id, now=visit.now) if chosen else [],
        lines=page.lines if page else (),
        agencies=await agency_names(page.lines, visit) if page else {},
        states=wording.STATES,
        statuses=wording.STATUSES,
        name=lambda thing: wording.name(thing, visit.language),
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Invalid({"incident": "Choose one of the list."}) from None
