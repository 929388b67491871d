"""The service level agreement as it stands, or stood at a moment."""

import datetime as dt
import uuid

from auth.errors import NotFound
from services.sla.models import SlaRow


async def table_at(provider_id: uuid.UUID, when: dt.datetime, *, withdrawn: bool = False) -> list[SlaRow]:
    """Return the rows in force at a moment, in the order of the agreement; withdrawn ones where asked for."""
    latest: dict[str, SlaRow] = {}
    for row in await SlaRow.filter(provider_id=provider_id, effective_from__lte=when).order_by("number"):
        latest[row.code] = row
    return sorted(
        (row for row in latest.values() if withdrawn or not row.is_withdrawn),
        key=lambda row: (row.position, row.code),
    )


async def row_at(provider_id: uuid.UUID, code: str, when: dt.datetime) -> SlaRow:
    """Return the version of a row in force at a moment; the first there was, for a row that came later.

    NotFound for a row there never was.
    """
    versions = SlaRow.filter(provider_id=provider_id, code=code)
    found = await versions.filter(effective_from__lte=when).order_by("-number").first()
    found = found or await versions.order_by("number").first()
    if found is None:
        raise NotFound("SlaRow")
    return found


async def versions_of(provider_id: uuid.UUID, code: str) -> list[SlaRow]:
    """Return every version of a row, the latest first."""
    return await SlaRow.filter(provider_id=provider_id, code=code).order_by("-number")
