"""Disputing a line of an invoice: opened by the agency, talked about, ended by the provider's finance."""

import re
from collections.abc import Awaitable, Callable

from auth.rules import system
from auth.tenancy import acting_as
from billing.disputes.models import Dispute, DisputeEvent
from billing.documents.models import Document
from billing.statements.models import StatementLine
from tests.browsing import Browser, said
from tests.portal.pages.shop import agency_a_in_december

BrowserFor = Callable[..., Awaitable[Browser]]


async def opened(finance: Browser, reason: str = "จำนวนเครื่องไม่ตรงกับที่ใช้จริง") -> str:
    """Dispute the EDR line of November and return the dispute's path."""
    month = await finance.get("/costs/2026-11")
    [(statement, line)] = (
        re.findall(
            r'href="/disputes/new\?statement=([0-9a-f-]+)&amp;line=(\d+)">(?:(?!</a>).)*EDR', month.text, re.DOTALL
        )
        or re.findall(r'href="/disputes/new\?statement=([0-9a-f-]+)&amp;line=(\d+)"', month.text)[:1]
    )
    answer = await finance.submit("/disputes", {"statement": statement, "line": line, "reason": reason})
    assert answer.status_code == 303, said(answer)[:300]
    path: str = answer.headers["location"]
    return path


async def test_opened_talked_about_and_explained(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    path = await opened(finance)
    assert "อยู่ระหว่างโต้แย้ง ดูการสนทนา" in said(await finance.get("/costs/2026-11"))
    news = await desk.get("/news")
    assert "หน่วยงานโต้แย้งรายการในใบแจ้งหนี้ ใหม่ INV-P01-2570-00002" in said(news)
    assert f'href="{path}"' in news.text
    await desk.submit(f"{path}/messages", {"message": "ขอรายชื่อเครื่อง"})
    assert "มีข้อความใหม่ในข้อโต้แย้ง" in said(await finance.get("/news"))
    ended = await desk.follow(await desk.submit(f"{path}/outcome", {"outcome": "explain", "text": "นับตามสัญญา"}))
    assert "ชี้แจงแล้ว คงรายการเดิม" in said(ended)
    page = said(await finance.get(path))
    assert page.index("จำนวนเครื่องไม่ตรงกับที่ใช้จริง") < page.index("ขอรายชื่อเครื่อง") < page.index("นับตามสัญญา")
    assert "มีคำชี้แจงรายการที่โต้แย้ง" in said(await finance.get("/news"))
    assert (await finance.submit(f"{path}/messages", {"message": "ยังไม่เห็นด้วย"})).status_code == 409
    assert (await finance.submit(f"{path}/withdrawal")).status_code == 409
    # What was explained may be disputed anew, with another reason.
    assert await opened(finance, "สัญญาแก้ไขแล้ว") != path


async def test_a_credit_note_ends_it(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, desk = await browser_for("finance-a"), await browser_for("provider-finance")
    path = await opened(finance)
    over = await desk.submit(f"{path}/outcome", {"outcome": "credit", "amount": "999,999.00", "text": "คิดเกิน"})
    assert over.status_code == 422
    assert "จำนวนเงินเกินกว่าจำนวนเงินของรายการ" in said(over)
    nothing = await desk.submit(f"{path}/outcome", {"outcome": "credit", "amount": "", "text": "คิดเกินจริง"})
    assert nothing.status_code == 422
    async with acting_as(system("tests")):
        assert await Document.all().count() == 0
    await desk.submit(f"{path}/outcome", {"outcome": "credit", "amount": "1,000.00", "text": "คิดเกินไป 20 เครื่อง"})
    page = said(await finance.get(path))
    assert "ออกใบลดหนี้แล้ว ใบลดหนี้เลขที่ CN-P01-2570-00001 จำนวน 1,070.00 บาท รวมภาษีมูลค่าเพิ่ม" in page
    async with acting_as(system("tests")):
        [note], [dispute] = await Document.all(), await Dispute.all()
    assert dispute.credit_note_id == note.id
    async with acting_as(system("tests")):
        line = await StatementLine.get(id=dispute.line_id)
    assert [each["service_id"] for each in note.lines] == [str(line.service_id)]  # where it counts
    # Both at once have one effect: the second finds the outcome.
    again = await desk.submit(f"{path}/outcome", {"outcome": "credit", "amount": "1,000.00", "text": "คิดเกินไปอีก"})
    assert again.status_code == 409
    async with acting_as(system("tests")):
        assert await Document.all().count() == 1


async def test_a_reason_is_needed_and_a_line_is_disputed_once_at_a_time(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance = await browser_for("finance-a")
    path = await opened(finance)
    async with acting_as(system("tests")):
        [dispute] = await Dispute.all()
    form = {"statement": str(dispute.statement_id), "line": "1", "reason": "อีกครั้งหนึ่ง"}
    assert (await finance.submit("/disputes", form)).status_code == 409
    refused = await finance.submit("/disputes", {**form, "line": "2", "reason": "-"})
    assert refused.status_code == 422
    assert "กรุณาระบุเหตุผล" in said(refused)
    assert (await finance.submit("/disputes", {**form, "line": "99"})).status_code == 404
    withdrawn = said(await finance.follow(await finance.submit(f"{path}/withdrawal")))
    assert "ถอนข้อโต้แย้งแล้ว" in withdrawn
    assert (await finance.submit("/disputes", form)).status_code == 303


async def test_another_agencys_dispute_does_not_exist(browser_for: BrowserFor) -> None:
    await agency_a_in_december()
    finance, other = await browser_for("finance-a"), await browser_for("finance-b")
    path = await opened(finance)
    assert (await other.get(path)).status_code == 404
    assert (await other.submit(f"{path}/messages", {"message": "ขอดูด้วย"})).status_code == 404
    assert (await other.submit(f"{path}/withdrawal")).status_code == 404
    async with acting_as(system("tests")):
        [dispute] = await Dispute.all()
        assert await DisputeEvent.all().count() == 1
    form = {"statement": str(dispute.statement_id), "line": "2", "reason": "ไม่ใช่ของเรา"}
    assert (await other.submit("/disputes", form)).status_code == 404
    assert "INV-P01" not in said(await other.get("/disputes"))
    assert (await finance.submit(f"{path}/outcome", {"outcome": "explain", "text": "เอง"})).status_code == 403
    assert (await (await browser_for("manager")).submit(f"{path}/messages", {"message": "ก"})).status_code == 403


async def test_in_english_and_to_those_who_oversee(browser_for: BrowserFor) -> None:
    shop = await agency_a_in_december()
    finance, central = await browser_for("finance-a"), await browser_for("central")
    path = await opened(finance)
    for each in (finance, central):
        each.cookies.set("lang", "en", domain="portal.test", path="/")
    assert "Dispute open" in said(await finance.get("/disputes"))
    page = said(await central.get(path))
    assert "Dispute about invoice INV-P01-2570-00002" in page
    assert shop.agencies["a"].name_en in page
    assert "Send" not in page
