"""What is asked against what is free. Pure."""

import uuid
from dataclasses import dataclass
from decimal import Decimal

from auth.errors import Refusal


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Of one pool: what is asked, what is free, and so by how much it is short."""

    pool_id: uuid.UUID
    names: tuple[str, str]
    asked: Decimal
    available: Decimal

    @property
    def short_by(self) -> Decimal:
        """By how much more is asked than is free."""
        return self.asked - self.available


class OverCapacity(Refusal):
    """More is asked than the provider can give (annex ก 1.3). `shortfalls` says of what, and by how much."""

    def __init__(self, shortfalls: tuple[Shortfall, ...]) -> None:
        super().__init__("more is asked than is free")
        self.shortfalls = shortfalls


class PoolInUse(Refusal):
    """A pool cannot become smaller than what is in use or held in it."""

    def __init__(self, taken: Decimal, size: Decimal) -> None:
        super().__init__(f"{taken} is in use or held, so {size} is too small")
        self.taken = taken
        self.size = size
