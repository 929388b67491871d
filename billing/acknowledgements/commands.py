"""Recording that an agency checked what it used."""

import datetime as dt

from auth.errors import Conflict, NotFound, NotPermitted
from auth.rules import Actor, Permission
from auth.tenancy import record, rows
from billing.acknowledgements.models import Acknowledgement
from billing.acknowledgements.queries import acknowledgement_of
from billing.months import Month
from billing.statements.commands import MonthNotOver
from billing.statements.queries import book_of, first_month


async def acknowledge(month: Month, *, by: Actor, now: dt.datetime) -> Acknowledgement:
    """Record that an actor checked what their agency used in a month, with their name and the time (standard 13.2).

    Refuses a month that is not over (MonthNotOver), one before the agency's first (NotFound), and one that was
    checked before (Conflict). What was recorded is never changed.
    """
    agency_id = by.agency_id
    if agency_id is None or by.person_id is None or not by.may(Permission.USAGE_ACKNOWLEDGE):
        raise NotPermitted("not theirs to check")
    if now < month.ends_at:
        raise MonthNotOver(f"{month} is not over")
    since = await first_month(agency_id)
    if since is None or month < since:
        raise NotFound("Month")
    # Two at the same moment take turns: the second finds the first one's.
    await rows("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"acknowledgement/{agency_id}/{month}")
    if await acknowledgement_of(agency_id, month) is not None:
        raise Conflict(f"{month} was checked before")
    total = (await book_of(agency_id, month, month)).total(month)
    checked = await Acknowledgement.create(
        agency_id=agency_id, month=month.first, total=total, by_id=by.person_id, by_name=by.name, at=now
    )
    record("usage.acknowledged", at=now, subject=("month", str(month)), agency_id=agency_id, total=total)
    return checked
