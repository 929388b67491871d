"""Pages that show every part of the look at once, for tests and for looking at."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from billing.money import totals
from portal import rendering
from portal.rendering import Contact, DemoClock, Flash, MenuGroup, MenuItem, OrganisationChoice, Visit

SAMPLES = Path(__file__).parent / "samples"
NOW = datetime(2026, 12, 4, 8, 20, tzinfo=UTC)
NONCE = "sample-nonce"


@dataclass(frozen=True)
class Person:
    name: str = "สมหญิง ตั้งใจทำงาน"
    organisation_name: str = "กรมส่งเสริมการปกครองส่วนท้องถิ่นและพื้นที่พิเศษ"

    def may(self, permission: str) -> bool:
        return permission == "requests_make"


MENU = [
    MenuGroup(
        [
            MenuItem("หน้าหลัก", "/", "home"),
            MenuItem("บริการที่ใช้งาน", "/services", "server"),
            MenuItem("การปรับเปลี่ยนบริการ", "/services/change", "adjustments"),
            MenuItem("คำร้อง", "/requests", "clipboard-list", 3),
            MenuItem("ค่าใช้จ่าย", "/costs", "report-money"),
        ]
    ),
    MenuGroup([MenuItem("ผู้ใช้งานและสิทธิ์", "/users", "users")], "การบริหารจัดการ"),
]


def visit(language: str = "th", *, signed_in: bool = True) -> Visit:
    if not signed_in:
        return Visit(language=language, nonce=NONCE, contact=Contact("0 2123 4567", "help@example.go.th"))
    return Visit(
        actor=Person(),
        now=NOW,
        language=language,
        nonce=NONCE,
        csrf="sample-csrf",
        menu=MENU,
        organisations=[
            OrganisationChoice("1", Person().organisation_name, current=True),
            OrganisationChoice("2", "สำนักงานคณะกรรมการ ข."),
        ],
        flashes=[Flash("success", "บันทึกข้อมูลเรียบร้อยแล้ว"), Flash("danger", "<b>ไม่ปลอดภัย</b>")],
        unread=12,
        demo_clock=DemoClock(held=True, may_set=True),
        contact=Contact("0 2123 4567", "help@example.go.th"),
        reference="3f9a1c2e",
    )


def request(path: str = "/services/1", query: str = "", cookies: str = "", seen: Visit | None = None) -> Request:
    app = Starlette(routes=[Route("/requests/{id}", lambda _: None, name="request")])
    scope: dict[str, Any] = {
        "type": "http", "method": "GET", "path": path, "query_string": query.encode(), "root_path": "",
        "headers": [(b"host", b"portal.test"), (b"cookie", cookies.encode())], "scheme": "http",
        "server": ("portal.test", 80), "app": app, "state": {},
    }  # fmt: skip
    if seen is not None:
        scope["state"]["visit"] = seen
    return Request(scope)


CONTEXTS: dict[str, dict[str, Any]] = {
    "parts.html": {
        "amount": Decimal("25064.51"),
        "share": Decimal("23.06"),
        "day": date(2026, 12, 16),
        "months": [
            {"label": "ต.ค. 69", "amount": Decimal("73723.00"), "text": "73,723.00"},
            {"label": "พ.ย. 69", "amount": Decimal("70000.00"), "text": "70,000.00", "href": "/costs/2569-11"},
            {"label": "ธ.ค. 69", "amount": Decimal("25064.51"), "text": "25,064.51", "estimated": True},
        ],
        "events": [
            {"at": NOW, "who": "สมหญิง ตั้งใจทำงาน", "what": "ยื่นคำร้อง", "icon": "send"},
            {"at": NOW, "who": "เจ้าหน้าที่ตรวจสอบ", "what": "ไม่อนุมัติ", "icon": "circle-x", "tone": "danger",
             "note": "ปริมาณเกินกว่าที่มีอยู่\nกรุณาลดปริมาณ"},
        ],
        "lines": [
            ("อินเทอร์เน็ตภาครัฐ 200 Mbps", "1–15 ธ.ค. 2569", Decimal(200), Decimal("7258.06")),
            ("อินเทอร์เน็ตภาครัฐ 500 Mbps", "16–31 ธ.ค. 2569", Decimal(500), Decimal("17806.45")),
        ],
        "sums": totals([Decimal("25064.51")], Decimal("0.07"), Decimal("0.01")),
        "vat": Decimal("0.07"),
        "withheld": Decimal("0.01"),
    },
    "form.html": {
        "values": {"quantity": "๙,๙๙๙", "reason": "เพิ่มปริมาณเพื่อรองรับผู้ใช้งาน <ใหม่>"},
        "errors": {"quantity": "ปริมาณทรัพยากรที่ขอเกินกว่าที่ผู้ให้บริการสามารถให้บริการได้"},
        "today": date(2026, 12, 16),
    },
}  # fmt: skip


@contextmanager
def samples_beside_the_templates() -> Iterator[None]:
    """Let the environment find the sample pages for a while."""
    own = rendering.templates.loader
    rendering.templates.loader = ChoiceLoader([own, FileSystemLoader(SAMPLES)])
    try:
        yield
    finally:
        rendering.templates.loader = own


def sample(name: str, seen: Visit, path: str = "/services/1") -> str:
    with samples_beside_the_templates():
        return rendering.draw(request(path), seen, name, CONTEXTS[name])
