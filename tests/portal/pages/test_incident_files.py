"""Files of incidents: with the report, with messages, and with internal notes, which stay with the desk."""

import io
import re
import zipfile
from collections.abc import Awaitable, Callable

import pytest

from auth.tenancy import acting_as, rows
from services.incidents.models import IncidentFile, InternalFile
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import stored
from tests.services.incidents.desk import Desk, at, staffed

BrowserFor = Callable[..., Awaitable[Browser]]
CANARY = "CanaryOfTheDesk"
PDF = b"%PDF-1.7 floor plan"
PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


def office(folder: str, extra: str = "") -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in ("[Content_Types].xml", f"{folder}/document.xml", extra):
            if name:
                archive.writestr(name, "<x/>")
    return file.getvalue()


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


def links(page: str, path: str) -> list[str]:
    return re.findall(rf"{path}/files/[0-9a-f-]+", page)


async def test_files_come_with_a_report_a_call_and_messages_of_both_sides(desk: Desk, browser_for: BrowserFor) -> None:
    official, helpdesk, stranger = [await browser_for(who) for who in ("official-a", "helpdesk", "official-b")]
    await stand(at(2026, 12, 8, 9), official)
    sent = await official.submit(
        "/incidents",
        {"title": "เครื่องพิมพ์ไม่ทำงาน", "act": "send"},
        files=[("attachment", ("../ผัง<1>.exe", PDF)), ("attachment", ("จอ.png", PNG))],
    )
    assert sent.status_code == 303, said(sent)[:400]
    path = str(sent.headers["location"])
    for who, content in ((official, office("word")), (helpdesk, office("xl"))):
        answer = await who.submit(f"{path}/message", {"text": "ตามไฟล์แนบ"}, files={"attachment": ("a.bin", content)})
        assert answer.status_code == 303, said(answer)[:400]
    page = await helpdesk.get(path)
    words = said(page)
    for name in ("ผัง1.pdf", "จอ.png", "a.docx", "a.xlsx"):
        assert name in words
    found = links(page.text, path)
    assert len(found) == 4
    for link in found:
        fetched = await official.get(link)
        assert fetched.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in fetched.headers["content-security-policy"]
        assert (await stranger.get(link)).status_code == 404
    called = await helpdesk.submit(
        "/desk/call",
        {
            "name": "ผู้โทร",
            "agency": str(desk.official.agency_id),
            "channel": "walk_in",
            "title": "จอดำ",
            "act": "log",
        },
        files={"attachment": ("ภาพ.jpg", b"\xff\xd8\xff photo")},
    )
    assert called.status_code == 303, said(called)[:400]
    logged = str(called.headers["location"])
    assert "ภาพ.jpg" in said(await helpdesk.get(logged))
    assert (await official.get(links(page.text, path)[0].replace(path, logged))).status_code == 404


async def test_other_files_are_refused_and_nothing_is_stored(desk: Desk, browser_for: BrowserFor) -> None:
    official = await browser_for("official-a")
    await stand(at(2026, 12, 8, 9), official)
    path = str((await official.submit("/incidents", {"title": "จอดำ", "act": "send"})).headers["location"])
    wrong = [
        b"",
        b"MZ not a document",
        b"PK\x03\x04 broken",
        PDF + bytes(10 << 20),
        office("word", "word/vbaProject.bin"),
    ]
    for content in wrong:
        refused = await official.submit(f"{path}/message", {"text": "ที่พิมพ์ไว้"}, files={"attachment": ("a.pdf", content)})
        assert refused.status_code == 422
        assert "field-error" in refused.text
        assert "ที่พิมพ์ไว้" in refused.text
    many = [("attachment", (f"{n}.pdf", PDF)) for n in range(6)]
    assert (await official.submit(f"{path}/message", {"text": "x"}, files=many)).status_code == 422
    unsent = await official.submit(
        "/incidents", {"title": "เรื่องใหม่ที่พิมพ์ไว้", "act": "send"}, files={"attachment": ("a.pdf", b"MZ")}
    )
    assert unsent.status_code == 422
    assert "เรื่องใหม่ที่พิมพ์ไว้" in unsent.text
    assert not (await desk.do(desk.helpdesk, IncidentFile.all().count()))
    assert (await desk.do(desk.helpdesk, rows("SELECT count(*) AS n FROM incident")))[0]["n"] == 1


async def test_files_of_internal_notes_never_reach_the_agency(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official, approver = [await browser_for(who) for who in ("helpdesk", "official-a", "approver-a")]
    await stand(at(2026, 12, 8, 9), official)
    path = str((await official.submit("/incidents", {"title": "จอดำ", "act": "send"})).headers["location"])
    noted = await helpdesk.submit(
        f"{path}/note", {"text": CANARY}, files={"attachment": (f"{CANARY}.pdf", PDF + CANARY.encode())}
    )
    assert noted.status_code == 303, said(noted)[:400]
    [link] = links((await helpdesk.get(path)).text, path)
    assert CANARY.encode() in (await helpdesk.get(link)).content
    for browser in (official, approver):
        assert CANARY not in (await browser.get(path)).text
        assert (await browser.get(link)).status_code == 404
    refused = await official.submit(f"{path}/note", {"text": "x"}, files={"attachment": ("x.pdf", PDF)})
    assert refused.status_code == 403
    incident = await stored(path)
    for who in (desk.official, desk.approver, desk.stranger):
        async with acting_as(who):
            assert not await InternalFile.all().exists()
            for table in ("internal_file", "incident_file", "audit_record"):
                assert CANARY not in str(await rows(f'SELECT * FROM "{table}"'))  # noqa: S608 - of this test
    async with acting_as(desk.helpdesk):
        assert await InternalFile.filter(incident_id=incident.id).count() == 1
