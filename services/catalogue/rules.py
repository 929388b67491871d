"""The families of the standard, what applies on a day, and what quantity of a component may be asked for. Pure."""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol, TypeVar


class Dated(Protocol):
    """What applies from a day on."""

    effective_from: dt.date


V = TypeVar("V", bound=Dated)


class Family(enum.StrEnum):
    """What an offering is (standard 3.6–3.8, 5); the security services go with them."""

    GOVERNMENT_INTERNET = "government_internet"
    GOVERNMENT_INTRANET = "government_intranet"
    AGENCY_INTRANET = "agency_intranet"
    CLOUD = "cloud"
    DATA_CENTRE = "data_centre"
    SECURITY = "security"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The quantities a component can be ordered in."""

    minimum: Decimal
    maximum: Decimal | None
    step: Decimal

    def complaint(self, quantity: Decimal) -> str | None:
        """Return the English message id of what is wrong with a quantity, None when it can be ordered."""
        if not quantity.is_finite() or quantity <= 0:
            return "Enter a number above zero."
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


def coming(versions: Sequence[V], after: dt.date) -> V | None:
    """Return what applies next after a day, None where nothing is announced."""
    later = next((version for version in versions if version.effective_from > after), None)
    return in_force(versions, later.effective_from) if later else None
