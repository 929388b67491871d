"""The moves of a dispute: every pair of state and move."""

import itertools

import pytest

from billing.disputes.rules import SIDES, TRANSITIONS, DisputeOver, Move, Side, State, after

LEADS = {
    Move.MESSAGE: State.OPEN,
    Move.EXPLAIN: State.EXPLAINED,
    Move.CREDIT: State.CREDITED,
    Move.WITHDRAW: State.WITHDRAWN,
}


@pytest.mark.parametrize(("state", "move"), list(itertools.product(State, Move)))
def test_only_an_open_dispute_moves(state: State, move: Move) -> None:
    if state is State.OPEN and move in LEADS:
        assert after(state, move) is LEADS[move]
    else:
        with pytest.raises(DisputeOver):
            after(state, move)


def test_every_move_has_its_side_and_outcomes_are_the_providers() -> None:
    assert set(SIDES) == set(Move)
    assert {move for _, move in TRANSITIONS} == set(Move) - {Move.OPEN}
    assert SIDES[Move.EXPLAIN] == SIDES[Move.CREDIT] == {Side.PROVIDER}
    assert SIDES[Move.OPEN] == SIDES[Move.WITHDRAW] == {Side.AGENCY}
