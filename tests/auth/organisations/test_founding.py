"""The first administrator of an organisation, before anybody can decide on access."""

import datetime as dt

import pytest

from auth.errors import Conflict, Invalid
from auth.organisations.founding import found
from auth.organisations.models import Organisation
from auth.people.models import Membership
from auth.rules import OrganisationKind, Role, system
from auth.tenancy import acting_as

NOW = dt.datetime(2026, 12, 4, 8, tzinfo=dt.UTC)
NAMES = ("หน่วยงาน ค.", "Agency C")
ADMINISTRATOR = ("https://login.example", "someone", "ผู้ดูแลระบบ")


async def _found(kind: OrganisationKind, code: str, short_code: str, names: tuple[str, str] = NAMES) -> Organisation:
    async with acting_as(system("command line")):
        return await found(kind, code, short_code, names, ADMINISTRATOR, now=NOW)


@pytest.mark.parametrize(
    ("kind", "role"),
    [
        (OrganisationKind.AGENCY, Role.AGENCY_ADMIN),
        (OrganisationKind.PROVIDER, Role.PROVIDER_ADMIN),
        (OrganisationKind.CENTRAL, Role.CENTRAL),
        (OrganisationKind.AUDITOR, Role.AUDITOR),
    ],
)
async def test_the_first_administrator_may_decide_on_the_others(
    database: object, kind: OrganisationKind, role: Role
) -> None:
    founded = await _found(kind, f"new-{kind}", "N01")
    async with acting_as(system("look")):
        [membership] = await Membership.filter(organisation_id=founded.id).select_related("person")
    assert (membership.role, membership.person.subject) == (role, "someone")


async def test_a_code_is_given_once(database: object) -> None:
    await _found(OrganisationKind.AGENCY, "agency-c", "C77")
    with pytest.raises(Conflict):
        await _found(OrganisationKind.AGENCY, "agency-c", "C78")
    with pytest.raises(Conflict):
        await _found(OrganisationKind.AGENCY, "agency-d", "C77")


@pytest.mark.parametrize(
    ("code", "short_code", "names", "field"),
    [
        ("", "C77", NAMES, "code"),
        ("agency-c", "TOOLONGCODE", NAMES, "short_code"),
        ("agency-c", "ก1", NAMES, "short_code"),
        ("agency-c", "C77", ("", "Agency C"), "name"),
    ],
)
async def test_what_is_missing_is_named(
    database: object, code: str, short_code: str, names: tuple[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        await _found(OrganisationKind.AGENCY, code, short_code, names)
    assert list(refused.value.fields) == [field]
