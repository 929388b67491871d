"""Invoices, receipts and notes: what there is, and each as PDF or as its e-Tax data."""

import asyncio
from decimal import Decimal

from starlette.responses import Response

from auth.organisations.models import Organisation
from billing.documents.etax import etax_xml
from billing.documents.pdf import pdf
from billing.documents.queries import documents_of, paper_of
from billing.months import bangkok_date
from billing.payments.queries import invoices
from portal.assets import VENDOR
from portal.visit import Visit

FONTS = VENDOR / "sarabun"


async def show(visit: Visit) -> Response:
    """List the documents within reach, the latest first; an agency sees above them what it has to pay, and by when."""
    listed = await documents_of(visit.by.agency_id)
    known = {each.id: each for each in await Organisation.filter(id__in=[each.agency_id for each in listed])}
    names = {id_: each.name_en if visit.language == "en" else each.name_th for id_, each in known.items()}
    own = visit.by.agency_id
    accounts = await invoices(agency_id=own) if own else []
    today = bangkok_date(visit.now)
    owing = [each for each in accounts if each.account.open > 0]
    return visit.render(
        "documents/show.html",
        documents=listed,
        agencies=None if own else names,
        accounts={each.id: each for each in accounts},
        owing=sum((each.account.open for each in owing), Decimal("0.00")),
        overdue=sum((each.account.open for each in owing if each.due_on < today), Decimal("0.00")),
        next_due=min((each.due_on for each in owing if each.due_on >= today), default=None),
        overpaid=[each for each in accounts if each.account.overpaid],
        today=today,
    )


async def sheet(visit: Visit) -> Response:
    """Send a document as PDF/A-3 with its e-Tax data inside; NotFound for another agency's."""
    paper = await paper_of(visit.params["id"])
    drawn = await asyncio.to_thread(pdf, paper, FONTS)
    return Response(drawn, media_type="application/pdf", headers=_named(f"{paper.number}.pdf"))


async def data(visit: Visit) -> Response:
    """Send a document's e-Tax data; NotFound for another agency's."""
    paper = await paper_of(visit.params["id"])
    return Response(etax_xml(paper), media_type="application/xml", headers=_named(f"{paper.number}.xml"))


def _named(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"}
