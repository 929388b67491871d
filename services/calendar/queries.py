"""The official calendar as it stands."""

import datetime as dt

from auth.tenancy import rows
from services.calendar.models import Holiday
from services.calendar.rules import Calendar


async def official() -> Calendar:
    """Return the government's working time: Monday to Friday 08:00–16:00 less the holidays that stand (seed B 4)."""
    return Calendar([holiday.day for holiday in await Holiday.filter(withdrawn_at=None)])


async def holidays_between(first: dt.date, last: dt.date) -> list[Holiday]:
    """Return the holidays of a time, withdrawn ones too, in order."""
    return await Holiday.filter(day__gte=first, day__lte=last).order_by("day")


async def years_known() -> list[int]:
    """Return the years that have holidays, in order."""
    found = await rows("SELECT DISTINCT extract(year FROM day)::int AS year FROM holiday ORDER BY year")
    return [row["year"] for row in found]
