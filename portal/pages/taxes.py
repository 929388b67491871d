"""VAT and withholding tax as they are and will be: general rates by the central agency, its own by a provider."""

import datetime as dt
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid
from billing.months import bangkok_date
from billing.tariffs.models import TaxKind, TaxRate
from billing.tariffs.taxes import announce_rate, rates_for, withdraw_rate
from portal.formats import NotADate, NotANumber, date_short, parse_date, parse_number
from portal.i18n import gettext as _
from portal.i18n import lazy
from portal.refusals import in_words
from portal.visit import Visit

KINDS: Final = {TaxKind.VAT: lazy("VAT"), TaxKind.WITHHOLDING: lazy("Withholding tax")}
# Raised below the portal, translated here.
REASONS: Final = (
    lazy("VAT is the same for everybody."),
    lazy("Give a percentage from 0 to below 100, with at most four decimals."),
    lazy("Give a day from today on."),
    lazy("A rate from this day is set already."),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A rate with where it stands: past, in force, or to come."""

    rate: TaxRate
    state: str


async def show(visit: Visit) -> Response:
    """Show the rates and the form for a new one."""
    return await _page(visit)


async def announce(visit: Visit) -> Response:
    """Set a rate from a day on."""
    try:
        rate = await announce_rate(_kind(visit), _percentage(visit), _day(visit), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, in_words(refused), 422)
    visit.flash(_("The rate is set from %(day)s on.", day=date_short(rate.effective_from, visit.language)))
    return visit.redirect("taxes")


async def withdraw(visit: Visit) -> Response:
    """Take a rate back that has not begun."""
    try:
        await withdraw_rate(visit.params["id"], by=visit.by, now=visit.now)
    except Conflict:
        return await _page(visit, {"": _("The rate has begun. Set another from a later day.")}, 409)
    visit.flash(_("The rate was withdrawn."))
    return visit.redirect("taxes")


async def _page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    own = visit.by.provider_id
    rates = await rates_for(own)
    return visit.render(
        "taxes/show.html",
        status=status,
        groups=[(words, _shown(visit, rates, kind, None), own is None) for kind, words in KINDS.items()],
        own_rates=_shown(visit, rates, TaxKind.WITHHOLDING, own) if own else None,
        kinds=[(kind, words) for kind, words in KINDS.items() if own is None],
        today=bangkok_date(visit.now),
        values=visit.form.values(),
        errors=errors or {},
    )


def _shown(visit: Visit, rates: Iterable[TaxRate], kind: TaxKind, owner: uuid.UUID | None) -> list[Shown]:
    today, found, in_force = bangkok_date(visit.now), [], False
    for rate in rates:
        if rate.kind is kind and rate.provider_id == owner:
            begun = rate.effective_from <= today
            found.append(Shown(rate, "past" if in_force else "in_force" if begun else "to_come"))
            in_force = in_force or begun
    return found


def _kind(visit: Visit) -> TaxKind:
    """Return the tax that was chosen; a provider has only one to choose."""
    if visit.by.provider_id:
        return TaxKind.WITHHOLDING
    try:
        return TaxKind(visit.form.get("kind"))
    except ValueError:
        raise Invalid({"kind": "Choose one of the list."}) from None


def _percentage(visit: Visit) -> Decimal:
    try:
        return parse_number(visit.form.get("rate")) / 100
    except NotANumber:
        raise Invalid({"rate": "Give a percentage from 0 to below 100, with at most four decimals."}) from None


def _day(visit: Visit) -> dt.date:
    try:
        return parse_date(visit.form.get("effective_from"))
    except NotADate:
        raise Invalid({"effective_from": "Give a day such as 16/12/2569."}) from None
