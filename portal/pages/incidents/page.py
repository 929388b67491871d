"""One incident as everybody sees it: where it stands, its clock, what happened, and what each side may do now."""

from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid, NotFound, Refusal
from portal import refusals
from portal.files import to_be_saved
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.pages.incidents.appointment_file import written
from portal.pages.incidents.clock_bar import bar
from portal.pages.incidents.entering import prose
from portal.pages.incidents.moves import MOVES
from portal.visit import Visit
from services.disruptions.queries import known_now
from services.incidents.appointments import appointments_of
from services.incidents.files import content_of
from services.incidents.files import remove as remove_file
from services.incidents.history import found as found_incident
from services.incidents.queries import Whole, alike, candidates, whole
from services.incidents.rules import UNDONE, Action, State
from services.knowledge.queries import find_articles
from services.sections.queries import sections_of
from services.sla.facts import FactKind
from services.sla.queries import table_at

# The way of an incident that meets no obstacle, as the step bar shows it.
_WAY = (State.REPORTED, State.ACCEPTED, State.ASSIGNED, State.RESOLVED, State.CLOSED)
_STAGE = {
    State.FORWARDED: State.ACCEPTED,
    State.APPOINTED: State.ASSIGNED,
    State.WAITING: State.ASSIGNED,
    State.AT_VENDOR: State.ASSIGNED,
    State.REOPENED: State.ASSIGNED,
}


async def show(visit: Visit) -> Response:
    """Show one incident; another agency's, and to a requester a colleague's, is NotFound."""
    return await shown(visit)


async def move(visit: Visit) -> Response:
    """Take an incident through one move and come back to it; NotFound for a move there is not.

    What is refused for what was entered, or because the incident has moved on, is told on its own page.
    """
    chosen = MOVES.get(visit.params["move"])
    if chosen is None:
        raise NotFound("move")
    doing, said = chosen
    return await _done(visit, doing(visit, visit.params["id"]), said)


async def remove(visit: Visit) -> Response:
    """Remove a file of an incident for good and come back to it; another agency's is NotFound."""
    why = prose(visit.form, "why")
    doing = remove_file(visit.params["id"], visit.params["file"], why=why, by=visit.by, now=visit.now)
    return await _done(visit, doing, lazy("The file was removed."))


async def _done(visit: Visit, doing: Awaitable[object], said: Lazy) -> Response:
    try:
        async with in_transaction():  # what a refused command began is undone at once
            await doing
    except Refusal as refused:
        answer = refusals.answer_to(refused)
        if answer is None or answer.status not in {409, 422}:
            raise
        errors = refusals.in_words(refused) if isinstance(refused, Invalid) else {}
        problem = refusals.sentence_for(refused, answer) or _("The incident has moved on since you opened this page.")
        return await shown(visit, problem=problem, errors=errors, status=answer.status)
    visit.flash(said)
    return visit.redirect("incident", id=visit.params["id"])


async def appointment(visit: Visit) -> Response:
    """Return an appointment as an iCalendar file; NotFound where it belongs to another incident."""
    incident = await found_incident(visit.params["id"], visit.by)
    chosen = next((each for each in await appointments_of(incident.id) if each.id == visit.params["appointment"]), None)
    if chosen is None:
        raise NotFound("Appointment")
    headers = {"content-disposition": f'attachment; filename="{incident.number}.ics"'}
    return Response(written(incident, chosen), media_type="text/calendar; charset=utf-8", headers=headers)


async def fetch(visit: Visit) -> Response:
    """Send a file of an incident to be saved; the desk's own is NotFound to an agency's people."""
    return to_be_saved(await content_of(visit.params["id"], visit.params["file"], by=visit.by))


async def shown(
    visit: Visit, *, problem: str | None = None, errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    """Draw an incident's page, with what was refused above it where something was."""
    found = await whole(visit.params["id"], by=visit.by, now=visit.now)
    incident, inside = found.incident, visit.by.provider_id is not None
    files = _file_lines(visit, found, errors or {})
    events = [wording.told(entry, visit.language, files[entry.id]) for entry in reversed(found.timeline)]
    desk = await _for_the_desk(visit, found) if inside else {}
    return visit.render(
        "incidents/show.html",
        status=status,
        problem=problem,
        errors=errors or {},
        values=visit.form.values(),
        moved=visit.params.get("move", ""),
        found=found,
        incident=incident,
        inside=inside,
        is_agency=visit.by.agency_id is not None,
        standing=wording.STATES[incident.state],
        next_step=wording.NEXT[incident.state],
        status_mark=wording.STATUSES[found.clocks.status] if not incident.merged_into_id else None,
        leading=found.clocks.leading,
        response=found.clocks.response,
        bars=[(clock, bar(clock)) for clock in found.clocks.resolution],
        statuses=wording.STATUSES,
        whys=wording.WHYS,
        way=_way(found),
        events=events,
        reported_files=files[None],
        own_files=files,
        channel=wording.CHANNELS[incident.channel],
        states=wording.STATES,
        grades=wording.GRADES,
        severities=wording.SEVERITIES,
        may={action.value for action in found.actions},
        name=lambda thing: wording.name(thing, visit.language),
        title_of=lambda thing: wording.title(thing, visit.language),
        text_of=lambda thing: wording.text(thing, visit.language),
        row_words=wording.process(found.row, visit.language) if found.row else "",
        side="requester" if visit.by.agency_id else "desk",
        now=visit.now,
        **desk,
    )


def _file_lines(visit: Visit, found: Whole, errors: Mapping[str, str]) -> Mapping[UUID | None, list[wording.FileLine]]:
    """Return the files as lines of lists, by what they hang on."""
    lines: defaultdict[UUID | None, list[wording.FileLine]] = defaultdict(list)
    for hook, files in found.files.items():
        for each in files:
            where = {"id": found.incident.id, "file": each.pk}
            line = wording.FileLine(each.pk, each.name, each.size, visit.path("incident.file", **where))
            line = replace(line, removed=wording.removed(each, visit.language))
            if each.pk in found.removable:
                line = replace(
                    line,
                    removal=visit.path("incident.file.remove", **where),
                    needs_reason=found.removable[each.pk],
                    problem=errors.get("why") if visit.params.get("file") == each.pk else None,
                )
            lines[hook].append(line)
    return lines


async def _for_the_desk(visit: Visit, found: Whole) -> dict[str, Any]:
    """Return what the desk's own forms offer: who could take it, which rows and sections there are, what is alike."""
    incident, may = found.incident, found.actions
    is_open = incident.state in UNDONE
    sections = await sections_of(incident.provider_id)
    rows = await table_at(incident.provider_id, incident.contacted_at) if is_open else []
    taken = [fact.kind for fact in found.facts if fact.kind in {FactKind.ASSIGNED, FactKind.TAKEN}]
    return {
        "sections": sections,
        "rows": wording.by_category(rows, visit.language),
        "people": await candidates(incident.section_id, now=visit.now)
        if Action.ASSIGN in may and incident.section_id
        else [],
        "similar": await alike(
            incident.title,
            agency_id=incident.agency_id,
            code=incident.row_code,
            subscription_id=incident.subscription_id,
            besides=incident.id,
            by=visit.by,
            now=visit.now,
        )
        if is_open
        else [],
        "outages": await known_now(visit.now, provider_id=incident.provider_id) if Action.LINK in may else [],
        "articles": await find_articles(row_code=incident.row_code, by=visit.by, limit=5)
        if is_open and incident.row_code
        else [],
        "may_take": Action.TAKE in may and taken[-1:] != [FactKind.TAKEN],
        "accounts": _accounts(found),
        "condition_open": bool(found.row and found.clocks.leading.terms and found.clocks.leading.terms.waits)
        and not any(fact.kind is FactKind.CONDITION_MET for fact in found.facts),
    }


def _accounts(found: Whole) -> list[tuple[int, bool]]:
    """Return the accounts asked for, each with whether it is done; none where one clock is for all."""
    clocks = found.clocks.resolution
    if len(clocks) == 1:
        return []
    return [(place, clock.ended_at is not None) for place, clock in enumerate(clocks, 1)]


def _way(found: Whole) -> list[tuple[str, str]]:
    """Return the step bar: each stage with "done", "now" or "next"; a side way stands in the place of its stage."""
    state = found.incident.state
    if state is State.CLOSED:
        return [(str(wording.STATES[stage].label), "done") for stage in _WAY]
    here = _WAY.index(_STAGE.get(state, state))
    steps = [(str(wording.STATES[stage].label), "done" if place < here else "next") for place, stage in enumerate(_WAY)]
    steps[here] = (str(wording.STATES[state].label), "now")
    return steps
