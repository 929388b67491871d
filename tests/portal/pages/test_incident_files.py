"""Files of incidents: with the report, with messages, and with internal notes, which stay with the desk."""

import io
import re
import zipfile
from collections.abc import Awaitable, Callable

import pytest
from tortoise.exceptions import IntegrityError, OperationalError

from auth.audit.models import AuditRecord
from auth.rules import system
from auth.tenancy import acting_as, rows
from services.incidents.commands import first_analysis, reclassify
from services.incidents.ending import confirm, resolve
from services.incidents.models import DeskFile, IncidentFile, InternalFile
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
    return re.findall(rf'href="({path}/files/[0-9a-f-]+)"', page)


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


async def files_stored(kind: type[DeskFile] = IncidentFile) -> list[DeskFile]:
    async with acting_as(system("tests")):
        return list(await kind.all().order_by("added_at", "id"))


async def reported_with_file(official: Browser, helpdesk: Browser) -> tuple[str, str, str]:
    """Have an incident reported with a file and answered with another; return its path and where the files are."""
    await stand(at(2026, 12, 8, 9), official)
    sent = await official.submit(
        "/incidents", {"title": "จอดำ", "act": "send"}, files={"attachment": ("สำเนาบัตร.pdf", PDF)}
    )
    path = str(sent.headers["location"])
    await stand(at(2026, 12, 8, 9, 10), official)
    answered = await helpdesk.submit(f"{path}/message", {"text": "คู่มือ"}, files={"attachment": ("คู่มือ.png", PNG)})
    assert answered.status_code == 303, said(answered)[:400]
    own, of_desk = [f"{path}/files/{file.id}" for file in await files_stored()]  # type: ignore[attr-defined]
    return path, own, of_desk


async def test_a_file_is_removed_by_who_added_it_and_by_the_desk_with_a_reason(
    desk: Desk, browser_for: BrowserFor
) -> None:
    official, helpdesk = await browser_for("official-a"), await browser_for("helpdesk")
    path, own, of_desk = await reported_with_file(official, helpdesk)
    page = (await official.get(path)).text
    assert f'action="{own}/removal"' in page
    assert f'action="{of_desk}/removal"' not in page
    for file in (own, of_desk):
        assert f'action="{file}/removal"' in (await helpdesk.get(path)).text
    kept = await files_stored()

    for who, status in (
        ("approver-a", 403), ("agency-admin-a", 403), ("finance-a", 403), ("official-b", 404), ("agency-admin-b", 404),
        ("reviewer", 403), ("head-hardware", 403), ("technician", 403), ("manager", 403), ("admin", 403),
        ("central", 403), ("auditor", 403),
    ):  # fmt: skip
        browser = await browser_for(who)
        refused = await browser.submit(f"{own}/removal", {"why": "x"})
        assert refused.status_code == status, who
        if (shown := await browser.get(path)).status_code == 200:
            assert "/removal" not in shown.text, who
    assert (await official.submit(f"{of_desk}/removal", {"why": "x"})).status_code == 403
    unexplained = await helpdesk.submit(f"{own}/removal", {"why": " "})
    assert unexplained.status_code == 422
    assert "field-error" in unexplained.text
    assert [file.content for file in await files_stored()] == [file.content for file in kept]

    # Who added it says nothing more; somebody else's is explained, and both sides read why.
    assert (await official.submit(f"{own}/removal")).status_code == 303
    assert (await helpdesk.submit(f"{of_desk}/removal", {"why": "แนบผิดเรื่อง"})).status_code == 303
    assert [(file.content, file.removed_by_name) for file in await files_stored()] == [
        (b"", desk.official.name),
        (b"", desk.helpdesk.name),
    ]
    for browser in (official, helpdesk):
        words = said(await browser.get(path))
        assert "ลบไฟล์: สำเนาบัตร.pdf" in words
        assert f"ลบโดย {desk.helpdesk.name}" in words
        assert "แนบผิดเรื่อง" in words
        for file in (own, of_desk):
            assert (await browser.get(file)).status_code == 404
            assert (await browser.submit(f"{file}/removal", {"why": "x"})).status_code == 404
    assert "มีการลบไฟล์" in said(await official.get("/news"))
    async with acting_as(system("tests")):
        [first, second] = await AuditRecord.filter(action="incident.file_removed").order_by("number")
    assert (first.chain_id, first.person_id) == (desk.official.agency_id, desk.official.person_id)
    assert (first.detail["name"], first.detail["sha256"]) == (kept[0].name, kept[0].sha256)
    assert (second.person_id, second.detail["why"]) == (desk.helpdesk.person_id, "แนบผิดเรื่อง")


async def test_once_closed_a_file_is_the_desks_alone_to_remove(desk: Desk, browser_for: BrowserFor) -> None:
    official, helpdesk = await browser_for("official-a"), await browser_for("helpdesk")
    path, own, of_desk = await reported_with_file(official, helpdesk)
    incident, now, by = await stored(path), at(2026, 12, 8, 9, 20), desk.helpdesk
    await desk.do(by, first_analysis(incident.id, by=by, now=now))
    await desk.do(by, reclassify(incident.id, code="1.2a", by=by, now=now))
    await desk.do(by, resolve(incident.id, resolution="x", by=by, now=now))
    await desk.do(desk.official, confirm(incident.id, by=desk.official, now=now))
    before = await stored(path)
    assert "/removal" not in (await official.get(path)).text
    assert (await official.submit(f"{own}/removal")).status_code == 403
    assert (await helpdesk.submit(f"{of_desk}/removal")).status_code == 422
    for file in (own, of_desk):
        assert (await helpdesk.submit(f"{file}/removal", {"why": "ข้อมูลส่วนบุคคล"})).status_code == 303
    assert {file.content for file in await files_stored()} == {b""}
    after = await stored(path)
    assert (after.state, after.outcome, after.used_minutes) == (before.state, before.outcome, before.used_minutes)


async def test_removing_a_file_of_an_internal_note_stays_with_the_desk(desk: Desk, browser_for: BrowserFor) -> None:
    official, helpdesk = await browser_for("official-a"), await browser_for("helpdesk")
    path, _, _ = await reported_with_file(official, helpdesk)
    await helpdesk.submit(f"{path}/note", {"text": "x"}, files={"attachment": (f"{CANARY}.pdf", PDF)})
    [file] = await files_stored(InternalFile)
    link = f"{path}/files/{file.pk}"
    assert (await official.submit(f"{link}/removal", {"why": "x"})).status_code == 404
    assert (await helpdesk.submit(f"{link}/removal", {"why": CANARY})).status_code == 303
    [file] = await files_stored(InternalFile)
    assert file.content == b""
    assert f"{CANARY}.pdf ลบโดย {desk.helpdesk.name}" in said(await helpdesk.get(path))
    assert (await helpdesk.get(link)).status_code == 404
    for who in (official, await browser_for("agency-admin-a")):
        for address in (path, "/news", "/audit"):
            assert CANARY not in (await who.get(address)).text
    async with acting_as(desk.official):
        assert CANARY not in str(await rows("SELECT * FROM audit_record"))


async def test_the_database_lets_a_file_be_removed_and_nothing_else_of_it_be_changed(
    desk: Desk, browser_for: BrowserFor
) -> None:
    await reported_with_file(await browser_for("official-a"), await browser_for("helpdesk"))
    for change, why in (
        ("UPDATE incident_file SET content = 'other'::bytea", "is removed, or stays"),
        ("UPDATE incident_file SET removed_at = now(), content = 'other'::bytea", "is removed, or stays"),
        ("UPDATE incident_file SET name = 'x'", "permission denied"),
        ("DELETE FROM incident_file", "permission denied"),
    ):
        with pytest.raises((OperationalError, IntegrityError), match=why):
            async with acting_as(desk.official):
                await rows(change)
    gone = "UPDATE incident_file SET removed_at = now(), content = ''"
    async with acting_as(desk.stranger):
        await rows(gone)
    assert all(file.content for file in await files_stored())  # row-level security: none of theirs
    async with acting_as(desk.official):
        await rows(gone)
    with pytest.raises((OperationalError, IntegrityError), match="is removed, or stays"):
        async with acting_as(desk.official):
            await rows(gone)
