"""What the demonstration's agencies asked for in their year of history, and how each request went."""

import datetime as dt
import enum
from collections.abc import Mapping
from dataclasses import dataclass

from billing.months import BANGKOK
from services.requests.rules import Kind


class Ending(enum.Enum):
    """How far a request of the story came."""

    COMPLETED = "completed"
    DECLINED = "declined"
    REJECTED = "rejected"
    RETURNED_AND_WITHDRAWN = "returned and withdrawn"
    EXPIRED = "expired"
    IN_PROGRESS = "in progress"
    AWAITING = "awaiting confirmation"
    SUBMITTED = "submitted"


@dataclass(frozen=True, slots=True)
class Contract:
    """A service in use since the story's first day: whose, how much, and under which contract."""

    agency: str
    code: str
    label: str
    amounts: Mapping[str, str]
    contract_number: str
    ends_on: dt.date


@dataclass(frozen=True, slots=True)
class Wish:
    """One request: who asked for what and why, when, from when on, and how it ended."""

    agency: str
    kind: Kind
    code: str
    amounts: Mapping[str, str]
    asked_at: dt.datetime
    effective_on: dt.date
    why: str
    ending: Ending = Ending.COMPLETED
    note: str = ""
    label: str = ""
    pace: int = 0  # minutes by which its moves come later than the usual


def _at(year: int, month: int, day: int, hour: int, minute: int) -> dt.datetime:
    return dt.datetime(year, month, day, hour, minute, tzinfo=BANGKOK)


_UNTIL_2570 = dt.date(2027, 9, 30)
_UNTIL_2571 = dt.date(2028, 9, 30)

CONTRACTS = (
    Contract("a", "GI", "สำนักงานใหญ่", {"bandwidth": "100"}, "สญ. 12/2569", _UNTIL_2571),
    Contract("a", "EP", "เครื่องคอมพิวเตอร์สำนักงาน", {"endpoint": "480"}, "สญ. 13/2569", _UNTIL_2571),
    Contract("a", "SC", "ระบบสารสนเทศส่วนกลาง", {"eps": "500"}, "สญ. 14/2569", _UNTIL_2571),
    Contract("b", "VM", "ระบบสารบรรณอิเล็กทรอนิกส์", {"vcpu": "8", "ram": "32", "ssd": "500"}, "จ. 5/2569", _UNTIL_2570),
    Contract("b", "OS", "คลังเอกสารดิจิทัล", {"stored": "4000"}, "จ. 6/2569", _UNTIL_2570),
    Contract("b", "BK", "ฐานข้อมูลกลาง", {"protected": "2000"}, "จ. 6/2569", _UNTIL_2570),
    Contract("b", "CO", "ตู้ระบบเดิม", {"rack-unit": "10", "cross-connect": "2"}, "จ. 7/2569", _UNTIL_2571),
    Contract("b", "WF", "เว็บไซต์หน่วยงาน", {"fqdn": "2"}, "จ. 8/2569", _UNTIL_2570),
    Contract("b", "GX", "เชื่อมโยงข้อมูลระหว่างหน่วยงาน", {"bandwidth": "100"}, "จ. 9/2569", _UNTIL_2571),
)

WISHES = (
    Wish(
        "a",
        Kind.NEW,
        "VM",
        {"vcpu": "4", "ram": "8", "ssd": "100"},
        _at(2026, 1, 5, 9, 40),
        dt.date(2026, 1, 12),
        "ทดสอบเว็บไซต์ใหม่ก่อนเปิดใช้งานจริง",
        label="ระบบทดสอบเว็บไซต์",
        pace=12,
    ),
    Wish(
        "a",
        Kind.CHANGE,
        "GI",
        {"bandwidth": "150"},
        _at(2026, 1, 19, 10, 15),
        dt.date(2026, 2, 1),
        "ปริมาณการใช้งานช่วงเวลาราชการเต็มความเร็วที่มีเกือบทุกวัน",
        pace=25,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "VM",
        {"vcpu": "12", "ram": "48"},
        _at(2026, 2, 19, 13, 20),
        dt.date(2026, 3, 2),
        "เพิ่มหน่วยงานย่อยที่ใช้ระบบสารบรรณอีก 3 แห่ง",
        pace=8,
    ),
    Wish(
        "b",
        Kind.NEW_ADDON,
        "OS",
        {"geo-replica": "4000"},
        _at(2026, 3, 16, 11, 5),
        dt.date(2026, 3, 23),
        "แผนบริหารความต่อเนื่องกำหนดให้มีสำเนาเอกสารต่างภูมิภาค",
        pace=31,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "CO",
        {"rack-unit": "14"},
        _at(2026, 4, 20, 9, 10),
        dt.date(2026, 5, 1),
        "ติดตั้งอุปกรณ์จัดเก็บข้อมูลเพิ่ม 4U",
        pace=17,
    ),
    Wish(
        "a",
        Kind.CHANGE,
        "EP",
        {"endpoint": "620"},
        _at(2026, 5, 6, 14, 30),
        dt.date(2026, 5, 16),
        "เครื่องคอมพิวเตอร์ใหม่ 140 เครื่องตามแผนจัดหาประจำปี",
        pace=5,
    ),
    Wish(
        "a",
        Kind.CANCEL,
        "VM",
        {},
        _at(2026, 6, 15, 10, 50),
        dt.date(2026, 6, 30),
        "ทดสอบแล้วเสร็จ ย้ายไปใช้ระบบจริงแล้ว",
        pace=22,
    ),
    Wish(
        "a",
        Kind.CHANGE,
        "GI",
        {"bandwidth": "200"},
        _at(2026, 6, 17, 9, 25),
        dt.date(2026, 7, 1),
        "รองรับการประชุมทางไกลของสำนักงานใหญ่",
        pace=14,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "OS",
        {"stored": "6500"},
        _at(2026, 6, 22, 13, 45),
        dt.date(2026, 7, 1),
        "แปลงเอกสารย้อนหลังเป็นดิจิทัลตามโครงการประจำปี",
        pace=36,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "WF",
        {"fqdn": "3"},
        _at(2026, 7, 6, 10, 35),
        dt.date(2026, 7, 16),
        "เปิดเว็บไซต์บริการประชาชนเพิ่มอีกหนึ่งชื่อโดเมน",
        pace=19,
    ),
    Wish(
        "a",
        Kind.CHANGE,
        "SC",
        {"eps": "800"},
        _at(2026, 7, 13, 11, 15),
        dt.date(2026, 8, 1),
        "ส่งข้อมูลจราจรจากอุปกรณ์เครือข่ายชุดใหม่เข้าศูนย์เฝ้าระวัง",
        pace=27,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "VM",
        {"ssd": "800"},
        _at(2026, 8, 3, 9, 55),
        dt.date(2026, 8, 17),
        "พื้นที่จัดเก็บเอกสารแนบใกล้เต็ม",
        ending=Ending.EXPIRED,
        pace=9,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "VM",
        {"ssd": "800"},
        _at(2026, 8, 31, 10, 20),
        dt.date(2026, 9, 7),
        "พื้นที่จัดเก็บเอกสารแนบใกล้เต็ม (ยื่นใหม่แทนคำร้องที่สิ้นสุดระยะเวลายืนยัน)",
        pace=6,
    ),
    Wish(
        "a",
        Kind.NEW_ADDON,
        "GI",
        {"second-path": "1"},
        _at(2026, 9, 8, 13, 10),
        dt.date(2026, 10, 1),
        "ลดความเสี่ยงเมื่อวงจรหลักขัดข้อง",
        ending=Ending.DECLINED,
        note="งบประมาณปี 2570 ยังไม่รองรับ จะเสนอในปีงบประมาณถัดไป",
        pace=33,
    ),
    Wish(
        "a",
        Kind.NEW_ADDON,
        "EP",
        {"mdr": "620"},
        _at(2026, 10, 6, 9, 30),
        dt.date(2026, 11, 1),
        "ต้องการผู้เชี่ยวชาญเฝ้าระวังนอกเวลาราชการ",
        ending=Ending.RETURNED_AND_WITHDRAWN,
        note="โปรดแนบรายการเครื่องที่ต้องการให้เฝ้าระวังและผู้ประสานงานนอกเวลาราชการ",
        pace=11,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "GX",
        {"bandwidth": "2000"},
        _at(2026, 10, 14, 10, 5),
        dt.date(2026, 11, 1),
        "รองรับการแลกเปลี่ยนข้อมูลขนาดใหญ่",
        ending=Ending.REJECTED,
        note="วงจร ณ ที่ตั้งของหน่วยงานรองรับได้ไม่เกิน 1,000 Mbps",
        pace=21,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "WF",
        {"fqdn": "5"},
        _at(2026, 12, 1, 9, 20),
        dt.date(2027, 1, 1),
        "ย้ายเว็บไซต์ของหน่วยงานในสังกัดสองแห่งมาอยู่ภายใต้ระบบเดียวกัน",
        ending=Ending.AWAITING,
        pace=16,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "GX",
        {"bandwidth": "150"},
        _at(2026, 12, 2, 9, 15),
        dt.date(2026, 12, 16),
        "เชื่อมโยงข้อมูลกับหน่วยงานเพิ่มเติมตามบันทึกข้อตกลง",
        ending=Ending.IN_PROGRESS,
        pace=13,
    ),
    Wish(
        "b",
        Kind.CHANGE,
        "BK",
        {"protected": "3000"},
        _at(2026, 12, 4, 11, 20),
        dt.date(2027, 1, 1),
        "ฐานข้อมูลกลางโตขึ้นตามจำนวนผู้ใช้บริการ",
        ending=Ending.SUBMITTED,
    ),
)
