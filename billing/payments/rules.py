"""What is open of an invoice, and how long it has been. Pure; amounts in baht, VAT included unless said."""

import datetime as dt
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.money import exactly, satang

NOTHING = Decimal("0.00")


class Age(enum.StrEnum):
    """How long an invoice has been due."""

    NOT_DUE = "not_due"
    TO_30 = "to_30"
    TO_60 = "to_60"
    TO_90 = "to_90"
    OVER_90 = "over_90"


_UP_TO = ((0, Age.NOT_DUE), (30, Age.TO_30), (60, Age.TO_60), (90, Age.TO_90))


@dataclass(frozen=True, slots=True)
class Account:
    """An invoice with what corrected it and what settled it.

    `total` and `vat` are the invoice's; notes change what is owed; money received and tax withheld settle it alike,
    as far as it was not refunded.
    """

    total: Decimal
    vat: Decimal
    credited: Decimal = NOTHING
    credited_vat: Decimal = NOTHING
    debited: Decimal = NOTHING
    debited_vat: Decimal = NOTHING
    received: Decimal = NOTHING
    withheld: Decimal = NOTHING
    refunded: Decimal = NOTHING
    receipted_vat: Decimal = NOTHING

    @property
    def owed(self) -> Decimal:
        """What is to be paid in all."""
        return self.total + self.debited - self.credited

    @property
    def owed_vat(self) -> Decimal:
        """The VAT within it."""
        return self.vat + self.debited_vat - self.credited_vat

    @property
    def settled(self) -> Decimal:
        """What was paid so far and not given back, tax withheld included."""
        return self.received + self.withheld - self.refunded

    @property
    def open(self) -> Decimal:
        """What is left to pay; below zero where more was paid than is owed after a credit note."""
        return self.owed - self.settled

    @property
    def overpaid(self) -> Decimal:
        """The agency's credit balance: what was paid beyond what is owed, and not given back."""
        return max(-self.open, NOTHING)


def receipt_vat(account: Account, gross: Decimal) -> Decimal:
    """Return the VAT within a payment of `gross`, tax withheld included, made on top of what was paid.

    Shares of the whole, each cut from the running sum, so that the receipts of an invoice paid in parts bear
    exactly the VAT that is owed.
    """
    if not account.owed:
        return NOTHING
    with exactly():
        due = satang(account.owed_vat * (account.settled + gross) / account.owed)
        return max(due - account.receipted_vat, NOTHING)


def note_vat(subtotal: Decimal, vat_rate: Decimal, left: Decimal, left_vat: Decimal) -> Decimal:
    """Return the VAT of a credit note; one that takes back all that is left before VAT takes all VAT left."""
    with exactly():
        return left_vat if subtotal == left else min(satang(subtotal * vat_rate), left_vat)


def age(due_on: dt.date, today: dt.date) -> Age:
    """Return how long something due on a day has been open; on that day itself it is not overdue."""
    days = (today - due_on).days
    return next((name for most, name in _UP_TO if days <= most), Age.OVER_90)


def ageing(opened: Sequence[tuple[dt.date, Decimal]], today: dt.date) -> dict[Age, Decimal]:
    """Add up what is open, given as (due on, amount), by age."""
    sums = dict.fromkeys(Age, NOTHING)
    for due_on, amount in opened:
        sums[age(due_on, today)] += amount
    return sums
