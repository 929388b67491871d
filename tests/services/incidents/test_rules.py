"""Who may do what: every role, every action, on incidents that are theirs and that are not."""

import uuid

import pytest

from auth.rules import Actor, OrganisationKind, Role, Seat, system
from services.incidents.rules import (
    LEAVES,
    NEEDS,
    TRANSITIONS,
    Action,
    State,
    Whose,
    WrongState,
    after,
    likeness,
    may_act,
    possible,
)

AGENCY, OTHER, PROVIDER, RIVAL, SECTION = (uuid.uuid4() for _ in range(5))
ME = uuid.uuid4()


def acting(kind: OrganisationKind, seat_id: uuid.UUID, role: Role) -> Actor:
    return Actor(role, ME, Seat(seat_id, kind, "x", "x", "x"), frozenset({role}))


def an_incident(*, requester: uuid.UUID | None = None, assignee: uuid.UUID | None = None) -> Whose:
    return Whose(AGENCY, PROVIDER, requester or uuid.uuid4(), SECTION, assignee)


A, R = Action, Role
TALK = {A.SAY, A.CONFIRM, A.REOPEN, A.RATE, A.PROPOSE, A.APPOINT, A.RESUME}
DESK = {
    A.ACCEPT, A.MEET_CONDITION, A.RECLASSIFY, A.FORWARD, A.WAIT, A.RESUME, A.FINISH_ITEM, A.RESOLVE, A.MERGE,
    A.LINK, A.SAY, A.NOTE,
}  # fmt: skip
WORK = {
    A.MEET_CONDITION, A.RECLASSIFY, A.TAKE, A.PROPOSE, A.APPOINT, A.WAIT, A.RESUME, A.SEND_TO_VENDOR, A.RETURN,
    A.FINISH_ITEM, A.RESOLVE, A.SAY, A.NOTE,
}  # fmt: skip
HEAD = DESK | {A.ASSIGN, A.SEND_TO_VENDOR, A.RETURN}
NOTHING: set[Action] = set()

# Role: what they may do to an incident of their own (asked for, assigned to them, in their section), and to
# another of the same agency or provider.
MAY: dict[tuple[OrganisationKind, Role], tuple[set[Action], set[Action]]] = {
    (OrganisationKind.AGENCY, R.OFFICIAL): (TALK, NOTHING),
    (OrganisationKind.AGENCY, R.APPROVER): (TALK, TALK),
    (OrganisationKind.AGENCY, R.FINANCE): (NOTHING, NOTHING),
    (OrganisationKind.AGENCY, R.AGENCY_ADMIN): (TALK, TALK),
    (OrganisationKind.PROVIDER, R.REVIEWER): (NOTHING, NOTHING),
    (OrganisationKind.PROVIDER, R.HELPDESK): (DESK, DESK),
    (OrganisationKind.PROVIDER, R.SECTION_HEAD): (HEAD, NOTHING),
    (OrganisationKind.PROVIDER, R.TECHNICIAN): (WORK, NOTHING),
    (OrganisationKind.PROVIDER, R.PROVIDER_FINANCE): (NOTHING, NOTHING),
    (OrganisationKind.PROVIDER, R.MANAGER): (NOTHING, NOTHING),
    (OrganisationKind.PROVIDER, R.PROVIDER_ADMIN): (NOTHING, NOTHING),
    (OrganisationKind.CENTRAL, R.CENTRAL): (NOTHING, NOTHING),
    (OrganisationKind.AUDITOR, R.AUDITOR): (NOTHING, NOTHING),
}
SEATS = {OrganisationKind.AGENCY: (AGENCY, OTHER), OrganisationKind.PROVIDER: (PROVIDER, RIVAL)}


def test_every_role_is_in_the_table() -> None:
    assert {role for _, role in MAY} == set(Role)


@pytest.mark.parametrize(("kind", "role"), MAY)
def test_what_each_role_may_do(kind: OrganisationKind, role: Role) -> None:
    mine, others = MAY[kind, role]
    home, elsewhere = SEATS.get(kind, (uuid.uuid4(), uuid.uuid4()))
    who, foreigner = acting(kind, home, role), acting(kind, elsewhere, role)
    own = an_incident(requester=ME, assignee=ME)
    for action in Action:
        assert may_act(who, action, own, frozenset({SECTION})) == (action in mine), action
        assert may_act(who, action, an_incident(), frozenset()) == (action in others), action
        assert not may_act(foreigner, action, own, frozenset({SECTION})), action


def test_a_technician_does_what_is_assigned_to_them_and_nothing_else_of_the_section() -> None:
    technician = acting(OrganisationKind.PROVIDER, PROVIDER, Role.TECHNICIAN)
    assert not any(may_act(technician, action, an_incident(), frozenset({SECTION})) for action in Action)


def test_only_the_portal_closes_by_itself() -> None:
    assert may_act(system("jobs"), Action.CLOSE, an_incident(), frozenset())
    assert not may_act(system("jobs"), Action.RESOLVE, an_incident(), frozenset())


def test_every_action_is_somebodys_and_leaves_a_fact_or_words() -> None:
    assert set(NEEDS) == set(Action)
    assert set(Action) - set(LEAVES) == {Action.SAY, Action.NOTE}
    assert {action for _, action in TRANSITIONS} == set(Action)


# Written apart from the rules, so that a slip there is noticed here: where each move leads from each state.
MOVES_BY_STATE = """
                REP ACC ASG APP WAI FWD VEN RES CLO REO
accept          ACC .   .   .   .   ACC .   .   .   .
meet_condition  REP ACC ASG APP WAI FWD VEN .   .   REO
reclassify      REP ACC ASG APP WAI FWD VEN .   .   REO
forward         FWD FWD FWD FWD .   FWD .   .   .   FWD
assign          ASG ASG ASG ASG .   ASG .   .   .   ASG
take            .   .   ASG .   .   .   .   .   .   .
propose         .   .   ASG APP .   .   .   .   .   .
appoint         .   .   APP APP .   .   .   .   .   .
wait            .   WAI WAI WAI .   .   .   .   .   WAI
resume          .   .   .   .   ASG .   .   .   .   .
send_to_vendor  .   .   VEN VEN .   .   .   .   .   .
return          .   .   .   .   .   .   ASG .   .   .
finish_item     REP ACC ASG APP WAI FWD VEN .   .   REO
resolve         .   RES RES RES RES .   RES .   .   RES
confirm         .   .   .   .   .   .   .   CLO .   .
reopen          .   .   .   .   .   .   .   REO .   .
close           .   .   .   .   .   .   .   CLO .   .
merge           CLO CLO CLO CLO CLO CLO CLO .   .   CLO
link            REP ACC ASG APP WAI FWD VEN .   .   REO
say             REP ACC ASG APP WAI FWD VEN RES .   REO
note            REP ACC ASG APP WAI FWD VEN RES CLO REO
rate            .   .   .   .   .   .   .   RES CLO .
"""
SHORT = {
    "REP": State.REPORTED, "ACC": State.ACCEPTED, "ASG": State.ASSIGNED, "APP": State.APPOINTED, "WAI": State.WAITING,
    "FWD": State.FORWARDED, "VEN": State.AT_VENDOR, "RES": State.RESOLVED, "CLO": State.CLOSED, "REO": State.REOPENED,
}  # fmt: skip


def leads() -> dict[tuple[State, Action], State | None]:
    """Return where each move leads from each state by the table above; None where it is refused."""
    header, *lines = [line.split() for line in MOVES_BY_STATE.strip().splitlines()]
    return {
        (SHORT[state], Action(move)): SHORT.get(cell)
        for move, *cells in lines
        for state, cell in zip(header, cells, strict=True)
    }


def test_every_move_from_every_state_leads_where_the_table_says_or_is_refused() -> None:
    expected = leads()
    assert set(expected) == {(state, action) for state in State for action in Action}
    for (state, action), reached in expected.items():
        if reached is None:
            with pytest.raises(WrongState):
                after(state, action)
        else:
            assert after(state, action) is reached, (state, action)


def test_nothing_leads_out_of_closed_and_nothing_back_to_reported() -> None:
    assert {after(State.CLOSED, action) for state, action in TRANSITIONS if state is State.CLOSED} == {State.CLOSED}
    assert not any(
        reached is State.REPORTED and state is not State.REPORTED for (state, _), reached in TRANSITIONS.items()
    )


def test_what_nobody_is_assigned_to_goes_back_to_accepted() -> None:
    assert after(State.WAITING, Action.RESUME, is_assigned=False) is State.ACCEPTED
    assert after(State.WAITING, Action.RESUME) is State.ASSIGNED


def test_a_page_offers_what_can_be_done_now() -> None:
    requester = acting(OrganisationKind.AGENCY, AGENCY, Role.OFFICIAL)
    own = an_incident(requester=ME)
    assert possible(requester, State.RESOLVED, own, frozenset()) == {A.CONFIRM, A.REOPEN, A.RATE, A.SAY}
    assert possible(requester, State.CLOSED, own, frozenset()) == {A.RATE}


def test_alike_in_thai() -> None:
    assert likeness("เชื่อมต่อเครือข่ายไม่ได้", "เชื่อมต่อเครือข่ายไร้สายไม่ได้") > 0.7
    assert likeness("เชื่อมต่อเครือข่ายไม่ได้", "ขอเปลี่ยนแป้นพิมพ์") < 0.2
    assert likeness("", "x") == 0.0
