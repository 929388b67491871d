"""Reading mail: whatever comes, text comes out, and machines are known for what they are."""

import datetime as dt
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.channels.letters import read, unreadable
from portal.channels.quoting import from_html, without_history
from services.channels.rules import told_apart, without_number

RECEIVED = dt.datetime(2026, 12, 4, 8, 20, tzinfo=dt.UTC)


def mail(text: str = "พิมพ์ไม่ได้", **headers: str) -> EmailMessage:
    message = EmailMessage()
    usual = {"From": "ผู้ใช้ <user@agency.example>", "Subject": "เครื่องพิมพ์", "Message_ID": "<1@agency.example>"}
    for name, value in (usual | headers).items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message


def test_what_is_written_is_read_and_the_senders_clock_is_not_believed() -> None:
    written = mail(Date="Fri, 04 Dec 2026 15:19:00 +0700", References="<a@x> <b@y>")
    written["In-Reply-To"] = "<c@z>"
    said = read(written.as_bytes(), received_at=RECEIVED, own_address="help@provider.example")
    assert (said.sender, said.sender_name, said.title) == ("user@agency.example", "ผู้ใช้", "เครื่องพิมพ์")
    assert (said.text, said.external_id) == ("พิมพ์ไม่ได้", "<1@agency.example>")
    assert set(said.answers) == {"<a@x>", "<b@y>", "<c@z>"}
    assert said.sent_at == dt.datetime(2026, 12, 4, 8, 19, tzinfo=dt.UTC)
    assert said.received_at == RECEIVED
    for claimed in ("Fri, 04 Dec 2036 15:19:00 +0700", "Mon, 01 Jan 2001 00:00:00 +0000", "yesterday", ""):
        other = read(mail(Date=claimed).as_bytes(), received_at=RECEIVED, own_address="x@y.example")
        assert (other.sent_at, other.received_at) == (None, RECEIVED)


@pytest.mark.parametrize(
    "headers",
    [
        {"Auto_Submitted": "auto-replied"},
        {"Precedence": "bulk"},
        {"List_Id": "<news.example>"},
        {"Return_Path": "<>"},
        {"From": "MAILER-DAEMON@agency.example"},
        {"From": "help@provider.example"},
        {"Content_Type": 'multipart/report; boundary="x"'},
    ],
)
def test_machines_are_known(headers: dict[str, str]) -> None:
    raw = "".join(
        f"{name.replace('_', '-')}: {value}\r\n" for name, value in {"From": "a@b.example", **headers}.items()
    )
    assert read(f"{raw}\r\nx".encode(), received_at=RECEIVED, own_address="help@provider.example").is_automatic
    person = read(mail(Auto_Submitted="no").as_bytes(), received_at=RECEIVED, own_address="help@provider.example")
    assert not person.is_automatic


def test_a_server_that_checks_senders_is_believed_and_nobody_else() -> None:
    results = {
        "mx.provider.example; spf=pass; dmarc=pass header.from=agency.example": True,
        "mx.provider.example; dmarc=fail": False,
        "elsewhere.example; dmarc=pass": False,
    }
    for result, vouched in results.items():
        raw = mail(Authentication_Results=result).as_bytes()
        said = read(raw, received_at=RECEIVED, own_address="h@p.example", vouched_by="mx.provider.example")
        assert said.is_vouched is vouched
    two = mail().as_bytes().replace(b"From: ", b"From: other@agency.example, ", 1)
    assert not read(two, received_at=RECEIVED, own_address="h@p.example").is_vouched


def test_files_are_taken_by_the_same_checks_as_any() -> None:
    written = mail()
    written.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf", filename="../ผัง.exe")
    written.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="virus.pdf")
    inner = mail("ข้างใน")
    written.add_attachment(inner)
    said = read(written.as_bytes(), received_at=RECEIVED, own_address="h@p.example")
    assert [file.name for file in said.files] == ["ผัง.pdf"]
    assert said.left_out[0][0] == "virus.pdf"
    assert "virus.pdf" in said.text
    assert "ข้างใน" not in said.text


def test_html_becomes_text_and_history_is_left_out() -> None:
    page = (
        "<html><head><style>p{}</style></head><body><p>พิมพ์&nbsp;ไม่ได้</p><script>x()</script>"
        "<div>ชั้น 3<br>ห้อง 2</div><blockquote>ของเดิม</blockquote></body></html>"
    )
    assert from_html(page).split() == ["พิมพ์", "ไม่ได้", "ชั้น", "3", "ห้อง", "2", "ของเดิม"]
    written = mail()
    written.set_content(page, subtype="html")
    said = read(written.as_bytes(), received_at=RECEIVED, own_address="h@p.example")
    assert "ของเดิม" not in said.text
    assert "ของเดิม" in said.whole_text
    for history in (
        "On Fri, 4 Dec 2026 at 15:20, Help <help@x.example> wrote:\n> เดิม",
        "เมื่อ ศ. 4 ธ.ค. 2026 เวลา 15:20 ศูนย์ <help@x.example> เขียนว่า:\nเดิม",
        "-----Original Message-----\nเดิม",
        "From: Help\nSent: Friday\nTo: me\nSubject: x\n\nเดิม",
        "จาก: ศูนย์\nส่ง: วันศุกร์\nถึง: ฉัน\nเรื่อง: x\n\nเดิม",
        "________________________________\nเดิม",
    ):
        assert without_history(f"ยังไม่ได้ครับ\n\n{history}") == "ยังไม่ได้ครับ"
    assert without_history("> เดิมเท่านั้น") == "> เดิมเท่านั้น"
    assert without_number("Re: ตอบ: [INC-A01-2570-0001] เครื่องพิมพ์") == "เครื่องพิมพ์"
    assert told_apart("new: จอดำ") == ("จอดำ", True)
    assert told_apart("news of it") == ("news of it", False)
    assert told_apart("เรื่องใหม่จอดำ") == ("จอดำ", True)


def test_thai_of_old_mail_programs_is_read() -> None:
    raw = b"From: a@b.example\r\nSubject: =?windows-874?B?oL5v?=\r\nContent-Type: text/plain; charset=%s\r\n\r\n"
    for charset in (b"windows-874", b"tis-620", b"no-such-charset"):
        said = read(raw % charset + "พิมพ์ไม่ได้".encode("cp874"), received_at=RECEIVED, own_address="h@p.example")
        assert said.text == "พิมพ์ไม่ได้"


@given(st.binary(max_size=400), st.sampled_from([b"", b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n"]))
def test_nothing_that_comes_brings_the_reading_down(noise: bytes, before: bytes) -> None:
    for raw in (before + noise, b"From: " + noise + b"\r\nSubject: " + noise + b"\r\n\r\n" + noise):
        for said in (
            read(raw, received_at=RECEIVED, own_address="h@p.example"),
            unreadable(raw, received_at=RECEIVED),
        ):
            assert said.text
            assert "\0" not in said.text + said.title + said.sender + said.sender_name
            assert len(said.external_id) <= 255
