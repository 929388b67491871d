"""Reading one incident with all that belongs to it, what it resembles, and who could take it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain

from auth.organisations.models import Organisation
from auth.rules import Actor
from auth.tenancy import rows, scoped
from billing.months import bangkok_date
from services.calendar.queries import official
from services.callers.models import Caller
from services.disruptions.models import Disruption
from services.incidents.appointments import appointments_of
from services.incidents.conversation import notes_of
from services.incidents.files import Hanging, added_by, files_of
from services.incidents.history import calendar_for, clocks_of, facts_of, found, within_reach
from services.incidents.models import (
    Appointment,
    AppointmentState,
    Incident,
    IncidentFact,
    IncidentMessage,
    InternalNote,
    WorkEntry,
)
from services.incidents.rules import (
    UNDONE,
    Action,
    likeness,
    may_remove_file,
    possible,
    removal_needs_reason,
)
from services.sections.models import Section, SectionMember
from services.sections.queries import away_on, led_by, staff_of
from services.sla.clock import Clocks
from services.sla.facts import FactKind
from services.sla.models import SlaRow
from services.staff.queries import clearances
from services.staff.rules import Clearance
from services.subscriptions.models import Subscription

_ALIKE = 0.4
_RECENT = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Whole:
    """An incident with everything that belongs to it, as far as the reader may see it."""

    incident: Incident
    agency: Organisation | None
    section: Section | None
    row: SlaRow | None
    subscription: Subscription | None
    caller: Caller | None
    facts: tuple[IncidentFact, ...]
    messages: tuple[IncidentMessage, ...]
    appointments: tuple[Appointment, ...]
    disruption: Disruption | None
    merged_into: Incident | None
    clocks: Clocks
    actions: frozenset[Action]  # what the reader may do now
    removable: Mapping[uuid.UUID, bool]  # the files the reader may remove, each with whether they must say why
    notes: tuple[InternalNote, ...]  # the desk's own: empty for an agency's people
    work: tuple[WorkEntry, ...]
    files: Hanging

    @property
    def timeline(self) -> list[IncidentFact | IncidentMessage]:
        """What happened and what was said, in the order both sides saw it."""
        entries: list[IncidentFact | IncidentMessage] = [*self.facts, *self.messages]
        # Sorting keeps the order of what happened at one moment: facts by their number, then messages.
        return sorted(entries, key=lambda entry: entry.recorded_at if isinstance(entry, IncidentFact) else entry.at)

    @property
    def appointment(self) -> Appointment | None:
        """The time proposed or agreed that stands."""
        return next((each for each in self.appointments if each.state is not AppointmentState.MOVED), None)

    @property
    def outcome(self) -> Mapping[str, object]:
        """How it ended, as kept with the resolution that stands; empty while it is open."""
        resolved = [fact for fact in self.facts if fact.kind in {FactKind.RESOLVED, FactKind.REOPENED}]
        return resolved[-1].detail if resolved and resolved[-1].kind is FactKind.RESOLVED else {}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody of a section, with how much is on them already and whether they can be given more."""

    member: SectionMember
    open_incidents: int
    is_away: bool
    clearance: Clearance


async def whole(incident_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> Whole:
    """Return an incident within reach with all that belongs to it; a constant number of queries."""
    incident = await found(incident_id, by)
    facts = await facts_of(incident.id)
    notes, work = await notes_of(incident.id, by)
    leads = await led_by(by, now) if by.provider_id else frozenset()
    files = await files_of(incident.id, by)
    return Whole(
        incident=incident,
        agency=await Organisation.get_or_none(id=incident.agency_id),
        section=await Section.get_or_none(id=incident.section_id) if incident.section_id else None,
        row=await SlaRow.get_or_none(id=incident.sla_row_id) if incident.sla_row_id else None,
        subscription=await scoped(Subscription).get_or_none(id=incident.subscription_id)
        if incident.subscription_id
        else None,
        caller=await scoped(Caller).get_or_none(id=incident.caller_id) if incident.caller_id else None,
        facts=tuple(facts),
        messages=tuple(await scoped(IncidentMessage).filter(incident_id=incident.id).order_by("at", "id")),
        appointments=tuple(await appointments_of(incident.id)),
        disruption=await Disruption.get_or_none(id=incident.disruption_id) if incident.disruption_id else None,
        merged_into=await within_reach(by).get_or_none(id=incident.merged_into_id) if incident.merged_into_id else None,
        clocks=clocks_of(facts, calendar_for(facts, await official()), now),
        actions=possible(by, incident.state, incident.whose, leads),
        removable={
            file.pk: removal_needs_reason(incident.state, is_own=is_own)
            for file in chain.from_iterable(files.values())
            if file.removed_at is None
            and may_remove_file(
                by, incident.state, incident.whose, leads, is_own=(is_own := added_by(file, incident, by))
            )
        },
        notes=tuple(notes),
        work=tuple(work),
        files=files,
    )


async def by_number(number: str, *, by: Actor) -> Incident | None:
    """Return the incident of that reference number within reach; mail coming in names it in its subject."""
    return await within_reach(by).get_or_none(number=number.strip().upper())


async def alike(
    title: str,
    *,
    agency_id: uuid.UUID | None = None,
    code: str = "",
    subscription_id: uuid.UUID | None = None,
    besides: uuid.UUID | None = None,
    by: Actor,
    now: dt.datetime,
    limit: int = 5,
) -> list[Incident]:
    """Return the open incidents of the last week that may be about the same, the likest first.

    The same service or the same kind of work counts as much as a few shared words.
    """
    recent = within_reach(by).filter(state__in=UNDONE, contacted_at__gte=now - _RECENT)
    if agency_id:
        recent = recent.filter(agency_id=agency_id)
    if besides:
        recent = recent.exclude(id=besides)
    scored = []
    for incident in await recent.order_by("-contacted_at").limit(200):
        score = likeness(title, incident.title)
        score += 0.3 * bool(code and code == incident.row_code)
        score += 0.3 * bool(subscription_id and subscription_id == incident.subscription_id)
        if score >= _ALIKE:
            scored.append((score, incident))
    return [incident for _, incident in sorted(scored, key=lambda each: -each[0])[:limit]]


async def incidents_about(subscription_id: uuid.UUID, *, most: int, by: Actor) -> list[Incident]:
    """Return the latest incidents within reach about a service in use."""
    about = within_reach(by).filter(subscription_id=subscription_id)
    return await about.order_by("-contacted_at", "-number").limit(most)


async def candidates(section_id: uuid.UUID, *, now: dt.datetime) -> list[Candidate]:
    """Return who of a section could be given work: load, absence and clearance visible (standard 9)."""
    staff = await staff_of(section_id, now)
    people = [member.person_id for member in staff]
    away = await away_on(people, bangkok_date(now))
    held = await clearances(people, bangkok_date(now))
    load = {
        row["assignee_id"]: row["n"]
        for row in await rows(
            "SELECT assignee_id, count(*) AS n FROM incident WHERE is_open AND assignee_id = ANY($1::uuid[])"
            " GROUP BY assignee_id",
            people,
        )
    }
    return [
        Candidate(
            member,
            load.get(member.person_id, 0),
            member.person_id in away,
            held[member.person_id],
        )
        for member in staff
    ]
