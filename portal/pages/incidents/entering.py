"""Reading what people enter about incidents: moments, whole numbers, rows of the agreement."""

import datetime as dt
import re

from auth.errors import Invalid
from billing.months import BANGKOK
from portal.formats import NotADate, NotANumber, parse_date, parse_number
from portal.visit import Fields
from services.sla.rules import Severity

_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)(?:\s*น\.?)?", re.ASCII)
_THAI_DIGITS = str.maketrans("๐๑๒๓๔๕๖๗๘๙", "0123456789")
_LONGEST = 20_000


def moment(form: Fields, name: str) -> dt.datetime | None:
    """Return the moment of the fields `<name>_day` and `<name>_time`, in Bangkok; None when both are empty.

    Refuses (Invalid) what is no day, and what is no time of day: 15:20, 15.20 or 15.20 น.
    """
    day, time = form.get(f"{name}_day"), form.get(f"{name}_time")
    if not day and not time:
        return None
    wrong = {}
    found = _TIME.fullmatch(time.translate(_THAI_DIGITS))
    date = None
    try:
        date = parse_date(day)
    except NotADate:
        wrong[f"{name}_day"] = "Give a day such as 16/12/2569."
    if found is None:
        wrong[f"{name}_time"] = "Give a time such as 15:20."
    if wrong or date is None or found is None:
        raise Invalid(wrong)
    return dt.datetime.combine(date, dt.time(int(found[1]), int(found[2])), BANGKOK)


def whole(form: Fields, name: str, default: int | None = None) -> int:
    """Return a whole number; `default` where nothing was entered. Refuses (Invalid) anything else."""
    text = form.get(name)
    if not text and default is not None:
        return default
    try:
        number = parse_number(text)
    except NotANumber:
        raise Invalid({name: "Give a whole number."}) from None
    if number != int(number) or abs(number) > 10**6:
        raise Invalid({name: "Give a whole number."})
    return int(number)


def severity(form: Fields, name: str = "severity") -> Severity | None:
    """Return the severity chosen; None where none was. Refuses (Invalid) what is none."""
    text = form.get(name)
    if not text:
        return None
    if text not in set(Severity):
        raise Invalid({name: "Choose one of the list."})
    return Severity(text)


def prose(form: Fields, name: str) -> str:
    """Return a longer text; refuses (Invalid) one beyond all measure."""
    text = form.get(name)
    if len(text) > _LONGEST:
        raise Invalid({name: "This is too long."})
    return text
