"""The quote as a document, and the customer's decision on that very document (annex ก 1.6–1.7)."""

import datetime as dt
from typing import Any

from starlette.responses import Response

from auth.errors import Conflict, NotFound, StaleSignIn
from auth.organisations.models import Organisation
from auth.rules import Permission, Role
from billing.months import Month
from portal.formats import Language
from portal.i18n import gettext as _
from portal.pages.requests import wording
from portal.pages.requests.ending import ending_of
from portal.pages.requests.page import attempt, come_to, problem_of, shown
from portal.visit import Visit
from services.calendar.queries import official
from services.requests import commands
from services.requests.models import Quote
from services.requests.queries import Whole, askers_of, data_kept_days, whole
from services.requests.rules import FRESH_SIGN_IN, Action, StaleQuote, State


async def quote(visit: Visit) -> Response:
    """Show the quote that stands, or an earlier one by `?number=`; NotFound before there is any."""
    return await _page(visit)


async def confirm(visit: Visit) -> Response:
    """Confirm the quote whose SHA-256 the form carries, signed in afresh; only then is there a work order.

    A quote that is not the one that stands is shown anew with what to do (409). One that no longer holds is taken
    back, which the request's page then tells.
    """
    _require_fresh_sign_in(visit)
    try:
        outcome = await commands.confirm(visit.params["id"], visit.form.get("sha256"), by=visit.by, now=visit.now)
    except StaleQuote as refused:
        return await _page(visit, problem=problem_of(refused), status=409)
    except Conflict as refused:
        return await shown(visit, problem=problem_of(refused), status=409)
    if isinstance(outcome, commands.Voided):
        visit.flash(
            _("Nothing was confirmed: what was quoted has changed since. The provider quotes anew."),
            "warning",
        )
    else:
        visit.flash(_("The quote was confirmed. The provider has the work order."))
    return visit.redirect("request", id=visit.params["id"])


async def decline(visit: Visit) -> Response:
    """Decline the quote, saying why."""
    note = visit.form.get("note")[:4000]
    if not note:
        return await _page(visit, problem=_("Say why."), status=422)
    doing = commands.decline(visit.params["id"], note=note, by=visit.by, now=visit.now)
    return await attempt(visit, doing, _("The quote was declined."))


def is_fresh(visit: Visit) -> bool:
    """Say whether the visitor signed in within the last minutes, by the machine's clock."""
    signed_in_at = visit.by.authenticated_at
    return signed_in_at is not None and visit.wall - signed_in_at <= FRESH_SIGN_IN


def _require_fresh_sign_in(visit: Visit) -> None:
    if not is_fresh(visit):
        raise StaleSignIn("confirming needs a fresh sign-in")


async def _page(visit: Visit, *, problem: str | None = None, status: int = 200) -> Response:
    calendar = await official()
    found = await whole(visit.params["id"], calendar)
    chosen = _chosen(found, visit.query.get("number"))
    stands = found.request.state is State.AWAITING_CONFIRMATION and chosen.id == found.request.quote_id
    agency = await Organisation.get(id=found.request.agency_id)
    comes = await come_to(visit, found) if stands else None
    return visit.render(
        "requests/quote.html",
        status=status,
        problem=problem,
        found=found,
        request=found.request,
        quote=chosen,
        document=_document(chosen),
        stands=stands,
        is_past=visit.now > chosen.valid_until,
        standing=wording.STATES[found.request.state],
        kind_name=wording.KINDS[found.request.kind],
        agency=agency,
        effect=comes.effect if comes else None,
        ending=ending_of(found.request.kind, await data_kept_days(found), found.request.effective_on, comes.price)
        if comes
        else None,
        left=wording.left(chosen.valid_until, visit.now, calendar),
        may_decide=stands and visit.by.may(Permission.REQUESTS_CONFIRM) and visit.by.agency_id == agency.id,
        same_hands=visit.by.person_id in await askers_of(found.request) and not agency.asker_may_confirm,
        is_fresh=is_fresh(visit),
        decision=decision_on(found, chosen, visit.language),
        colleague=visit.by.stands_in_for(Role.APPROVER),
        name=lambda thing: wording.name(thing, visit.language),
    )


def decision_on(found: Whole, quote: Quote, language: Language) -> wording.Told | None:
    """Return what the agency decided on a quote, by whom, and on whose behalf; None where it decided nothing."""
    decided = (event for event in found.events if event.action in {Action.CONFIRM, Action.DECLINE})
    event = next((event for event in decided if event.detail.get("quote") == quote.number), None)
    return wording.told(event, language, inside=False) if event else None


def _chosen(found: Whole, number: str) -> Quote:
    """Return the quote named by its number, else the one that stands, else the latest."""
    if number:
        chosen = next((quote for quote in found.quotes if str(quote.number) == number), None)
    else:
        chosen = found.quote or (found.quotes[0] if found.quotes else None)
    if chosen is None:
        raise NotFound("Quote")
    return chosen


def _document(quote: Quote) -> dict[str, Any]:
    """Return a quote's document with its figures as numbers, for drawing; what is signed stays text."""
    stored = quote.document
    terms = stored.get("terms")
    return {
        **stored,
        "effective_on": dt.date.fromisoformat(stored["effective_on"]),
        "vat_rate": wording.number(stored["vat_rate"]),
        "terms": {**terms, "availability_pct": wording.number(terms["availability_pct"])} if terms else None,
        "monthly": {key: wording.number(text) for key, text in stored["monthly"].items()},
        "first_month": {
            "month": Month.parse(stored["first_month"]["month"]).first,
            "amount": wording.number(stored["first_month"]["amount"]),
        },
        "rest_of_year": {
            "fiscal_year": stored["rest_of_year"]["fiscal_year"],
            "difference": wording.number(stored["rest_of_year"]["difference"]),
        },
        "items": [
            {
                **item,
                "before": wording.number(item["before"]),
                "after": wording.number(item["after"]),
                "price_before": _priced(item["price_before"]),
                "price_after": _priced(item["price_after"]),
            }
            for item in stored["items"]
        ],
    }


def _priced(stored: dict[str, Any] | None) -> dict[str, Any] | None:
    if stored is None:
        return None
    return {
        "amount": wording.number(stored["amount"]),
        "price_version": stored["price_version"],
        "effective_from": dt.date.fromisoformat(stored["effective_from"]),
        "tranches": [{key: wording.number(text) for key, text in part.items()} for part in stored["tranches"]],
    }
