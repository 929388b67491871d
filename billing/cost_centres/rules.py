"""What a fiscal year comes to by cost centre, with VAT. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from billing.budgets.rules import FiscalYear, Standing
from billing.explorer.rules import Entry, shared_out
from billing.statements.queries import Book

NOTHING = Decimal("0.00")


@dataclass(frozen=True, slots=True)
class CentreYear:
    """A cost centre's fiscal year, in baht with VAT; the empty name is what belongs to none."""

    name: str
    spent: Decimal
    forecast: Decimal
    budget: Decimal | None
    committed: Decimal = NOTHING

    @property
    def standing(self) -> Standing | None:
        """How it stands against its budget; None where none is set."""
        return None if self.budget is None else Standing(self.budget, self.spent, self.committed, self.forecast)


def centre_years(
    book: Book,
    entries: Sequence[Entry],
    year: FiscalYear,
    budgets: Mapping[str, Decimal],
    committed: Mapping[str, Decimal] | None = None,
) -> list[CentreYear]:
    """Return how each cost centre's year stands; their sums are the whole agency's to the satang.

    The VAT of a bill, as that of a note on it, is rounded once, so it is split by what each centre's lines come to.
    `committed` is what is confirmed and does not run yet, by centre.
    """
    named = {service.cost_centre for service in book.services.values()} | {name for name in budgets if name}
    spent, whole = dict.fromkeys(named, NOTHING), dict.fromkeys(named, NOTHING)
    for month in year.months:
        sums = book.sums(month)
        billed = sum((statement.vat for statement in sums.issued), NOTHING)
        noted = sum((note.vat for note in sums.notes), NOTHING)
        own = [entry for entry in entries if entry.month == month]
        shares = [
            (sums.vat - billed - noted, [each for each in own if not each.invoiced]),
            (billed, [each for each in own if each.invoiced and not each.note]),
            *((note.vat, [each for each in own if each.note == note.number]) for note in sums.notes),
        ]
        for vat, lines in shares:
            for name, amount in _with_vat(lines, vat).items():
                whole[name] = whole.get(name, NOTHING) + amount
                if lines[0].invoiced:
                    spent[name] = spent.get(name, NOTHING) + amount
    return [
        CentreYear(
            name,
            spent.get(name, NOTHING),
            whole[name],
            budgets.get(name) if name else None,
            (committed or {}).get(name, NOTHING),
        )
        for name in sorted(whole)
    ]


def _with_vat(entries: Iterable[Entry], vat: Decimal) -> dict[str, Decimal]:
    subtotals: dict[str, Decimal] = {}
    for entry in entries:
        subtotals[entry.cost_centre] = subtotals.get(entry.cost_centre, NOTHING) + entry.amount
    sign = -1 if vat < 0 else 1
    parts = shared_out(vat, {name: max(sign * amount, NOTHING) for name, amount in subtotals.items()})
    return {name: amount + parts[name] for name, amount in subtotals.items()}
