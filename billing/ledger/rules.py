"""What each issued document does to the provider's accounts. Pure; amounts in baht, debit positive, credit negative.

An account's balance follows from where each invoice stands; a document's postings are the difference it makes. So they
add up to zero whatever the order, and what agencies owe is what the ageing says.
"""

import datetime as dt
import enum
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

NOTHING = Decimal("0.00")


class Account(enum.StrEnum):
    """The provider's accounts as far as bills move them, by their codes."""

    CASH = "1010"
    RECEIVABLE = "1110"
    WITHHELD = "1150"  # income tax that payers kept back; the revenue office owes it
    REFUNDABLE = "2010"  # paid more than is owed after a credit note
    OUTPUT_VAT = "2110"
    VAT_NOT_DUE = "2120"  # on invoices not paid yet: a service's tax point is payment
    REVENUE = "4010"  # a family each
    ADDED = "4080"  # by debit notes
    TAKEN_BACK = "4090"  # by credit notes


class Deed(enum.StrEnum):
    """What was issued; a receipt stands for its payment, a cancellation for its reversal."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"
    CANCELLATION = "cancellation"
    REFUND = "refund"
    REFUND_REVERSAL = "refund_reversal"


Key = tuple[Account, str]
"""An account, and the family where it is revenue."""
Balances = Mapping[Key, Decimal]


@dataclass(frozen=True, slots=True)
class Sums:
    """What stands under a document; `net` is `total` without the tax withheld."""

    subtotal: Decimal
    vat: Decimal
    total: Decimal
    withheld: Decimal
    net: Decimal


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an invoice stands after some of its documents; `revenue` is what it charges, by family."""

    owed: Decimal = NOTHING
    owed_vat: Decimal = NOTHING
    received: Decimal = NOTHING
    withheld: Decimal = NOTHING
    refunded: Decimal = NOTHING
    receipted_vat: Decimal = NOTHING
    added: Decimal = NOTHING
    taken_back: Decimal = NOTHING
    revenue: tuple[tuple[str, Decimal], ...] = ()

    def after(self, deed: Deed, sums: Sums, revenue: Iterable[tuple[str, Decimal]] = ()) -> "Standing":
        """Return where it stands after a document; `revenue` comes with the invoice."""
        match deed:
            case Deed.INVOICE:
                return replace(
                    self,
                    owed=self.owed + sums.total,
                    owed_vat=self.owed_vat + sums.vat,
                    revenue=(*self.revenue, *revenue),
                )
            case Deed.DEBIT_NOTE:
                return replace(
                    self,
                    owed=self.owed + sums.total,
                    owed_vat=self.owed_vat + sums.vat,
                    added=self.added + sums.subtotal,
                )
            case Deed.CREDIT_NOTE:
                return replace(
                    self,
                    owed=self.owed - sums.total,
                    owed_vat=self.owed_vat - sums.vat,
                    taken_back=self.taken_back + sums.subtotal,
                )
            case Deed.REFUND:
                return replace(self, refunded=self.refunded + sums.net)
            case Deed.REFUND_REVERSAL:
                return replace(self, refunded=self.refunded - sums.net)
        sign = 1 if deed is Deed.RECEIPT else -1
        return replace(
            self,
            received=self.received + sign * sums.net,
            withheld=self.withheld + sign * sums.withheld,
            receipted_vat=self.receipted_vat + sign * sums.vat,
        )

    @property
    def balances(self) -> Balances:
        """What each account holds for this invoice."""
        is_open = self.owed - self.received - self.withheld + self.refunded
        not_due = max(self.owed_vat - self.receipted_vat, NOTHING)
        found: defaultdict[Key, Decimal] = defaultdict(lambda: NOTHING)
        found[Account.CASH, ""] = self.received - self.refunded
        found[Account.WITHHELD, ""] = self.withheld
        found[Account.RECEIVABLE, ""] = max(is_open, NOTHING)
        found[Account.REFUNDABLE, ""] = min(is_open, NOTHING)
        found[Account.VAT_NOT_DUE, ""] = -not_due
        found[Account.OUTPUT_VAT, ""] = not_due - self.owed_vat
        found[Account.ADDED, ""] = -self.added
        found[Account.TAKEN_BACK, ""] = self.taken_back
        for family, amount in self.revenue:
            found[Account.REVENUE, family] -= amount
        return found


@dataclass(frozen=True, slots=True)
class Posting:
    """What one document moves on one account."""

    account: Account
    family: str
    amount: Decimal

    @property
    def debit(self) -> Decimal:
        """The amount where it is a debit, else zero."""
        return max(self.amount, NOTHING)

    @property
    def credit(self) -> Decimal:
        """The amount where it is a credit, as a positive figure, else zero."""
        return max(-self.amount, NOTHING)


def postings(before: Standing, now: Standing) -> tuple[Posting, ...]:
    """Return what takes an invoice's accounts from one standing to another, in the order of the accounts."""
    was, is_now = before.balances, now.balances
    moved = {key: is_now.get(key, NOTHING) - was.get(key, NOTHING) for key in {*was, *is_now}}
    return tuple(Posting(*key, amount) for key, amount in sorted(moved.items()) if amount)


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with its postings."""

    id: uuid.UUID
    statement_id: uuid.UUID
    agency_id: uuid.UUID
    deed: Deed
    number: str
    at: dt.datetime
    postings: tuple[Posting, ...]

    @property
    def is_balanced(self) -> bool:
        """Whether its debits are its credits."""
        return not sum((each.amount for each in self.postings), NOTHING)


@dataclass(slots=True)
class TrialRow:
    """An account over a period: what it held, what moved it, debit positive."""

    account: Account
    family: str
    opening: Decimal = NOTHING
    debit: Decimal = NOTHING
    credit: Decimal = NOTHING

    @property
    def closing(self) -> Decimal:
        """What it holds afterwards."""
        return self.opening + self.debit - self.credit


@dataclass(frozen=True, slots=True)
class Ledger:
    """A period's entries, oldest first, and the accounts before it."""

    opening: Balances = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()

    @property
    def trial_balance(self) -> list[TrialRow]:
        """Return every account that held or moved anything, by code."""
        found: dict[Key, TrialRow] = {}
        for key, amount in self.opening.items():
            if amount:
                found.setdefault(key, TrialRow(*key)).opening = amount
        for entry in self.entries:
            for each in entry.postings:
                row = found.setdefault((each.account, each.family), TrialRow(each.account, each.family))
                row.debit += each.debit
                row.credit += each.credit
        return [found[key] for key in sorted(found)]

    @property
    def receivable(self) -> Decimal:
        """What agencies owe after the period."""
        return sum((row.closing for row in self.trial_balance if row.account is Account.RECEIVABLE), NOTHING)

    @property
    def is_balanced(self) -> bool:
        """Whether every entry's debits are its credits, and so are those of all accounts before them."""
        return not sum(self.opening.values(), NOTHING) and all(entry.is_balanced for entry in self.entries)


def added_up(balances: Iterable[Balances]) -> dict[Key, Decimal]:
    """Add accounts up over invoices."""
    found: defaultdict[Key, Decimal] = defaultdict(lambda: NOTHING)
    for each in balances:
        for key, amount in each.items():
            found[key] += amount
    return dict(found)
