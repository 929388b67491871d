"""Postings add up to zero and lead to the balances, whatever is issued in whatever order."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.ledger.rules import Account, Balances, Deed, Posting, Standing, Sums, postings
from billing.payments.rules import Account as Debt
from billing.payments.rules import receipt_vat

GI, CLOUD = "government_internet", "cloud"
NOTHING = Decimal("0.00")


def sums(subtotal: str, vat: str, withheld: str = "0.00") -> Sums:
    before, tax, kept = Decimal(subtotal), Decimal(vat), Decimal(withheld)
    return Sums(before, tax, before + tax, kept, before + tax - kept)


def by_account(found: tuple[Posting, ...]) -> dict[str, str]:
    return {f"{each.account.name} {each.family}".strip(): str(each.amount) for each in found}


def test_december_of_the_scenario_step_by_step() -> None:
    """S5: 77,711.28 + 5,439.79 = 83,151.07; 777.11 withheld, 82,373.96 received."""
    steps: list[tuple[Deed, Sums]] = [
        (Deed.INVOICE, sums("77711.28", "5439.79")),
        (Deed.RECEIPT, sums("77711.28", "5439.79", "777.11")),
        (Deed.CREDIT_NOTE, sums("100.00", "7.00")),
        (Deed.REFUND, sums("107.00", "0.00")),
        (Deed.REFUND_REVERSAL, sums("107.00", "0.00")),
        (Deed.CANCELLATION, sums("77711.28", "5439.79", "777.11")),
    ]
    found, standing = [], Standing()
    for deed, each in steps:
        revenue = [(GI, Decimal("23811.28")), (CLOUD, Decimal("53900.00"))] if deed is Deed.INVOICE else []
        now = standing.after(deed, each, revenue)
        found.append(by_account(postings(standing, now)))
        standing = now
    assert found == [
        {
            "RECEIVABLE": "83151.07",
            "VAT_NOT_DUE": "-5439.79",
            "REVENUE cloud": "-53900.00",
            "REVENUE government_internet": "-23811.28",
        },
        # The tax point is payment: the VAT falls due.
        {
            "CASH": "82373.96",
            "RECEIVABLE": "-83151.07",
            "WITHHELD": "777.11",
            "OUTPUT_VAT": "-5439.79",
            "VAT_NOT_DUE": "5439.79",
        },
        # Paid in full before: the agency has 107.00 coming.
        {"REFUNDABLE": "-107.00", "OUTPUT_VAT": "7.00", "TAKEN_BACK": "100.00"},
        # It is given back, and once more taken for not given back.
        {"CASH": "-107.00", "REFUNDABLE": "107.00"},
        {"CASH": "107.00", "REFUNDABLE": "-107.00"},
        # Nothing was paid after all: it owes 83,044.07, and no VAT is due yet.
        {
            "CASH": "-82373.96",
            "RECEIVABLE": "83044.07",
            "WITHHELD": "-777.11",
            "REFUNDABLE": "107.00",
            "OUTPUT_VAT": "5432.79",
            "VAT_NOT_DUE": "-5432.79",
        },
    ]


AMOUNTS = st.integers(1, 10**9).map(lambda satang: Decimal(satang) / 100)
DEEDS = st.lists(
    st.tuples(st.sampled_from([deed for deed in Deed if deed is not Deed.INVOICE]), AMOUNTS, AMOUNTS),
    max_size=16,
)


@given(st.lists(st.tuples(st.sampled_from([GI, CLOUD]), AMOUNTS), min_size=1, max_size=4), DEEDS)
def test_every_posting_adds_up_to_zero_and_all_to_the_balances(
    lines: list[tuple[str, Decimal]], deeds: list[tuple[Deed, Decimal, Decimal]]
) -> None:
    subtotal = sum((amount for _, amount in lines), NOTHING)
    vat = (subtotal * 7 / 100).quantize(Decimal("0.01"))
    standing, debt, receipts, refunds = Standing(), Debt(subtotal + vat, vat), list[Sums](), list[Sums]()
    history: list[tuple[Deed, Sums]] = [(Deed.INVOICE, sums(str(subtotal), str(vat)))]
    for deed, amount, kept in deeds:
        made = _made(deed, amount, kept, debt, receipts, refunds)
        if made is None:
            continue
        history.append((deed, made))
        debt = _debt_after(debt, deed, made)
    total: dict[tuple[Account, str], Decimal] = {}
    for deed, made in history:
        now = standing.after(deed, made, lines if deed is Deed.INVOICE else ())
        moved = postings(standing, now)
        assert sum(each.amount for each in moved) == 0
        for each in moved:
            total[each.account, each.family] = total.get((each.account, each.family), NOTHING) + each.amount
        standing = now
    balances: Balances = standing.balances
    assert {key: amount for key, amount in total.items() if amount} == {k: a for k, a in balances.items() if a}
    assert balances[Account.RECEIVABLE, ""] == max(debt.open, NOTHING)
    assert balances[Account.RECEIVABLE, ""] + balances[Account.REFUNDABLE, ""] == debt.open
    assert balances[Account.CASH, ""] + balances[Account.WITHHELD, ""] == debt.settled
    assert balances[Account.OUTPUT_VAT, ""] + balances[Account.VAT_NOT_DUE, ""] == -debt.owed_vat


def _made(
    deed: Deed, amount: Decimal, kept: Decimal, debt: Debt, receipts: list[Sums], refunds: list[Sums]
) -> Sums | None:
    """Return what a deed comes to as far as it can be done, None where it cannot."""
    tax = (amount * 7 / 100).quantize(Decimal("0.01"))
    match deed:
        case Deed.CANCELLATION | Deed.REFUND_REVERSAL:
            stands = receipts if deed is Deed.CANCELLATION else refunds
            return stands.pop(0) if stands else None
        case Deed.RECEIPT if debt.open > 0:
            gross = min(amount, debt.open)
            tax = receipt_vat(debt, gross)
            receipts.append(sums(str(gross - tax), str(tax), str(min(kept, gross))))
            return receipts[-1]
        case Deed.REFUND if debt.overpaid:
            refunds.append(sums(str(min(amount, debt.overpaid)), "0.00"))
            return refunds[-1]
        case Deed.DEBIT_NOTE:
            return sums(str(amount), str(tax))
        case Deed.CREDIT_NOTE if amount + tax <= debt.owed:
            return sums(str(amount), str(tax))
    return None


def _debt_after(debt: Debt, deed: Deed, made: Sums) -> Debt:
    fields = {name: getattr(debt, name) for name in Debt.__slots__}
    if deed is Deed.CREDIT_NOTE:
        fields["credited"] += made.total
        fields["credited_vat"] += made.vat
    elif deed is Deed.DEBIT_NOTE:
        fields["debited"] += made.total
        fields["debited_vat"] += made.vat
    elif deed in {Deed.REFUND, Deed.REFUND_REVERSAL}:
        fields["refunded"] += made.net if deed is Deed.REFUND else -made.net
    else:
        sign = 1 if deed is Deed.RECEIPT else -1
        fields["received"] += sign * made.net
        fields["withheld"] += sign * made.withheld
        fields["receipted_vat"] += sign * made.vat
    return Debt(**fields)
