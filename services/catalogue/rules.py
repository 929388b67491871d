"""The families of the standard, what applies or can be ordered for a day, and in which quantities. Pure."""

import datetime as dt
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Protocol, TypeVar


class Dated(Protocol):
    """What applies from a day on."""

    effective_from: dt.date


class Ordered(Dated, Protocol):
    """What can, or cannot, be ordered from a day on."""

    @property
    def takes_orders(self) -> bool:
        """Whether it can."""
        ...


class Bounded(Ordered, Protocol):
    """What says the quantities, too."""

    @property
    def rule(self) -> "Bounds":
        """The quantities."""
        ...


V = TypeVar("V", bound=Dated)


class Family(enum.StrEnum):
    """What an offering is (standard 3.6–3.8, 5); the security services go with them."""

    GOVERNMENT_INTERNET = "government_internet"
    GOVERNMENT_INTRANET = "government_intranet"
    AGENCY_INTRANET = "agency_intranet"
    CLOUD = "cloud"
    DATA_CENTRE = "data_centre"
    SECURITY = "security"


NOT_OFFERED = "This is not offered for that day: choose another day, or leave it out."


@dataclass(frozen=True, slots=True)
class Bounds:
    """The quantities a component can be ordered in, and whether it is offered at all."""

    minimum: Decimal
    maximum: Decimal | None
    step: Decimal
    is_offered: bool = True

    def complaint(self, quantity: Decimal, before: Decimal = Decimal(0)) -> str | None:
        """Return the English message id of what is wrong with a quantity, None when it can be ordered.

        What is not offered any more can be kept and lowered by who has it: `before` is how much there is.
        """
        if not quantity.is_finite() or quantity <= 0:
            return "Enter a number above zero."
        if not self.is_offered and quantity > before:
            return "For that day there is no more of this: keep what there is, or less." if before else NOT_OFFERED
        if quantity < self.minimum:
            return "This is less than can be ordered."
        if self.maximum is not None and quantity > self.maximum:
            return "This is more than can be ordered."
        if (quantity - self.minimum) % self.step:
            return "This does not fit the steps in which it can be ordered."
        return None


def in_force(versions: Sequence[V], on: dt.date) -> V:
    """Return what applies on a day: of one day's versions the one made last; before the first, the first.

    `versions` are sorted by their days, then as they were made, and are never empty.
    """
    return next((version for version in reversed(versions) if version.effective_from <= on), versions[0])


def coming(versions: Sequence[V], after: dt.date, is_news: Callable[[V], bool] = lambda _: True) -> V | None:
    """Return what applies next after a day and is news, None where nothing such is announced."""
    return next((version for version in announced(versions, after) if is_news(version)), None)


def announced(versions: Sequence[V], after: dt.date) -> list[V]:
    """Return what applies on each later day on which something begins, in their order."""
    days = dict.fromkeys(version.effective_from for version in versions if version.effective_from > after)
    return [in_force(versions, day) for day in days]


@dataclass(frozen=True, slots=True)
class Orders:
    """Whether something can be ordered for a day, and on which later day that is announced to change."""

    are_taken: bool
    change_on: dt.date | None

    @property
    def first_day(self) -> dt.date | None:
        """From which day on it can be ordered, where that day is still to come."""
        return None if self.are_taken else self.change_on

    @property
    def last_day(self) -> dt.date | None:
        """Until which day it can be ordered, where that is announced."""
        return self.change_on - dt.timedelta(days=1) if self.are_taken and self.change_on else None

    @property
    def are_possible(self) -> bool:
        """Whether it can be ordered for any day that is known of."""
        return self.are_taken or self.change_on is not None


def takes_orders(versions: Sequence[Ordered], on: dt.date) -> bool:
    """Return whether something can be ordered for a day; for none before its first."""
    return versions[0].effective_from <= on and in_force(versions, on).takes_orders


def orders_on(versions: Sequence[Ordered], on: dt.date) -> Orders:
    """Return how orders stand on a day."""
    are_taken = takes_orders(versions, on)
    later = coming(versions, on, lambda version: version.takes_orders is not are_taken)
    return Orders(are_taken, later.effective_from if later else None)


def bounds_for(versions: Sequence[Bounded], on: dt.date) -> Bounds:
    """Return in which quantities a component can be ordered for a day; before its first it is not offered."""
    return replace(in_force(versions, on).rule, is_offered=takes_orders(versions, on))
