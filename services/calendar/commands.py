"""Declaring and withdrawing holidays; what is still open is computed anew from them."""

import datetime as dt

from auth.errors import Conflict, NotFound
from auth.rules import Actor
from auth.tenancy import record
from services.calendar.models import Holiday


async def declare(
    day: dt.date, name_th: str, name_en: str = "", *, is_special: bool = True, by: Actor, now: dt.datetime
) -> Holiday:
    """Declare a day on which the government is closed; Conflict when it is one already."""
    holiday = await Holiday.filter(day=day).select_for_update().first()
    if holiday and holiday.withdrawn_at is None:
        raise Conflict(f"{day} is a holiday already")
    holiday = holiday or Holiday(day=day)
    holiday.name_th, holiday.name_en, holiday.is_special = name_th, name_en, is_special
    holiday.update_from_dict({"withdrawn_at": None, "changed_by": by.name, "changed_at": now})
    await holiday.save(force_create=not holiday._saved_in_db)
    record("holiday.declared", at=now, subject=("holiday", day), name=name_th)
    return holiday


async def withdraw(day: dt.date, *, by: Actor, now: dt.datetime) -> Holiday:
    """Withdraw a declared holiday; NotFound when the day is none."""
    holiday = await Holiday.filter(day=day, withdrawn_at=None).select_for_update().first()
    if holiday is None:
        raise NotFound("Holiday")
    holiday.withdrawn_at, holiday.changed_by, holiday.changed_at = now, by.name, now
    await holiday.save()
    record("holiday.withdrawn", at=now, subject=("holiday", day), name=holiday.name_th)
    return holiday
