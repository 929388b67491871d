"""One event: how it came, what it counts for, and every correction of it; and finding it."""

import datetime as dt
import uuid
from typing import Final

from starlette.responses import Response

from auth.clients.models import Client
from auth.errors import Invalid, NotFound
from auth.rules import Permission
from auth.tenancy import scoped
from billing.metering.effects import Effect
from billing.metering.events import Row, Sought, corrections_to, event_of
from billing.metering.events import find as found_events
from billing.metering.models import Meter
from billing.metering.queries import measured_of
from billing.metering.references import service_named
from billing.metering.rules import LONGEST_METER
from billing.months import ONE_DAY, Month, bangkok_date, midnight
from billing.usage.models import BilledService
from portal.formats import NotADate, parse_date
from portal.i18n import lazy
from portal.pages.usage.measured import HOUR, PER_PAGE, Measured, counts_for, hour_key, measured_at, micros, page_of
from portal.refusals import in_words
from portal.visit import Visit

LONGEST_SEARCH: Final = dt.timedelta(days=62)
_ASKED: Final = ("service", "meter", "source", "event", "from", "to", "hour")
REASONS: Final = (
    lazy("Name the service, or both the source and the event."),
    lazy("No service of yours is called that."),
    lazy("Nothing is measured under this code."),
    lazy("Give an hour from 0 to 23."),
    lazy("The last day is before the first."),
    lazy("Search in two months at most."),
)


async def find(visit: Visit) -> Response:
    """Find events by service, meter, day and hour, or by the source and id they came under."""
    values = {name: visit.query.get(name)[:200] for name in _ASKED}
    is_asked = any(values.values())
    sought, errors = await _sought(visit, values) if is_asked else (None, {})
    page = page_of(visit)
    events, count = (
        await found_events(visit.seat.id, sought, most=PER_PAGE, skip=(page - 1) * PER_PAGE)
        if sought and not errors
        else ([], 0)
    )
    services = {
        each.id: each for each in await scoped(BilledService).filter(id__in={row["service_id"] for row in events})
    }
    return visit.render(
        "usage/find.html",
        values=values,
        errors=errors,
        is_asked=is_asked,
        events=events,
        services=services,
        meters=await measured_of(services.values()),
        page=page,
        pages=max(1, -(-count // PER_PAGE)),
        count=count,
        micros=micros,
    )


async def show(visit: Visit) -> Response:
    """Show one event with its corrections; NotFound for another agency's, and for one no longer kept."""
    measured = await measured_at(visit)
    return await event_page(visit, measured, await event_at(visit, measured))


async def event_at(visit: Visit, measured: Measured) -> Row:
    """Return the event that the address names."""
    try:
        starts_at = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=visit.params["at"])
        Month.of(starts_at)
    except (OverflowError, ValueError):
        raise NotFound("usage event") from None
    return await event_of(*measured.key, starts_at, visit.params["id"])


async def event_page(
    visit: Visit,
    measured: Measured,
    event: Row,
    *,
    effect: Effect | None = None,
    errors: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    """Answer with the page of an event, with what a correction would change where one is looked at."""
    sender = await Client.get_or_none(id=event["client_id"]) if visit.by.provider_id and event["client_id"] else None
    return visit.render(
        "usage/event.html",
        status=status,
        measured=measured,
        service_name=measured.service_name(visit.language),
        name=measured.name(visit.language),
        unit=measured.unit(visit.language),
        event=event,
        counts_for=counts_for(event),
        corrections=await corrections_to(event["agency_id"], [event["id"]]),
        sender=sender,
        hour=hour_key(event["starts_at"]),
        month=Month.of(event["starts_at"]),
        micros=micros,
        whose="" if visit.by.agency_id else f"?agency={event['agency_id']}",
        may_correct=visit.by.may(Permission.USAGE_CORRECT) and visit.by.provider_id == event["provider_id"],
        values=visit.form.values(),
        effect=effect,
        errors=errors or {},
    )


async def _sought(visit: Visit, values: dict[str, str]) -> tuple[Sought | None, dict[str, str]]:
    """Return what is looked for, and what of the form cannot be read."""
    wrong: dict[str, str] = {}
    service, components = await _target(values, wrong)
    if not wrong and service is None and not (values["source"] and values["event"]):
        wrong["service"] = "Name the service, or both the source and the event."
    first, last = _days(visit, values, wrong)
    opens, closes = midnight(first), midnight(last + ONE_DAY)
    if values["hour"]:
        if values["hour"].isascii() and values["hour"].isdigit() and int(values["hour"]) < 24:
            opens += dt.timedelta(hours=int(values["hour"]))
            closes = opens + HOUR if first == last else closes
        else:
            wrong["hour"] = "Give an hour from 0 to 23."
    if wrong:
        return None, in_words(Invalid(wrong))
    named = (service.agency_id, service.id) if service else None
    return Sought(opens, closes, named, components, values["source"] or None, values["event"] or None), {}


async def _target(
    values: dict[str, str], wrong: dict[str, str]
) -> tuple[BilledService | None, tuple[uuid.UUID, ...] | None]:
    service = await service_named(values["service"]) if values["service"] else None
    if values["service"] and service is None:
        wrong["service"] = "No service of yours is called that."
    if not values["meter"]:
        return service, None
    meters = await scoped(Meter).filter(code=values["meter"][:LONGEST_METER])
    components = tuple(
        meter.component_id
        for meter in meters
        if meter.code == values["meter"] and (service is None or meter.offering_code == service.offering_code)
    )
    if not components:
        wrong["meter"] = "Nothing is measured under this code."
    return service, components


def _days(visit: Visit, values: dict[str, str], wrong: dict[str, str]) -> tuple[dt.date, dt.date]:
    """Return the first and the last day looked through; where none is given, the month before and this one."""
    today = bangkok_date(visit.now)
    days = {"from": Month.of(visit.now).previous.first, "to": today}
    for name in ("from", "to"):
        if values[name]:
            try:
                days[name] = parse_date(values[name])
            except NotADate:
                wrong[name] = "Give a day such as 16/12/2569."
    if values["from"] and not values["to"]:
        days["to"] = days["from"]
    elif values["to"] and not values["from"]:
        days["from"] = days["to"]
    if not wrong and days["to"] < days["from"]:
        wrong["to"] = "The last day is before the first."
    elif not wrong and days["to"] - days["from"] >= LONGEST_SEARCH:
        wrong["to"] = "Search in two months at most."
    return days["from"], days["to"]
