"""The help-desk of the demonstration: its sections manned, articles written, and some months of incidents."""

import datetime as dt
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from auth.rules import Actor, system
from auth.tenancy import acting_as
from billing.months import BANGKOK
from services.incidents import appointments, commands, conversation, ending
from services.incidents.intake import CallerSaid, Wish, log, report
from services.incidents.rules import Channel
from services.knowledge.commands import write
from services.notifications.commands import mark_read
from services.sections.commands import seat
from services.sections.models import Position
from services.sections.queries import sections_of
from services.sla.commands import load_table
from services.staff.commands import enter
from services.staff.rules import Field, Kind
from services.subscriptions.models import Subscription

_LOADING = system("demo")
_MANNED_AT = dt.datetime(2025, 9, 22, 9, 0, tzinfo=BANGKOK)
_VISIT = dt.timedelta(hours=2)
_SEATS: Final = (
    ("head-network", Position.HEAD, ("network", "infrastructure", "web-mail")),
    ("head-hardware", Position.HEAD, ("hardware", "software", "mis")),
    ("technician", Position.TECHNICIAN, ("network", "infrastructure", "hardware", "software")),
)
_HELD_FROM: Final = dt.date(2025, 9, 1)
_CERTIFICATES: Final = (
    ("head-network", Field.NETWORK, "Network professional", "NP-2568-0031", dt.date(2028, 8, 31)),
    ("head-hardware", Field.DATA_CENTRE, "Data centre specialist", "DC-2568-0107", dt.date(2028, 8, 31)),
    ("technician", Field.NETWORK, "Network associate", "NA-2568-0412", dt.date(2028, 8, 31)),
)
_ARTICLES: Final = (
    ("1.2a", "เครื่องคอมพิวเตอร์เปิดไม่ติด: ลองทำสิ่งนี้ก่อน", "A computer does not start: try this first",
     "1. ตรวจสอบสายไฟและสวิตช์ด้านหลังเครื่อง\n2. ถอดอุปกรณ์ต่อพ่วงทั้งหมดแล้วเปิดใหม่",
     "1. Check the cable and the switch at the back.\n2. Unplug everything else and start it again.", True),
    ("3.2c", "เครือข่ายไร้สายเชื่อมต่อไม่ได้", "The wireless network does not connect",
     "ลืมเครือข่ายเดิมในเครื่อง แล้วเชื่อมต่อใหม่ด้วยบัญชีของหน่วยงาน",
     "Forget the network on the device, then connect again with the agency's account.", True),
    ("3.2b", "ตรวจวงจรนอกเครือข่ายหลัก", "Checking a line off the main network",
     "ตรวจสถานะพอร์ตที่สวิตช์ปลายทางก่อนนัดหมายเข้าพื้นที่", "", False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """One move of an incident: when, by whom, what, and what is said with it."""

    at: str
    who: str
    what: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Ticket:
    """An incident to live through; reported in the portal, or logged by the help-desk for a caller."""

    at: str
    agency: str
    code: str
    title: str
    channel: Channel = Channel.PORTAL
    service: str = ""  # the code of an offering in use
    items: int = 1
    place: str = ""
    steps: tuple[Step, ...] = ()


def _ordinary(day: str, *, by: str = "hardware", hours: tuple[str, ...], done: str, grade: str) -> tuple[Step, ...]:
    """Return the moves of an incident that meets no obstacle on one day."""
    assigned, taken, resolved, confirmed = hours
    return (
        Step(f"{day} {assigned}", f"head-{by}", "assign"),
        Step(f"{day} {taken}", "technician", "take"),
        Step(f"{day} {resolved}", "technician", "resolve", done),
        Step(f"{day} {confirmed}", "requester", "confirm", grade),
    )


TICKETS: Final = (
    Ticket(
        "2026-09-15 09:05", "a", "1.2a", "จอภาพไม่แสดงผล", Channel.PHONE, place="อาคาร ก ชั้น 2",
        steps=_ordinary("2026-09-15", hours=("09:10", "09:15", "09:50", "11:00"), done="เปลี่ยนสายสัญญาณภาพ", grade="5"),
    ),
    Ticket(
        "2026-10-06 10:20", "a", "2.2", "เปิดไฟล์ตารางคำนวณไม่ได้",
        steps=_ordinary("2026-10-06", hours=("10:30", "10:40", "11:40", "13:20"), done="ซ่อมชุดโปรแกรม", grade="4"),
    ),
    Ticket(
        "2026-10-21 14:10", "b", "1.2b", "เครื่องพิมพ์ดึงกระดาษไม่ได้", Channel.WALK_IN, place="ห้องธุรการ",
        steps=(
            Step("2026-10-21 14:20", "head-hardware", "assign"),
            Step("2026-10-21 14:30", "technician", "take"),
            Step("2026-10-22 10:30", "technician", "resolve", "เปลี่ยนลูกยางดึงกระดาษ"),
            Step("2026-10-22 13:00", "requester", "confirm", "3"),
        ),
    ),
    Ticket(
        "2026-11-05 22:40", "a", "P2", "อินเทอร์เน็ตภาครัฐช้ามากทั้งสำนักงาน", Channel.PHONE, service="GI",
        steps=(
            Step("2026-11-05 22:50", "helpdesk", "accept"),
            Step("2026-11-05 22:55", "head-network", "assign"),
            Step("2026-11-05 23:05", "technician", "take"),
            Step("2026-11-06 03:15", "technician", "resolve", "ย้ายเส้นทางไปวงจรสำรอง"),
            Step("2026-11-06 09:10", "requester", "confirm", "5"),
        ),
    ),
    Ticket(
        "2026-11-16 09:30", "b", "1.5", "ประเมินเพื่อยุบสภาพเครื่องคอมพิวเตอร์ 5 เครื่อง", items=5,
        steps=_ordinary("2026-11-16", hours=("09:40", "09:50", "11:30", "14:00"), done="ประเมินครบ 5 เครื่อง", grade="5"),
    ),
    Ticket(
        "2026-11-24 13:10", "a", "1.2b", "เครื่องสำรองไฟส่งเสียงเตือนตลอดเวลา", place="ห้องเครื่องแม่ข่าย",
        steps=(
            Step("2026-11-24 13:20", "head-hardware", "assign"),
            Step("2026-11-24 13:30", "technician", "take"),
            Step("2026-11-24 14:00", "technician", "note", "แบตเตอรี่บวม ไม่มีอะไหล่ในคลัง"),
            Step("2026-11-24 14:10", "technician", "vendor", "บริษัทผู้จำหน่ายเครื่องสำรองไฟ"),
        ),
    ),
    Ticket(
        "2026-12-01 10:00", "a", "3.2b", "เครือข่ายที่ศูนย์ฝึกอบรมเชื่อมต่อไม่ได้", place="ศูนย์ฝึกอบรม",
        steps=(
            Step("2026-12-01 10:10", "helpdesk", "accept"),
            Step("2026-12-01 10:30", "helpdesk", "condition"),
            Step("2026-12-01 10:40", "head-network", "assign"),
            Step("2026-12-01 11:00", "technician", "take"),
            Step("2026-12-02 09:00", "technician", "wait", "ขอหมายเลขจุดติดตั้งและเวลาเข้าพื้นที่"),
            Step("2026-12-02 15:00", "requester", "say", "จุดที่ 14 เข้าได้ทุกวันในเวลาราชการ"),
            Step("2026-12-03 09:00", "technician", "appoint", "2026-12-08 09:30"),
            Step("2026-12-03 09:40", "requester", "accept_time"),
        ),
    ),
    Ticket(
        "2026-12-03 13:30", "b", "1.3", "ขอฟอร์แมตและติดตั้งระบบปฏิบัติการใหม่", Channel.LINE,
        steps=(
            Step("2026-12-03 13:40", "head-hardware", "assign"),
            Step("2026-12-03 13:50", "technician", "take"),
        ),
    ),
    Ticket("2026-12-04 09:15", "a", "2.3", "ขอติดตั้งโปรแกรมป้องกันไวรัส 1 เครื่อง", place="อาคาร ก ชั้น 4"),
    Ticket("2026-12-04 14:50", "a", "", "เข้าระบบหนังสือเวียนไม่ได้ตั้งแต่เช้า"),
)  # fmt: skip


_RECENT: Final = next(ticket for ticket in TICKETS if ticket.at >= "2026-12-01")


async def register(cast: Mapping[str, Actor], provider_id: uuid.UUID) -> None:
    """Enter in the staff register what those who do the work hold; the others can be given none."""
    async with acting_as(_LOADING):
        for who, about, title, number, until in _CERTIFICATES:
            held: dict[str, Any] = {"held_from": _HELD_FROM, "provider_id": provider_id}
            held |= {"by": _LOADING, "now": _MANNED_AT}
            person = _person(cast[who])
            await enter(person, Kind.CERTIFICATE, field=about, title=title, number=number, held_until=until, **held)
            await enter(person, Kind.RECORD_CHECK, number="ทว. 1/2568", **held)
            await enter(person, Kind.NDA, **held)


async def man(cast: Mapping[str, Actor], provider_id: uuid.UUID) -> None:
    """Load the agreement, seat the sections, write the articles, and live through the incidents in order of time."""
    async with acting_as(_LOADING):
        await load_table(provider_id, by=_LOADING, now=_MANNED_AT)
        sections = {each.code: each for each in await sections_of(provider_id)}
        for who, position, codes in _SEATS:
            for code in codes:
                await seat(sections[code].id, _person(cast[who]), position, by=_LOADING, now=_MANNED_AT)
        services = await Subscription.filter(provider_id=provider_id, state="active").select_related("offering")
    async with acting_as(cast["helpdesk"]):
        for code, title_th, title_en, text_th, text_en, is_public in _ARTICLES:
            await write(
                title_th, text_th, title_en=title_en, text_en=text_en, row_code=code, is_public=is_public,
                by=cast["helpdesk"], now=_MANNED_AT,
            )  # fmt: skip
    by_offering = {(each.agency_id, each.offering.code): each.id for each in services}
    for ticket in TICKETS:
        if ticket is _RECENT:
            await _read_what_is_old(cast)
        await _live(ticket, cast, provider_id, by_offering)


async def _read_what_is_old(cast: Mapping[str, Actor]) -> None:
    """Let everybody have read the news until then: a bell that counts months of them says nothing."""
    for who in cast.values():
        async with acting_as(who):
            await mark_read(who, now=_at(_RECENT.at))


async def _live(
    ticket: Ticket,
    cast: Mapping[str, Actor],
    provider_id: uuid.UUID,
    services: Mapping[tuple[uuid.UUID, str], uuid.UUID],
) -> None:
    requester, now = cast[f"official-{ticket.agency}"], _at(ticket.at)
    agency_id = requester.agency_id
    if agency_id is None:
        raise ValueError(f"{requester.name} is of no agency")
    wish = Wish(
        ticket.title, location=ticket.place, code=ticket.code, items=ticket.items,
        subscription_id=services.get((agency_id, ticket.service)),
    )  # fmt: skip
    if ticket.channel is Channel.PORTAL:
        async with acting_as(requester):
            made = await report(wish, provider_id=provider_id, phone="0 2000 1101", by=requester, now=now)
    else:
        desk = cast["helpdesk"]
        said = CallerSaid(agency_id, requester.name, phone="0 2000 1101", person_id=requester.person_id)
        async with acting_as(desk):
            logged_at = now + dt.timedelta(minutes=3)
            made = await log(wish, said, channel=ticket.channel, contacted_at=now, by=desk, now=logged_at)
    for step in ticket.steps:
        by = requester if step.who == "requester" else cast[step.who]
        async with acting_as(by):
            await _take(made.id, step, by, cast["technician"])


async def _take(incident_id: uuid.UUID, step: Step, by: Actor, technician: Actor) -> None:
    text = step.text
    how: dict[str, Any] = {"by": by, "now": _at(step.at)}
    moves: dict[str, Callable[[], Awaitable[object]]] = {
        "accept": lambda: commands.first_analysis(incident_id, **how),
        "condition": lambda: commands.meet_condition(incident_id, **how),
        "assign": lambda: commands.assign(incident_id, _person(technician), **how),
        "take": lambda: commands.take(incident_id, **how),
        "wait": lambda: commands.wait_for_requester(incident_id, note=text, **how),
        "vendor": lambda: commands.send_to_vendor(incident_id, vendor=text, **how),
        "say": lambda: conversation.say(incident_id, text, **how),
        "note": lambda: conversation.note(incident_id, text, **how),
        "appoint": lambda: appointments.propose(incident_id, _at(text), _at(text) + _VISIT, **how),
        "accept_time": lambda: _accept(incident_id, **how),
        "resolve": lambda: ending.resolve(incident_id, resolution=text, **how),
        "confirm": lambda: ending.confirm(incident_id, grade=int(text), **how),
    }
    await moves[step.what]()


async def _accept(incident_id: uuid.UUID, *, by: Actor, now: dt.datetime) -> None:
    [proposed, *_] = await appointments.appointments_of(incident_id)
    await appointments.accept(proposed.id, by=by, now=now)


def _person(who: Actor) -> uuid.UUID:
    if who.person_id is None:
        raise ValueError(f"{who.name} is no person")
    return who.person_id


def _at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=BANGKOK)
