"""Whom each thing that happens to an incident concerns, and telling them (seed B 3)."""

import datetime as dt
import enum
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from auth.rules import Actor, Permission
from services.incidents.models import Incident
from services.incidents.rules import Side
from services.notifications.commands import notify
from services.sla.facts import FactKind


class Audience(enum.StrEnum):
    """Who should hear of it."""

    REQUESTER = "requester"  # nobody, where the caller has no account
    ASSIGNEE = "assignee"
    SECTION = "section"  # its heads; the help-desk while it is with no section
    HELPDESK = "helpdesk"
    MANAGER = "manager"
    OTHER_SIDE = "other_side"  # the requester of what the desk does, the desk of what the requester does


_TO = Audience
CONCERNS: Final[Mapping[str, Sequence[Audience]]] = {
    FactKind.OPENED: (_TO.REQUESTER, _TO.HELPDESK, _TO.SECTION),
    FactKind.ACCEPTED: (_TO.REQUESTER, _TO.SECTION),
    FactKind.CONDITION_MET: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.RECLASSIFIED: (_TO.REQUESTER, _TO.ASSIGNEE, _TO.SECTION),
    FactKind.FORWARDED: (_TO.REQUESTER, _TO.SECTION),
    FactKind.ASSIGNED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.TAKEN: (_TO.REQUESTER,),
    FactKind.APPOINTMENT_PROPOSED: (_TO.OTHER_SIDE,),
    FactKind.APPOINTED: (_TO.OTHER_SIDE,),
    FactKind.PAUSED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.REMINDED: (_TO.REQUESTER,),
    FactKind.RESUMED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.SENT_TO_VENDOR: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.RETURNED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.ITEM_DONE: (_TO.REQUESTER,),
    FactKind.LINKED: (_TO.REQUESTER,),
    FactKind.FILE_REMOVED: (_TO.OTHER_SIDE,),
    FactKind.RESOLVED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.REOPENED: (_TO.ASSIGNEE, _TO.SECTION),
    FactKind.CLOSED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.MERGED: (_TO.REQUESTER, _TO.ASSIGNEE),
    FactKind.RATED: (_TO.ASSIGNEE, _TO.SECTION),
    "message": (_TO.OTHER_SIDE,),
    "withdrawn_from": (_TO.ASSIGNEE,),  # whoever worked on it until it went to somebody else
    "before_breach": (_TO.ASSIGNEE, _TO.SECTION, _TO.MANAGER),
    "breach": (_TO.ASSIGNEE, _TO.SECTION, _TO.MANAGER),
    "response_before_breach": (_TO.ASSIGNEE, _TO.SECTION, _TO.MANAGER),
    "response_breach": (_TO.ASSIGNEE, _TO.SECTION, _TO.MANAGER),
    "due_moved": (_TO.REQUESTER, _TO.ASSIGNEE),
}
"""By the fact, or by what else is told: message, escalations, a due time that a holiday moved."""


async def spread(
    incident: Incident, what: str, identity: str, *, side: Side, by: Actor, now: dt.datetime, **detail: Any
) -> None:
    """Tell everybody whom it concerns but the one who did it; `identity` tells one event from another.

    Says the incident's number and title, never what was written: a note may not be for everybody.
    """
    told = set()
    for concerned in CONCERNS[what]:
        for audience in _of(concerned, incident, side):
            organisation_id, person_id, permission, section_id = _reached(audience, incident)
            nobody = person_id is None and permission is None
            if nobody or (person_id is not None and person_id == by.person_id) or person_id in told:
                continue
            told.add(person_id or audience)
            await notify(
                organisation_id,
                f"incident.{what}",
                identity=f"incident/{incident.id}/{identity}/{person_id or audience}",
                subject=("incident", incident.id),
                permission=permission,
                person_id=person_id,
                section_id=section_id,
                now=now,
                number=incident.number,
                label=incident.title,
                **detail,
            )


def _of(concerned: Audience, incident: Incident, side: Side) -> tuple[Audience, ...]:
    """Return the audience with its turns taken: which side is the other one, and who stands in for nobody."""
    if concerned is Audience.OTHER_SIDE:
        if side is Side.DESK:
            return (Audience.REQUESTER,)
        return (Audience.ASSIGNEE,) if incident.assignee_id else _of(Audience.SECTION, incident, side)
    if concerned is Audience.SECTION and incident.section_id is None:
        return (Audience.HELPDESK,)
    return (concerned,)


def _reached(
    audience: Audience, incident: Incident
) -> tuple[uuid.UUID, uuid.UUID | None, Permission | None, uuid.UUID | None]:
    """Return the organisation, and in it the person, or the permission and the section, that make an audience."""
    desk = incident.provider_id
    match audience:
        case Audience.REQUESTER:
            return incident.agency_id, incident.requester_id, None, None
        case Audience.ASSIGNEE:
            return desk, incident.assignee_id, None, None
        case Audience.SECTION:
            return desk, None, Permission.INCIDENTS_ASSIGN, incident.section_id
        case Audience.MANAGER:
            return desk, None, Permission.DESK_OVERVIEW, None
        case _:
            return desk, None, Permission.INCIDENTS_LOG, None
