"""The provider's billing desk and the agency's documents, as people use them; scenario S5 through the pages."""

import csv
import io
import json
import re
from collections.abc import Awaitable, Callable
from decimal import Decimal

from billing.months import Month
from tests.browsing import Browser, said
from tests.portal.pages.shop import Shop, agency_a_in_december, at

BrowserFor = Callable[..., Awaitable[Browser]]


def draft_path(shop: Shop, month: str = "2026-12") -> str:
    return f"/billing/drafts/{shop.agencies['a'].id}/{month}"


def digest(page: str) -> str:
    found = re.search(r'name="draft" value="([0-9a-f]{64})"', page)
    assert found
    return found[1]


async def issued_december(browser_for: BrowserFor) -> tuple[Browser, Browser]:
    """Bring the draft to its invoice, checking each step; returns the provider's and the agency's browser."""
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    desk, finance = await browser_for("provider-finance"), await browser_for("finance-a")
    page = said(await desk.get("/billing"))
    assert "ธันวาคม 2569" in page
    assert "ฉบับร่าง รอตรวจ 73,723.00 84,492.03 +10,769.03 ต่างมาก 1 บริการ" in page
    path = draft_path(shop)
    answer = await desk.get(path)
    assert "15,000.00 25,064.51 +10,064.51 (67.1 %) ผลต่างมาก" in said(answer).replace("\xa0", " ")
    # The credit of the scenario, by hand.
    credit = {
        "service": str(shop.services["GI"].id),
        "kind": "sla",
        "amount": "1,253.23",
        "reason": "ความพร้อมในการให้บริการ 99.708 % ต่ำกว่า 99.9 %",
    }
    answer = await desk.follow(await desk.submit(f"{path}/credits", credit))
    page = said(answer).replace("\xa0", " ")
    assert "รวมเป็นเงิน 77,711.28 ภาษีมูลค่าเพิ่ม 7 % 5,439.79 จำนวนเงินรวมทั้งสิ้น 83,151.07" in page
    assert "ยอดชำระสุทธิ 82,373.96" in page
    assert "(แปดหมื่นสามพันหนึ่งร้อยห้าสิบเอ็ดบาทเจ็ดสตางค์)" in page
    # The large difference needs its note; what was not reviewed is not issued.
    seen = digest(answer.text)
    refused = await desk.submit(f"{path}/review", {"draft": seen, "note": ""})
    assert refused.status_code == 422
    assert "กรุณาชี้แจงผลต่างที่มากจากเดือนก่อน" in said(refused)
    assert (await desk.submit(f"{path}/issue")).status_code == 409
    await desk.follow(await desk.submit(f"{path}/review", {"draft": seen, "note": "เพิ่มความเร็วเป็น 500 Mbps"}))
    page = said(await desk.follow(await desk.submit(f"{path}/issue")))
    assert "INV-P01-2570-00003" in page
    return desk, finance


async def test_an_agency_sees_what_it_has_to_pay_and_by_when(browser_for: BrowserFor) -> None:
    desk, finance = await issued_december(browser_for)
    answer = await finance.get("/documents")
    listed = said(answer)
    assert "230,597.07 บาท ยอดค้างชำระรวม" in listed
    assert "147,446.00 บาท เกินกำหนด" in listed  # October and November
    assert "3 ก.พ. 2570 ครบกำหนดถัดไป" in listed
    assert "83,151.07 83,151.07 ครบกำหนดชำระ 3 ก.พ. 2570" in listed
    link = re.search(r'href="/documents/([0-9a-f-]{36})"', answer.text)
    assert link
    paid = {"paid_on": "04/01/2570", "means": "gfmis", "reference": "3600012345", "received": "83,151.07"}
    await desk.follow(await desk.submit(f"/billing/invoices/{link[1]}/payments", paid))
    listed = said(await finance.get("/documents"))
    assert "83,151.07 ชำระแล้ว" in listed
    assert "147,446.00 บาท ยอดค้างชำระรวม" in listed


async def test_december_is_issued_with_its_credit_and_paid(browser_for: BrowserFor) -> None:
    desk, finance = await issued_december(browser_for)
    # The forecast of the year and what is used, as the agency sees them (S5.4).
    page = said(await finance.get("/costs")).replace("\xa0", " ")
    assert "230,597.07" in page
    assert "23.06 %" in page
    assert "769,402.93" in page
    assert "1,081,889.07" in page
    # The agency's document.
    listed = await finance.get("/documents")
    assert "INV-P01-2570-00003 ใบแจ้งหนี้" in said(listed)
    link = re.search(r'href="(/documents/[0-9a-f-]{36})"', listed.text)
    assert link
    sheet = await finance.get(link[1])
    assert sheet.headers["content-type"] == "application/pdf"
    assert 'filename="INV-P01-2570-00003.pdf"' in sheet.headers["content-disposition"]
    assert sheet.content.startswith(b"%PDF-")
    assert (await finance.get(link[1])).content == sheet.content
    assert "83151.07" in (await finance.get(f"{link[1]}/data")).text
    # Paid, with the tax withheld.
    invoice = link[1].replace("/documents/", "/billing/invoices/")
    payment = {
        "paid_on": "04/01/2570",
        "means": "gfmis",
        "reference": "3600012345",
        "received": "82,373.96",
        "withheld": "777.11",
        "certificate_number": "ภงด 53-0001/2570",
        "certificate_date": "04/01/2570",
    }
    form = await desk.get(invoice)
    assert 'value="04/01/2570"' in form.text  # today, to begin with
    assert "ค้างชำระ 83,151.07 บาท หากหักภาษีครบ จะได้รับ 82,373.96 บาท" in said(form)
    wrong = await desk.submit(f"{invoice}/payments", payment | {"received": "82,373.97"})
    assert wrong.status_code == 422
    assert "จำนวนเงินเกินกว่ายอดค้างชำระของใบแจ้งหนี้" in said(wrong)
    wrong = await desk.submit(f"{invoice}/payments", payment | {"certificate_date": "04/01/2571"})
    assert wrong.status_code == 422
    assert "วันที่ของหนังสือรับรอง: กรุณาระบุวันที่ไม่เกินวันนี้" in said(wrong)
    page = said(await desk.follow(await desk.submit(f"{invoice}/payments", payment)))
    assert "RC-P01-2570-00001" in page
    assert "ยอดค้างชำระ (บาท) 0.00" in page
    assert "RC-P01-2570-00001 ใบเสร็จรับเงิน/ใบกำกับภาษี" in said(await finance.get("/documents"))
    await _reverses_and_records_anew(desk, finance, invoice, payment)
    # A correction, and what is open by age.
    note = {"note_kind": "credit_note", "amount": "100.00", "reason": "คิดค่าบริการเกินหนึ่งวัน"}
    page = said(await desk.follow(await desk.submit(f"{invoice}/notes", note)))
    assert "CN-P01-2570-00001" in page
    # The agency sees what it comes to: 83,151.07 less 107.00, and its budget with it.
    page = said(await finance.get("/costs/2026-12"))
    assert "CN-P01-2570-00001 (PDF) ใบลดหนี้" in page
    assert "คิดค่าบริการเกินหนึ่งวัน −107.00 จำนวนเงินรวมหลังปรับปรุง 83,044.07" in page
    page = said(await finance.get("/costs"))
    assert "769,509.93 บาท งบประมาณคงเหลือ จาก 1,000,000.00 บาท" in page
    assert "ใบแจ้งหนี้ 83,151.07 ใบลดหนี้และใบเพิ่มหนี้ −107.00" in page
    page = said(await desk.get("/billing/invoices"))
    assert "INV-P01-2570-00001" in page
    assert "เกินกำหนด 31–60 วัน 73,723.00" in page
    await _sees_the_books(desk, finance)
    await _gives_back_what_was_overpaid(desk, finance, invoice)


async def _reverses_and_records_anew(desk: Browser, finance: Browser, invoice: str, payment: dict[str, str]) -> None:
    # It was another invoice's: reversed with a reason, the receipt cancelled, then recorded as it should have been.
    link = re.search(r'href="(/billing/payments/[0-9a-f-]{36}/reversal)"', (await desk.get(invoice)).text)
    assert link
    asked = said(await desk.get(link[1]))
    assert "ใบเสร็จรับเงินเลขที่ RC-P01-2570-00001 คงอยู่ตามเดิม" in asked
    assert "ยอดค้างชำระ 83,151.07 บาท" in asked
    assert (await desk.submit(link[1], {"reason": "ผิด"})).status_code == 422
    answer = await desk.follow(await desk.submit(link[1], {"reason": "บันทึกผิดใบแจ้งหนี้"}))
    page = said(answer)
    assert "CX-P01-2570-00001 ใบแจ้งยกเลิก" in page
    assert "ใบเสร็จรับเงิน/ใบกำกับภาษี ยกเลิกแล้ว" in page
    assert "ยอดค้างชำระ (บาท) 83,151.07" in page
    assert 'value="3600012345"' in answer.text  # what was typed stays to be put right
    assert (await desk.submit(link[1], {"reason": "บันทึกผิดใบแจ้งหนี้"})).status_code == 409
    assert "ถูกกลับรายการแล้ว" in said(await desk.get(link[1]))
    assert (await finance.get(link[1])).status_code == 403
    await desk.follow(await desk.submit(f"{invoice}/payments", payment))
    listed = said(await finance.get("/documents"))
    assert "RC-P01-2570-00001 ใบเสร็จรับเงิน/ใบกำกับภาษี ยกเลิกแล้ว" in listed
    assert "CX-P01-2570-00001 ใบแจ้งยกเลิก" in listed


async def _sees_the_books(desk: Browser, finance: Browser) -> None:
    # The books: October and November are open, December is overpaid by the note's 107.00.
    page = said(await desk.get("/billing/ledger"))
    assert "ยอดลูกหนี้ตรงกับยอดค้างชำระตามอายุหนี้ 147,446.00 บาท" in page
    assert "1110 ลูกหนี้ค่าบริการ 147,446.00 166,302.14 166,302.14 147,446.00" in page
    assert "2010 เงินรับเกินรอคืนหน่วยงาน 0.00 0.00 107.00 −107.00" in page
    year = await desk.get("/billing/ledger?year=2570")
    assert "ปีงบประมาณ พ.ศ. 2570" in said(year)
    taken = await desk.get("/billing/ledger/csv?year=2570")
    rows = list(csv.reader(io.StringIO(taken.content.decode("utf-8-sig"))))[1:]
    assert sum(Decimal(row[6]) - Decimal(row[7]) for row in rows) == 0
    assert {row[1] for row in rows} >= {"INV-P01-2570-00001", "RC-P01-2570-00002", "CN-P01-2570-00001"}
    assert (await desk.get("/billing/ledger/xlsx?month=2026-11")).content[:2] == b"PK"
    for path in ("/billing/ledger/pdf", "/billing/ledger?month=2027-02", "/billing/ledger?year=x"):
        assert (await desk.get(path)).status_code == 404, path
    assert (await finance.get("/billing/ledger")).status_code == 403


async def _gives_back_what_was_overpaid(desk: Browser, finance: Browser, invoice: str) -> None:
    assert "เงินรับเกินรอคืนหน่วยงาน 107.00 บาท" in said(await desk.get("/billing/invoices"))
    assert "มียอดที่ชำระเกิน 107.00 บาท" in said(await finance.get("/documents"))
    page = await desk.get(invoice)
    assert "ยอดที่ชำระเกิน (บาท) 107.00" in said(page)
    assert 'value="107.00"' in page.text
    given = {
        "refunded_on": "04/01/2570",
        "refund": "107.01",
        "refund_reference": "TR-0001",
        "refund_reason": "คืนเงินตามใบลดหนี้",
    }
    wrong = await desk.submit(f"{invoice}/refunds", given)
    assert wrong.status_code == 422
    assert "จำนวนเงินเกินกว่ายอดที่ชำระเกินของใบแจ้งหนี้" in said(wrong)
    page = await desk.follow(await desk.submit(f"{invoice}/refunds", given | {"refund": "107"}))
    assert "บันทึกการคืนเงินแล้ว เลขที่ RF-P01-2570-00001" in said(page)
    assert "คืนเงินแล้ว (บาท) 107.00" in said(page)
    assert "รอคืนหน่วยงาน" not in said(await desk.get("/billing/invoices"))
    assert "2010 เงินรับเกินรอคืนหน่วยงาน 0.00 107.00 107.00 0.00" in said(await desk.get("/billing/ledger"))
    assert "RF-P01-2570-00001 การคืนเงินที่ชำระเกิน" in said(await desk.get("/billing/ledger?page=2"))
    assert "RF-P01-2570-00001 การคืนเงินที่ชำระเกิน TR-0001 · คืนเงินตามใบลดหนี้" in said(await finance.get("/documents"))
    # It had not gone out: reversed with a reason, once.
    link = re.search(r'href="(/billing/refunds/[0-9a-f-]{36}/reversal)"', page.text)
    assert link
    assert "หลังกลับรายการ ยอดที่ชำระเกินเป็น 107.00 บาท" in said(await desk.get(link[1]))
    assert (await desk.submit(link[1], {"reason": "ผิด"})).status_code == 422
    page = await desk.follow(await desk.submit(link[1], {"reason": "ธนาคารตีกลับ"}))
    assert "RX-P01-2570-00001 · ธนาคารตีกลับ" in said(page)
    assert (await desk.submit(link[1], {"reason": "ธนาคารตีกลับ"})).status_code == 409
    assert "ถูกกลับรายการแล้ว" in said(await desk.get(link[1]))
    listed = await finance.get("/documents")
    assert "RX-P01-2570-00001 การกลับรายการคืนเงิน RF-P01-2570-00001 · ธนาคารตีกลับ" in said(listed)
    assert "มียอดที่ชำระเกิน 107.00 บาท" in said(listed)
    assert (await finance.get(link[1])).status_code == 403
    assert (await finance.submit(f"{invoice}/refunds", given)).status_code == 403


async def test_another_agencys_documents_and_figures_are_not_there(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    finance = await browser_for("finance-a")
    link = re.search(r'href="(/documents/[0-9a-f-]{36})"', (await finance.get("/documents")).text)
    assert link
    stranger, reviewer = await browser_for("finance-b"), await browser_for("reviewer")
    for path in (link[1], f"{link[1]}/data", f"/exports/costs/csv?agency={shop.agencies['a'].id}&year=2570"):
        assert (await finance.get(path)).status_code == 200, path
        assert (await stranger.get(path)).status_code == 404, path
        assert (await reviewer.get(path)).status_code == 403, path
    assert "INV-" not in said(await stranger.get("/documents"))
    for path in ("/billing", draft_path(shop), "/billing/invoices"):
        assert (await finance.get(path)).status_code == 403


async def test_what_is_taken_away_adds_up_to_the_page(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    finance, central = await browser_for("finance-a"), await browser_for("central")
    answer = await finance.get("/exports/costs/csv?month=2026-12")
    assert 'filename="costs-A01-2026-12.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert sum(Decimal(row["จำนวนเงิน (บาท)"]) for row in rows) == Decimal("84492.03")
    page = said(await finance.get("/costs")).replace("\xa0", " ")
    year = json.loads((await finance.get("/exports/costs/json?year=2570")).content)
    assert f"{Decimal(year['total']):,.2f}" == "1,083,230.03"
    assert "1,083,230.03" in page
    same = await central.get(f"/exports/costs/json?year=2570&agency={shop.agencies['a'].id}")
    assert json.loads(same.content)["total"] == year["total"]
    for path in ("csv?month=2026-13", "csv?year=1", "doc?year=2570", "csv?month=2020-01", "csv?year=x"):
        assert (await finance.get(f"/exports/costs/{path}")).status_code == 404, path
    assert (await central.get("/exports/costs/csv")).status_code == 404
    assert (await finance.get("/exports/costs/xlsx?year=2570")).content.startswith(b"PK")
    assert (await finance.get("/exports/costs/focus?year=2570")).text.startswith("BilledCost,")


async def test_nonsense_is_refused_with_words(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    desk = await browser_for("provider-finance")
    path = draft_path(shop)
    service = str(shop.services["GI"].id)
    for fields in (
        {},
        {"service": service, "kind": "bribe", "amount": "1", "reason": "เหตุผลยาวพอ"},
        {"service": service, "kind": "sla", "amount": "x", "reason": "เหตุผลยาวพอ"},
        {"service": service, "kind": "sla", "amount": "99999999", "reason": "เหตุผลยาวพอ"},
    ):
        assert (await desk.submit(f"{path}/credits", fields)).status_code == 422
    await shop.invoice("a", Month(2026, 12))
    late = {"service": service, "kind": "sla", "amount": "1", "reason": "เหตุผลยาวพอ"}
    assert (await desk.submit(f"{path}/credits", late)).status_code == 409
    assert (await desk.get(draft_path(shop, "2030-01"))).status_code == 404
    assert (await desk.get("/billing?month=nonsense")).status_code == 404
    assert (await desk.submit("/billing/policy", {"due_days": "ten"})).status_code == 422


async def test_the_agency_reads_where_to_pay_as_its_invoice_said_it(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december(at(2027, 1, 4, 9))
    desk, finance = await browser_for("provider-finance"), await browser_for("finance-a")
    typed = {"needs_review": "yes", "due_days": "45", "payment_instructions": "บัญชี <b>ตัวอย่าง</b>\r\nเลขที่ 000-0-00000-0"}
    await desk.submit("/billing/policy", typed)
    assert "บัญชี &lt;b&gt;ตัวอย่าง&lt;/b&gt;\nเลขที่ 000-0-00000-0</textarea>" in (await desk.get("/billing")).text
    assert "วิธีชำระเงิน" not in said(await finance.get("/costs/2026-12"))  # an estimate is not paid
    await shop.invoice("a", Month(2026, 12))
    refused = await desk.submit("/billing/policy", typed | {"due_days": "ten", "payment_instructions": "ใหม่ 😀"})
    assert refused.status_code == 422
    assert "ใหม่ 😀</textarea>" in refused.text  # nothing typed is lost
    assert "กรอกจำนวนวัน" in said(refused) or "365" in said(refused)
    refused = await desk.submit("/billing/policy", typed | {"payment_instructions": "ใหม่ 😀"})
    assert "มีอักขระที่พิมพ์ลงในเอกสารไม่ได้" in said(refused)
    await desk.submit("/billing/policy", typed | {"payment_instructions": "ใหม่"})
    assert "วิธีชำระเงิน บัญชี <b>ตัวอย่าง</b> เลขที่ 000-0-00000-0" in said(await finance.get("/costs/2026-12"))
