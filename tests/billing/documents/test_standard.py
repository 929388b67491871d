"""Every kind of document as the standards want it: the XML of ETDA ขมธอ. 3-2560, and PDF/A-3 with that XML inside."""

import io
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from billing.documents.commands import Correction, correct
from billing.documents.etax import etax_xml
from billing.documents.models import Kind
from billing.documents.papers import Paper
from billing.documents.pdf import ATTACHED, pdf
from billing.payments.commands import reverse_payment
from tests.billing.documents.december import FINANCE, invoiced, paid, sheet
from tests.billing.documents.etax_rules import Sums, faults, found, parsed, sums_of, text
from tests.billing.documents.test_documents import FONTS
from tests.stage import Stage, at

pypdf: Any = pytest.importorskip("pypdf", reason="of requirements-dev.lock")


BROKEN = {
    "an element out of order": (
        r"(<ram:ID>.*?</ram:ID>)(\s*)(<ram:Name>.*?</ram:Name>)",
        r"\3\2\1",
        "ExchangedDocument",
    ),
    "one too many": (r"(<ram:IssueDateTime>[^<]*</ram:IssueDateTime>)", r"\1\1", "ExchangedDocument"),
    "one unknown": (r"<ram:CreationDateTime>", r"<ram:Colour/><ram:CreationDateTime>", "Colour"),
    "an unknown code": (r">380<", ">381<", "no TypeCode 381"),
    "another guideline": (r"ER3-2560", "ER3-2561", "guideline"),
    "a tax id too short": (r"(\d{12})\d(\d{5}</ram:ID>)", r"\1\2", "13 + 5"),
    "another namespace": (r"TaxInvoice_Reusable", "Invoice_Reusable", "namespace"),
    "a sum that is not": (r"(<ram:GrandTotalAmount>)83151.07", r"\g<1>83151.08", "grand total"),
    "a line that is not": (r"(<ram:NetLineTotalAmount>)7258.06", r"\g<1>7258.07", "lines add up"),
    "an amount of one decimal": (r"(<ram:TaxTotalAmount>5439.7)9", r"\1", "TaxTotalAmount"),
}


@pytest.fixture
async def papers(stage: Stage) -> dict[str, Paper]:
    """An invoice, a receipt, both notes and a cancellation, by their codes."""
    bill = await invoiced(stage)
    assert bill.statement_id is not None
    ids: dict[str, uuid.UUID] = {"380": bill.statement_id}

    async def note(kind: Kind, amount: str) -> uuid.UUID:
        line = Correction("ปรับปรุงค่าบริการ", "Correction", Decimal(amount))
        made = await stage.as_(
            FINANCE, correct, bill.statement_id, kind, [line], reason="คิดค่าบริการเกิน <1 วัน>", now=at("2027-02-01")
        )
        return uuid.UUID(str(made.id))

    receipt = await paid(stage, bill.statement_id, "10000.00", "93.46")
    ids["T03"] = receipt.id
    ids["81"] = await note(Kind.CREDIT_NOTE, "711.28")
    ids["80"] = await note(Kind.DEBIT_NOTE, "100.00")
    _, cancelled = await stage.as_(FINANCE, reverse_payment, receipt.payment_id, reason="เช็คคืน", now=at("2027-02-02"))
    ids["T07"] = cancelled.id
    return {code: await sheet(stage, "finance-a", id_) for code, id_ in ids.items()}


async def test_each_kind_keeps_every_rule_and_sums_to_what_is_shown(papers: Mapping[str, Paper]) -> None:
    assert set(papers) == {"380", "T03", "81", "80", "T07"}
    for code, paper in papers.items():
        xml = etax_xml(paper)
        assert faults(xml) == [], code
        root = parsed(xml)
        assert (text(root, "ExchangedDocument/ID"), text(root, "ExchangedDocument/TypeCode")) == (paper.number, code)
        assert root.tag.endswith(
            "TaxInvoice_CrossIndustryInvoice" if code != "T07" else "}CancellationNote_CrossIndustryInvoice"
        )
        if code != "T07":
            shown = paper.totals
            assert sums_of(root) == Sums(shown.subtotal, shown.vat, shown.total), code
        # What is not signed says so.
        [note] = found(root, "ExchangedDocument/IncludedNote")
        assert text(note, "Subject") == "ตัวอย่าง"
        signed = etax_xml(paper, signed=True)
        assert faults(signed) == []
        assert found(parsed(signed), "ExchangedDocument/IncludedNote") == []
    assert text(parsed(etax_xml(papers["81"])), "ExchangedDocument/Purpose") == "คิดค่าบริการเกิน <1 วัน>"
    # 711.28 × 7 % = 49.7896; the notes and the receipt by hand: 10,093.46 × 5,439.79 ÷ 83,151.07 = 660.3198…
    assert papers["81"].totals.vat == Decimal("49.79")
    assert papers["80"].totals.vat == Decimal("7.00")
    assert papers["T03"].totals.vat == papers["T07"].totals.vat == Decimal("660.32")
    # The rules notice what breaks them.
    xml = etax_xml(papers["380"]).decode()
    for what, (pattern, replacement, named) in BROKEN.items():
        broken = re.sub(pattern, replacement, xml, count=0 if "namespace" in what else 1, flags=re.DOTALL)
        assert broken != xml, what
        assert any(named in fault for fault in faults(broken.encode())), (what, faults(broken.encode()))


async def test_each_pdf_is_pdf_a_3_and_carries_the_same_xml(papers: Mapping[str, Paper]) -> None:
    for code, paper in papers.items():
        drawn = pdf(paper, FONTS)
        assert drawn == pdf(paper, FONTS), code
        read = pypdf.PdfReader(io.BytesIO(drawn), strict=True)
        root = read.trailer["/Root"]
        [associated] = root["/AF"]
        file = associated.get_object()
        assert (file["/UF"], file["/AFRelationship"]) == (ATTACHED, "/Alternative"), code
        inside = file["/EF"]["/F"].get_object()
        assert inside["/Subtype"] == "/text/xml"
        assert inside.get_data() == etax_xml(paper)
        assert {name: each for name, [each] in read.attachments.items()} == {ATTACHED: etax_xml(paper)}
        said = ET.fromstring(root["/Metadata"].get_object().get_data())  # noqa: S314 - our own
        about = {each.tag.rpartition("}")[2]: each.text for each in said.iter()}
        assert (about["part"], about["conformance"]) == ("3", "A")
        # What PDF/A asks besides: a colour profile, every font inside, tagged, in a language, nothing hidden or live.
        assert root["/OutputIntents"][0].get_object()["/DestOutputProfile"].get_object().get_data()
        assert root["/MarkInfo"]["/Marked"]
        assert root["/Lang"] == "th"
        assert not read.is_encrypted
        assert all("/JavaScript" not in str(root.get(key, "")) for key in ("/Names", "/OpenAction", "/AA"))
        fonts = [font.get_object() for page in read.pages for font in page["/Resources"]["/Font"].values()]
        descriptors = [font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object() for font in fonts]
        assert descriptors
        assert all({"/FontFile2", "/FontFile3"} & set(each) for each in descriptors), code
        assert all("/ToUnicode" in font for font in fonts)
