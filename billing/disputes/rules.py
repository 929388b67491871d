"""What may happen in a dispute, and by which side. Pure."""

import enum

from auth.errors import Conflict


class State(enum.StrEnum):
    """How a dispute stands."""

    OPEN = "open"
    EXPLAINED = "explained"  # the line stands, and why
    CREDITED = "credited"  # a credit note was issued
    WITHDRAWN = "withdrawn"


class Move(enum.StrEnum):
    """What somebody does in a dispute."""

    OPEN = "open"
    MESSAGE = "message"
    EXPLAIN = "explain"
    CREDIT = "credit"
    WITHDRAW = "withdraw"


class Side(enum.StrEnum):
    """Whose move it is."""

    AGENCY = "agency"
    PROVIDER = "provider"


TRANSITIONS: dict[tuple[State, Move], State] = {
    (State.OPEN, Move.MESSAGE): State.OPEN,
    (State.OPEN, Move.EXPLAIN): State.EXPLAINED,
    (State.OPEN, Move.CREDIT): State.CREDITED,
    (State.OPEN, Move.WITHDRAW): State.WITHDRAWN,
}
SIDES: dict[Move, frozenset[Side]] = {
    Move.OPEN: frozenset({Side.AGENCY}),
    Move.MESSAGE: frozenset(Side),
    Move.EXPLAIN: frozenset({Side.PROVIDER}),
    Move.CREDIT: frozenset({Side.PROVIDER}),
    Move.WITHDRAW: frozenset({Side.AGENCY}),
}


class DisputeOver(Conflict):
    """The dispute has its outcome."""


def after(state: State, move: Move) -> State:
    """Return how a dispute stands after a move; DisputeOver where it takes no more."""
    try:
        return TRANSITIONS[state, move]
    except KeyError:
        raise DisputeOver(f"{move} of a dispute that is {state}") from None
