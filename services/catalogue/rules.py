"""The families of the standard, and what quantity of a component may be asked for. Pure."""

import enum
from dataclasses import dataclass
from decimal import Decimal


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
