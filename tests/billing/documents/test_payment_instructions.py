"""Where to pay stands on the invoice as it was said when the invoice was issued, whatever is said afterwards."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from auth.audit.models import AuditRecord
from auth.errors import Invalid
from auth.rules import system
from auth.tenancy import acting_as
from billing.documents.pdf import pdf
from billing.months import Month
from billing.statements.closing_rules import Policy
from billing.statements.models import Statement
from billing.statements.policies import policy_of, set_policy
from tests.billing.documents.december import FINANCE, invoiced, sheet
from tests.billing.documents.test_documents import FONTS, statement_id, text_of
from tests.scenarios.accounts import closed
from tests.stage import Stage, at

WHERE = "โอนเข้าบัญชีธนาคารตัวอย่าง สาขาตัวอย่าง\nชื่อบัญชี ผู้ให้บริการ\nเลขที่บัญชี 000-0-00000-0"


async def _say(stage: Stage, text: str) -> None:
    await stage.as_(FINANCE, set_policy, stage.provider, Policy(payment_instructions=text), now=at("2026-12-05"))


async def test_an_invoice_says_where_to_pay_and_goes_on_saying_it(stage: Stage, tmp_path: Path) -> None:
    await _say(stage, WHERE)
    id_ = statement_id(await invoiced(stage))
    before = await sheet(stage, "finance-a", id_)
    drawn = pdf(before, FONTS)
    said = text_of(drawn, tmp_path)
    assert "วิธีช" in said  # whatever the extraction does to marks
    assert "000-0-00000-0" in said
    await _say(stage, "บัญชีใหม่ 111-1-11111-1")
    after = await sheet(stage, "finance-a", id_)
    assert pdf(after, FONTS) == drawn
    january = await closed(stage.agency("a"), stage.provider, Month(2027, 1))
    assert january.payment_instructions == "บัญชีใหม่ 111-1-11111-1"
    assert "111-1-11111-1" in text_of(pdf(await sheet(stage, "finance-a", statement_id(january)), FONTS), tmp_path)


async def test_one_issued_without_stays_without(stage: Stage, tmp_path: Path) -> None:
    id_ = statement_id(await invoiced(stage))
    drawn = pdf(await sheet(stage, "finance-a", id_), FONTS)
    await _say(stage, WHERE)
    paper = await sheet(stage, "finance-a", id_)
    assert paper.payment_instructions == ""
    assert pdf(paper, FONTS) == drawn
    assert "วิธีช" not in text_of(drawn, tmp_path)


async def test_an_invoice_with_nothing_to_pay_says_nothing_of_how(stage: Stage) -> None:
    await _say(stage, WHERE)
    id_ = statement_id(await invoiced(stage))
    async with acting_as(system("test")):
        statement = await Statement.get(id=id_)
    assert statement.payment_instructions == WHERE
    paper = await sheet(stage, "finance-a", id_)
    back = replace(paper, totals=replace(paper.totals, net=Decimal("-1.00"), total=Decimal("-1.00")))
    assert pdf(back, FONTS) == pdf(replace(back, payment_instructions=""), FONTS)


async def test_lines_are_tidied_kept_and_audited(stage: Stage) -> None:
    await _say(stage, "  บรรทัดแรก \r\n\r\n\tบรรทัด\tที่สอง  \n")
    async with acting_as(stage.cast[FINANCE]):
        assert (await policy_of(stage.provider)).payment_instructions == "บรรทัดแรก\nบรรทัด ที่สอง"
    async with acting_as(system("test")):
        [kept] = await AuditRecord.filter(action="billing_policy.set")
    assert kept.detail["payment_instructions"] == "บรรทัดแรก\nบรรทัด ที่สอง"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ก" * 501, "Give at most 500 characters in at most 10 lines."),
        ("\n".join("ก" * 11), "Give at most 500 characters in at most 10 lines."),
        ("โอนมาที่ 😀", "This holds a sign that cannot be printed."),
    ],
)
async def test_what_does_not_fit_on_a_sheet_is_refused(stage: Stage, text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        await _say(stage, text)
    assert refused.value.fields == {"payment_instructions": why}
    await _say(stage, "ก" * 500)
