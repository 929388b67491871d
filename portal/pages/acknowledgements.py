"""“ตรวจสอบการใช้บริการแล้ว”: an agency records each month that it checked what it used (standard 13.2)."""

import uuid
from dataclasses import dataclass

from starlette.responses import Response

from auth.errors import NotFound
from auth.rules import Permission
from billing.acknowledgements.commands import acknowledge
from billing.acknowledgements.models import Acknowledgement
from billing.acknowledgements.queries import acknowledgement_of, months_unchecked
from billing.months import Month
from portal.formats import month_name
from portal.i18n import gettext
from portal.pages.home_cards import Card
from portal.visit import Visit


@dataclass(frozen=True, slots=True)
class MonthCheck:
    """How the check of a month stands: done by somebody, or waiting, and whether this visitor may do it."""

    done: Acknowledgement | None
    may_do: bool


async def check_of(visit: Visit, agency_id: uuid.UUID, month: Month) -> MonthCheck | None:
    """Return how the check of a month stands; None for a provider, which does not see it, and until a month is over."""
    if visit.by.provider_id or visit.now < month.ends_at:
        return None
    done = await acknowledgement_of(agency_id, month)
    may_do = done is None and visit.by.agency_id == agency_id and visit.by.may(Permission.USAGE_ACKNOWLEDGE)
    return MonthCheck(done, may_do)


async def card(visit: Visit) -> Card | None:
    """Show on the overview which months wait for their check; nothing to those who do not check."""
    if visit.by.agency_id is None or not visit.by.may(Permission.USAGE_ACKNOWLEDGE):
        return None
    months = await months_unchecked(visit.by.agency_id, Month.of(visit.now))
    if not months:
        return None
    return Card(
        "acknowledgements/_card.html",
        {"months": [(month, visit.path("costs.month", month=month) + "#check") for month in months]},
    )


async def check(visit: Visit) -> Response:
    """Record that the visitor checked a month; refuses one that is not over, and one that was checked before."""
    try:
        month = Month.parse(visit.params["month"])
    except ValueError:
        raise NotFound("Month") from None
    await acknowledge(month, by=visit.by, now=visit.now)
    name = month_name(month.first, visit.language)
    visit.flash(gettext("It is recorded that you checked the usage of %(month)s.", month=name))
    return visit.redirect("costs.month", month=month)
