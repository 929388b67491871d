"""Whose costs a page shows: one's own agency's, or for staff and those who oversee the one they chose."""

import uuid
from decimal import Decimal

from starlette.responses import Response

from auth.errors import NotFound
from auth.organisations.models import Organisation
from auth.rules import OrganisationKind, Seat
from billing.budgets.rules import FiscalYear
from billing.months import bangkok_date
from billing.statements.queries import invoiced_by_agency
from billing.usage.queries import services_by_agency
from portal.formats import Language, thai_sort_key
from portal.visit import Visit


async def agency_asked_for(visit: Visit) -> Seat | None:
    """Return the agency whose costs are asked for; one's own, or the one the address names; NotFound for others'."""
    named, own = visit.query.get("agency"), visit.by.agency_id
    if not named:
        return visit.by.seat if own else None
    try:
        agency_id = uuid.UUID(named)
    except ValueError:
        raise NotFound("Organisation") from None
    if own and agency_id != own:
        raise NotFound("Organisation")
    found = await Organisation.get_or_none(id=agency_id, kind=OrganisationKind.AGENCY)
    if found is None:
        raise NotFound("Organisation")
    return Seat(found.id, found.kind, found.code, found.name_th, found.name_en)


async def choose_agency(visit: Visit) -> Response:
    """Let staff and those who oversee choose an agency, each with what it was invoiced this fiscal year."""
    year = FiscalYear.of(bangkok_date(visit.now))
    invoiced = await invoiced_by_agency(year.months[0], year.months[-1])
    counts = await services_by_agency()
    agencies = await Organisation.filter(id__in=[*counts], kind=OrganisationKind.AGENCY)
    rows = [
        (each.id, name_of(each, visit.language), counts[each.id], invoiced.get(each.id, Decimal("0.00")))
        for each in agencies
    ]
    return visit.render(
        "costs/choose.html",
        rows=sorted(rows, key=lambda row: thai_sort_key(row[1])),
        total=sum((row[3] for row in rows), Decimal("0.00")),
        year=year,
    )


def name_of(organisation: Organisation, language: Language) -> str:
    """Return an organisation's name in a language."""
    return organisation.name_en if language == "en" else organisation.name_th


def name_unless_own(visit: Visit, agency: Seat) -> str | None:
    """Return the agency's name where it is not the visitor's own."""
    return None if visit.by.agency_id else agency.name(visit.language)


def whose_query(visit: Visit, agency: Seat) -> str:
    """Return what links carry to stay with the agency chosen."""
    return "" if visit.by.agency_id else f"agency={agency.id}"
