"""What the agencies of the demonstration paid: nearly everything in time, once in two parts, and once not at all."""

import datetime as dt
import uuid
from decimal import Decimal
from typing import NamedTuple

from auth.rules import Actor
from billing.months import Month
from billing.payments.commands import record_payment
from billing.payments.models import Means
from billing.payments.queries import invoice_of
from billing.statements.models import Statement

LAST_MONTH_PAID = Month(2026, 9)
OVERDUE = ("b", Month(2026, 8))
_IN_PARTS = ("b", Month(2026, 6))
_MEANS = {"a": Means.GFMIS, "b": Means.TRANSFER}


INSTRUCTIONS = (
    "โอนเงินเข้าบัญชีธนาคารตัวอย่าง สาขาตัวอย่าง",
    "ชื่อบัญชี เงินรายได้ผู้ให้บริการ (ข้อมูลสาธิต) เลขที่บัญชี 000-0-00000-0",
    "หรือจ่ายตรงผ่านระบบ New GFMIS Thai โดยระบุเลขที่ใบแจ้งหนี้",
    "โปรดส่งหนังสือรับรองการหักภาษี ณ ที่จ่ายพร้อมการชำระเงิน",
)


class Part(NamedTuple):
    """A payment so many working days after its invoice; None for what is open, and for the tax not yet withheld."""

    days: int
    received: Decimal | None = None
    withheld: Decimal | None = None


def parts_of(letter: str, month: Month) -> tuple[Part, ...]:
    """Return the payments of an agency's invoice for a month; none of one that stays open."""
    if month > LAST_MONTH_PAID or (letter, month) == OVERDUE:
        return ()
    if (letter, month) == _IN_PARTS:
        # 30,000.00 and its VAT first, 1 % of it withheld; the rest after the budget was transferred.
        return (Part(14, Decimal("31800.00"), Decimal("300.00")), Part(31))
    return (Part(13 + (7 * month.first.month + 3 * ord(letter)) % 8),)


async def pay(agency_id: uuid.UUID, letter: str, month: Month, part: Part, *, by: Actor, now: dt.datetime) -> None:
    """Record a payment of an invoice, and of the tax withheld with its certificate."""
    statement = await Statement.get(agency_id=agency_id, month=month.first)
    invoice = await invoice_of(statement.id)
    if invoice is None:
        raise LookupError(statement.number)
    withheld = statement.withheld - invoice.account.withheld if part.withheld is None else part.withheld
    today = now.date()
    place, year = int(statement.number[-5:]), Month.of(today).fiscal_year
    await record_payment(
        statement.id,
        paid_on=today,
        means=_MEANS[letter],
        reference=f"36{today:%y%m%d}{place:02d}",
        received=invoice.account.open - withheld if part.received is None else part.received,
        withheld=withheld,
        certificate_number=f"{today:%m}{place:03d}/{year}",
        certificate_date=today,
        by=by,
        now=now,
    )
