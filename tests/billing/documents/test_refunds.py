"""What was paid beyond what a credit note leaves is given back once, to the satang, and in the books."""

import asyncio
import uuid
from decimal import Decimal

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from auth.audit.models import AuditRecord
from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.documents.queries import documents_of
from billing.payments.commands import record_payment, reverse_payment
from billing.payments.models import Means, Refund, RefundReversal
from billing.payments.queries import invoice_of
from billing.payments.refunds import record_refund, reverse_refund
from billing.payments.rules import Account
from billing.statements.verify import missing_numbers, verify
from tests.billing.documents.december import FINANCE, invoiced, paid
from tests.billing.ledger.books import balanced_books
from tests.stage import Stage, at

WHY = "คืนเงินตามใบลดหนี้"
LATER = at("2027-02-03")


async def credited(stage: Stage, *, is_paid: bool = True) -> uuid.UUID:
    """Issue December, have it paid, and take 100.00 and its VAT back."""
    statement_id = (await invoiced(stage)).statement_id
    assert statement_id is not None
    if is_paid:
        await paid(stage, statement_id, "82373.96", "777.11")
    line = Correction("ปรับปรุง", "Correction", Decimal("100.00"))
    await stage.as_(FINANCE, correct, statement_id, Kind.CREDIT_NOTE, [line], reason="คิดเกิน", now=at("2027-02-02"))
    return statement_id


async def refund(stage: Stage, statement_id: uuid.UUID, amount: str, who: str = FINANCE, **given: object) -> Refund:
    said = {"refunded_on": LATER.date(), "reference": "TR-0001", "reason": WHY} | given
    found: Refund = await stage.as_(who, record_refund, statement_id, Decimal(amount), **said, now=LATER)
    return found


async def stands(stage: Stage, statement_id: uuid.UUID) -> Account:
    async with acting_as(stage.cast["finance-a"]):
        found = await invoice_of(statement_id)
    assert found is not None
    return found.account


async def test_it_is_given_back_in_parts_and_stands_in_the_books(stage: Stage) -> None:
    invoice = await credited(stage)
    assert (await stands(stage, invoice)).overpaid == Decimal("107.00")
    first, second = await refund(stage, invoice, "7.00"), await refund(stage, invoice, "100.00")
    assert [first.number, second.number] == ["RF-P01-2570-00001", "RF-P01-2570-00002"]
    account = await stands(stage, invoice)
    assert (account.open, account.overpaid, account.refunded) == (0, 0, Decimal("107.00"))
    books = await balanced_books(stage.provider)
    assert (books["CASH"], books["REFUNDABLE"]) == (Decimal("82266.96"), 0)
    with pytest.raises(Invalid) as refused:
        await refund(stage, invoice, "0.01")
    assert refused.value.fields["refund"] == "This is more than is overpaid of the invoice."
    # Wrongly recorded: it is overpaid again, and can be given back rightly.
    reversal = await stage.as_(FINANCE, reverse_refund, first.id, reason="ธนาคารตีกลับ", now=LATER)
    assert (reversal.number, reversal.reversed_as) == ("RX-P01-2570-00001", "provider_finance")
    assert (await balanced_books(stage.provider))["REFUNDABLE"] == Decimal("-7.00")
    with pytest.raises(Conflict):
        await stage.as_(FINANCE, reverse_refund, first.id, reason="ธนาคารตีกลับ", now=LATER)
    await refund(stage, invoice, "7.00")
    assert (await balanced_books(stage.provider))["REFUNDABLE"] == 0
    async with acting_as(stage.cast["finance-a"]):
        listed = [(each.number, each.is_cancelled, each.has_sheet) for each in await documents_of(stage.agency("a"))]
    assert ("RF-P01-2570-00001", True, False) in listed
    assert ("RX-P01-2570-00001", False, False) in listed
    async with acting_as(system("verify")):
        assert await missing_numbers() == []
        noted = await AuditRecord.filter(action__in=["refund.recorded", "refund.reversed"]).order_by("at", "id")
    assert [each.detail["number"] for each in noted].count("RX-P01-2570-00001") == 1
    assert len(noted) == 4


async def test_what_is_recorded_at_once_never_comes_to_more_than_was_overpaid(stage: Stage) -> None:
    invoice = await credited(stage)
    done = await asyncio.gather(*(refund(stage, invoice, "30.00") for _ in range(6)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Invalid"] * 3 + ["Refund"] * 3
    assert (await stands(stage, invoice)).overpaid == Decimal("17.00")


async def test_what_is_refused(stage: Stage) -> None:
    invoice = await credited(stage, is_paid=False)
    # A credit note alone leaves nothing to give back; and more than is open is never taken in.
    with pytest.raises(Invalid):
        await refund(stage, invoice, "0.01")
    with pytest.raises(Invalid):
        await paid(stage, invoice, "83044.08")
    receipt = await paid(stage, invoice, "83044.07")
    line = Correction("ปรับปรุง", "Correction", Decimal("1.00"))
    await stage.as_(FINANCE, correct, invoice, Kind.CREDIT_NOTE, [line], reason="คิดเกิน", now=LATER)
    for given, field in (
        ({"reference": ""}, "refund_reference"),
        ({"reference": "T" * 101}, "refund_reference"),
        ({"reason": "ผิด"}, "refund_reason"),
        ({"reason": "ผิด" * 200}, "refund_reason"),
        ({"refunded_on": at("2027-02-04").date()}, "refunded_on"),
        ({"refunded_on": at("2027-01-04").date()}, "refunded_on"),
    ):
        with pytest.raises(Invalid) as refused:
            await refund(stage, invoice, "1.07", **given)
        assert set(refused.value.fields) == {field}
    for amount in ("0", "-1.00", "0.001"):
        with pytest.raises(Invalid):
            await refund(stage, invoice, amount)
    with pytest.raises(NotPermitted):
        await refund(stage, invoice, "1.07", "finance-a")
    with pytest.raises(NotFound):
        await refund(stage, invoice, "1.07", "finance-b")
    # A cheque comes back after the refund: what was given back is owed as well.
    given_back = await refund(stage, invoice, "1.07")
    await stage.as_(FINANCE, reverse_payment, receipt.payment_id, reason="เช็คคืน", now=LATER)
    assert (await stands(stage, invoice)).open == Decimal("83044.07")
    books = await balanced_books(stage.provider)
    assert (books["CASH"], books["RECEIVABLE"]) == (Decimal("-1.07"), Decimal("230490.07"))
    await stage.as_(
        FINANCE,
        record_payment,
        invoice,
        paid_on=LATER.date(),
        means=Means.TRANSFER,
        reference="T",
        received=Decimal("83044.07"),
        withheld=Decimal("0.00"),
        now=LATER,
    )
    account = await stands(stage, invoice)
    assert (account.open, account.receipted_vat) == (0, account.owed_vat)
    assert given_back.amount == Decimal("1.07")
    # What checks the VAT of receipts knows of the refund between them.
    async with acting_as(system("verify")):
        assert [each.differences async for each in verify()] == [()]


async def test_neither_refund_nor_reversal_is_ever_changed(stage: Stage) -> None:
    given = await refund(stage, await credited(stage), "107.00")
    await stage.as_(FINANCE, reverse_refund, given.id, reason="ธนาคารตีกลับ", now=LATER)
    for table in ("refund", "refund_reversal"):
        for change in (f"UPDATE {table} SET reason = 'x' RETURNING 1", f"DELETE FROM {table} RETURNING 1"):  # noqa: S608
            with pytest.raises((OperationalError, IntegrityError)):
                async with acting_as(system("test")):
                    await rows(change)
    async with acting_as(stage.cast["finance-b"]):
        assert await Refund.all() == []
        assert await RefundReversal.all() == []


async def test_a_receipt_that_waited_for_a_later_one_bears_what_is_checked(stage: Stage) -> None:
    invoice = (await invoiced(stage)).statement_id
    assert invoice is not None
    for amount, moment in (("100.05", "10:01"), ("33.33", "10:00"), ("77.11", "10:00")):
        await paid(stage, invoice, amount, on=at("2027-01-20", moment))
    async with acting_as(system("verify")):
        assert [each.differences async for each in verify()] == [()]
