"""The channels' settings, the inbox of what belongs to nobody yet, and linking LINE on one's own page."""

import datetime as dt
import re
from collections.abc import Awaitable, Callable

import pytest

from auth.rules import system
from auth.tenancy import acting_as
from portal.sealing import Unreadable, unseal
from services.channels.answering import answer
from services.channels.models import Arrival, ArrivalFile, LineAccount, LineLink, Mailbox, Reply
from services.channels.rules import ArrivalState, Incoming, Kind, ReplyState
from services.channels.taking import take
from services.files.rules import Given, checked
from services.incidents.files import MOST_PER_INCIDENT, attach, remove
from services.incidents.models import Incident, IncidentFile, IncidentMessage
from services.incidents.rules import Channel
from tests.browsing import Browser, said
from tests.portal.pages.asking import stand
from tests.portal.pages.desk_talk import report, stored
from tests.services.incidents.desk import Desk, at, person_of, staffed

BrowserFor = Callable[..., Awaitable[Browser]]
NOW = at(2026, 12, 8, 9)
SECRET = "not-to-be-seen-again"
MAIL = {
    "address": "help@provider.example",
    "host": "imap.provider.example",
    "port": "993",
    "security": "tls",
    "user_name": "help",
    "secret": SECRET,
    "folder": "INBOX",
    "smtp_host": "smtp.provider.example",
    "smtp_port": "587",
    "smtp_security": "starttls",
    "smtp_signs_in": "yes",
    "vouched_by": "",
    "mail_on": "yes",
}
LINE = {"basic_id": "@desk", "channel_secret": SECRET, "access_token": SECRET, "line_on": "yes"}


@pytest.fixture
async def desk(database: str) -> Desk:
    return await staffed()


async def arrived(desk: Desk, number: int, **more: object) -> Arrival:
    """Have a stranger's mail arrive."""
    assert desk.helpdesk.provider_id
    facts = {
        "channel": Channel.EMAIL,
        "external_id": f"<{number}@else>",
        "sender": "someone@else.example",
        "sender_name": "ผู้เขียน",
        "title": "จอดำ",
        "text": "จอดำตั้งแต่เช้า",
        "received_at": at(2026, 12, 8, 8, 30),
    }
    async with acting_as(system("mail")):
        made = await take(desk.helpdesk.provider_id, Incoming(**facts | more), now=NOW, wall=dt.datetime.now(dt.UTC))  # type: ignore[arg-type]
    assert made is not None
    return made


async def test_the_administrator_sets_channels_up_and_no_secret_is_shown(desk: Desk, browser_for: BrowserFor) -> None:
    admin, helpdesk = await browser_for("admin"), await browser_for("helpdesk")
    await stand(NOW, admin)
    assert "ยังไม่ได้ตั้งค่า" in said(await admin.get("/channels"))
    for wrong in (
        {"secret": ""},
        {"host": "a b"},
        {"port": "0"},
        {"port": "๙"},
        {"security": "none"},
        {"smtp_host": "http://x"},
        {"address": "x"},
        {"folder": 'a"b'},
        {"security": "rot13"},
    ):
        refused = await admin.submit("/channels/mailbox", MAIL | wrong)
        assert refused.status_code == 422, wrong
        assert "field-error" in refused.text
        assert SECRET not in refused.text
    assert (await admin.submit("/channels/mailbox", MAIL)).status_code == 303
    assert (await admin.submit("/channels/line", LINE | {"basic_id": "desk"})).status_code == 422
    assert (await admin.submit("/channels/line", LINE)).status_code == 303
    keys = admin.app.state.settings.secret_keys
    async with acting_as(system("tests")):
        mailbox, account = await Mailbox.get(), await LineAccount.get()
        await Mailbox.all().update(last_error="The mail server does not answer.", looked_at=NOW)
    assert unseal(mailbox.sealed_secret, keys) == unseal(account.sealed_access_token, keys) == SECRET
    with pytest.raises(Unreadable):
        unseal(mailbox.sealed_secret, [keys[0].__class__("another key")])
    # Left empty, the secret stays; the state is seen by the desk too, the form is not theirs.
    assert (await admin.submit("/channels/mailbox", MAIL | {"secret": "", "smtp_port": "465"})).status_code == 303
    async with acting_as(system("tests")):
        kept = await Mailbox.get()
        await Mailbox.all().update(last_error="The mail server does not answer.", looked_at=NOW)
    assert (kept.sealed_secret, kept.smtp_port) == (mailbox.sealed_secret, 465)
    for browser in (admin, helpdesk):
        page = await browser.get("/channels")
        assert "เซิร์ฟเวอร์อีเมลไม่ตอบ" in said(page)
        assert SECRET not in page.text
        assert mailbox.sealed_secret not in page.text
    assert "/hooks/line/" in (await admin.get("/channels")).text
    assert 'name="secret"' not in (await helpdesk.get("/channels")).text
    assert (await helpdesk.submit("/channels/mailbox", MAIL)).status_code == 403
    assert (await (await browser_for("agency-admin-a")).get("/channels")).status_code == 403
    # What could not be sent is shown, and sent again.
    async with acting_as(system("tests")):
        await answer(kept.provider_id, Kind.UNKNOWN, Channel.EMAIL, "x@y.example", now=NOW)
        await Reply.all().update(state=ReplyState.FAILED, last_answer="The mail server refused the mail. (550)")
    assert "เซิร์ฟเวอร์อีเมลไม่รับอีเมล (550)" in said(await admin.get("/channels"))
    assert (await admin.submit("/channels/answers/again")).status_code == 303
    assert (await admin.submit("/channels/mailbox/look")).status_code == 303
    async with acting_as(system("tests")):
        assert (await Reply.get()).state is ReplyState.PENDING
    # The contact page tells what is in operation, and no more.
    told = said(await (await browser_for()).get("/contact"))
    assert "help@provider.example" in told
    assert "@desk" in told
    await admin.submit("/channels/mailbox", {name: text for name, text in MAIL.items() if name != "mail_on"})
    assert "help@provider.example" not in said(await (await browser_for()).get("/contact"))


async def test_what_arrives_is_sorted_to_an_incident_or_away(desk: Desk, browser_for: BrowserFor) -> None:
    admin, helpdesk, official = [await browser_for(who) for who in ("admin", "helpdesk", "official-a")]
    await stand(NOW, admin)
    await admin.submit("/channels/mailbox", MAIL)
    known = await report(official)
    pdf = checked(Given("ผัง.pdf", b"%PDF-1.7 x"))
    first, second, third = [await arrived(desk, n, files=(pdf,) if n < 3 else ()) for n in (1, 2, 3)]
    listed = said(await helpdesk.get("/desk/inbox"))
    assert "รอจัดการ (3)" in listed
    assert "ไม่รู้จักผู้ส่ง" in listed
    assert "(3)" in said(await helpdesk.get("/desk"))
    one = await helpdesk.get(f"/desk/inbox/{first.id}")
    link = re.search(rf"/desk/inbox/{first.id}/files/[0-9a-f-]+", one.text)
    assert link
    assert (await helpdesk.get(link[0])).content == pdf.content
    for who in (official, await browser_for("technician"), admin):
        assert (await who.get(f"/desk/inbox/{first.id}")).status_code == 403

    agency = str(desk.official.agency_id)
    empty = await helpdesk.submit(f"/desk/inbox/{first.id}/incident", {"name": "", "title": ""})
    assert empty.status_code == 422
    opened = await helpdesk.submit(
        f"/desk/inbox/{first.id}/incident", {"name": "ผู้เขียน", "agency": agency, "title": "จอดำ"}
    )
    assert opened.status_code == 303, said(opened)[:400]
    incident = await stored(str(opened.headers["location"]))
    assert incident.contacted_at == at(2026, 12, 8, 8, 30)
    assert (incident.channel, incident.requester_name) == (Channel.EMAIL, "ผู้เขียน")
    again = await helpdesk.submit(f"/desk/inbox/{first.id}/incident", {"name": "x", "agency": agency, "title": "x"})
    assert again.status_code == 409
    assert (await helpdesk.submit(f"/desk/inbox/{second.id}/message", {"number": "INC-X-1-1"})).status_code == 422
    number = (await stored(known)).number
    assert (await helpdesk.submit(f"/desk/inbox/{second.id}/message", {"number": number.lower()})).status_code == 303
    assert "จอดำตั้งแต่เช้า" in said(await official.get(known))
    assert "ผัง.pdf" in said(await official.get(known))
    assert (await helpdesk.submit(f"/desk/inbox/{third.id}/dismissal")).status_code == 303
    assert "จอดำ" in said(await helpdesk.get("/desk/inbox?view=dismissed"))
    assert (await helpdesk.submit(f"/desk/inbox/{third.id}/return")).status_code == 303
    assert (await helpdesk.submit(f"/desk/inbox/{third.id}/juggling")).status_code == 404
    async with acting_as(system("tests")):
        assert await Incident.all().count() == 2
        assert await IncidentFile.all().count() == 2
        assert await ArrivalFile.all().count() == 0  # each is kept once, where it can be removed
        assert await IncidentMessage.filter(external_id=second.external_id).count() == 1
        assert (await Arrival.get(id=third.id)).state is ArrivalState.WAITING
        [reply] = await Reply.all()
    # The sender has the number now, and the mail they wrote goes on from there.
    assert (reply.kind, reply.recipient, reply.in_reply_to) == (Kind.RECEIVED, "someone@else.example", "<1@else>")
    onward = await arrived(desk, 4, answers=(reply.own_message_id,), text="ยังดำอยู่")
    assert (onward.state, onward.incident_id) == (ArrivalState.TAKEN, incident.id)


async def test_a_file_there_is_no_room_for_stays_with_what_arrived(desk: Desk, browser_for: BrowserFor) -> None:
    helpdesk, official = await browser_for("helpdesk"), await browser_for("official-a")
    await stand(NOW, helpdesk)
    incident = await stored(await report(official))
    again = checked(Given("ผัง.pdf", b"%PDF-1.7 x"))
    async with acting_as(system("tests")):
        await attach(incident, [again], by=desk.official, now=NOW)
        file = await IncidentFile.get()
    await desk.do(desk.official, remove(incident.id, file.id, by=desk.official, now=NOW))
    others = [checked(Given(f"{n}.pdf", b"%PDF-1.7 " + str(n).encode())) for n in range(MOST_PER_INCIDENT)]
    async with acting_as(system("tests")):
        await attach(incident, others, by=desk.official, now=NOW)
    came = await arrived(desk, 1, files=(again, others[0]))
    sorted_ = await helpdesk.submit(f"/desk/inbox/{came.id}/message", {"number": incident.number})
    assert sorted_.status_code == 303, said(sorted_)[:400]
    async with acting_as(system("tests")):
        [left] = await ArrivalFile.all()
    assert (left.name, left.content) == ("ผัง.pdf", again.content)


async def test_line_is_linked_and_unlinked_on_ones_own_page(desk: Desk, browser_for: BrowserFor) -> None:
    admin, official = await browser_for("admin"), await browser_for("official-a")
    await stand(NOW, admin)
    assert "LINE" not in said(await official.get("/account"))  # no provider has an account
    await admin.submit("/channels/line", LINE)
    assert "@desk" not in said(await official.get("/account"))
    page = await official.submit("/account/line")
    code = re.search(r"[A-Z2-9]{4}-[A-Z2-9]{4}", page.text)
    assert code
    assert "@desk" in said(page)
    assert code[0] not in (await official.get("/account")).text
    await report(official)  # the agency has to do with this provider
    await arrived(desk, 1, channel=Channel.LINE, sender="Uuser", text=code[0])
    assert "เชื่อมแล้ว" in said(await official.get("/account"))
    reported = await arrived(desk, 2, channel=Channel.LINE, sender="Uuser", text="พิมพ์ไม่ได้")
    assert reported.state is ArrivalState.TAKEN
    assert (await official.submit("/account/line/unlink")).status_code == 303
    async with acting_as(system("tests")):
        assert await LineLink.filter(person_id=person_of(desk.official)).count() == 0
