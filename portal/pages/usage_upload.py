"""Usage read by hand: a file in, a preview of what will be stored and of every bad row, and only then the storing."""

import datetime as dt
from decimal import Decimal

import msgspec
from starlette.responses import Response

from auth.errors import Invalid
from auth.tenancy import record
from billing.metering.commands import faults_in, repeats_in, take
from billing.metering.rules import LATEST, BadReadings, Contradicted, Faults, Reading
from billing.metering.storing import Origin
from portal import readings_by_hand
from portal.i18n import Lazy, gettext, lazy
from portal.i18n import gettext as _
from portal.pages.usage.meters import meter_names
from portal.refusals import in_words
from portal.visit import Visit

_SHOWN = 200
_LONGEST_REASON = 1000
# What can be wrong with a row, as the reader of files and the rules of metering say it.
FAULTS: tuple[Lazy, ...] = (
    lazy("must be a number, such as 1,234.5"),
    lazy("must be a day and time, such as 10/12/2569 09:00"),
    lazy("must have 1 to 200 characters"),
    lazy("must have 1 to 48 characters"),
    lazy("must hold no control characters"),
    lazy("must be a decimal number in text, not negative, with at most 6 decimals"),
    lazy("is outside of the years 2020 to 2099"),
    lazy("is before the start"),
    lazy("is in another month (of Bangkok) than the start; split the reading"),
    lazy("lies in the future"),
    lazy("is more than 35 days ago; only staff may enter it, with a reason"),
    lazy("is of a month whose single events are not kept any more"),
    lazy("the service was not in use then"),
    lazy("the add-on was not in use then"),
    lazy("the meter had no price then"),
    lazy("the price changes within; split the reading there"),
    lazy("names no service of yours"),
    lazy("is not measured for this service"),
    lazy("is known already, or in an earlier row, with another quantity; correct the stored one instead"),
    lazy("The file is empty."),
    lazy("The file is larger than 2 MB."),
    lazy("The file has more than 2,000 rows."),
    lazy("The file has no rows under its headings."),
    lazy("The first row must hold the headings service, meter, quantity, start and end."),
    lazy("The file is neither CSV nor XLSX."),
)
_OTHERWISE = "is known already, or in an earlier row, with another quantity; correct the stored one instead"
_FIELDS = {
    "subject": lazy("Service"),
    "data.meter": lazy("Meter"),
    "data.quantity": lazy("Quantity"),
    "data.start": lazy("Reading from"),
    "data.end": lazy("Reading until"),
}


async def show(visit: Visit) -> Response:
    """Show what a file must hold, and where to give it."""
    return await _form(visit)


async def preview(visit: Visit) -> Response:
    """Show what a file's rows would store, and every bad row; stores nothing."""
    files = visit.form.files("file")
    try:
        sheet = readings_by_hand.read(await files[0].read(readings_by_hand.LARGEST + 1) if files else b"")
    except Invalid as refused:
        return await _form(visit, in_words(refused))
    numbers = list(sheet.readings)
    readings = [sheet.readings[number] for number in numbers]
    reason = _reason(visit)
    faults = dict(sheet.faults)
    repeats = await repeats_in(readings, by=visit.by)
    for index in repeats.otherwise:
        faults[numbers[index]] = {"data.quantity": _OTHERWISE}
    fitting = [index for index in range(len(readings)) if index not in repeats.otherwise]
    found = await faults_in([readings[i] for i in fitting], by=visit.by, now=visit.now, latest=_latest(reason))
    faults |= {numbers[fitting[place]]: why for place, why in found.items()}
    new = [
        (number, sheet.readings[number])
        for index, number in enumerate(numbers)
        if number not in faults and index not in repeats.alike
    ]
    return visit.render(
        "usage_upload/preview.html",
        status=422 if faults else 200,
        readings=[(number, reading, Decimal(reading.quantity)) for number, reading in new[:_SHOWN]],
        count=len(new),
        known=len(repeats.alike),
        faults=[(number, _in_words(why)) for number, why in sorted(faults.items())],
        packed=_packed(readings),
        reason=reason,
    )


async def store(visit: Visit) -> Response:
    """Store what was previewed; the rows are checked anew, because they come from the browser."""
    readings = _unpacked(visit.form.get("readings"))
    reason = _reason(visit)
    origin = Origin(entered_by=visit.by.name, reason=reason or None)
    try:
        receipt = await take(readings, origin, by=visit.by, now=visit.now, latest=_latest(reason))
    except (BadReadings, Contradicted):
        return await _form(visit, {"file": _("The readings no longer fit what is stored. Send the file again.")})
    record("usage.entered", at=visit.now, stored=receipt.stored, duplicates=receipt.duplicates, reason=reason)
    visit.flash(
        _(
            "%(stored)s readings were stored; %(known)s were known already.",
            stored=receipt.stored,
            known=receipt.duplicates,
        )
    )
    return visit.redirect("usage.upload")


async def _form(visit: Visit, errors: dict[str, str] | None = None) -> Response:
    return visit.render(
        "usage_upload/form.html",
        status=422 if errors else 200,
        values=visit.form.values(),
        errors=errors or {},
        meters=await meter_names(visit.language),
    )


def _reason(visit: Visit) -> str:
    reason = visit.form.get("reason")
    if len(reason) > _LONGEST_REASON:
        raise Invalid({"reason": "This text is too long."})
    return reason


def _latest(reason: str) -> dt.timedelta | None:
    """Return how late a reading may be: without limit where staff give a reason."""
    return None if reason else LATEST


def _in_words(faults: Faults) -> list[str]:
    return [f"{_FIELDS.get(name, name)}: {gettext(why)}" for name, why in faults.items()]


def _packed(readings: list[Reading]) -> str:
    return msgspec.json.encode(readings).decode()


def _unpacked(text: str) -> list[Reading]:
    try:
        readings = msgspec.json.decode(text.encode(), type=list[Reading])
    except (msgspec.MsgspecError, UnicodeEncodeError):
        readings = None
    if readings is None or any(moment.tzinfo is None for each in readings for moment in (each.starts_at, each.ends_at)):
        raise Invalid({"file": "The file is neither CSV nor XLSX."})
    return readings
