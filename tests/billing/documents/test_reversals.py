"""A payment recorded wrongly is reversed: the invoice is open again, the receipt stays and is cancelled."""

import asyncio
from decimal import Decimal

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from auth.audit.models import AuditRecord
from auth.errors import Conflict, Invalid, NotFound, NotPermitted
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.documents.etax import etax_xml
from billing.documents.models import Document, Kind
from billing.documents.queries import documents_of
from billing.payments.commands import reverse_payment
from billing.payments.models import Payment, Reversal
from billing.payments.queries import Invoice, invoice_of, invoices
from billing.payments.rules import Age, ageing
from tests.billing.documents.december import FINANCE, invoiced, paid, sheet
from tests.stage import Stage, at

WRONG = "บันทึกซ้ำกับรายการของใบแจ้งหนี้อื่น"


async def reverse(stage: Stage, receipt: Document, reason: str = WRONG) -> Document:
    _, note = await stage.as_(FINANCE, reverse_payment, receipt.payment_id, reason=reason, now=at("2027-01-25"))
    return note


async def december(stage: Stage) -> Invoice:
    bill = await invoiced(stage)
    return await as_it_stands(stage, bill.statement_id)


async def as_it_stands(stage: Stage, statement_id: object) -> Invoice:
    async with acting_as(stage.cast["finance-a"]):
        found = await invoice_of(statement_id)  # type: ignore[arg-type]
    assert found is not None
    return found


async def test_what_was_settled_is_open_again_and_ages_from_its_due_day(stage: Stage) -> None:
    invoice = await december(stage)
    receipt = await paid(stage, invoice.id, "82373.96", "777.11")
    before = etax_xml(await sheet(stage, "finance-a", receipt.id))
    note = await reverse(stage, receipt)
    assert (note.number, note.reason) == ("CX-P01-2570-00001", WRONG)
    assert (note.total, note.vat, note.withheld) == (receipt.total, receipt.vat, receipt.withheld)
    now = await as_it_stands(stage, invoice.id)
    assert now.account == invoice.account
    assert now.age(at("2027-02-05").date()) is Age.TO_30
    async with acting_as(stage.cast["finance-a"]):
        open_now = [(each.due_on, each.account.open) for each in await invoices(agency_id=stage.agency("a"))]
        listed = {each.number: each.is_cancelled for each in await documents_of(stage.agency("a"))}
    # October and November, 73,723.00 each, and December's 83,151.07.
    assert sum(ageing(open_now, at("2027-02-05").date()).values()) == Decimal("230597.07")
    assert {number for number, cancelled in listed.items() if cancelled} == {receipt.number}
    # The receipt is what it was, to the byte.
    assert etax_xml(await sheet(stage, "finance-a", receipt.id)) == before
    paper = await sheet(stage, "finance-a", note.id)
    assert paper.facts[0] == ("ยกเลิกเอกสาร", f"{receipt.number} ลงวันที่ 20 มกราคม 2570")
    # It is paid again, rightly; the new receipt bears the whole VAT.
    again = await paid(stage, invoice.id, "82373.96", "777.11")
    assert (again.number, again.vat) == ("RC-P01-2570-00002", Decimal("5439.79"))
    assert (await as_it_stands(stage, invoice.id)).account.open == 0


async def test_the_same_payment_is_recorded_once_until_it_is_reversed(stage: Stage) -> None:
    invoice = await december(stage)
    receipt = await paid(stage, invoice.id, "500.00")
    with pytest.raises(Invalid) as refused:
        await paid(stage, invoice.id, "500.00")
    assert set(refused.value.fields) == {"reference"}
    assert (await as_it_stands(stage, invoice.id)).account.received == Decimal("500.00")
    await paid(stage, invoice.id, "500.01")
    await reverse(stage, receipt)
    await paid(stage, invoice.id, "500.00")
    assert (await as_it_stands(stage, invoice.id)).account.received == Decimal("1000.01")


async def test_the_receipts_left_bear_the_whole_vat_whichever_is_reversed(stage: Stage) -> None:
    invoice = await december(stage)
    receipts = [await paid(stage, invoice.id, part) for part in ("10000.01", "33333.33", "0.07")]
    await reverse(stage, receipts[1])
    rest = await paid(stage, invoice.id, "73150.99")
    assert receipts[0].vat + receipts[2].vat + rest.vat == Decimal("5439.79")
    now = (await as_it_stands(stage, invoice.id)).account
    assert (now.open, now.receipted_vat) == (0, Decimal("5439.79"))


async def test_a_payment_is_reversed_once_with_a_reason_by_who_may(stage: Stage) -> None:
    invoice = await december(stage)
    receipt = await paid(stage, invoice.id, "100.00")
    with pytest.raises(Invalid) as refused:
        await reverse(stage, receipt, "ผิด")
    assert set(refused.value.fields) == {"reason"}
    with pytest.raises(NotPermitted):
        await stage.as_("finance-a", reverse_payment, receipt.payment_id, reason=WRONG, now=at("2027-01-25"))
    with pytest.raises(NotFound):
        await stage.as_("finance-b", reverse_payment, receipt.payment_id, reason=WRONG, now=at("2027-01-25"))
    # Five at once: one reverses, the others are told.
    done = await asyncio.gather(*(reverse(stage, receipt) for _ in range(5)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in done) == ["Conflict"] * 4 + ["Document"]
    with pytest.raises(Conflict):
        await reverse(stage, receipt)
    async with acting_as(system("test")):
        [reversal] = await Reversal.all()
        [noted] = await AuditRecord.filter(action="payment.reversed")
        assert await Document.filter(kind=Kind.CANCELLATION).count() == 1
    assert (reversal.reversed_as, reversal.reason) == ("provider_finance", WRONG)
    assert (noted.detail["reason"], noted.detail["receipt"]) == (WRONG, receipt.number)


async def test_neither_payment_nor_reversal_is_ever_changed(stage: Stage) -> None:
    invoice = await december(stage)
    receipt = await paid(stage, invoice.id, "100.00")
    await reverse(stage, receipt)
    for change in ("UPDATE payment_reversal SET reason = 'x' RETURNING 1", "DELETE FROM payment_reversal RETURNING 1"):
        with pytest.raises((OperationalError, IntegrityError)):
            async with acting_as(system("test")):
                await rows(change)
    with pytest.raises(OperationalError, match="row-level security"):
        async with acting_as(stage.cast["finance-a"]):
            await rows(
                "INSERT INTO payment_reversal SELECT gen_random_uuid(), agency_id, provider_id, payment_id, reason,"
                " reversed_by, reversed_as, reversed_at FROM payment_reversal RETURNING 1"
            )
    async with acting_as(stage.cast["finance-b"]):
        assert await Reversal.all() == []
        assert await Payment.all() == []
