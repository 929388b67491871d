"""Mail in and out against a real IMAP server and a real SMTP server: each mail once, on the incident it belongs to."""

import datetime as dt

import pytest

from auth.rules import system
from auth.tenancy import acting_as, rows
from portal.channels import watching
from portal.channels.sending import send_replies
from portal.channels.watching import look_into_mailboxes
from portal.clock import Clock
from portal.sealing import seal
from portal.settings import Settings
from services.channels.models import Arrival, Mailbox, Reply
from services.channels.rules import ArrivalState, ReplyState, Why
from services.incidents.commands import first_analysis, reclassify, wait_for_requester
from services.incidents.conversation import say
from services.incidents.deadlines import due_work
from services.incidents.ending import resolve
from services.incidents.models import Incident, IncidentFile, IncidentMessage
from services.incidents.rules import Channel, Side, State
from tests import cast
from tests.portal.channels.conftest import ADDRESS, address_of
from tests.portal.channels.servers import SECRET, Imap, Post
from tests.portal.channels.test_letters import mail
from tests.services.incidents.desk import Desk, at

RECEIVED = at(2026, 3, 4, 15, 20)
NOW = at(2026, 3, 4, 15, 40)
WALL = dt.datetime(2026, 3, 4, 8, 40, tzinfo=dt.UTC)


class At(Clock):
    """A clock that stands."""

    def __init__(self, now: dt.datetime = NOW) -> None:
        super().__init__()
        self._now = now

    def wall(self) -> dt.datetime:
        return self._now.astimezone(dt.UTC)

    async def now(self) -> dt.datetime:
        return self._now


async def look(settings: Settings, now: dt.datetime = NOW) -> int:
    async with acting_as(system("tests")):
        await Mailbox.all().update(next_look_at=dt.datetime(2020, 1, 1, tzinfo=dt.UTC))
    return await look_into_mailboxes(At(now), settings.secret_keys)


async def everything() -> tuple[list[Incident], list[Arrival], list[IncidentMessage]]:
    async with acting_as(system("tests")):
        return (
            await Incident.all().order_by("logged_at", "number"),
            await Arrival.all().order_by("received_at", "id"),
            await IncidentMessage.all().order_by("at", "id"),
        )


async def test_a_known_persons_mail_opens_an_incident_and_the_thread_goes_on(
    desk: Desk, mailbox: Mailbox, imap: Imap, post: Post, settings: Settings
) -> None:
    address = await address_of(desk.official)
    first = mail("พิมพ์ไม่ได้ทั้งชั้น", From=f"Somebody <{address.upper()}>", Date="Fri, 04 Dec 2020 00:00:00 +0700")
    first.add_attachment(b"%PDF-1.7 x", maintype="application", subtype="pdf", filename="ผัง.pdf")
    first.add_attachment(b"MZ", maintype="application", subtype="pdf", filename="virus.pdf")
    imap.deliver(mailbox.user_name, first.as_bytes())
    assert await look(settings) == 1
    [incident], [arrival], _ = await everything()
    assert (incident.channel, incident.requester_id) == (Channel.EMAIL, desk.official.person_id)
    # The clock starts when the server had it, whatever the mail's own date claims.
    assert (incident.contacted_at, incident.logged_at) == (RECEIVED, NOW)
    assert (arrival.state, arrival.sent_at, arrival.opened) == (ArrivalState.TAKEN, None, True)
    async with acting_as(desk.official):
        assert [file.name for file in await IncidentFile.all()] == ["ผัง.pdf"]
    assert "virus.pdf" in incident.description

    # The answer names the number, threads with the mail, and is no mail a machine would answer.
    assert await send_replies(settings, WALL) == 1
    [answer] = post.received
    assert incident.number in answer["subject"]
    assert incident.number in answer.get_content()
    assert "virus.pdf" in answer.get_content()
    assert (answer["in-reply-to"], answer["auto-submitted"]) == ("<1@agency.example>", "auto-replied")
    assert (answer["from"], answer["to"].lower()) == (ADDRESS, address.lower())
    assert answer["message-id"].endswith("@provider.example>")

    # What the desk says goes out too; an internal note does not.
    await desk.do(desk.helpdesk, first_analysis(incident.id, by=desk.helpdesk, now=NOW))
    await desk.do(desk.helpdesk, say(incident.id, "ขอรุ่นเครื่องพิมพ์", by=desk.helpdesk, now=NOW))
    await desk.do(desk.helpdesk, wait_for_requester(incident.id, note="ขอเลขครุภัณฑ์", by=desk.helpdesk, now=NOW))
    assert await send_replies(settings, WALL) == 2
    written, asked = post.received[-2:]
    assert "ขอรุ่นเครื่องพิมพ์" in written.get_content()
    assert (written["auto-submitted"], asked["auto-submitted"]) == (None, None)

    # An answer by Message-ID goes on the incident from whoever has it; by number only from who has a part in it.
    colleague = mail(
        "รุ่น ก.\n\nOn Fri, 4 Dec 2026 at 15:45, Help <help@provider.example> wrote:\n> ขอรุ่น",
        From="เพื่อนร่วมงาน <colleague@agency.example>",
        Message_ID="<2@agency.example>",
        In_Reply_To=asked["message-id"],
    )
    stranger = mail(From="x@else.example", Subject=f"Re: [{incident.number}]", Message_ID="<3@else.example>")
    own = mail("เพิ่มเติม", From=address, Subject=f"RE: [{incident.number}] x", Message_ID="<4@agency.example>")
    away = mail("ไม่อยู่", From=address, Message_ID="<5@a.b>", In_Reply_To=asked["message-id"], Precedence="bulk")
    for each in (colleague, stranger, own, away):
        imap.deliver(mailbox.user_name, each.as_bytes())
    assert await look(settings) == 4
    [incident], arrivals, messages = await everything()
    said = [(each.text, each.by_name) for each in messages if each.side is Side.REQUESTER]
    assert said == [
        ("รุ่น ก.", "เพื่อนร่วมงาน <colleague@agency.example>"),
        ("เพิ่มเติม", desk.official.name),
    ]
    assert incident.state is State.ACCEPTED  # the answer ended the waiting, a machine's would not have
    states = {each.external_id: each.state for each in arrivals}
    assert states["<3@else.example>"] is ArrivalState.WAITING
    assert states["<5@a.b>"] is ArrivalState.AUTOMATIC
    assert await send_replies(settings, WALL) == 0
    assert all(b"\\Seen" in flags for flags in imap.flags(mailbox.user_name))


async def test_what_the_desk_waits_for_and_what_it_did_reach_whoever_wrote_in(
    desk: Desk, mailbox: Mailbox, imap: Imap, post: Post, settings: Settings
) -> None:
    address, helpdesk = await address_of(desk.official), desk.helpdesk
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<1@agency.example>").as_bytes())
    await look(settings)
    [incident], _, _ = await everything()
    await send_replies(settings, WALL)
    await desk.do(helpdesk, first_analysis(incident.id, by=helpdesk, now=NOW))
    await desk.do(helpdesk, wait_for_requester(incident.id, note="ขอเลขครุภัณฑ์", by=helpdesk, now=NOW))
    assert await send_replies(settings, WALL) == 1
    asked = post.received[-1]
    for words in (
        "ขอเลขครุภัณฑ์",
        f"รอคำตอบจากท่านเกี่ยวกับเรื่อง {incident.number}",
        f"waits for your answer about {incident.number}",
    ):
        assert words in asked.get_content()
    assert (asked["to"].lower(), asked["in-reply-to"]) == (address, "<1@agency.example>")
    assert incident.number in asked["subject"]

    # Answering that very mail is the answer that was waited for.
    answer = mail("7440-001", From=address, Message_ID="<2@agency.example>", In_Reply_To=asked["message-id"])
    imap.deliver(mailbox.user_name, answer.as_bytes())
    await look(settings)
    [incident], _, [message] = await everything()
    assert (incident.state, message.text) == (State.ACCEPTED, "7440-001")

    # With what was done it is said until when it can be called unsolved.
    await desk.do(helpdesk, reclassify(incident.id, code="1.2a", by=helpdesk, now=NOW))
    await desk.do(helpdesk, resolve(incident.id, resolution="เปลี่ยนตลับหมึก", by=helpdesk, now=NOW))
    assert await send_replies(settings, WALL) == 1
    done = post.received[-1]
    for words in ("เปลี่ยนตลับหมึก", f"เรื่อง {incident.number} แก้ไขแล้ว", "11 มี.ค. 2569 16:00", "11 Mar 2026 16:00"):
        assert words in done.get_content()
    assert (done["to"].lower(), done["in-reply-to"]) == (address, "<2@agency.example>")


async def test_whoever_does_not_answer_is_reminded_by_mail_of_what_was_asked(
    desk: Desk, mailbox: Mailbox, imap: Imap, post: Post, settings: Settings
) -> None:
    address, helpdesk = await address_of(desk.official), desk.helpdesk
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<1@agency.example>").as_bytes())
    await look(settings)
    [incident], _, _ = await everything()
    await desk.do(helpdesk, first_analysis(incident.id, by=helpdesk, now=NOW))
    await desk.do(helpdesk, wait_for_requester(incident.id, note="ขอเลขครุภัณฑ์", by=helpdesk, now=NOW))
    assert await send_replies(settings, WALL) == 2
    asked = post.received[-1]
    two_working_days_on = NOW + dt.timedelta(days=2)
    async with acting_as(system("tests")):
        assert await due_work(two_working_days_on - dt.timedelta(minutes=1)) == 0
        assert await due_work(two_working_days_on) == 1
    assert await send_replies(settings, WALL) == 1
    reminder = post.received[-1]
    assert reminder["message-id"] != asked["message-id"]
    assert (reminder["to"], reminder["in-reply-to"]) == (asked["to"], asked["in-reply-to"])
    assert reminder.get_content() == asked.get_content()


async def test_each_mail_is_taken_once_whatever_breaks_off_in_between(
    desk: Desk, mailbox: Mailbox, imap: Imap, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = await address_of(desk.official)
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<0@a.example>").as_bytes(), flags=r"(\Seen)")
    assert await look(settings) == 0  # what was read before the mailbox was set up is none of the desk's
    for number in (1, 2):
        imap.deliver(mailbox.user_name, mail(From=address, Message_ID=f"<{number}@a.example>").as_bytes())
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<1@a.example>").as_bytes())  # delivered again
    # Somebody reads one in the mailbox before the portal looks.
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<9@a.example>").as_bytes(), flags=r"(\Seen)")

    def breaks_off(*_: object) -> None:
        raise OSError("the connection ended between taking and marking")

    with monkeypatch.context() as broken:
        broken.setattr(watching.Reading, "mark_read", breaks_off)
        assert await look(settings) == 0
    assert await look(settings) == 2
    assert await look(settings) == 0
    incidents, arrivals, _ = await everything()
    assert (len(incidents), len(arrivals)) == (3, 3)

    # The place is kept with the mail: what a crash undid is undone whole, and taken at the next look.
    imap.deliver(mailbox.user_name, mail(From=address, Message_ID="<3@a.example>").as_bytes())

    async def dies(*_: object) -> None:
        raise OSError("the worker died before the commit")

    with monkeypatch.context() as broken:
        broken.setattr(watching, "keep_place", dies)
        assert await look(settings) == 0
    assert len((await everything())[1]) == 3
    assert await look(settings) == 1

    # The mailbox is made anew, all of it unread under other UIDs: nothing is taken twice.
    imap.begin_anew(mailbox.user_name)
    assert await look(settings) == 1  # the one that was read before: in a folder made anew it is unread
    assert await look(settings) == 0
    incidents, arrivals, _ = await everything()
    assert (len(incidents), len(arrivals)) == (5, 5)


async def test_who_is_not_known_waits_to_be_sorted_and_gets_no_answer(
    desk: Desk, mailbox: Mailbox, imap: Imap, post: Post, settings: Settings
) -> None:
    finance = (await cast.person("finance-a")).email
    await cast.give("official-b", "agency-a", next(iter(desk.official.roles)))
    both = await address_of(desk.stranger)
    unknown = mail("ด่วน\0มาก", From="x@else.example", Message_ID="<1@x>")
    unknown.add_attachment(b"%PDF-1.7 y", maintype="application", subtype="pdf", filename="y.pdf")
    for each in (
        unknown.as_bytes(),
        mail(From=finance, Message_ID="<2@x>").as_bytes(),
        mail(From=both, Message_ID="<3@x>").as_bytes(),
        b"\xff\xfe\x00 no mail at all",
        b"From: big@else.example\r\nMessage-ID: <4@x>\r\nSubject: big\r\n\r\n" + b"huge line\r\n" * (26 << 17),
    ):
        imap.deliver(mailbox.user_name, each)
    assert await look(settings) == 5
    incidents, arrivals, _ = await everything()
    assert incidents == []
    assert {each.state for each in arrivals} == {ArrivalState.WAITING}
    why = {each.external_id: each.why for each in arrivals}
    assert (why["<1@x>"], why["<2@x>"], why["<3@x>"]) == (Why.UNKNOWN, Why.MAY_NOT, Why.SEVERAL)
    big = next(each for each in arrivals if each.external_id == "<4@x>")
    assert len(big.text) < 1000  # its content was never fetched
    assert await send_replies(settings, WALL) == 0
    assert post.received == []
    for who in (desk.official, desk.stranger, await cast.actor("auditor")):
        async with acting_as(who):
            for table in ("arrival", "arrival_file", "reply", "mailbox", "line_account", "line_link", "line_code"):
                assert await rows(f'SELECT 1 FROM "{table}"') == []  # noqa: S608 - of this test


async def test_two_machines_stop_answering_each_other(
    desk: Desk, mailbox: Mailbox, imap: Imap, settings: Settings
) -> None:
    address = await address_of(desk.official)
    for number in range(12):
        imap.deliver(mailbox.user_name, mail(From=address, Message_ID=f"<{number}@loop>").as_bytes())
    assert await look(settings) == 12
    incidents, arrivals, _ = await everything()
    assert len(incidents) == 10
    assert {each.why for each in arrivals if not each.incident_id} == {Why.TOO_MANY}


async def test_what_goes_wrong_is_kept_with_the_mailbox_and_never_the_secret(
    desk: Desk, mailbox: Mailbox, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async def fault_with(**facts: object) -> str:
        async with acting_as(system("tests")):
            before = await Mailbox.get(id=mailbox.id)
            await Mailbox.filter(id=mailbox.id).update(**facts)
        assert await look(settings) == 0
        async with acting_as(system("tests")):
            found = await Mailbox.get(id=mailbox.id)
            await Mailbox.filter(id=mailbox.id).update(**{name: getattr(before, name) for name in facts})
        assert found.looked_at == WALL
        assert found.worked_at is None
        return found.last_error

    wrong = seal("รหัสผ่านผิด", settings.secret_keys)
    assert await fault_with(sealed_secret=wrong) == "The mail server refused the user's name or secret."
    assert "sealed" not in await fault_with(sealed_secret="gAAAA")
    assert await fault_with(folder="Nowhere") == "There is no such folder in the mailbox."
    assert await fault_with(port=9) == "The mail server does not answer."
    assert await fault_with(security="tls") != ""
    assert await look(settings) == 0
    async with acting_as(system("tests")):
        healed = await Mailbox.get(id=mailbox.id)
    assert (healed.last_error, healed.worked_at) == ("", WALL)
    assert SECRET not in healed.sealed_secret
    logged = capsys.readouterr()
    assert SECRET not in logged.out + logged.err


async def test_an_answer_is_tried_again_and_given_up_when_the_server_says_so(
    desk: Desk, mailbox: Mailbox, imap: Imap, post: Post, settings: Settings
) -> None:
    address = await address_of(desk.official)
    imap.deliver(mailbox.user_name, mail(From=address).as_bytes())
    await look(settings)
    post.refusals += ["451 later", "550 no such user"]
    assert await send_replies(settings, WALL) == 1
    assert await send_replies(settings, WALL) == 0  # not before its time
    later = WALL + dt.timedelta(minutes=2)
    assert await send_replies(settings, later) == 1
    async with acting_as(system("tests")):
        [reply] = await Reply.all()
    assert (reply.state, reply.attempts) == (ReplyState.FAILED, 2)
    assert "550" in reply.last_answer
    assert post.received == []
