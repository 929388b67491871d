"""Reversing a payment that was recorded wrongly: one page that says what follows, then the deed."""

from starlette.responses import Response

from auth.errors import Conflict, Invalid, NotFound
from auth.organisations.models import Organisation
from auth.tenancy import one
from billing.documents.queries import receipt_of
from billing.payments.commands import reverse_payment
from billing.payments.models import Payment
from billing.payments.queries import invoice_of, reversals_of
from portal.i18n import gettext as _
from portal.pages.billing_desk import MEANS
from portal.pages.whose_costs import name_of
from portal.refusals import in_words
from portal.visit import Visit


async def ask(visit: Visit) -> Response:
    """Show the payment, its receipt, and what is open once it is reversed."""
    return await _page(visit)


async def reverse(visit: Visit) -> Response:
    """Reverse the payment; its receipt is cancelled by a note of its own."""
    payment = await _payment(visit)
    try:
        _reversal, note = await reverse_payment(payment.id, reason=visit.form.get("reason"), by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _page(visit, in_words(refused), 422)
    except Conflict:
        return await _page(visit, {"": _("The payment was reversed already.")}, 409)
    visit.flash(_("The payment was reversed; %(number)s cancels its receipt.", number=note.number))
    return visit.redirect_to(f"{visit.path('billing.invoice', id=payment.statement_id)}?again={payment.id}#payment")


async def _page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    payment = await _payment(visit)
    invoice = await invoice_of(payment.statement_id)
    if invoice is None:
        raise NotFound("Statement")
    agency = await Organisation.get(id=payment.agency_id)
    return visit.render(
        "billing_desk/reversal.html",
        status=status,
        payment=payment,
        invoice=invoice,
        receipt=await receipt_of(payment.id),
        reversal=(await reversals_of([payment])).get(payment.id),
        open_after=invoice.account.open + payment.received + payment.withheld,
        name=name_of(agency, visit.language),
        means_names=MEANS,
        values=visit.form.values(),
        errors=errors or {},
    )


async def _payment(visit: Visit) -> Payment:
    return await one(Payment, id=visit.params["id"], provider_id=visit.seat.id)
