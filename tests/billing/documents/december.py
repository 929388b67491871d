"""December 2569 of agency ก. as scenario S5 tells it, and what is done with its invoice."""

import datetime as dt
import uuid
from decimal import Decimal

from auth.rules import system
from auth.tenancy import acting_as
from billing.credits.commands import give
from billing.credits.models import CreditKind
from billing.documents.models import Document
from billing.documents.papers import Paper
from billing.documents.queries import paper_of
from billing.months import Month
from billing.payments.commands import record_payment
from billing.payments.models import Means
from billing.statements.commands import issue
from billing.statements.queries import Bill
from services.subscriptions.commands import set_quantities
from tests.stage import Stage, at, close_months

DECEMBER = Month(2026, 12)
FINANCE = "provider-finance"
CREDIT = Decimal("1253.23")
REASON = "ความพร้อมในการให้บริการ 99.708 % ต่ำกว่า 99.9 %"


async def until_december(stage: Stage) -> None:
    """Invoice October and November, and let the internet run at 500 Mbps from 16 December."""
    await close_months(stage, "a", Month(2026, 10), Month(2026, 11))
    async with acting_as(system("test")):
        await set_quantities(
            stage.services["a", "GI"].id,
            stage.catalogue.quantities("GI", {"bandwidth": "500"}),
            at("2026-12-16", "00:00"),
            origin="คำร้อง",
        )


async def give_the_credit(stage: Stage) -> None:
    """Give back what the outage of the scenario earns."""
    service = stage.services["a", "GI"].id
    await stage.as_(FINANCE, give, service, DECEMBER, CreditKind.SLA, CREDIT, reason=REASON, now=at("2027-01-04"))


async def invoiced(stage: Stage) -> Bill:
    """Issue December's invoice with its credit."""
    await until_december(stage)
    await give_the_credit(stage)
    await stage.as_(FINANCE, issue, stage.agency("a"), stage.provider, DECEMBER, now=at("2027-01-05"))
    bill = await stage.as_(FINANCE, _bill, stage)
    assert bill is not None
    return bill


async def _bill(stage: Stage, *, by: object) -> Bill | None:
    from billing.statements.queries import bill_of

    return await bill_of(stage.agency("a"), stage.provider, DECEMBER)


async def paid(
    stage: Stage, statement_id: uuid.UUID, received: str, withheld: str = "0.00", *, on: dt.datetime | None = None
) -> Document:
    """Record a payment and return its receipt."""
    moment = on or at("2027-01-20")
    has_certificate = Decimal(withheld) > 0
    _, receipt = await stage.as_(
        FINANCE,
        record_payment,
        statement_id,
        paid_on=moment.date(),
        means=Means.GFMIS,
        reference="3600012345",
        received=Decimal(received),
        withheld=Decimal(withheld),
        certificate_number="ภงด 53-0001/2570" if has_certificate else "",
        certificate_date=moment.date() if has_certificate else None,
        now=moment,
    )
    return receipt


async def sheet(stage: Stage, who: str, document_id: uuid.UUID) -> Paper:
    """Return a document as somebody reads it."""
    async with acting_as(stage.cast[who]):
        return await paper_of(document_id)
