"""The people of the demonstration, one per role; named for what they do, because nobody here is real."""

from dataclasses import dataclass

from auth.rules import Role


@dataclass(frozen=True)
class Account:
    """Somebody who can sign in at the embedded identity provider; `username` is the subject of their tokens."""

    username: str
    name_th: str
    name_en: str
    organisation: str | None
    roles: tuple[Role, ...]

    @property
    def email(self) -> str:
        """An address under a name that is reserved for examples."""
        return f"{self.username}@{self.organisation or 'nowhere'}.example"

    @property
    def claims(self) -> dict[str, object]:
        """What the provider says of them; never their roles, which the portal keeps itself."""
        return {
            "name": self.name_th,
            "preferred_username": self.username,
            "locale": "th-TH",
            "email": self.email,
            "email_verified": True,
        }


ORGANISATIONS: dict[str, tuple[str, str]] = {
    "agency-a": ("หน่วยงาน ก.", "Agency A"),
    "agency-b": ("หน่วยงาน ข.", "Agency B"),
    "provider": ("ผู้ให้บริการ", "Provider"),
    "central": ("หน่วยงานกลาง", "Central agency"),
    "auditor": ("ผู้ตรวจสอบ", "Auditor"),
}
"""Code to (Thai, English) name, in the order of the sign-in page."""

_IN_AGENCIES = (
    ("official", "เจ้าหน้าที่ผู้ใช้บริการ", "Official", Role.OFFICIAL),
    ("approver", "ผู้มีอำนาจอนุมัติ", "Approver", Role.APPROVER),
    ("finance", "เจ้าหน้าที่การเงิน", "Finance", Role.FINANCE),
    ("agency-admin", "ผู้ดูแลผู้ใช้งาน", "Agency administrator", Role.AGENCY_ADMIN),
)

_ELSEWHERE = (
    ("reviewer", "เจ้าหน้าที่ตรวจสอบคำร้อง", "Reviewer", "provider", Role.REVIEWER),
    ("helpdesk", "เจ้าหน้าที่ศูนย์ฯ", "Help-desk", "provider", Role.HELPDESK),
    ("head-network", "หัวหน้าฝ่ายเครือข่าย", "Section head, network", "provider", Role.SECTION_HEAD),
    ("head-hardware", "หัวหน้าฝ่ายฮาร์ดแวร์", "Section head, hardware", "provider", Role.SECTION_HEAD),
    ("technician", "เจ้าหน้าที่เทคนิค", "Technician", "provider", Role.TECHNICIAN),
    ("provider-finance", "เจ้าหน้าที่การเงินของผู้ให้บริการ", "Provider's finance", "provider", Role.PROVIDER_FINANCE),
    ("manager", "ผู้จัดการระบบ", "Manager", "provider", Role.MANAGER),
    ("admin", "ผู้ดูแลระบบ", "Administrator", "provider", Role.PROVIDER_ADMIN),
    ("central", "เจ้าหน้าที่หน่วยงานกลาง", "Central agency", "central", Role.CENTRAL),
    ("auditor", "ผู้ตรวจสอบ", "Auditor", "auditor", Role.AUDITOR),
)


def _agency(letter: str) -> tuple[Account, ...]:
    code = f"agency-{letter}"
    thai, english = ORGANISATIONS[code]
    return tuple(
        Account(f"{role}-{letter}", f"{name_th} {thai}", f"{name_en}, {english}", code, (grants,))
        for role, name_th, name_en, grants in _IN_AGENCIES
    )


ACCOUNTS: tuple[Account, ...] = (
    *_agency("a"),
    *_agency("b"),
    *(
        Account(username, name_th, name_en, organisation, (role,))
        for username, name_th, name_en, organisation, role in _ELSEWHERE
    ),
)
"""Everybody with a role; the demonstration's memberships are made from these."""

NEWCOMER = Account("newcomer", "ผู้ใช้งานใหม่ (ยังไม่มีสิทธิ์)", "Newcomer, no rights yet", None, ())
"""Somebody the portal does not know, to show how access is asked for."""
