"""Taking an incident in: by the requester in the portal, or by the help-desk for a caller (seed B 3(1), 3(2))."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from auth.errors import Invalid, NotPermitted
from auth.organisations.models import Organisation
from auth.rules import Actor, OrganisationKind, Permission
from auth.tenancy import one, scoped
from billing.months import Month
from billing.numbers.commands import next_number
from services.callers.commands import remember
from services.callers.models import Caller
from services.disruptions.models import Disruption
from services.files.rules import Given, checked
from services.incidents.files import attach
from services.incidents.history import END_OF_TIME, tell
from services.incidents.models import Incident
from services.incidents.rules import Channel
from services.sla.facts import FactKind, Standing
from services.sla.models import SlaRow
from services.sla.queries import row_at
from services.sla.rules import Severity, terms_of
from services.subscriptions.models import Subscription


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wrong, or wished for, in the requester's words.

    `code` is the row of the agreement it falls under, empty when nobody knows yet; `items` how many machines
    or accounts; `severity` only where the row's target depends on it.
    """

    title: str
    description: str = ""
    location: str = ""
    code: str = ""
    items: int = 1
    severity: Severity | None = None
    is_emergency: bool = False
    subscription_id: uuid.UUID | None = None
    disruption_id: uuid.UUID | None = None


@dataclass(frozen=True, slots=True)
class CallerSaid:
    """Who calls, writes or stands at the counter, as they say; `agency_id` is whom they belong to."""

    agency_id: uuid.UUID
    name: str
    phone: str = ""
    email: str = ""
    line_user_id: str = ""
    person_id: uuid.UUID | None = None


async def report(
    wish: Wish,
    *,
    provider_id: uuid.UUID | None = None,
    phone: str = "",
    files: Sequence[Given] = (),
    by: Actor,
    now: dt.datetime,
) -> Incident:
    """Report an incident to a provider's desk, at any hour (standard 7.4, 7.5.8).

    The provider is that of the service it is about, else `provider_id`. Refuses who is no requester
    (NotPermitted), another agency's service (NotFound), a wish without a title (Invalid), and a file of
    another kind (FileRefused).
    """
    if by.agency_id is None or by.person_id is None or not by.may(Permission.INCIDENTS_REPORT):
        raise NotPermitted("incidents are reported by an agency's people")
    desk = await _desk_of(wish, provider_id)
    caller = await remember(by.agency_id, desk, name=by.name, phone=phone, person_id=by.person_id, now=now)
    return await _open(wish, desk, caller, files, channel=Channel.PORTAL, contacted_at=now, by=by, now=now)


async def log(
    wish: Wish,
    caller: CallerSaid,
    *,
    channel: Channel,
    contacted_at: dt.datetime | None = None,
    provider_id: uuid.UUID | None = None,
    files: Sequence[Given] = (),
    by: Actor,
    now: dt.datetime,
) -> Incident:
    """Log an incident for a caller: who logged and who asked are both kept (seed B 3(2)).

    `contacted_at` is when the caller reached the desk; the clock starts there. The portal itself logs what
    comes by mail or LINE, and then says for which provider. Refuses a contact in the future (Invalid).
    """
    desk = by.provider_id or provider_id
    if desk is None or not (by.is_system or by.may(Permission.INCIDENTS_LOG)):
        raise NotPermitted("calls are logged by the help-desk")
    contacted_at = contacted_at or now
    if contacted_at > now:
        raise Invalid({"contacted_at": "The contact cannot be in the future."})
    if not await Organisation.filter(id=caller.agency_id, kind=OrganisationKind.AGENCY).exists():
        raise Invalid({"agency_id": "Say for which agency."})
    known = await remember(
        caller.agency_id,
        desk,
        name=caller.name,
        phone=caller.phone,
        email=caller.email,
        line_user_id=caller.line_user_id,
        person_id=caller.person_id,
        now=now,
    )
    return await _open(wish, desk, known, files, channel=channel, contacted_at=contacted_at, by=by, now=now)


async def _desk_of(wish: Wish, provider_id: uuid.UUID | None) -> uuid.UUID:
    if wish.subscription_id:
        return (await one(Subscription, id=wish.subscription_id)).provider_id
    if provider_id and await Organisation.filter(id=provider_id, kind=OrganisationKind.PROVIDER).exists():
        return provider_id
    raise Invalid({"provider_id": "Say whose help is wanted."})


async def _open(
    wish: Wish,
    provider_id: uuid.UUID,
    caller: Caller,
    files: Sequence[Given],
    *,
    channel: Channel,
    contacted_at: dt.datetime,
    by: Actor,
    now: dt.datetime,
) -> Incident:
    kept = [checked(file) for file in files]
    row = await row_at(provider_id, wish.code, contacted_at) if wish.code else None
    await _complete(wish, row, provider_id, caller.agency_id)
    agency = await Organisation.get(id=caller.agency_id)
    year = Month.of(now).fiscal_year
    given = await next_number(agency.id, "INC", year)
    incident = Incident(
        agency_id=agency.id,
        provider_id=provider_id,
        number=f"INC-{agency.short_code}-{year}-{given:04d}",
        title=wish.title.strip(),
        description=wish.description.strip(),
        location=wish.location.strip(),
        subscription_id=wish.subscription_id,
        disruption_id=wish.disruption_id,
        requester_id=caller.person_id,
        requester_name=caller.name,
        caller_id=caller.id,
        logged_by=by.person_id,
        logged_by_name=by.name,
        channel=channel,
        contacted_at=contacted_at,
        logged_at=now,
        sla_row_id=row.id if row else None,
        row_code=row.code if row else "",
        section_id=row.section_id if row else None,
        items=wish.items,
        severity=wish.severity,
        is_emergency=wish.is_emergency,
        changed_at=now,
        standing=Standing.NOT_STARTED,
        queue_at=END_OF_TIME,
    )
    terms = (
        terms_of(row, items=wish.items, severity=wish.severity, emergency=wish.is_emergency)
        if row is not None
        else None
    )
    await tell(
        incident,
        FactKind.OPENED,
        by=by,
        now=now,
        at=contacted_at,
        terms=terms,
        channel=channel,
        requester=caller.name,
        code=incident.row_code,
        items=wish.items,
        severity=wish.severity,
        emergency=wish.is_emergency,
    )
    await attach(incident, kept, by=by, now=now)
    return incident


async def _complete(wish: Wish, row: SlaRow | None, provider_id: uuid.UUID, agency_id: uuid.UUID) -> None:
    missing = {}
    if not wish.title.strip():
        missing["title"] = "Say in a few words what is wrong."
    elif len(wish.title.strip()) > 200:
        missing["title"] = "Say it in at most 200 signs; the rest belongs in the description."
    if not 1 <= wish.items <= 1000:
        missing["items"] = "Give a number between 1 and 1000."
    if row is not None and row.is_withdrawn:
        missing["code"] = "This service level is no longer offered."
    subscriptions = scoped(Subscription).filter(agency_id=agency_id, provider_id=provider_id)
    if wish.subscription_id and not await subscriptions.filter(id=wish.subscription_id).exists():
        missing["subscription_id"] = "This service is not in use there."
    disruptions = Disruption.filter(provider_id=provider_id, ended_at=None)
    if wish.disruption_id and not await disruptions.filter(id=wish.disruption_id).exists():
        missing["disruption_id"] = "This outage is over."
    if missing:
        raise Invalid(missing)
