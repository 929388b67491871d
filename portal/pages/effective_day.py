"""From which day something of the catalogue applies, as typed, with the reason where the day has passed."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

from auth.errors import Invalid
from auth.rules import Permission
from billing.months import bangkok_date
from portal.formats import NotADate, parse_date
from portal.i18n import Lazy, lazy
from portal.visit import Visit

_LONGEST: Final = 1000
LABELS: Final = {"effective_from": lazy("In force from"), "reason": lazy("Reason")}
OFFERED: Final = lazy("Is it offered?")
# Raised below pages with these words.
REASONS: Final = (
    lazy("Say why this is set for days that have passed."),
    lazy("Only a manager sets something for days that have passed."),
    lazy("This is what applies from that day already."),
)


def apart(form: str, typed: Mapping[str, str], errors: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return what was typed and what is wrong with it under names of one form, where a page has several with a day.

    Those of the form "orders" are `orders_from`, `orders_reason` and `orders_offered`.
    """
    own = {"effective_from": f"{form}_from", "reason": f"{form}_reason", "offered": f"{form}_offered"}
    kept = dict.fromkeys(own.values(), "") | {own.get(name, name): text for name, text in typed.items()}
    return kept, {own.get(name, name): words for name, words in errors.items()}


def labels_of(form: str) -> dict[str, Lazy]:
    """Return the labels of a form's fields under the names `apart` gives them."""
    return {f"{form}_from": LABELS["effective_from"], f"{form}_reason": LABELS["reason"], f"{form}_offered": OFFERED}


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
