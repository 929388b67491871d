"""The staff register: who holds which certificate, whose record was checked, who signed the NDA (standard 9.1–9.3)."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from auth.errors import Invalid, NotFound
from auth.organisations.models import Organisation
from auth.people.queries import Member, members_of
from auth.rules import OrganisationKind, Permission
from billing.months import bangkok_date
from portal.formats import NotADate, parse_date, thai_sort_key
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit
from portal.words import ROLES
from services.staff.commands import enter, strike
from services.staff.models import StaffRecord
from services.staff.queries import clearances, records_of
from services.staff.rules import Field, Kind, in_force_on

KINDS: Final[Mapping[Kind, Lazy]] = {
    Kind.CERTIFICATE: lazy("Technical certificate"),
    Kind.RECORD_CHECK: lazy("Criminal-record check"),
    Kind.NDA: lazy("Signed non-disclosure agreement"),
}
FIELDS: Final[Mapping[Field, Lazy]] = {
    Field.NETWORK: lazy("Network"),
    Field.CLOUD: lazy("Cloud"),
    Field.DATA_CENTRE: lazy("Data centre"),
    Field.SECURITY: lazy("Security"),
}
# Raised below pages with these words.
REASONS: Final = (
    lazy("Say what the certificate is about."),
    lazy("Name the certificate."),
    lazy("The last day is before the first."),
    lazy("Choose one of the list."),
)


async def index(visit: Visit) -> Response:
    """Show how everybody of a provider stands; the central agency and auditors choose among the providers."""
    providers = await _providers(visit)
    chosen = next((each for each in providers if str(each.id) == visit.query.get("provider")), providers[0])
    people = await members_of(chosen.id)
    today = bangkok_date(visit.now)
    standing = await clearances([each.person_id for each in people], today)
    only = visit.query.get("show")
    shown = [each for each in people if only != "missing" or not standing[each.person_id].is_whole]
    return visit.render(
        "staff/index.html",
        providers=[(each.id, _name(each, visit)) for each in providers],
        chosen=chosen,
        people=sorted(shown, key=lambda each: thai_sort_key(each.name)),
        standing=standing,
        incomplete=len([each for each in people if not standing[each.person_id].is_whole]),
        only_missing=only == "missing",
        today=today,
        kinds=KINDS,
        fields=FIELDS,
        roles=ROLES,
    )


async def show(visit: Visit) -> Response:
    """Show what the register holds of one person; NotFound for who is of no provider within reach."""
    return await _person(visit, {}, {})


async def add(visit: Visit) -> Response:
    """Enter what somebody holds; what was typed stays where it is refused."""
    try:
        kind, about, held_from, held_until = _given(visit)
        await enter(
            visit.params["person"],
            kind,
            field=about,
            title=visit.form.get("title")[:200],
            number=visit.form.get("number")[:100],
            held_from=held_from,
            held_until=held_until,
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _person(visit, visit.form.values(), in_words(refused), status=422)
    visit.flash(_("It was entered in the staff register."))
    return visit.redirect("staff.person", person=visit.params["person"])


async def strike_out(visit: Visit) -> Response:
    """Strike an entry out; it stays readable in the audit log."""
    if visit.form.get("sure") != "yes":
        return await _person(visit, {}, {"sure": _("Tick that you are sure.")}, status=422)
    struck = await strike(visit.params["record"], by=visit.by, now=visit.now)
    visit.flash(_("The entry was struck out."))
    return visit.redirect("staff.person", person=struck.person_id)


def _given(visit: Visit) -> tuple[Kind, Field | None, dt.date, dt.date | None]:
    form, wrong = visit.form, dict[str, str]()
    if form.get("kind") not in set(Kind):
        wrong["kind"] = "Choose one of the list."
    days: dict[str, dt.date] = {}
    for name in ("held_from", "held_until"):
        if name == "held_until" and not form.get(name):
            continue
        try:
            days[name] = parse_date(form.get(name))
        except NotADate:
            wrong[name] = "Give a day such as 16/12/2569."
    if wrong:
        raise Invalid(wrong)
    about = Field(form.get("field")) if form.get("field") in set(Field) else None
    return Kind(form.get("kind")), about, days["held_from"], days.get("held_until")


async def _person(visit: Visit, values: Mapping[str, str], errors: Mapping[str, str], status: int = 200) -> Response:
    person_id: uuid.UUID = visit.params["person"]
    member, provider = await _member(visit, person_id)
    held: list[StaffRecord] = (await records_of([person_id]))[person_id]
    today = bangkok_date(visit.now)
    return visit.render(
        "staff/show.html",
        status=status,
        member=member,
        provider=_name(provider, visit),
        held=[(each, in_force_on(each, today)) for each in held],
        standing=(await clearances([person_id], today))[person_id],
        kinds=KINDS,
        fields=FIELDS,
        roles=ROLES,
        today=today,
        may_keep=visit.by.may(Permission.STAFF_KEEP),
        values=values,
        errors=errors,
    )


async def _member(visit: Visit, person_id: uuid.UUID) -> tuple[Member, Organisation]:
    for provider in await _providers(visit):
        for member in await members_of(provider.id):
            if member.person_id == person_id:
                return member, provider
    raise NotFound("Person")


async def _providers(visit: Visit) -> list[Organisation]:
    """Return the provider the visitor is of, or all for oversight."""
    found = Organisation.filter(kind=OrganisationKind.PROVIDER)
    if not visit.by.oversees:
        found = found.filter(id=visit.by.provider_id)
    return await found.order_by("code")


def _name(organisation: Organisation, visit: Visit) -> str:
    return organisation.name_en if visit.language == "en" else organisation.name_th
