"""Lending the approver's role for an absence, and taking it back (annex ก 1.7: somebody must be able to confirm)."""

import datetime as dt
import uuid

from starlette.responses import Response

from auth.errors import Invalid
from auth.people.delegations import delegations_of, lend, take_back
from auth.people.queries import members_of
from auth.rules import Role
from billing.months import ONE_DAY, bangkok_date, midnight
from portal.formats import NotADate, date_short, parse_date, thai_sort_key
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.refusals import in_words
from portal.visit import Visit

_LONGEST = 500
# Raised below pages with these words.
REASONS = (
    lazy("The end must come after the beginning, and after today."),
    lazy("Three months is the longest."),
    lazy("Choose a colleague of your agency."),
)


async def show(visit: Visit) -> Response:
    """Show who stands in for whom, and to an approver the form to lend the role."""
    return await _page(visit, {}, {})


async def give(visit: Visit) -> Response:
    """Lend the role from a day to another, both included; from today on means from now on."""
    typed = visit.form.values()
    try:
        person_id, starts_at, ends_at = _given(visit)
        await lend(person_id, starts_at=starts_at, ends_at=ends_at, reason=typed["reason"], by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, typed, in_words(refused), status=422)
    last = date_short(bangkok_date(ends_at) - ONE_DAY, visit.language)
    visit.flash(_("Your role is lent until the end of %(day)s.", day=last))
    return visit.redirect("delegations")


async def end(visit: Visit) -> Response:
    """Take the role back at once."""
    await take_back(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The role is yours alone again."))
    return visit.redirect("delegations")


def _given(visit: Visit) -> tuple[uuid.UUID, dt.datetime, dt.datetime]:
    form, faults = visit.form, {}
    person_id, starts_on, ends_on = uuid.UUID(int=0), bangkok_date(visit.now), bangkok_date(visit.now)
    try:
        person_id = form.uuid("to_person")
    except Invalid:
        faults["to_person"] = "Choose a colleague of your agency."
    try:
        starts_on = parse_date(form.get("starts_at"))
    except NotADate:
        faults["starts_at"] = "Give a day such as 16/12/2569."
    try:
        ends_on = parse_date(form.get("ends_at"))
    except NotADate:
        faults["ends_at"] = "Give a day such as 16/12/2569."
    if not form.get("reason"):
        faults["reason"] = "Say why."
    elif len(form.get("reason")) > _LONGEST:
        faults["reason"] = "This text is too long."
    if faults:
        raise Invalid(faults)
    return person_id, max(midnight(starts_on), visit.now), midnight(ends_on + ONE_DAY)


async def _page(visit: Visit, values: dict[str, str], errors: dict[str, str], status: int = 200) -> Response:
    colleagues = [each for each in await members_of(visit.seat.id) if each.person_id != visit.by.person_id]
    colleagues.sort(key=lambda each: thai_sort_key(each.name))
    return visit.render(
        "delegations/show.html",
        status=status,
        running=await delegations_of(visit.seat.id, now=visit.now),
        last_moment=dt.timedelta(microseconds=1),
        may_lend=Role.APPROVER in visit.by.roles and visit.by.stands_in_for(Role.APPROVER) is None,
        stands_in_for=visit.by.stands_in_for(Role.APPROVER),
        me=visit.by.person_id,
        now=visit.now,
        colleagues=[(each.person_id, each.name) for each in colleagues],
        values={"starts_at": bangkok_date(visit.now)} | values,
        errors=errors,
    )
