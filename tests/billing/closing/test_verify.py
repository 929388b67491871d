"""What was issued follows from what it was made of; where it does not, the difference is named."""

import uuid
from decimal import Decimal

import asyncpg

from auth.rules import system
from auth.tenancy import acting_as
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.payments.commands import reverse_payment
from billing.payments.models import Payment
from billing.statements.verify import Difference, missing_numbers, verify
from portal.embedded_postgres import SUPERUSER, Address
from tests.billing.documents.december import FINANCE, invoiced, paid
from tests.stage import Stage, at


async def found(count: int = 3) -> list[Difference]:
    async with acting_as(system("verify")):
        reports = [report async for report in verify()]
        missing = await missing_numbers()
    assert sum(report.statements for report in reports) == count
    return [each for report in reports for each in report.differences] + missing


async def tampered(cluster: Address, database: str, *statements: str) -> None:
    owner = await asyncpg.connect(cluster.url(SUPERUSER, database))
    try:
        await owner.execute("SET session_replication_role = replica")  # no triggers
        for each in statements:
            await owner.execute(each)
    finally:
        await owner.close()


async def test_what_was_issued_is_recomputed_to_the_satang(stage: Stage) -> None:
    bill = await invoiced(stage)
    assert bill.statement_id is not None
    await paid(stage, bill.statement_id, "1000.00")
    assert await found() == []


async def test_each_kind_of_tampering_is_named(stage: Stage, cluster: Address, database: str) -> None:
    bill = await invoiced(stage)
    number, id_ = bill.number or "", bill.statement_id
    assert id_ is not None
    await paid(stage, id_, "1000.00")
    the_first = f"WHERE statement_id = '{id_}' AND position = 1"
    await tampered(cluster, database, f"UPDATE statement_line SET amount = amount + 1 {the_first}")  # noqa: S608 - the test's own
    wrong = await found()
    assert {each.number for each in wrong} == {number}
    assert any("39101.00" in each.what for each in wrong)
    assert any(each.what.startswith("subtotal is 77711.28") for each in wrong)
    await tampered(cluster, database, f"UPDATE statement_line SET amount = amount - 1 {the_first}")  # noqa: S608 - the test's own
    assert await found() == []
    # What it was made of, changed behind its back: a quantity, a price, a credit.
    await tampered(cluster, database, "UPDATE allocation SET quantity = 621 WHERE quantity = 620")
    assert len([each for each in await found() if each.number == number]) == 2
    await tampered(cluster, database, "UPDATE allocation SET quantity = 620 WHERE quantity = 621")
    await tampered(cluster, database, "UPDATE credit SET amount = 1253.24")
    assert any(str(Decimal("-1253.24")) in each.what for each in await found())
    await tampered(cluster, database, "UPDATE credit SET amount = 1253.23")
    # Rates, with everything that follows from them.
    vat = "vat = round(subtotal * {0}, 2), total = subtotal + round(subtotal * {0}, 2), net = total - withheld"
    of_invoice = f"WHERE id = '{id_}'"
    await tampered(cluster, database, f"UPDATE statement SET vat_rate = 0.05, {vat.format('0.05')} {of_invoice}")  # noqa: S608 - the test's own
    assert "vat_rate is 0.05, in force was 0.07" in {each.what for each in await found()}
    await tampered(cluster, database, f"UPDATE statement SET vat_rate = 0.07, {vat.format('0.07')} {of_invoice}")  # noqa: S608 - the test's own
    await tampered(cluster, database, f"UPDATE statement SET net = total - withheld {of_invoice}")  # noqa: S608 - the test's own
    assert await found() == []
    await tampered(cluster, database, "UPDATE statement SET withholding_rate = 0.03")
    assert "withholding_rate is 0.03, in force was 0.01" in {each.what for each in await found()}
    await tampered(cluster, database, "UPDATE statement SET withholding_rate = 0.01")
    # The VAT within a receipt: 5,439.79 × 1,000 ÷ 83,151.07 = 65.4205…
    await tampered(cluster, database, moved_to_vat(-1))
    assert [each.what for each in await found()] == ["bears VAT of 64.42, due is 65.42"]
    await tampered(cluster, database, moved_to_vat(1))
    assert await found() == []
    # A payment that says another amount than its receipt, and one reversed behind the receipt's back.
    await tampered(cluster, database, "UPDATE payment SET received = 1000.01")
    assert [(each.number, each.what) for each in await found()] == [
        ("RC-P01-2570-00001", "says 1000.00, paid were 1000.01")
    ]
    await tampered(cluster, database, "UPDATE payment SET received = 1000.00")
    await stage.as_(FINANCE, reverse_payment, await payment_id(), reason="บันทึกผิด", now=at("2027-01-21"))
    assert await found() == []
    await tampered(cluster, database, "DELETE FROM payment_reversal")
    assert [each.what for each in await found()] == ["is cancelled, but its payment stands"]
    # A document that vanished leaves its number behind.
    await tampered(cluster, database, "DELETE FROM document")
    assert [each.number for each in await found()] == ["3600012345", "CX-…-2570-00001", "RC-…-2570-00001"]


def moved_to_vat(amount: int) -> str:
    """Return what moves an amount from the lines of every document to its VAT; each still adds up."""
    return f"""
        UPDATE document SET vat = vat + {amount}, subtotal = subtotal - {amount},
            lines = jsonb_set(lines::jsonb, '{{0,amount}}', to_jsonb((subtotal - {amount})::text))
    """  # noqa: S608 - the test's own


async def test_a_note_that_misstates_what_the_one_before_had_left_is_named(
    stage: Stage, cluster: Address, database: str
) -> None:
    id_ = (await invoiced(stage)).statement_id
    line = Correction("ปรับปรุง", "Correction", Decimal("10.00"))
    for _ in range(2):
        await stage.as_(FINANCE, correct, id_, Kind.CREDIT_NOTE, [line], reason="คิดเกิน", now=at("2027-01-22"))
    assert await found() == []
    await tampered(cluster, database, """UPDATE document SET after = jsonb_set(after, '{subtotal}', '"77711.28"')""")
    assert [(each.number, each.what) for each in await found()] == [
        ("CN-P01-2570-00002", "corrects 77711.28, earlier notes left 77701.28")
    ]
    # As if there had been none before it: adding up what it names would find nothing wrong.
    await tampered(cluster, database, """UPDATE document SET after = '{"subtotal": "77711.28", "notes": []}'""")
    assert [(each.number, each.what) for each in await found()] == [
        ("CN-P01-2570-00002", "corrects 77711.28, earlier notes left 77701.28"),
        ("CN-P01-2570-00002", "names other notes than were before it: CN-P01-2570-00001"),
    ]
    await tampered(cluster, database, "DELETE FROM document WHERE kind = 'credit_note'")
    assert [each.number for each in await found()] == ["CN-…-2570-00001", "CN-…-2570-00002"]


async def payment_id() -> uuid.UUID:
    async with acting_as(system("test")):
        return (await Payment.get()).id
