"""Services in use: what an agency has, since when, until when, at which level and price (standard 7.5.2)."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from starlette.responses import Response

from auth.organisations.models import Organisation
from auth.rules import Permission
from billing.months import Month, bangkok_date
from billing.statements.queries import book_of, costs_of_service
from billing.statements.rules import Charge
from billing.tariffs.rules import Basis
from portal.formats import Language, amount_of, baht, month_short, thai_sort_key
from portal.i18n import Lazy, gettext
from portal.pages.catalogue import FAMILIES, FAMILY_ICONS, PER
from portal.pages.incidents.wording import STATES as INCIDENT_STATES
from portal.pages.requests.page import can_be_undone
from portal.pages.requests.wording import KINDS, STATES
from portal.visit import Visit
from services.catalogue.rules import Family
from services.disruptions.queries import disruptions_of
from services.incidents.queries import incidents_about
from services.requests.concerning import open_requests, requests_about
from services.requests.models import ServiceRequest
from services.requests.rules import OPEN
from services.subscriptions.deadlines import days_to_end
from services.subscriptions.models import Subscription
from services.subscriptions.queries import InUse, Part, Spell, in_use, spells_of, subscription

PAGE_SIZE: Final = 50
MONTHS_BACK: Final = 12
ONE_YEAR: Final = dt.timedelta(days=365)
MOST_SHOWN: Final = 5
NO_END: Final = dt.date.max


@dataclass(frozen=True, slots=True)
class Row:
    """A service as its row in the list."""

    id: uuid.UUID
    number: str
    name: str
    label: str
    family: Family
    agency_id: uuid.UUID
    agency: str
    starts_on: dt.date
    ends_on: dt.date | None
    availability: Decimal
    quantities: tuple[str, ...]
    addons: tuple[str, ...]
    monthly: Decimal
    request: ServiceRequest | None
    has_ended: bool


@dataclass(frozen=True, slots=True)
class PartRow:
    """A component in words, with how its price for a month comes about."""

    name: str
    addon: str
    quantity: str
    since: dt.date
    until: dt.date | None
    price: Charge
    per: Lazy
    unit: str
    is_hourly: bool


@dataclass(frozen=True, slots=True)
class SpellRow:
    """A quantity at a price for a time, in words."""

    name: str
    quantity: str
    first: dt.date
    last: dt.date | None
    monthly: Decimal | None
    is_planned: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A month's cost as a bar."""

    label: str
    amount: Decimal
    text: str
    href: str
    estimated: bool


ORDERS: Final[Mapping[str, Callable[[Row], Any]]] = {
    "number": lambda row: row.number,
    "name": lambda row: (thai_sort_key(row.name), thai_sort_key(row.label)),
    "agency": lambda row: (thai_sort_key(row.agency), row.number),
    "since": lambda row: row.starts_on,
    "until": lambda row: row.ends_on or NO_END,
    "price": lambda row: row.monthly,
}


async def index(visit: Visit) -> Response:
    """List the services within reach; filtered and sorted by the address, totalled over all that match."""
    query = visit.query
    wanted, family, agency = query.get("q"), query.get("family"), query.get("agency")
    with_ended, sort = query.get("ended") == "yes", query.get("sort") or "number"
    found = await in_use(at=visit.now, ended=with_ended)
    agencies = await _names((each.subscription.agency_id for each in found), visit.language)
    waiting = await open_requests(each.subscription.id for each in found)
    rows = [_row(each, agencies, waiting, visit.language) for each in found]
    shown = [row for row in rows if _matches(row, wanted) and family in {"", row.family} and _of(row, agency)]
    shown.sort(key=ORDERS.get(sort.removeprefix("-"), ORDERS["number"]), reverse=sort.startswith("-"))
    pages = max(1, -(-len(shown) // PAGE_SIZE))
    page = min(pages, _page(query.get("page")))
    used = {row.family for row in rows}
    return visit.render(
        "services/index.html",
        rows=shown[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        page=page,
        pages=pages,
        count=len(shown),
        has_any=bool(rows),
        monthly=sum((row.monthly for row in shown), Decimal("0.00")),
        families=[(each.value, words) for each, words in FAMILIES.items() if each in used],
        family_names=FAMILIES,
        icons=FAMILY_ICONS,
        agencies=None if visit.by.agency_id else sorted(agencies.items(), key=lambda pair: thai_sort_key(pair[1])),
        wanted=wanted,
        family=family,
        agency=agency,
        with_ended=with_ended,
        sort=sort,
        at=visit.now,
    )


async def show(visit: Visit) -> Response:
    """Show one service in use with everything about it; 404 for another agency's."""
    today = bangkok_date(visit.now)
    service = await subscription(visit.params["id"], at=visit.now)
    agency_id = service.subscription.agency_id
    about = await requests_about(service.subscription.id) if visit.by.may(Permission.REQUESTS_READ) else []
    spells = await spells_of(service.subscription.id, on=today)
    agencies = await _names([agency_id], visit.language)
    bars = await _bars(visit, service.subscription) if visit.by.may(Permission.COSTS_READ) else []
    reads_incidents = visit.by.may(Permission.INCIDENTS_READ)
    return visit.render(
        "services/show.html",
        service=service,
        terms=service.terms,
        incidents=await incidents_about(service.subscription.id, most=MOST_SHOWN, by=visit.by)
        if reads_incidents
        else None,
        outages=await disruptions_of(
            service.subscription.provider_id,
            service.subscription.offering_id,
            since=visit.now - ONE_YEAR,
            most=MOST_SHOWN,
        ),
        marks=INCIDENT_STATES,
        title=f"title_{visit.language}",
        subscription=service.subscription,
        offering=service.subscription.offering,
        family=FAMILIES[service.subscription.offering.family],
        ends_on=ending(service.subscription),
        agency=None if visit.by.agency_id else agencies[agency_id],
        own=[_part(part, visit.language) for part in service.own_parts],
        addons=[_part(part, visit.language) for part in service.addon_parts],
        spells=[_spell(spell, today, visit.language) for spell in spells],
        open_request=next((request for request in about if request.state in OPEN and request.submitted_at), None),
        requests=about,
        undoable=next((request for request in about if can_be_undone(request, visit.now)), None)
        if visit.by.may(Permission.REQUESTS_MAKE)
        else None,
        contract_days=days_to_end(service.subscription, today),
        kinds=KINDS,
        states=STATES,
        bars=bars,
        may_ask=visit.by.may(Permission.REQUESTS_MAKE) and service.subscription.state == "active",
        at=visit.now,
    )


def ending(service: Subscription) -> dt.date | None:
    """Return a service's last day: that of a cancellation where there is one, else the contract's."""
    return service.last_day or service.ends_on


def _row(
    each: InUse, agencies: Mapping[uuid.UUID, str], waiting: Mapping[uuid.UUID, ServiceRequest], language: Language
) -> Row:
    service, offering = each.subscription, each.subscription.offering
    return Row(
        id=service.id,
        number=service.number,
        name=offering.name_en if language == "en" else offering.name_th,
        label=service.label,
        family=offering.family,
        agency_id=service.agency_id,
        agency=agencies.get(service.agency_id, ""),
        starts_on=service.starts_on,
        ends_on=ending(service),
        availability=each.terms.availability_pct,
        quantities=tuple(_amount(part, language) for part in each.own_parts),
        addons=tuple(
            f"{part.component.name_en if language == 'en' else part.component.name_th} {_amount(part, language)}"
            for part in each.addon_parts
        ),
        monthly=each.monthly,
        request=waiting.get(service.id),
        has_ended=service.state == "ended",
    )


def _matches(row: Row, wanted: str) -> bool:
    text = " ".join((row.number, row.name, row.label, row.agency, *row.quantities, *row.addons)).casefold()
    return all(word in text for word in wanted.casefold().split())


def _page(text: str) -> int:
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 7 else 1


def _of(row: Row, agency: str) -> bool:
    return agency in {"", str(row.agency_id)}


def _amount(part: Part, language: Language) -> str:
    return amount_of(part.quantity, part.component.unit_en if language == "en" else part.component.unit_th)


def _part(part: Part, language: Language) -> PartRow:
    component, english = part.component, language == "en"
    addon = component.addon
    return PartRow(
        name=component.name_en if english else component.name_th,
        addon="" if addon is None else addon.name_en if english else addon.name_th,
        quantity=_amount(part, language),
        since=bangkok_date(part.since),
        until=None if part.until is None else bangkok_date(part.until - dt.timedelta(microseconds=1)),
        price=part.price,
        per=PER[component.price_item.basis],
        unit=component.unit_en if english else component.unit_th,
        is_hourly=component.price_item.basis is Basis.HOURLY,
    )


def _spell(spell: Spell, today: dt.date, language: Language) -> SpellRow:
    english = language == "en"
    component = spell.component
    return SpellRow(
        name=component.name_en if english else component.name_th,
        quantity=amount_of(spell.quantity, component.unit_en if english else component.unit_th),
        first=spell.first,
        last=spell.last,
        monthly=spell.price.amount if spell.price else None,
        is_planned=spell.first > today,
    )


async def _bars(visit: Visit, service: Subscription) -> list[Bar]:
    """Return what a service came to in the last twelve months, this one included, the latest first."""
    months = [Month.of(visit.now)]
    while len(months) < MONTHS_BACK and months[-1].previous >= Month.of(service.starts_on):
        months.append(months[-1].previous)
    book = await book_of(service.agency_id, months[-1], months[0])
    if service.id not in book.services:
        return []
    amounts = await costs_of_service(book, service.id, months)
    issued = {month for provider_id, month in book.issued if provider_id == service.provider_id}
    whose = "" if visit.by.agency_id else f"?agency={service.agency_id}"
    return [
        Bar(
            label=_month(month, visit.language, estimated=month not in issued),
            amount=amounts[month],
            text=baht(amounts[month]),
            href=visit.path("costs.month", month=month) + whose,
            estimated=month not in issued,
        )
        for month in months
    ]


def _month(month: Month, language: Language, *, estimated: bool) -> str:
    name = month_short(month.first, language)
    return gettext("%(month)s, estimated", month=name) if estimated else name


async def _names(ids: Iterable[uuid.UUID], language: Language) -> dict[uuid.UUID, str]:
    found = await Organisation.filter(id__in=set(ids))
    return {each.id: each.name_en if language == "en" else each.name_th for each in found}
