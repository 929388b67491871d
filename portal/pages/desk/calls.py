"""Logging for a caller: who called, how, when the desk was reached, and what it is about (seed B 3(2))."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid
from auth.organisations.models import Organisation
from auth.rules import OrganisationKind
from auth.tenancy import scoped
from portal.files import given
from portal.formats import thai_sort_key
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.pages.incidents.entering import moment, prose, severity, whole
from portal.pages.incidents.reporting import service_words, services_in_use
from portal.refusals import in_words
from portal.visit import Fields, Visit
from services.callers.models import Caller
from services.callers.queries import find_callers
from services.disruptions.queries import known_now
from services.incidents.intake import CallerSaid, Wish, log
from services.incidents.queries import alike
from services.incidents.rules import Channel
from services.sla.queries import table_at

_CHANNELS: Final = (Channel.PHONE, Channel.LINE, Channel.EMAIL, Channel.WALK_IN)


async def new(visit: Visit) -> Response:
    """Show the form; `caller` in the address fills in who is calling."""
    values = visit.query.values()
    known = await _caller(values.get("caller", ""))
    if known:
        values |= {"name": known.name, "phone": known.phone, "email": known.email, "agency": str(known.agency_id)}
    return await _form(visit, values)


async def callers(visit: Visit) -> Response:
    """Return who may be calling, by the end of a phone number or a part of a name; a piece of the page."""
    found = await find_callers(visit.query.get("who")[:100])
    return visit.render(
        "desk/_callers.html", callers=found, agencies=await agencies_by_name(visit), who=visit.query.get("who")
    )


async def create(visit: Visit) -> Response:
    """Log the incident; the clock starts when the desk was reached, not when this was typed in."""
    values = visit.form.values()
    if visit.form.get("act") == "find":
        return await _form(visit, values)
    try:
        wish, said, channel = _read(visit.form, await _caller(values.get("caller", "")))
        async with in_transaction():
            made = await log(
                wish,
                said,
                channel=channel,
                contacted_at=moment(visit.form, "contacted"),
                files=await given(visit.form),
                by=visit.by,
                now=visit.now,
            )
    except Invalid as refused:
        return await _form(visit, values, in_words(refused), status=422)
    visit.flash(_("Logged as %(number)s. Tell the caller this number.", number=made.number))
    return visit.redirect("incident", id=made.id)


def _read(form: Fields, known: Caller | None) -> tuple[Wish, CallerSaid, Channel]:
    wrong = {}
    if not form.get("name"):
        wrong["name"] = "Say who is calling."
    if not form.get("agency"):
        wrong["agency"] = "Say for which agency."
    if form.get("channel") not in set(_CHANNELS):
        wrong["channel"] = "Choose one of the list."
    if not form.get("title"):
        wrong["title"] = "Say in a few words what is wrong."
    if wrong:
        raise Invalid(wrong)
    agency = form.uuid("agency")
    # The person known from before, unless another name was written over it.
    is_same = known is not None and known.agency_id == agency and known.name == form.get("name")
    said = CallerSaid(
        agency_id=agency,
        name=form.get("name")[:200],
        phone=form.get("phone")[:64],
        email=form.get("email")[:254].lower(),
        person_id=known.person_id if known and is_same else None,
    )
    wish = Wish(
        title=form.get("title"),
        description=prose(form, "description"),
        location=form.get("location")[:200],
        code=form.get("code"),
        items=whole(form, "items", 1),
        severity=severity(form),
        is_emergency=form.get("emergency") == "yes",
        subscription_id=form.uuid("service") if form.get("service") else None,
        disruption_id=form.uuid("outage") if form.get("outage") else None,
    )
    return wish, said, Channel(form.get("channel"))


async def _form(
    visit: Visit, values: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    by, agencies = visit.by, await agencies_by_name(visit)
    agency_id = next((each for each in agencies if str(each) == values.get("agency")), None)
    rows = await table_at(by.provider_id, visit.now) if by.provider_id else []
    title = values.get("title", "")
    return visit.render(
        "desk/call.html",
        status=status,
        values=values,
        errors=errors or {},
        found=await find_callers(values.get("who", "")[:100]),
        agencies=agencies,
        agency_id=agency_id,
        channels=[(each.value, str(wording.CHANNELS[each].label)) for each in _CHANNELS],
        services=[(each.id, service_words(each, visit)) for each in await services_in_use(agency_id)]
        if agency_id
        else [],
        rows=wording.by_category(rows, visit.language),
        severities=[(each.value, str(words)) for each, words in wording.SEVERITIES.items()],
        outages=await known_now(visit.now, provider_id=by.provider_id),
        similar=await alike(title, agency_id=agency_id, by=by, now=visit.now) if title and agency_id else [],
        states=wording.STATES,
        title_of=lambda thing: wording.title(thing, visit.language),
        now=visit.now,
    )


async def agencies_by_name(visit: Visit) -> dict[UUID, str]:
    """Return the agencies a caller may belong to, in the order of the Thai alphabet."""
    found = await Organisation.filter(kind=OrganisationKind.AGENCY)
    names = [(each.id, wording.name(each, visit.language)) for each in found]
    return dict(sorted(names, key=lambda pair: thai_sort_key(pair[1])))


async def _caller(text: str) -> Caller | None:
    try:
        return await scoped(Caller).get_or_none(id=UUID(text)) if text else None
    except ValueError:
        return None
