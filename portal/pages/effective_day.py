"""From which day something of the catalogue applies, as typed, with the reason where the day has passed."""

import datetime as dt
from typing import Final

from auth.errors import Invalid
from auth.rules import Permission
from billing.months import bangkok_date
from portal.formats import NotADate, parse_date
from portal.i18n import lazy
from portal.visit import Visit

_LONGEST: Final = 1000
LABELS: Final = {"effective_from": lazy("In force from"), "reason": lazy("Reason")}
# Raised below pages with these words.
REASONS: Final = (
    lazy("Say why this is set for days that have passed."),
    lazy("Only a manager sets something for days that have passed."),
    lazy("This is what applies from that day already."),
)


def effective_day(visit: Visit) -> tuple[dt.date, str]:
    """Return the day and the reason typed; refuses (Invalid) no day, and of most people one that has passed."""
    faults, day, reason = dict[str, str](), bangkok_date(visit.now), visit.form.get("reason")
    try:
        day = parse_date(visit.form.get("effective_from"))
        if day < bangkok_date(visit.now) and not visit.by.may(Permission.PRICES_BACKDATE):
            faults["effective_from"] = "Only a manager sets something for days that have passed."
    except NotADate:
        faults["effective_from"] = "Give a day such as 16/12/2569."
    if len(reason) > _LONGEST:
        faults["reason"] = "This text is too long."
    if faults:
        raise Invalid(faults)
    return day, reason
