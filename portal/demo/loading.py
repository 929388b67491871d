"""Filling an empty database with the demonstration, all of it or nothing."""

import datetime as dt

from tortoise.transactions import in_transaction

from auth.organisations.models import Organisation
from auth.rules import system
from auth.tenancy import acting_as, rows
from billing.months import BANGKOK
from portal.demo import desk
from portal.demo.catalogue import offer_everything
from portal.demo.people import cast_of, found_organisations, introduce_coordinators, seat_people
from portal.demo.story import Story
from portal.duties import start_from
from portal.models import DemoClock
from portal.settings import Mode, Settings
from services.calendar.queries import official
from services.incidents.deadlines import due_work, next_due

DEMO_STARTS = dt.datetime(2026, 12, 4, 15, 15, tzinfo=BANGKOK)
_PRICES_MADE_AT = dt.datetime(2023, 9, 15, 10, 0, tzinfo=BANGKOK)
_LOADING = system("demo")


class DemoRefused(RuntimeError):
    """The database is not one to fill with a demonstration."""


async def load(settings: Settings, now: dt.datetime) -> bool:
    """Fill an empty database with the demonstration, and return whether it did; what is there already stays.

    `now` is the machine's time: the demo clock runs from `DEMO_STARTS` as of then, unless it was set before.
    The accounts of the identity provider become members even where another one's did before. Needs the
    reference data. Refuses (DemoRefused) in production, and a database with organisations of its own.
    """
    if settings.mode is Mode.PRODUCTION:
        raise DemoRefused("The demonstration is never loaded in production.")
    issuer = settings.oidc_issuer or ""
    # One transaction around them all; each act inside speaks for its own actor.
    async with in_transaction():
        async with acting_as(_LOADING):
            await rows("SELECT pg_advisory_xact_lock(hashtextextended('demo', 0))")
            codes = {organisation.code for organisation in await Organisation.all()}
            if codes and "agency-a" not in codes:
                raise DemoRefused("The database has organisations already; the demonstration needs one of its own.")
            organisations = await found_organisations(_PRICES_MADE_AT)
            await seat_people(issuer, organisations, _PRICES_MADE_AT)
            await introduce_coordinators(organisations, _PRICES_MADE_AT)
            cast = await cast_of(issuer)
            await DemoClock.get_or_create(id=1, defaults={"demo_at": DEMO_STARTS, "real_at": now})
            await start_from(DEMO_STARTS)
            calendar = await official()
        if codes:
            return False
        async with acting_as(cast["manager"]):
            provider_id = organisations["provider"].id
            catalogue = await offer_everything(provider_id, by=cast["manager"], now=_PRICES_MADE_AT)
        await desk.register(cast, provider_id)
        await Story(cast, catalogue, calendar).live()
        await desk.man(cast, provider_id)
        async with acting_as(system("help desk")):
            # What fell due at the desk by itself until then has happened too.
            while (at := await next_due()) is not None and at <= DEMO_STARTS:
                await due_work(at)
    return True
