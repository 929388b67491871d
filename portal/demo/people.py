"""The organisations of the demonstration, and one person per role."""

import datetime as dt
from typing import NamedTuple

from auth.organisations.models import Coordinator, Organisation, Purpose
from auth.people.commands import meet
from auth.people.models import Membership, Person
from auth.rules import Actor, OrganisationKind, Role, Seat
from billing.months import bangkok_date
from portal.identity_provider.accounts import ACCOUNTS, ORGANISATIONS
from services.catalogue.rules import Family
from services.oversight.models import Listing
from services.oversight.queries import listed_families


class _Facts(NamedTuple):
    kind: OrganisationKind
    short_code: str
    tax_id: str
    address_th: str
    address_en: str
    phone: str


_FACTS = {
    "agency-a": _Facts(
        OrganisationKind.AGENCY,
        "A01",
        "0994000901011",
        "อาคาร ก เลขที่ 1 ถนนตัวอย่าง แขวงทุ่งสองห้อง เขตหลักสี่ กรุงเทพมหานคร 10210",
        "Building A, 1 Example Road, Thung Song Hong, Lak Si, Bangkok 10210",
        "0 2000 1001",
    ),
    "agency-b": _Facts(
        OrganisationKind.AGENCY,
        "B01",
        "0994000902026",
        "อาคาร ข เลขที่ 2 ถนนตัวอย่าง ตำบลบางกระสอ อำเภอเมืองนนทบุรี จังหวัดนนทบุรี 11000",
        "Building B, 2 Example Road, Bang Kraso, Mueang Nonthaburi, Nonthaburi 11000",
        "0 2000 2001",
    ),
    "provider": _Facts(
        OrganisationKind.PROVIDER,
        "P01",
        "0994000903031",
        "ศูนย์ข้อมูล เลขที่ 3 ถนนตัวอย่าง แขวงทุ่งสองห้อง เขตหลักสี่ กรุงเทพมหานคร 10210",
        "Data Centre, 3 Example Road, Thung Song Hong, Lak Si, Bangkok 10210",
        "0 2000 3000",
    ),
    "central": _Facts(
        OrganisationKind.CENTRAL,
        "C01",
        "0994000904045",
        "เลขที่ 4 ถนนตัวอย่าง แขวงดุสิต เขตดุสิต กรุงเทพมหานคร 10300",
        "4 Example Road, Dusit, Bangkok 10300",
        "0 2000 4000",
    ),
    "auditor": _Facts(
        OrganisationKind.AUDITOR,
        "G01",
        "0994000905050",
        "เลขที่ 5 ถนนตัวอย่าง แขวงพญาไท เขตพญาไท กรุงเทพมหานคร 10400",
        "5 Example Road, Phaya Thai, Bangkok 10400",
        "0 2000 5000",
    ),
}


async def found_organisations(now: dt.datetime) -> dict[str, Organisation]:
    """Create the organisations the database lacks, and return all of them by code."""
    found = {organisation.code: organisation for organisation in await Organisation.filter(code__in=list(_FACTS))}
    for code, facts in _FACTS.items():
        if code not in found:
            name_th, name_en = ORGANISATIONS[code]
            found[code] = await Organisation.create(
                code=code,
                name_th=name_th,
                name_en=name_en,
                email=f"contact@{code}.example",
                created_at=now,
                **facts._asdict(),
            )
        if facts.kind is OrganisationKind.PROVIDER:
            await _put_on_list(found[code], now)
    return found


async def _put_on_list(provider: Organisation, now: dt.datetime) -> None:
    """Enter a provider on the provider list for every family it lacks."""
    standing = await listed_families(provider.id)
    await Listing.bulk_create(
        [
            Listing(
                provider_id=provider.id, family=family, listed_on=bangkok_date(now), listed_by="demo", listed_at=now
            )
            for family in Family
            if family not in standing
        ]
    )


_COORDINATORS = (
    (Purpose.GENERAL, "ผู้ประสานงานโครงการ", "กลุ่มงานบริหาร", "coordinator", "1"),
    (Purpose.TECHNICAL, "ผู้ประสานงานด้านเทคนิค", "กลุ่มงานโครงสร้างพื้นฐานดิจิทัล", "technical", "2"),
    (Purpose.FINANCE, "ผู้ประสานงานด้านการเงิน", "กลุ่มงานการคลัง", "finance", "3"),
    (Purpose.SECURITY, "ผู้ประสานงานด้านความมั่นคงปลอดภัย", "กลุ่มงานความมั่นคงปลอดภัยสารสนเทศ", "security", "4"),
    (Purpose.AROUND_THE_CLOCK, "เจ้าหน้าที่เวรตลอด 24 ชั่วโมง", "ศูนย์ปฏิบัติการเครือข่าย", "duty", "9"),
)


async def introduce_coordinators(organisations: dict[str, Organisation], now: dt.datetime) -> None:
    """Name whom to reach at the agencies and the provider, by purpose, where nobody is named yet."""
    for code in ("agency-a", "agency-b", "provider"):
        organisation = organisations[code]
        if await Coordinator.filter(organisation_id=organisation.id).exists():
            continue
        await Coordinator.bulk_create(
            [
                Coordinator(
                    organisation_id=organisation.id,
                    purpose=purpose,
                    name=name,
                    position=position,
                    phone=f"{organisation.phone} ต่อ {extension}",
                    email=f"{mailbox}@{code}.example",
                    changed_at=now,
                )
                for purpose, name, position, mailbox, extension in _COORDINATORS
            ]
        )


async def seat_people(issuer: str, organisations: dict[str, Organisation], now: dt.datetime) -> None:
    """Let the accounts of an identity provider be members; one the portal has met keeps the rights it has."""
    met = {person.subject for person in await Person.filter(issuer=issuer)}
    for account in ACCOUNTS:
        if account.username in met or account.organisation is None:
            continue
        person = await meet(issuer, account.username, name=account.name_th, email=account.email, now=now)
        await Membership.bulk_create(
            [
                Membership(
                    organisation_id=organisations[account.organisation].id,
                    person_id=person.id,
                    role=role,
                    granted_by="demo",
                    granted_at=now,
                )
                for role in account.roles
            ]
        )


async def cast_of(issuer: str) -> dict[str, Actor]:
    """Return everybody who has an account, by user name, as they act."""
    held = (
        await Membership.filter(person__issuer=issuer, revoked_at=None)
        .select_related("person", "organisation")
        .order_by("person__subject")
    )
    cast: dict[str, Actor] = {}
    for membership in held:
        person, organisation = membership.person, membership.organisation
        before = cast.get(person.subject)
        roles: frozenset[Role] = (before.roles if before else frozenset()) | {membership.role}
        seat = Seat(organisation.id, organisation.kind, organisation.code, organisation.name_th, organisation.name_en)
        cast[person.subject] = Actor(person.name, person.id, seat, roles)
    return cast
