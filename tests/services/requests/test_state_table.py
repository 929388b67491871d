"""Every state × every action × everybody, through the commands: what is not in this table is refused."""

import uuid
from collections.abc import Awaitable, Callable
from functools import partial

import pytest

from auth.errors import Refusal
from auth.rules import Actor, system
from auth.tenancy import acting_as
from services.requests import commands as requests
from services.requests.models import Quote, ServiceRequest
from services.requests.rules import Action, CheckKind, Kind, State
from tests.stage import Stage, at

MAKERS = {"official-a", "approver-a"}
REVIEWERS = {"reviewer"}
CONFIRMERS = {"approver-a"}
WORKERS = {"reviewer", "technician", "head-network", "head-hardware"}
PORTAL = {"the portal"}

# Written by hand from annex ก 1.1–1.8, not from the code: (state, action) → who, and where it leads.
TABLE: dict[tuple[State, Action], tuple[set[str], State]] = {
    (State.DRAFT, Action.SUBMIT): (MAKERS, State.SUBMITTED),
    (State.DRAFT, Action.WITHDRAW): (MAKERS, State.WITHDRAWN),
    (State.SUBMITTED, Action.WITHDRAW): (MAKERS, State.WITHDRAWN),
    (State.SUBMITTED, Action.ACCEPT): (REVIEWERS, State.UNDER_REVIEW),
    (State.UNDER_REVIEW, Action.RETURN): (REVIEWERS, State.RETURNED),
    (State.UNDER_REVIEW, Action.REJECT): (REVIEWERS, State.REJECTED),
    (State.UNDER_REVIEW, Action.QUOTE): (REVIEWERS, State.AWAITING_CONFIRMATION),
    (State.UNDER_REVIEW, Action.WITHDRAW): (MAKERS, State.WITHDRAWN),
    (State.RETURNED, Action.SUBMIT): (MAKERS, State.SUBMITTED),
    (State.RETURNED, Action.WITHDRAW): (MAKERS, State.WITHDRAWN),
    (State.AWAITING_CONFIRMATION, Action.CONFIRM): (CONFIRMERS, State.CONFIRMED),
    (State.AWAITING_CONFIRMATION, Action.DECLINE): (CONFIRMERS, State.DECLINED),
    (State.AWAITING_CONFIRMATION, Action.WITHDRAW): (MAKERS, State.WITHDRAWN),
    (State.AWAITING_CONFIRMATION, Action.EXPIRE): (PORTAL, State.EXPIRED),
    (State.AWAITING_CONFIRMATION, Action.VOID): (PORTAL, State.UNDER_REVIEW),
    (State.CONFIRMED, Action.START): (WORKERS, State.IN_PROGRESS),
    (State.IN_PROGRESS, Action.COMPLETE): (WORKERS, State.COMPLETED),
    (State.COMPLETED, Action.REOPEN): (MAKERS, State.IN_PROGRESS),
}
NOW = at("2026-12-08", "10:05")
LATER = at("2027-03-01")
STEPS = 4


class Undone(Exception):
    """Takes back what an attempt did."""


async def reach(stage: Stage, state: State) -> uuid.UUID:
    """Bring a request to a state by the shortest way."""
    request = await stage.draft("a", Kind.CHANGE, "GI", {"bandwidth": "500"}, "2026-12-16", now=NOW)
    for step in _way_to(state):
        await step(stage, request.id)
    assert (await stage.request(request.id)).state is state
    return request.id


def _way_to(state: State) -> list[Callable[[Stage, uuid.UUID], Awaitable[object]]]:
    submitted = [_submit]
    reviewed = [*submitted, _accept_and_check]
    quoted = [*reviewed, _quote]
    confirmed = [*quoted, _confirm]
    working = [*confirmed, _start]
    return {
        State.DRAFT: [],
        State.SUBMITTED: submitted,
        State.UNDER_REVIEW: reviewed,
        State.RETURNED: [*reviewed, _send_back],
        State.AWAITING_CONFIRMATION: quoted,
        State.CONFIRMED: confirmed,
        State.IN_PROGRESS: working,
        State.COMPLETED: [*working, _finish],
        State.REJECTED: [*reviewed, _reject],
        State.DECLINED: [*quoted, _decline],
        State.WITHDRAWN: [_withdraw],
        State.EXPIRED: [*quoted, _expire],
    }[state]


async def _submit(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("official-a", requests.submit, id_, now=NOW)


async def _accept_and_check(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("reviewer", requests.accept, id_, now=NOW)
    for kind in CheckKind:
        await stage.as_("reviewer", requests.check, id_, kind, True, now=NOW)


async def _quote(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("reviewer", requests.quote, id_, now=NOW)


async def _send_back(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("reviewer", requests.send_back, id_, note="ขาดเอกสาร", now=NOW)


async def _reject(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("reviewer", requests.reject, id_, note="ให้ไม่ได้", now=NOW)


async def _confirm(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("approver-a", requests.confirm, id_, await _sha256(id_), now=NOW)


async def _decline(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("approver-a", requests.decline, id_, note="งบไม่พอ", now=NOW)


async def _withdraw(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("official-a", requests.withdraw, id_, now=NOW)


async def _expire(stage: Stage, id_: uuid.UUID) -> None:
    by = system("test")
    async with acting_as(by):
        await requests.expire(id_, by=by, now=LATER)


async def _start(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("technician", requests.start, id_, now=NOW)
    for position in range(1, STEPS):
        await stage.as_("technician", requests.finish_step, id_, position, now=NOW)


async def _finish(stage: Stage, id_: uuid.UUID) -> None:
    await stage.as_("technician", requests.finish_step, id_, STEPS, now=NOW)


async def _sha256(request_id: uuid.UUID) -> str:
    async with acting_as(system("test")):
        quotes = await Quote.filter(request_id=request_id).order_by("-number")
    return quotes[0].sha256 if quotes else "0" * 64


COMMANDS: dict[Action, Callable[..., Awaitable[object]]] = {
    Action.SUBMIT: partial(requests.submit, now=NOW),
    Action.ACCEPT: partial(requests.accept, now=NOW),
    Action.RETURN: partial(requests.send_back, note="ขาดเอกสาร", now=NOW),
    Action.REJECT: partial(requests.reject, note="ให้ไม่ได้", now=NOW),
    Action.QUOTE: partial(requests.quote, now=NOW),
    Action.DECLINE: partial(requests.decline, note="งบไม่พอ", now=NOW),
    Action.EXPIRE: partial(requests.expire, now=LATER),
    Action.WITHDRAW: partial(requests.withdraw, now=NOW),
    Action.START: partial(requests.start, now=NOW),
    Action.COMPLETE: partial(requests.finish_step, position=STEPS, now=NOW),
    Action.REOPEN: partial(requests.dispute_delivery, note="ความเร็วไม่ถึง", now=NOW),
}
# A quote found stale by its confirmation is voided: nobody asks for that.
ASKED_FOR = set(Action) - {Action.VOID}


async def outcome_of(stage: Stage, action: Action, id_: uuid.UUID, sha256: str, by: Actor) -> object:
    """Return the state an action leads to, or the refusal's type; whatever it did is undone."""
    command = COMMANDS.get(action) or partial(requests.confirm, sha256=sha256, now=NOW)
    reached: object = None
    try:
        async with acting_as(by):
            await command(id_, by=by)
            reached = (await ServiceRequest.get(id=id_)).state
            _undo()
    except Undone:
        return reached
    except Refusal as refusal:
        return type(refusal)


def _undo() -> None:
    raise Undone


@pytest.mark.parametrize("state", list(State))
async def test_only_what_the_table_says(stage: Stage, state: State) -> None:
    request_id = await reach(stage, state)
    sha256 = await _sha256(request_id)
    wrong = []
    for action in ASKED_FOR:
        allowed, leads_to = TABLE.get((state, action), (set[str](), None))
        for who, by in {**stage.cast, "the portal": system("test")}.items():
            outcome = await outcome_of(stage, action, request_id, sha256, by)
            if outcome is not leads_to if who in allowed else isinstance(outcome, State):
                wrong.append((action.value, who, outcome))
    assert wrong == []


def test_every_state_can_be_reached_and_left_as_the_table_says() -> None:
    reached = {leads_to for _, leads_to in TABLE.values()} | {State.DRAFT}
    assert reached == set(State)
    assert {action for _, action in TABLE} == set(Action)
