"""Reversing a refund that was recorded wrongly: one page that says what follows, then the deed."""

from starlette.responses import Response

from auth.errors import Conflict, Invalid, NotFound
from auth.organisations.models import Organisation
from auth.tenancy import one
from billing.payments.models import Refund
from billing.payments.queries import invoice_of, refund_reversals_of
from billing.payments.refunds import reverse_refund
from portal.i18n import gettext as _
from portal.pages.whose_costs import name_of
from portal.refusals import in_words
from portal.visit import Visit


async def ask(visit: Visit) -> Response:
    """Show the refund, and where the invoice stands once it is reversed."""
    return await _page(visit)


async def reverse(visit: Visit) -> Response:
    """Reverse the refund; what it gave back is overpaid again."""
    refund = await _refund(visit)
    try:
        reversal = await reverse_refund(refund.id, reason=visit.form.get("reason"), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, in_words(refused), 422)
    except Conflict:
        return await _page(visit, {"": _("The refund was reversed already.")}, 409)
    visit.flash(_("The refund was reversed as %(number)s.", number=reversal.number))
    return visit.redirect("billing.invoice", id=refund.statement_id)


async def _page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    refund = await _refund(visit)
    invoice = await invoice_of(refund.statement_id)
    if invoice is None:
        raise NotFound("Statement")
    agency = await Organisation.get(id=refund.agency_id)
    return visit.render(
        "billing_desk/refund_reversal.html",
        status=status,
        refund=refund,
        invoice=invoice,
        reversal=(await refund_reversals_of([refund])).get(refund.id),
        open_after=invoice.account.open - refund.amount,
        name=name_of(agency, visit.language),
        values=visit.form.values(),
        errors=errors or {},
    )


async def _refund(visit: Visit) -> Refund:
    return await one(Refund, id=visit.params["id"], provider_id=visit.seat.id)
