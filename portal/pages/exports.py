"""A view of costs to take away: the same rows and the same sum as on the screen."""

import tempfile
import uuid
from collections.abc import AsyncIterator
from typing import IO, Final, NamedTuple

from starlette.responses import Response, StreamingResponse

from auth.errors import NotFound
from auth.organisations.models import Organisation
from auth.rules import OrganisationKind
from billing.budgets.rules import FiscalYear
from billing.exports.focus import write_focus
from billing.exports.rows import rows_of
from billing.exports.sheets import write_csv, write_json, write_xlsx
from billing.months import Month
from billing.statements.queries import book_of, first_month
from portal.visit import Visit

_IN_MEMORY = 2**20
_CHUNK = 2**16


class Format(NamedTuple):
    """How an export is written: the end of its name, and its media type."""

    extension: str
    media_type: str


FORMATS: Final = {
    "csv": Format("csv", "text/csv; charset=utf-8"),
    "xlsx": Format("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "json": Format("json", "application/json"),
    "focus": Format("focus.csv", "text/csv; charset=utf-8"),
}


async def costs(visit: Visit) -> Response:
    """Send a month's or a fiscal year's costs of one agency; NotFound for another's, and for what names no period."""
    kind = visit.params["kind"]
    if kind not in FORMATS:
        raise NotFound("Export")
    agency = await _agency(visit)
    months = await _months(visit, agency)
    book = await book_of(agency.id, months[0], months[-1])
    owners = {service.provider_id for service in book.services.values()}
    providers = {each.id: _name(each, visit.language) for each in await Organisation.filter(id__in=list(owners))}
    rows = rows_of(book, months, Month.of(visit.now))
    # Written whole within the unit of work, so that every row is of one moment; sent afterwards, piece by piece.
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    if kind == "csv":
        await write_csv(rows, kept, providers, visit.language)
    elif kind == "xlsx":
        await write_xlsx(rows, kept, providers, visit.language)
    elif kind == "json":
        about = {"agency": agency.name_th, "first": str(months[0]), "last": str(months[-1])}
        await write_json(rows, kept, providers, about)
    else:
        await write_focus(rows, kept, providers, (agency.id, _name(agency, visit.language)))
    period = str(months[0]) if len(months) == 1 else f"fy{months[-1].fiscal_year}"
    name = f"costs-{agency.short_code}-{period}.{FORMATS[kind].extension}"
    return StreamingResponse(
        pieces(kept),
        media_type=FORMATS[kind].media_type,
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"},
    )


async def _agency(visit: Visit) -> Organisation:
    """Return the agency whose costs are asked for: one's own, or for others the one the address names."""
    named, own = visit.query.get("agency"), visit.by.agency_id
    try:
        agency_id = uuid.UUID(named) if named else own
    except ValueError:
        raise NotFound("Organisation") from None
    if own and agency_id != own:
        raise NotFound("Organisation")
    found = await Organisation.get_or_none(id=agency_id, kind=OrganisationKind.AGENCY)
    if found is None:
        raise NotFound("Organisation")
    return found


async def _months(visit: Visit, agency: Organisation) -> list[Month]:
    since = await first_month(agency.id)
    try:
        if given := visit.query.get("month"):
            months = [Month.parse(given)]
        else:
            year = visit.query.get("year")
            months = list(FiscalYear(int(year) if year else Month.of(visit.now).fiscal_year).months)
    except ValueError:
        raise NotFound("Month") from None
    last = Month.of(visit.now).fiscal_year + 1
    if since is None or months[-1] < since or months[-1].fiscal_year > last:
        raise NotFound("Month")
    return months


async def pieces(kept: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield what was written, piece by piece, and close it."""
    with kept:
        kept.seek(0)
        while piece := kept.read(_CHUNK):
            yield piece


def _name(organisation: Organisation, language: str) -> str:
    return organisation.name_en if language == "en" else organisation.name_th
