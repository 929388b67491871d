"""The provider's billing desk: drafts to look at and issue, credits, payments, notes, and what is open."""

import datetime as dt
import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from starlette.responses import Response

from auth.errors import Conflict, Invalid, NotFound
from auth.organisations.models import Organisation
from billing.credits.commands import give, withdraw
from billing.credits.models import CreditKind
from billing.credits.queries import credits_between
from billing.documents.commands import Correction, correct
from billing.documents.models import Kind
from billing.documents.papers import TITLES, Referred, corrected
from billing.documents.queries import cancelled_receipts, notes_of
from billing.months import Month, bangkok_date
from billing.payments.commands import record_payment
from billing.payments.models import Means, Payment
from billing.payments.queries import (
    Invoice,
    invoice_of,
    invoices,
    payments_of,
    refund_reversals_of,
    refunds_of,
    reversals_of,
)
from billing.payments.refunds import record_refund
from billing.payments.rules import Age, ageing
from billing.statements.closing import Draft, NotReviewed, draft_of, drafts_of, issue_reviewed, review
from billing.statements.closing_rules import Policy
from billing.statements.lines import Line
from billing.statements.policies import LONGEST_INSTRUCTIONS, policy_of, set_policy
from billing.statements.queries import bill_of
from portal.formats import NotADate, NotANumber, parse_date, parse_number, thai_sort_key
from portal.i18n import Lazy, lazy
from portal.i18n import gettext as _
from portal.refusals import in_words
from portal.visit import Visit

STATES: Final[dict[str, tuple[Lazy, str, str]]] = {
    "draft": (lazy("Draft to look at"), "warning", "eye"),
    "reviewed": (lazy("Reviewed"), "progress", "checkbox"),
    "issued": (lazy("Invoiced"), "success", "file-invoice"),
}
CREDITS: Final = {CreditKind.SLA: lazy("SLA credit"), CreditKind.GOODWILL: lazy("Goodwill credit")}
MEANS: Final = {
    Means.TRANSFER: lazy("Bank transfer"),
    Means.GFMIS: lazy("Direct payment through New GFMIS Thai"),
    Means.CHEQUE: lazy("Cheque"),
    Means.CASH: lazy("Cash"),
}
NOTES: Final = {Kind.CREDIT_NOTE: lazy("Credit note"), Kind.DEBIT_NOTE: lazy("Debit note")}
AGES: Final = {
    Age.NOT_DUE: lazy("Not due yet"),
    Age.TO_30: lazy("1–30 days overdue"),
    Age.TO_60: lazy("31–60 days overdue"),
    Age.TO_90: lazy("61–90 days overdue"),
    Age.OVER_90: lazy("More than 90 days overdue"),
}
# Raised below the portal, translated here.
REASONS = (
    lazy("Give the reason."),
    lazy("Give an amount above zero, with at most two decimals."),
    lazy("Give an amount from zero up, with at most two decimals."),
    lazy("This is more than the service comes to in this month."),
    lazy("This is more than is open of the invoice."),
    lazy("This payment is recorded already. Another one has a reference of its own."),
    lazy("This is more than is left of the invoice."),
    lazy("This is more than is overpaid of the invoice."),
    lazy("Give a day from the invoice's to today."),
    lazy("Give the reference of the payment."),
    lazy("Give a day that is not to come."),
    lazy("Give the reference of the refund."),
    lazy("Give the number and the date of the withholding-tax certificate."),
    lazy("Explain the large differences to last month."),
    lazy("Give a whole number of days, at most 365."),
    lazy("Give a share from 0 up."),
    lazy("Give at most 500 characters in at most 10 lines."),
    lazy("This holds a sign that cannot be printed."),
    lazy("Give an amount such as 1,253.23."),
)


async def show(visit: Visit) -> Response:
    """Show a month's drafts and invoices; the month before this one unless another is asked for."""
    return await _desk(visit, await policy_of(visit.seat.id))


async def _desk(
    visit: Visit, policy: Policy, *, due_days: str = "", errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    now = Month.of(visit.now)
    month = _month(visit.query.get("month")) if visit.query.get("month") else now.previous
    if month > now:
        raise NotFound("Month")
    drafts = await drafts_of(visit.seat.id, month)
    names = await _names(visit, [draft.bill.agency_id for draft in drafts])
    drafts.sort(key=lambda draft: thai_sort_key(names[draft.bill.agency_id]))
    return visit.render(
        "billing_desk/show.html",
        month=month,
        next=month.next if month < now else None,
        drafts=drafts,
        names=names,
        states=STATES,
        total=sum((draft.bill.totals.total for draft in drafts), Decimal("0.00")),
        policy=policy,
        due_days=due_days or str(policy.due_days),
        most=LONGEST_INSTRUCTIONS,
        errors=errors or {},
        status=status,
    )


async def save_policy(visit: Visit) -> Response:
    """Set whether invoices wait for a review, when they are due, and what they say of how to pay."""
    known = await policy_of(visit.seat.id)
    days = visit.form.get("due_days")
    policy = Policy(
        "needs_review" in visit.form,
        int(days) if days.isascii() and days.isdigit() and len(days) < 5 else -1,
        known.note_share,
        known.note_amount,
        visit.form.get("payment_instructions"),
    )
    try:
        await set_policy(visit.seat.id, policy, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _desk(visit, policy, due_days=days, errors=in_words(refused), status=422)
    visit.flash(_("The closing of months was set."))
    return visit.redirect("billing")


async def draft(visit: Visit) -> Response:
    """Show one agency's draft: its lines, how it differs from the month before, its credits."""
    return await _draft_page(visit)


async def review_draft(visit: Visit) -> Response:
    """Record that the draft on the page was looked at."""
    agency_id, month = _whose(visit)
    try:
        await review(
            agency_id,
            visit.seat.id,
            month,
            draft=visit.form.get("draft"),
            note=visit.form.get("note"),
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _draft_page(visit, in_words(refused), 422)
    except NotReviewed:
        return await _draft_page(
            visit, {"": _("The draft has changed since you opened this page. Read it again.")}, 409
        )
    visit.flash(_("The draft was reviewed."))
    return _back(visit)


async def issue_draft(visit: Visit) -> Response:
    """Issue the invoice of a draft that was reviewed."""
    agency_id, month = _whose(visit)
    try:
        await issue_reviewed(agency_id, visit.seat.id, month, by=visit.by, now=visit.now)
    except NotReviewed:
        return await _draft_page(visit, {"": _("The draft is to be reviewed first, as it is now.")}, 409)
    visit.flash(_("The invoice was issued."))
    return _back(visit)


async def give_credit(visit: Visit) -> Response:
    """Give something back on a draft."""
    page = await _draft(visit)
    try:
        services = {str(line.service_id) for line in page.bill.lines}
        await give(
            uuid.UUID(_chosen(visit, "service", services)),
            page.bill.month,
            CreditKind(_chosen(visit, "kind", CREDITS)),
            _amount(visit, "amount"),
            reason=visit.form.get("reason"),
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _draft_page(visit, in_words(refused), 422)
    except Conflict:
        return await _draft_page(visit, {"": _("The month is invoiced. Issue a credit note instead.")}, 409)
    visit.flash(_("The credit stands on the draft."))
    return _back(visit)


async def withdraw_credit(visit: Visit) -> Response:
    """Take a credit back before its month is invoiced."""
    credit = await withdraw(visit.params["id"], by=visit.by, now=visit.now)
    visit.flash(_("The credit was withdrawn."))
    return visit.redirect("billing.draft", agency=credit.agency_id, month=Month.of(credit.month))


async def open_invoices(visit: Visit) -> Response:
    """Show every invoice with what is open of it, and what is open by age."""
    found, today = await invoices(provider_id=visit.seat.id), bangkok_date(visit.now)
    is_open = [each for each in found if each.account.open > 0]
    sums = ageing([(each.due_on, each.account.open) for each in is_open], today)
    return visit.render(
        "billing_desk/invoices.html",
        invoices=found,
        names=await _names(visit, [each.agency_id for each in found]),
        ages=AGES,
        sums=[(AGES[age], amount) for age, amount in sums.items()],
        total=sum(sums.values(), Decimal("0.00")),
        overpaid=sum((each.account.overpaid for each in found), Decimal("0.00")),
        today=today,
    )


async def invoice(visit: Visit) -> Response:
    """Show one invoice: what was paid, what corrected it, what is open."""
    return await _invoice_page(visit)


async def pay(visit: Visit) -> Response:
    """Record a payment of an invoice; its receipt follows at once."""
    found = await _invoice(visit)
    try:
        withheld = visit.form.get("withheld")
        certified = visit.form.get("certificate_date")
        paid = await record_payment(
            found.id,
            paid_on=_day(visit, "paid_on"),
            means=Means(_chosen(visit, "means", MEANS)),
            reference=visit.form.get("reference"),
            received=_amount(visit, "received"),
            withheld=_amount(visit, "withheld") if withheld else Decimal("0.00"),
            certificate_number=visit.form.get("certificate_number"),
            certificate_date=_day(visit, "certificate_date") if certified else None,
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _invoice_page(visit, in_words(refused), 422)
    visit.flash(_("The payment was recorded; receipt %(number)s was issued.", number=paid[1].number))
    return visit.redirect("billing.invoice", id=found.id)


async def note(visit: Visit) -> Response:
    """Issue a credit or debit note on an invoice."""
    found = await _invoice(visit)
    try:
        kind = Kind(_chosen(visit, "note_kind", NOTES))
        amount, reason = _amount(visit, "amount"), visit.form.get("reason")
        line = await _correction(visit, found, amount)
        issued = await correct(found.id, kind, [line], reason=reason, by=visit.by, now=visit.now)
    except Invalid as refused:
        return await _invoice_page(visit, in_words(refused), 422)
    visit.flash(_("%(number)s was issued.", number=issued.number))
    return visit.redirect("billing.invoice", id=found.id)


async def _correction(visit: Visit, found: Invoice, amount: Decimal) -> Correction:
    """Return the line of a note, of the service chosen or of the whole invoice; refuses what is not on it (Invalid)."""
    names = f"ปรับปรุงค่าบริการตามใบแจ้งหนี้เลขที่ {found.number}", f"Correction of invoice {found.number}"
    if not visit.form.get("service"):
        return Correction(*names, amount)
    services = await _services_of(found)
    chosen = _chosen(visit, "service", services)
    of_service = [f"{service} – {name}" for service, name in zip(services[chosen].service_names, names, strict=True)]
    return Correction(of_service[0], of_service[1], amount, services[chosen].service_id)


async def refund(visit: Visit) -> Response:
    """Record that what was overpaid of an invoice was given back."""
    found = await _invoice(visit)
    try:
        given = await record_refund(
            found.id,
            _amount(visit, "refund"),
            refunded_on=_day(visit, "refunded_on"),
            reference=visit.form.get("refund_reference"),
            reason=visit.form.get("refund_reason"),
            by=visit.by,
            now=visit.now,
        )
    except Invalid as refused:
        return await _invoice_page(visit, in_words(refused), 422)
    visit.flash(_("The refund was recorded as %(number)s.", number=given.number))
    return visit.redirect("billing.invoice", id=found.id)


# What pages show


async def _draft_page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    shown = await _draft(visit)
    bill = shown.bill
    agency = await Organisation.get(id=bill.agency_id)
    services = {line.service_id: f"{line.service_names[_which(visit)]} · {line.service_number}" for line in bill.lines}
    return visit.render(
        "billing_desk/draft.html",
        status=status,
        draft=shown,
        month=bill.month,
        agency=agency,
        name=_name(agency, visit),
        which=_which(visit),
        state=STATES[shown.state],
        is_over=visit.now >= bill.month.ends_at,
        credits=await credits_between(bill.agency_id, bill.month, bill.month),
        kinds=list(CREDITS.items()),
        kind_names=CREDITS,
        services=services,
        values=visit.form.values(),
        errors=errors or {},
    )


async def _invoice_page(visit: Visit, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    found = await _invoice(visit)
    agency = await Organisation.get(id=found.agency_id)
    payments, documents = await payments_of(found.id), await notes_of(found.id)
    refunds = await refunds_of(found.id)
    as_referred = Referred(TITLES[None].code, found.number, found.issued_at)
    original = found.account.total - found.account.vat
    before = _typed_before(payments, visit.query.get("again"))
    return visit.render(
        "billing_desk/invoice.html",
        status=status,
        invoice=found,
        account=found.account,
        agency=agency,
        name=_name(agency, visit),
        age=found.age(bangkok_date(visit.now)),
        ages=AGES,
        payments=payments,
        reversals=await reversals_of(payments),
        refunds=refunds,
        refund_reversals=await refund_reversals_of(refunds),
        documents=[(each, TITLES[each.kind], corrected(each, as_referred, original)) for each in documents],
        cancelled=cancelled_receipts(documents),
        means=list(MEANS.items()),
        means_names=MEANS,
        notes=list(NOTES.items()),
        services=[
            (service_id, f"{line.service_names[_which(visit)]} · {line.service_number}")
            for service_id, line in (await _services_of(found)).items()
        ],
        today=bangkok_date(visit.now),
        which=_which(visit),
        values=visit.form.values() or before,
        again=bool(before),
        errors=errors or {},
    )


async def _services_of(found: Invoice) -> dict[str, Line]:
    """Return the services on an invoice by id, each as a line of it names it."""
    bill = await bill_of(found.agency_id, found.provider_id, Month.of(found.month))
    return {str(line.service_id): line for line in bill.lines} if bill else {}


def _typed_before(payments: Iterable[Payment], again: str) -> dict[str, object]:
    """Return what was typed for a payment that is recorded anew, for its form; nothing where none is."""
    payment = next((each for each in payments if str(each.id) == again), None)
    if payment is None:
        return {}
    return {
        "paid_on": payment.paid_on,
        "means": payment.means,
        "reference": payment.reference,
        "received": payment.received,
        "withheld": payment.withheld or "",
        "certificate_number": payment.certificate_number,
        "certificate_date": payment.certificate_date,
    }


async def _draft(visit: Visit) -> Draft:
    agency_id, month = _whose(visit)
    if month > Month.of(visit.now):
        raise NotFound("Month")
    found = await draft_of(agency_id, visit.seat.id, month)
    if found is None:
        raise NotFound("Draft")
    return found


async def _invoice(visit: Visit) -> Invoice:
    found = await invoice_of(visit.params["id"])
    if found is None or found.provider_id != visit.seat.id:
        raise NotFound("Statement")
    return found


def _whose(visit: Visit) -> tuple[uuid.UUID, Month]:
    return visit.params["agency"], _month(visit.params["month"])


def _month(text: str) -> Month:
    try:
        return Month.parse(text)
    except ValueError:
        raise NotFound("Month") from None


def _back(visit: Visit) -> Response:
    return visit.redirect("billing.draft", **visit.params)


def _chosen(visit: Visit, field: str, among: Iterable[str]) -> str:
    """Return what was chosen from a list; refuses (Invalid) what is not on it."""
    given = visit.form.get(field)
    if given not in set(among):
        raise Invalid({field: "Choose one of the list."})
    return given


def _amount(visit: Visit, field: str) -> Decimal:
    try:
        return parse_number(visit.form.get(field))
    except NotANumber:
        raise Invalid({field: "Give an amount such as 1,253.23."}) from None


def _day(visit: Visit, field: str) -> dt.date:
    try:
        return parse_date(visit.form.get(field))
    except NotADate:
        raise Invalid({field: "Give a day such as 16/12/2569."}) from None


def _which(visit: Visit) -> int:
    return 1 if visit.language == "en" else 0


def _name(organisation: Organisation, visit: Visit) -> str:
    return organisation.name_en if visit.language == "en" else organisation.name_th


async def _names(visit: Visit, ids: list[uuid.UUID]) -> dict[uuid.UUID, str]:
    return {each.id: _name(each, visit) for each in await Organisation.filter(id__in=ids)}
