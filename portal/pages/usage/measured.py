"""The hours behind a line of a bill, and the events behind an hour; as pages and to take away."""

import csv
import datetime as dt
import io
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import IO, Any, Final

from starlette.responses import Response, StreamingResponse

from auth.errors import NotFound
from auth.tenancy import one
from billing.exports.sheets import unspoilt
from billing.metering.adjustments import settlements_of
from billing.metering.effects import quantity_of
from billing.metering.events import Row, all_events_of, count_of, events_of
from billing.metering.models import Meter
from billing.metering.queries import hours_of, measured_of
from billing.metering.retention import kept_from
from billing.months import BANGKOK, ONE_DAY, Month, bangkok_date, midnight
from billing.tariffs.rules import Basis
from billing.usage.models import BilledService
from portal.formats import places_of
from portal.i18n import gettext as _
from portal.pages.exports import pieces
from portal.visit import Visit

HOUR: Final = dt.timedelta(hours=1)
PER_PAGE: Final = 100
_IN_MEMORY = 2**20
_FURTHEST_PAGE = 100_000


@dataclass(frozen=True, slots=True)
class Measured:
    """A component of a service that is measured."""

    service: BilledService
    meter: Meter

    @property
    def key(self) -> tuple[uuid.UUID, uuid.UUID, uuid.UUID]:
        """Its agency, its service and itself, as usage is kept by."""
        return self.service.agency_id, self.service.id, self.meter.component_id

    @property
    def basis(self) -> Basis:
        """How its usage is charged."""
        return self.meter.price_item.basis

    def service_name(self, language: str) -> str:
        """Return the service's name."""
        return self.service.name_en if language == "en" else self.service.name_th

    def name(self, language: str) -> str:
        """Return the component's name."""
        return self.meter.price_item.name_en if language == "en" else self.meter.price_item.name_th

    def unit(self, language: str) -> str:
        """Return the unit it is measured in."""
        return self.meter.price_item.unit_en if language == "en" else self.meter.price_item.unit_th


async def measured_at(visit: Visit) -> Measured:
    """Return the component of a service that the address names; NotFound for another agency's, and for no meter."""
    service = await one(BilledService, id=visit.params["service"])
    meter = (await measured_of([service])).get((service.id, visit.params["component"]))
    if meter is None:
        raise NotFound("Meter")
    return Measured(service, meter)


async def hours(visit: Visit) -> Response:
    """Show the hours of some days of one month, what they come to, and what of them was settled later."""
    measured = await measured_at(visit)
    first, last = _days(visit)
    found = await hours_of(*measured.key, first, last)
    pages = max(1, -(-len(found) // PER_PAGE))
    page = min(page_of(visit), pages)
    shown = found[(page - 1) * PER_PAGE : page * PER_PAGE]
    return visit.render(
        "usage/hours.html",
        **_about(visit, measured, first),
        first=first,
        last=last,
        total=quantity_of(found, measured.basis),
        events=sum(hour.events for hour in found),
        hours=shown,
        places=places_of(figure for hour in shown for figure in (hour.total, hour.high)),
        ends=HOUR,
        hour_key=hour_key,
        page=page,
        pages=pages,
        count=len(found),
        is_high=measured.basis is Basis.METERED_MAX,
        settlements=await settlements_of(measured.key, Month.of(first)),
        are_events_kept=await _are_kept(first),
    )


async def events(visit: Visit) -> Response:
    """Show the events of an hour, or of some days of one month, with what each counts for."""
    measured = await measured_at(visit)
    opens, closes = _stretch(visit)
    count = await count_of(*measured.key, opens, closes)
    pages = max(1, -(-count // PER_PAGE))
    page = min(page_of(visit), pages)
    first = bangkok_date(opens)
    return visit.render(
        "usage/events.html",
        **_about(visit, measured, first),
        opens=opens,
        closes=closes,
        hour=visit.query.get("hour"),
        first=first,
        last=bangkok_date(closes - dt.timedelta(microseconds=1)),
        events=await events_of(*measured.key, opens, closes, most=PER_PAGE, skip=(page - 1) * PER_PAGE),
        micros=micros,
        page=page,
        pages=pages,
        count=count,
        are_events_kept=await _are_kept(first),
    )


async def hours_file(visit: Visit) -> Response:
    """Send the hours of some days of one month as CSV."""
    measured = await measured_at(visit)
    first, last = _days(visit)

    async def lines() -> AsyncIterator[Sequence[object]]:
        for hour in await hours_of(*measured.key, first, last):
            yield _local(hour.hour), _local(hour.hour + HOUR), f"{hour.total:f}", f"{hour.high:f}", hour.events

    heading = (_("Reading from"), _("Reading until"), _("Sum"), _("Highest"), _("Events"))
    return await _file(measured, visit, "hours", first, heading, lines())


async def events_file(visit: Visit) -> Response:
    """Send the events of an hour, or of some days of one month, as CSV."""
    measured = await measured_at(visit)
    opens, closes = _stretch(visit)

    async def lines() -> AsyncIterator[Sequence[object]]:
        async for event in all_events_of(*measured.key, opens, closes):
            yield (
                unspoilt(event["source"]),
                unspoilt(event["event_id"]),
                _local(event["starts_at"]),
                _local(event["ends_at"]),
                f"{event['quantity']:f}",
                "" if (counts := counts_for(event)) is None else f"{counts:f}",
                _local(event["received_at"]),
                unspoilt(event["entered_by"] or ""),
                unspoilt(event["reason"] or ""),
                unspoilt(event["corrected_because"] or ""),
                unspoilt(event["corrected_by"] or ""),
            )

    heading = (
        _("Source"), _("Identity of the event"), _("Reading from"), _("Reading until"), _("Quantity"), _("Counts for"),
        _("Taken in"), _("Entered by"), _("Reason"), _("Reason of the correction"), _("Corrected by"),
    )  # fmt: skip
    return await _file(measured, visit, "events", bangkok_date(opens), heading, lines())


def counts_for(event: Row) -> object:
    """Return what an event counts for; None for one that is voided."""
    return event["quantity"] if event["corrections"] is None else event["counts_for"]


def page_of(visit: Visit) -> int:
    """Return the page the address asks for, from 1."""
    text = visit.query.get("page")
    return min(max(int(text), 1), _FURTHEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 9 else 1


def micros(moment: dt.datetime) -> int:
    """Return a moment as an address names it: microseconds since 1970."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)


def hour_key(moment: dt.datetime) -> str:
    """Return an hour as an address names it, in Bangkok's time."""
    return f"{moment.astimezone(BANGKOK):%Y-%m-%dT%H}"


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _about(visit: Visit, measured: Measured, first: dt.date) -> dict[str, Any]:
    return {
        "measured": measured,
        "service_name": measured.service_name(visit.language),
        "name": measured.name(visit.language),
        "unit": measured.unit(visit.language),
        "month": Month.of(first),
        "whose": "" if visit.by.agency_id else f"?agency={measured.service.agency_id}",
    }


async def _are_kept(day: dt.date) -> bool:
    since = await kept_from()
    return since is None or day >= since.first


def _days(visit: Visit) -> tuple[dt.date, dt.date]:
    """Return the first and the last day asked for, this month where none is; NotFound for what is not of one month."""
    given = visit.query.get("from"), visit.query.get("to")
    if not any(given):
        month = Month.of(visit.now)
        return month.first, month.last
    try:
        first, last = (dt.date.fromisoformat(text) for text in given)
        months = Month.of(first), Month.of(last)
    except ValueError:
        raise NotFound("Month") from None
    if first > last or months[0] != months[1]:
        raise NotFound("Month")
    return first, last


def _stretch(visit: Visit) -> tuple[dt.datetime, dt.datetime]:
    given = visit.query.get("hour")
    if not given:
        first, last = _days(visit)
        return midnight(first), midnight(last + ONE_DAY)
    try:
        hour = dt.datetime.strptime(given, "%Y-%m-%dT%H").replace(tzinfo=BANGKOK)
        Month.of(hour)
    except ValueError:
        raise NotFound("Hour") from None
    return hour, hour + HOUR


def _local(moment: dt.datetime) -> str:
    return moment.astimezone(BANGKOK).isoformat()


async def _file(
    measured: Measured,
    visit: Visit,
    what: str,
    first: dt.date,
    heading: Sequence[str],
    lines: AsyncIterator[Sequence[object]],
) -> Response:
    # Written whole within the unit of work, so that every row is of one moment; sent afterwards, piece by piece.
    kept: IO[bytes] = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when it is sent
    text = io.TextIOWrapper(kept, encoding="utf-8-sig", newline="", write_through=True)
    table = csv.writer(text)
    table.writerow(["service", "meter", *heading] if visit.language == "en" else ["บริการ", "มิเตอร์", *heading])
    async for line in lines:
        table.writerow([measured.service.number, measured.meter.code, *line])
    text.detach()
    name = f"{what}-{measured.service.number}-{measured.meter.code}-{first:%Y-%m}.csv"
    return StreamingResponse(
        pieces(kept),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name}"', "cache-control": "private, no-store"},
    )
