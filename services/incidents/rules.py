"""The life of an incident at the desk: its states, who moves it, and whose it must be (seed B 3)."""

import enum
import uuid
from dataclasses import dataclass

from auth.errors import Conflict, NotPermitted, Refusal
from auth.rules import Actor, Permission
from services.sla.facts import FactKind

CLOSES_AFTER_WORKING_DAYS = 5
REMINDS_AFTER_WORKING_DAYS = 2
GRADES = range(1, 6)


class State(enum.StrEnum):
    """Where an incident stands; the words are the glossary's."""

    REPORTED = "reported"
    ACCEPTED = "accepted"
    ASSIGNED = "assigned"
    APPOINTED = "appointed"
    WAITING = "waiting"
    FORWARDED = "forwarded"
    AT_VENDOR = "at_vendor"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"


class Channel(enum.StrEnum):
    """How the desk was reached (standard 7.4; seed B 5)."""

    PHONE = "phone"
    LINE = "line"
    EMAIL = "email"
    PORTAL = "portal"
    WALK_IN = "walk_in"
    MONITORING = "monitoring"


class Side(enum.StrEnum):
    """Who speaks: the agency that asked, or the desk."""

    REQUESTER = "requester"
    DESK = "desk"


class Action(enum.StrEnum):
    """What is done to an incident."""

    ACCEPT = "accept"  # first analysis
    MEET_CONDITION = "meet_condition"
    RECLASSIFY = "reclassify"
    FORWARD = "forward"
    ASSIGN = "assign"
    TAKE = "take"
    PROPOSE = "propose"
    APPOINT = "appoint"
    WAIT = "wait"
    RESUME = "resume"
    SEND_TO_VENDOR = "send_to_vendor"
    RETURN = "return"
    FINISH_ITEM = "finish_item"
    RESOLVE = "resolve"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    CLOSE = "close"  # by itself, when nobody answers
    MERGE = "merge"
    LINK = "link"
    SAY = "say"  # a message both sides read
    NOTE = "note"  # internal notes and the work log
    RATE = "rate"


_S, _A = State, Action
WORKABLE = (_S.ACCEPTED, _S.ASSIGNED, _S.APPOINTED, _S.REOPENED)
UNDONE = (_S.REPORTED, _S.FORWARDED, *WORKABLE, _S.WAITING, _S.AT_VENDOR)

TRANSITIONS: dict[tuple[State, Action], State] = {
    **{(state, _A.ACCEPT): _S.ACCEPTED for state in (_S.REPORTED, _S.FORWARDED)},
    **{(state, _A.FORWARD): _S.FORWARDED for state in (_S.REPORTED, _S.FORWARDED, *WORKABLE)},
    **{(state, _A.ASSIGN): _S.ASSIGNED for state in (_S.REPORTED, _S.FORWARDED, *WORKABLE)},
    (_S.ASSIGNED, _A.TAKE): _S.ASSIGNED,
    **{(state, _A.PROPOSE): state for state in (_S.ASSIGNED, _S.APPOINTED)},
    **{(state, _A.APPOINT): _S.APPOINTED for state in (_S.ASSIGNED, _S.APPOINTED)},
    **{(state, _A.WAIT): _S.WAITING for state in WORKABLE},
    (_S.WAITING, _A.RESUME): _S.ASSIGNED,
    **{(state, _A.SEND_TO_VENDOR): _S.AT_VENDOR for state in (_S.ASSIGNED, _S.APPOINTED)},
    (_S.AT_VENDOR, _A.RETURN): _S.ASSIGNED,
    **{(state, _A.RESOLVE): _S.RESOLVED for state in (*WORKABLE, _S.WAITING, _S.AT_VENDOR)},
    (_S.RESOLVED, _A.CONFIRM): _S.CLOSED,
    (_S.RESOLVED, _A.CLOSE): _S.CLOSED,
    (_S.RESOLVED, _A.REOPEN): _S.REOPENED,
    (_S.RESOLVED, _A.RATE): _S.RESOLVED,
    (_S.CLOSED, _A.RATE): _S.CLOSED,
    **{(state, _A.MERGE): _S.CLOSED for state in UNDONE},
    **{
        (state, action): state
        for action in (_A.MEET_CONDITION, _A.RECLASSIFY, _A.FINISH_ITEM, _A.LINK)
        for state in UNDONE
    },
    **{(state, _A.SAY): state for state in State if state is not _S.CLOSED},
    **{(state, _A.NOTE): state for state in State},
}

_P = Permission
# Whose move it is, any of these; none is the portal's own. `may_act` says of which incidents.
NEEDS: dict[Action, tuple[Permission, ...]] = {
    Action.ACCEPT: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN),
    Action.MEET_CONDITION: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.RECLASSIFY: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.FORWARD: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN),
    Action.ASSIGN: (_P.INCIDENTS_ASSIGN,),
    Action.TAKE: (_P.INCIDENTS_WORK,),
    Action.PROPOSE: (_P.INCIDENTS_WORK, _P.INCIDENTS_REPORT),
    Action.APPOINT: (_P.INCIDENTS_WORK, _P.INCIDENTS_REPORT),
    Action.WAIT: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    # The requester's answer is what was waited for.
    Action.RESUME: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK, _P.INCIDENTS_REPORT),
    Action.SEND_TO_VENDOR: (_P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.RETURN: (_P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.FINISH_ITEM: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.RESOLVE: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.CONFIRM: (_P.INCIDENTS_REPORT,),
    Action.REOPEN: (_P.INCIDENTS_REPORT,),
    Action.CLOSE: (),
    Action.MERGE: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN),
    Action.LINK: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN),
    Action.SAY: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK, _P.INCIDENTS_REPORT),
    Action.NOTE: (_P.INCIDENTS_LOG, _P.INCIDENTS_ASSIGN, _P.INCIDENTS_WORK),
    Action.RATE: (_P.INCIDENTS_REPORT,),
}

# The fact each action leaves.
LEAVES: dict[Action, FactKind] = {
    Action.ACCEPT: FactKind.ACCEPTED,
    Action.MEET_CONDITION: FactKind.CONDITION_MET,
    Action.RECLASSIFY: FactKind.RECLASSIFIED,
    Action.FORWARD: FactKind.FORWARDED,
    Action.ASSIGN: FactKind.ASSIGNED,
    Action.TAKE: FactKind.TAKEN,
    Action.PROPOSE: FactKind.APPOINTMENT_PROPOSED,
    Action.APPOINT: FactKind.APPOINTED,
    Action.WAIT: FactKind.PAUSED,
    Action.RESUME: FactKind.RESUMED,
    Action.SEND_TO_VENDOR: FactKind.SENT_TO_VENDOR,
    Action.RETURN: FactKind.RETURNED,
    Action.FINISH_ITEM: FactKind.ITEM_DONE,
    Action.RESOLVE: FactKind.RESOLVED,
    Action.CONFIRM: FactKind.CLOSED,
    Action.CLOSE: FactKind.CLOSED,
    Action.REOPEN: FactKind.REOPENED,
    Action.MERGE: FactKind.MERGED,
    Action.LINK: FactKind.LINKED,
    Action.RATE: FactKind.RATED,
}


class WrongState(Conflict):
    """The incident is not where this move starts from."""


class NotClassified(Refusal):
    """The incident has no row of the service level agreement yet; nothing can be resolved without."""


class ConditionNotMet(Conflict):
    """The clock has no condition to wait for, or it is met already."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Whom an incident belongs to, as far as moving it asks."""

    agency_id: uuid.UUID
    provider_id: uuid.UUID
    requester_id: uuid.UUID | None
    section_id: uuid.UUID | None
    assignee_id: uuid.UUID | None


def after(state: State, action: Action, *, is_assigned: bool = True) -> State:
    """Return the state an action leads to; WrongState where the table has no such move.

    What nobody is assigned to goes back to accepted, not to assigned.
    """
    try:
        reached = TRANSITIONS[state, action]
    except KeyError:
        raise WrongState(f"{action} does not start from {state}") from None
    if reached is State.ASSIGNED and not is_assigned:
        return State.ACCEPTED
    return reached


def may_act(by: Actor, action: Action, whose: Whose, leads: frozenset[uuid.UUID]) -> bool:
    """Return whether the actor may do this to that incident; `leads` are the sections the actor heads.

    The help-desk acts on every incident of its provider, a head on those of the own section, a technician
    on those assigned to them, a requester on their own; whoever reads a whole agency's answers for it too.
    """
    if not NEEDS[action]:
        return by.is_system
    held = {needed for needed in NEEDS[action] if by.may(needed)}
    if by.provider_id == whose.provider_id:
        return (
            Permission.INCIDENTS_LOG in held
            or (Permission.INCIDENTS_ASSIGN in held and whose.section_id in leads)
            or (Permission.INCIDENTS_WORK in held and whose.assignee_id == by.person_id)
        )
    if by.agency_id == whose.agency_id and Permission.INCIDENTS_REPORT in held:
        return whose.requester_id == by.person_id or by.may(Permission.INCIDENTS_READ_AGENCY)
    return False


def check(by: Actor, action: Action, whose: Whose, leads: frozenset[uuid.UUID]) -> None:
    """Refuse (NotPermitted) what `may_act` does not allow."""
    if not may_act(by, action, whose, leads):
        raise NotPermitted(f"{action} is not {by.name}'s")


def may_remove_file(by: Actor, state: State, whose: Whose, leads: frozenset[uuid.UUID], *, is_own: bool) -> bool:
    """Return whether the actor may remove a file of that incident.

    Whoever added it, until the incident is closed; whoever of the desk may work on the incident, at any time.
    """
    if may_act(by, Action.NOTE, whose, leads):
        return True
    return is_own and state is not State.CLOSED and may_act(by, Action.SAY, whose, leads)


def removal_needs_reason(state: State, *, is_own: bool) -> bool:
    """Return whether removing a file has to be explained: another's always, one's own once the incident is closed."""
    return not is_own or state is State.CLOSED


def possible(by: Actor, state: State, whose: Whose, leads: frozenset[uuid.UUID]) -> frozenset[Action]:
    """Return the actions the actor may start from a state of that incident: what a page offers."""
    return frozenset(
        action for action in Action if (state, action) in TRANSITIONS and may_act(by, action, whose, leads)
    )


def likeness(one: str, other: str) -> float:
    """Return how alike two texts are, from 0 to 1, by the pairs of signs they share; Thai needs no words for it."""
    a, b = _pairs(one), _pairs(other)
    return 2 * len(a & b) / (len(a) + len(b)) if a and b else 0.0


def _pairs(text: str) -> set[str]:
    signs = "".join(text.lower().split())
    return {signs[place : place + 2] for place in range(len(signs) - 1)}
