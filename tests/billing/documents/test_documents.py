"""Documents say what the screens say, to the satang, the same bytes each time."""

import re
import shutil
import subprocess
import uuid
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from tortoise.exceptions import IntegrityError, OperationalError
from typst import TypstError

from auth.errors import Invalid, NotFound
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.documents.commands import Correction, correct
from billing.documents.etax import RAM, RSM, etax_xml
from billing.documents.models import Document, Kind
from billing.documents.papers import Paper, PaperLine, Section, document_paper
from billing.documents.pdf import pdf
from billing.documents.queries import documents_of
from billing.money import Totals
from billing.payments.commands import record_payment
from billing.payments.models import Means
from billing.payments.queries import invoice_of, invoices
from billing.payments.rules import Age
from billing.statements.models import Statement
from billing.statements.queries import Bill
from tests.billing.documents.december import FINANCE, invoiced, paid, sheet
from tests.stage import Stage, at

FONTS = Path("portal/static/vendor/sarabun")
S5 = Totals(*map(Decimal, ("77711.28", "5439.79", "83151.07", "777.11", "82373.96")))


@pytest.fixture
async def bill(stage: Stage) -> Bill:
    return await invoiced(stage)


def statement_id(bill: Bill) -> uuid.UUID:
    assert bill.statement_id is not None
    return bill.statement_id


def text_of(data: bytes, tmp_path: Path) -> str:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is missing (Debian, Ubuntu: apt install poppler-utils)")
    file = tmp_path / "paper.pdf"
    file.write_bytes(data)
    done = subprocess.run(["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, text=True)
    return re.sub(r"\s+", " ", done.stdout)


def amount(xml: ET.Element, name: str) -> Decimal:
    return Decimal(xml.findtext(f".//{{{RAM}}}{name}", ""))


async def test_the_invoice_of_the_scenario(stage: Stage, bill: Bill, tmp_path: Path) -> None:
    assert bill.totals == S5
    paper = await sheet(stage, "finance-a", statement_id(bill))
    assert paper.totals == S5
    assert sum(line.amount for line in paper.lines) == S5.subtotal
    drawn = pdf(paper, FONTS)
    assert drawn == pdf(await sheet(stage, "finance-a", statement_id(bill)), FONTS)
    assert b"pdfaid:part>3<" in drawn
    assert b"/AFRelationship" in drawn
    said = text_of(drawn, tmp_path)
    for words in (
        "ใบแจ้งหนี้",
        "INV-P01-2570-00003",
        "5 มกราคม 2570",
        "ธันวาคม 2569",
        "7,258.06",
        "17,806.45",
        "−1,253.23",
        "77,711.28",
        "5,439.79",
        "83,151.07",
        "−777.11",
        "82,373.96",
        "ตัวอย่าง",
    ):
        assert words in said, words
    # The figures' words, whatever the extraction does to marks.
    assert "แปดหมื่นสาม" in said
    assert "เอกสารตัวอย่าง" not in text_of(pdf(paper, FONTS, signed=True), tmp_path)


async def test_an_invoice_below_zero_says_that_nothing_is_to_be_paid(stage: Stage, bill: Bill, tmp_path: Path) -> None:
    paper = await sheet(stage, "finance-a", statement_id(bill))
    back = replace(paper, totals=Totals(*map(Decimal, ("-3160.00", "-221.20", "-3381.20", "-31.60", "-3349.60"))))
    said = text_of(pdf(back, FONTS), tmp_path)
    assert "ต้องช" in said
    assert "สามพันสาม" in said  # whatever the extraction does to marks
    assert "−3,381.20" in said


async def test_an_invoice_stays_as_it_was_when_names_change(stage: Stage, bill: Bill) -> None:
    before = await sheet(stage, "finance-a", statement_id(bill))
    async with acting_as(system("test")):
        await rows("UPDATE organisation SET name_th = 'ชื่อใหม่', address_th = 'ที่ใหม่'")
    after = await sheet(stage, "finance-a", statement_id(bill))
    assert etax_xml(after) == etax_xml(before)
    assert after == before


async def test_the_xml_speaks_the_standards_names(stage: Stage, bill: Bill) -> None:
    xml = ET.fromstring(etax_xml(await sheet(stage, "finance-a", statement_id(bill))))  # noqa: S314 - our own
    assert xml.tag == f"{{{RSM}}}TaxInvoice_CrossIndustryInvoice"
    guideline = xml.find(f".//{{{RAM}}}GuidelineSpecifiedDocumentContextParameter/{{{RAM}}}ID")
    assert guideline is not None
    assert (guideline.text, guideline.attrib) == ("ER3-2560", {"schemeAgencyID": "ETDA", "schemeVersionID": "v2.0"})
    assert xml.findtext(f".//{{{RAM}}}TypeCode") == "380"
    seller = xml.findtext(f".//{{{RAM}}}SellerTradeParty/{{{RAM}}}SpecifiedTaxRegistration/{{{RAM}}}ID")
    assert seller is not None
    assert re.fullmatch(r"\d{13}00000", seller)
    lines = [Decimal(each.text or "") for each in xml.iter(f"{{{RAM}}}NetLineTotalAmount")]
    assert sum(lines) == amount(xml, "LineTotalAmount")
    assert amount(xml, "LineTotalAmount") - amount(xml, "AllowanceTotalAmount") == S5.subtotal
    assert amount(xml, "TaxBasisTotalAmount") + amount(xml, "TaxTotalAmount") == amount(xml, "GrandTotalAmount")
    assert amount(xml, "GrandTotalAmount") == S5.total


async def test_a_payment_brings_its_receipt(stage: Stage, bill: Bill, tmp_path: Path) -> None:
    receipt = await paid(stage, statement_id(bill), "82373.96", "777.11")
    assert receipt.number == "RC-P01-2570-00001"
    assert Totals(receipt.subtotal, receipt.vat, receipt.total, receipt.withheld, receipt.net) == S5
    async with acting_as(stage.cast["finance-a"]):
        account = (await invoices(agency_id=stage.agency("a")))[0].account
    assert account.open == 0
    paper = await sheet(stage, "finance-a", receipt.id)
    assert paper.title.code == "T03"
    said = text_of(pdf(paper, FONTS), tmp_path)
    for words in ("INV-P01-2570-00003", "20 มกราคม 2570", "83,151.07", "82,373.96", "53-0001/2570"):
        assert words in said, words
    with pytest.raises(Invalid):
        await paid(stage, statement_id(bill), "0.01")


async def test_receipts_of_parts_bear_the_whole_vat(stage: Stage, bill: Bill) -> None:
    parts = ["10000.01", "33333.33", "0.07", "39817.66"]
    receipts: list[Document] = [await paid(stage, statement_id(bill), part) for part in parts]
    assert sum(each.vat for each in receipts) == S5.vat
    assert sum(each.subtotal for each in receipts) == S5.subtotal
    assert all(each.subtotal + each.vat == each.total for each in receipts)
    assert [each.number for each in receipts] == [f"RC-P01-2570-{n:05d}" for n in range(1, 5)]


@pytest.mark.parametrize(
    ("received", "withheld", "on", "field"),
    [
        ("83151.08", "0.00", "2027-01-20", "received"),
        ("0.00", "0.00", "2027-01-20", "received"),
        ("-1.00", "0.00", "2027-01-20", "received"),
        ("1.00", "-1.00", "2027-01-20", "withheld"),
        ("1.001", "0.00", "2027-01-20", "received"),
        ("1.00", "0.00", "2027-01-04", "paid_on"),
    ],
)
async def test_payments_are_refused_that_cannot_be(
    stage: Stage, bill: Bill, received: str, withheld: str, on: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await paid(stage, statement_id(bill), received, withheld, on=at(on))
    assert set(refused.value.fields) == {field}


@pytest.mark.parametrize(("field", "most"), [("reference", 100), ("certificate_number", 64)])
async def test_what_is_too_long_to_keep_is_refused_with_words(stage: Stage, bill: Bill, field: str, most: int) -> None:
    day = at("2027-01-20")
    given = {
        "paid_on": day.date(),
        "means": Means.CASH,
        "reference": "T",
        "received": Decimal("1.00"),
        "withheld": Decimal("1.00"),
        "certificate_number": "T",
        "certificate_date": day.date(),
        "now": day,
    }
    with pytest.raises(Invalid) as refused:
        await stage.as_(FINANCE, record_payment, statement_id(bill), **(given | {field: "T" * (most + 1)}))
    assert refused.value.fields == {field: "This text is too long."}
    await stage.as_(FINANCE, record_payment, statement_id(bill), **(given | {field: "T" * most}))


async def test_a_credit_note_takes_back_what_was_charged_and_no_more(stage: Stage, bill: Bill, tmp_path: Path) -> None:
    async def noted(kind: Kind, value: str) -> Document:
        line = Correction("ปรับปรุงค่าบริการ", "Correction", Decimal(value))
        return await stage.as_(
            FINANCE, correct, statement_id(bill), kind, [line], reason="คิดค่าบริการเกิน", now=at("2027-02-01")
        )

    first = await noted(Kind.CREDIT_NOTE, "711.28")
    assert (first.number, first.vat, first.total) == ("CN-P01-2570-00001", Decimal("49.79"), Decimal("761.07"))
    assert (await noted(Kind.DEBIT_NOTE, "100.00")).number == "DN-P01-2570-00001"
    as_issued = pdf(await sheet(stage, "finance-a", first.id), FONTS)
    with pytest.raises(Invalid):
        await noted(Kind.CREDIT_NOTE, "77100.01")
    last = await noted(Kind.CREDIT_NOTE, "77100.00")
    # What came later leaves the first as it was.
    assert pdf(await sheet(stage, "finance-a", first.id), FONTS) == as_issued
    async with acting_as(stage.cast["finance-a"]):
        account = (await invoices(agency_id=stage.agency("a")))[0].account
        listed = [(each.title.code, each.number) for each in await documents_of(stage.agency("a"))]
    assert (account.owed, account.owed_vat, account.open) == (0, 0, 0)
    assert last.vat == Decimal("5397.00")  # all that was left: 5,439.79 − 49.79 + 7.00
    assert listed[0][0] in {"80", "81"}
    assert len(listed) == 6
    xml = ET.fromstring(etax_xml(await sheet(stage, "finance-a", first.id)))  # noqa: S314 - our own
    assert amount(xml, "OriginalInformationAmount") - amount(xml, "DifferenceInformationAmount") == amount(
        xml, "LineTotalAmount"
    )
    assert xml.findtext(f".//{{{RAM}}}PurposeCode") == "CDNS99"
    # The sheet says what the invoice said, what is right, and the difference, as the XML does.
    said = text_of(pdf(await sheet(stage, "finance-a", first.id), FONTS), tmp_path)
    assert re.search(r"77,711\.28 .*77,000\.00 .*711\.28 .*49\.79 .*761\.07", said), said
    # The last corrects what the two before it had left, and names them.
    sheet_ = await sheet(stage, "finance-a", last.id)
    assert sheet_.corrects is not None
    assert (sheet_.corrects.original, sheet_.corrects.before) == (Decimal("77711.28"), Decimal("77100.00"))
    assert [note.number for note in sheet_.corrects.notes] == ["CN-P01-2570-00001", "DN-P01-2570-00001"]
    said = text_of(pdf(sheet_, FONTS), tmp_path)
    assert re.search(r"CN-P01-2570-00001 .*DN-P01-2570-00001 .*77,711\.28 .*77,100\.00 .*0\.00 .*77,100\.00", said), (
        said
    )
    xml = ET.fromstring(etax_xml(sheet_))  # noqa: S314 - our own
    assert amount(xml, "OriginalInformationAmount") == amount(xml, "DifferenceInformationAmount") == Decimal("77100.00")
    assert amount(xml, "LineTotalAmount") == 0
    assert [each.text for each in xml.iter(f"{{{RAM}}}ReferenceTypeCode")] == ["380", "81", "80"]


async def test_a_note_from_before_earlier_ones_were_kept_stays_as_it_was(stage: Stage, bill: Bill) -> None:
    line = Correction("ปรับปรุงค่าบริการ", "Correction", Decimal("100.00"))
    for _ in range(2):
        note: Document = await stage.as_(
            FINANCE, correct, statement_id(bill), Kind.CREDIT_NOTE, [line], reason="คิดค่าบริการเกิน", now=at("2027-02-01")
        )
    assert note.after is not None
    assert note.after["subtotal"] == "77611.28"
    note.after = None
    async with acting_as(stage.cast["finance-a"]):
        paper = document_paper(note, await Statement.get(id=statement_id(bill)), None)
    assert paper.corrects is not None
    assert (paper.corrects.before, paper.corrects.right) == (Decimal("77711.28"), Decimal("77611.28"))
    assert "แก้ไขต่อจาก" not in dict(paper.facts)
    xml = ET.fromstring(etax_xml(paper))  # noqa: S314 - our own
    assert amount(xml, "OriginalInformationAmount") == Decimal("77711.28")


async def test_months_and_addresses_do_not_fall_apart(stage: Stage, bill: Bill, tmp_path: Path) -> None:
    paper = await sheet(stage, "finance-a", statement_id(bill))
    town, month = "อำเภอเมืองนนทบุรี", "ปรับปรุงใบแจ้งหนี้ INV-P01-2569-00024 เดือนกันยายน 2569"
    for before in range(12):
        buyer = replace(paper.buyer, address=f"{'อาคาร ' * before}ตำบลบางกระสอ {town} จังหวัดนนทบุรี 11000")
        line = PaperLine(f"{'ไฟ ' * before}({month})", "1 ก.ย. 2569 – 30 ก.ย. 2569", Decimal(1), "kWh", Decimal(1))
        said = text_of(pdf(replace(paper, buyer=buyer, sections=(Section("", (line,)),)), FONTS), tmp_path)
        assert town in said, before
        assert "กันยายน" in said, before


async def test_what_is_open_ages(stage: Stage, bill: Bill) -> None:
    async with acting_as(stage.cast["finance-a"]):
        found = await invoices(agency_id=stage.agency("a"))
    december, _, october = found
    assert december.due_on.isoformat() == "2027-02-04"
    assert december.age(at("2027-02-04").date()) is Age.NOT_DUE
    assert december.age(at("2027-02-05").date()) is Age.TO_30
    assert october.age(at("2027-03-15").date()) is Age.OVER_90
    await paid(stage, statement_id(bill), "83151.07")
    async with acting_as(stage.cast["finance-a"]):
        invoice = await invoice_of(statement_id(bill))
    assert invoice is not None
    assert invoice.age(at("2027-03-15").date()) is None


async def test_another_agencys_document_is_not_there(stage: Stage, bill: Bill) -> None:
    receipt: Document = await paid(stage, statement_id(bill), "100.00")
    for each in (statement_id(bill), receipt.id):
        with pytest.raises(NotFound):
            await sheet(stage, "finance-b", each)


async def test_what_was_issued_is_never_changed_nor_written_by_an_agency(stage: Stage, bill: Bill) -> None:
    await paid(stage, statement_id(bill), "100.00")
    for table in ("payment", "document"):
        with pytest.raises((OperationalError, IntegrityError)):
            async with acting_as(system("test")):
                await rows(f"UPDATE {table} SET agency_id = agency_id RETURNING 1")  # noqa: S608 - the test's own
    before: Paper = await sheet(stage, "finance-a", statement_id(bill))
    with pytest.raises(OperationalError, match="row-level security"):
        async with acting_as(stage.cast["finance-a"]):
            await rows(
                "INSERT INTO payment SELECT gen_random_uuid(), agency_id, provider_id, statement_id, paid_on, means,"
                " reference, received, withheld, certificate_number, certificate_date, recorded_by, recorded_at"
                " FROM payment RETURNING 1"
            )
    assert before.totals == S5


async def test_what_the_font_lacks_is_drawn_as_a_square_and_the_rest_as_ever(
    stage: Stage, bill: Bill, tmp_path: Path
) -> None:
    paper = await sheet(stage, "finance-a", statement_id(bill))
    seller = replace(paper.seller, name="ศูนย์ 😀\a")
    strange = replace(paper, seller=seller, reason="ส่วนลด 😀 中 ≥ 5\nฉลอง\a")
    said = text_of(pdf(strange, FONTS), tmp_path)
    assert "ส่วนลด ■ ■ ≥ 5" in said
    assert "83,151.07" in said
    names = [each.text for each in ET.fromstring(etax_xml(strange)).iter(f"{{{RAM}}}Name")]  # noqa: S314 - our own
    assert "ศูนย์ 😀" in names
    with pytest.raises(TypstError, match="font"):
        pdf(strange, tmp_path)
