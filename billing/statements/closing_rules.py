"""What a draft says, digested, and where it stands out against the month before. Pure."""

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from auth.fields import canonical
from billing.money import ZERO, exactly
from billing.statements.lines import Line

NOTE_SHARE = Decimal("0.20")
NOTE_AMOUNT = Decimal("1000.00")
NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class Policy:
    """How a provider closes its months.

    A service's charge that differs from last month's by more than `note_share` of it, and by more than
    `note_amount` baht, needs a note. `due_days` are from issue to due. `payment_instructions` are lines
    that say where to pay.
    """

    needs_review: bool = True
    due_days: int = 30
    note_share: Decimal = NOTE_SHARE
    note_amount: Decimal = NOTE_AMOUNT
    payment_instructions: str = ""


@dataclass(frozen=True, slots=True)
class Difference:
    """What a service comes to in the draft and came to the month before, in baht before VAT."""

    service_id: uuid.UUID
    number: str
    names: tuple[str, str]
    now: Decimal
    before: Decimal

    @property
    def change(self) -> Decimal:
        """How much more it is now; negative when less."""
        return self.now - self.before

    @property
    def share(self) -> Decimal | None:
        """The change as a fraction of before; None where there was nothing before."""
        with exactly():
            return self.change / self.before if self.before else None

    @property
    def is_new(self) -> bool:
        """Whether the service was not on last month's bill."""
        return not self.before and bool(self.now)

    def is_large(self, policy: Policy) -> bool:
        """Say whether the difference needs a note."""
        with exactly():
            return abs(self.change) > policy.note_amount and (
                not self.before or abs(self.change) > policy.note_share * abs(self.before)
            )


def differences(now: Iterable[Line], before: Iterable[Line]) -> list[Difference]:
    """Compare two months' lines by service, in the order of their numbers."""
    known: dict[uuid.UUID, Line] = {}
    sums: tuple[dict[uuid.UUID, Decimal], dict[uuid.UUID, Decimal]] = ({}, {})
    for side, lines in ((1, before), (0, now)):
        for line in lines:
            known[line.service_id] = line
            sums[side][line.service_id] = sums[side].get(line.service_id, NOTHING) + line.amount
    return sorted(
        (
            Difference(
                id_, line.service_number, line.service_names, sums[0].get(id_, NOTHING), sums[1].get(id_, NOTHING)
            )
            for id_, line in known.items()
        ),
        key=lambda each: each.number,
    )


def digest(lines: Iterable[Line], vat_rate: Decimal, withholding_rate: Decimal) -> str:
    """Return the SHA-256, in hex, of what an invoice of these lines and rates would say, whatever their order."""
    said = sorted(
        canonical([line.service_id, line.names, line.quantity + ZERO, line.starts_on, line.ends_on, line.amount])
        for line in lines
    )
    rates = [vat_rate.normalize(), withholding_rate.normalize()]
    return hashlib.sha256(canonical([said, rates]).encode()).hexdigest()
