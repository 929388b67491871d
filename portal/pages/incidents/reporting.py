"""Reporting an incident: what is affected, what to try first, what is known already, then the report itself."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.responses import Response
from tortoise.transactions import in_transaction

from auth.errors import Invalid
from auth.organisations.models import Organisation
from auth.rules import OrganisationKind
from auth.tenancy import scoped
from portal.files import given
from portal.i18n import gettext as _
from portal.pages.incidents import wording
from portal.pages.incidents.entering import prose, severity, whole
from portal.refusals import in_words
from portal.visit import Fields, Visit
from services.disruptions.queries import known_now
from services.incidents.intake import Wish, report
from services.incidents.queries import alike
from services.knowledge.queries import find_articles
from services.sla.models import SlaRow
from services.sla.queries import table_at
from services.subscriptions.models import Subscription, SubscriptionState

_ENOUGH_SIGNS = 4  # of a title, before anything is looked up by it


async def new(visit: Visit) -> Response:
    """Show the form; `service` in the address chooses a service in use, `outage` a known one."""
    return await _form(visit, visit.query.values())


async def hints(visit: Visit) -> Response:
    """Return what to try first, what is known and what is alike, for what was entered so far; a piece of the page."""
    return visit.render("incidents/_hints.html", **await _hints(visit, visit.query.values()))


async def create(visit: Visit) -> Response:
    """Report the incident, or with `act=check` show what is known about it first."""
    values = visit.form.values()
    if visit.form.get("act") == "check":
        return await _form(visit, values)
    try:
        wish = _wish(visit.form)
        async with in_transaction():
            provider_id, phone = _id(values, "provider") or await _only_desk(visit), visit.form.get("phone")[:64]
            files = await given(visit.form)
            made = await report(wish, provider_id=provider_id, phone=phone, files=files, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _form(visit, values, in_words(refused), status=422)
    visit.flash(_("The help-desk has your report: %(number)s. Quote this number when you call.", number=made.number))
    return visit.redirect("incident", id=made.id)


def _wish(form: Fields) -> Wish:
    """Return what the form asks for; Invalid names every field that cannot be read."""
    wish = Wish(
        title=form.get("title"),
        description=prose(form, "description"),
        location=form.get("location")[:200],
        code=form.get("code"),
        items=whole(form, "items", 1),
        severity=severity(form),
        is_emergency=form.get("emergency") == "yes",
    )
    chosen = {name: form.uuid(name) for name in ("service", "outage") if form.get(name)}
    return replace(wish, subscription_id=chosen.get("service"), disruption_id=chosen.get("outage"))


async def _form(
    visit: Visit, values: Mapping[str, str], errors: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    services = await services_in_use()
    chosen = next((each for each in services if str(each.id) == values.get("service")), None)
    providers = await desks(visit)
    provider_id = chosen.provider_id if chosen else _id(values, "provider") or next(iter(providers), None)
    rows = await table_at(provider_id, visit.now) if provider_id else []
    return visit.render(
        "incidents/new.html",
        status=status,
        values=values,
        errors=errors or {},
        services=[(each.id, service_words(each, visit)) for each in services],
        providers=[(each.id, wording.name(each, visit.language)) for each in providers.values()],
        provider_id=provider_id,
        rows=wording.by_category(rows, visit.language),
        severities=[(each.value, str(words)) for each, words in wording.SEVERITIES.items()],
        conditions=conditions(rows, visit),
        contact=visit.look.contact,
        **await _hints(visit, values, provider_id=provider_id),
    )


async def _hints(visit: Visit, values: Mapping[str, str], *, provider_id: UUID | None = None) -> dict[str, Any]:
    title, code, service = values.get("title", ""), values.get("code", ""), _id(values, "service")
    chosen = await scoped(Subscription).get_or_none(id=service) if service else None
    has_said = len(title) >= _ENOUGH_SIGNS
    similar = await alike(
        title, code=code, subscription_id=service, agency_id=visit.by.agency_id, by=visit.by, now=visit.now
    )
    return {
        "outages": await known_now(
            visit.now,
            provider_id=chosen.provider_id if chosen else provider_id,
            offering_id=chosen.offering_id if chosen else None,
        ),
        "articles": await find_articles(row_code=code, by=visit.by, limit=5) if code or has_said else [],
        "similar": similar if has_said or service else [],
        "chosen_outage": values.get("outage", ""),
        "states": wording.STATES,
        "title_of": lambda thing: wording.title(thing, visit.language),
        "text_of": lambda thing: wording.text(thing, visit.language),
    }


async def services_in_use(agency_id: UUID | None = None) -> list[Subscription]:
    """Return the services in use that an incident could be about, by number."""
    services = scoped(Subscription).filter(state=SubscriptionState.ACTIVE).select_related("offering")
    if agency_id:
        services = services.filter(agency_id=agency_id)
    return await services.order_by("number")


def service_words(service: Subscription, visit: Visit) -> str:
    """Return a service in use as it stands in a list of choices."""
    words = wording.name(service.offering, visit.language)
    return f"{words} – {service.label} ({service.number})" if service.label else f"{words} ({service.number})"


async def desks(visit: Visit) -> dict[UUID, Organisation]:
    """Return the providers that have an agreement and so a desk, by id."""
    with_table = await SlaRow.filter(effective_from__lte=visit.now).distinct().values_list("provider_id", flat=True)
    found = await Organisation.filter(id__in=list(with_table), kind=OrganisationKind.PROVIDER).order_by("code")
    return {each.id: each for each in found}


async def _only_desk(visit: Visit) -> UUID | None:
    """Return the provider where there is one alone; with several it must be said."""
    providers = list(await desks(visit))
    return providers[0] if len(providers) == 1 else None


def conditions(rows: list[SlaRow], visit: Visit) -> list[tuple[str, str]]:
    """Return what must be there before a row's clock starts, as (code, words)."""
    noted = [(row.code, row.note_en if visit.language == "en" and row.note_en else row.note_th) for row in rows]
    return [(code, words) for code, words in noted if words]


def _id(values: Mapping[str, str], name: str) -> UUID | None:
    try:
        return UUID(values[name]) if values.get(name) else None
    except ValueError:
        return None
