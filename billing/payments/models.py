import enum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key

LONGEST_REFERENCE, LONGEST_CERTIFICATE = 100, 64


class Means(enum.StrEnum):
    """How money came."""

    TRANSFER = "transfer"
    GFMIS = "gfmis"  # the treasury's direct payment
    CHEQUE = "cheque"
    CASH = "cash"


class Payment(Model):
    """Money received for an invoice, and the tax withheld from it with its certificate; never changed.

    One that was recorded wrongly has a `Reversal` and counts for nothing.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    statement_id = fields.UUIDField()
    paid_on = fields.DateField()
    means = fields.CharEnumField(Means, max_length=16)
    reference = fields.CharField(max_length=LONGEST_REFERENCE)
    received = money()
    withheld = money()
    certificate_number = fields.CharField(max_length=LONGEST_CERTIFICATE, default="")
    certificate_date = fields.DateField(null=True)
    recorded_by = fields.CharField(max_length=200)
    recorded_at = InstantField()

    class Meta:
        table = "payment"
        indexes = [
            Index(fields=("agency_id", "statement_id"), name="payment_statement"),
            Index(fields=("provider_id", "paid_on"), name="payment_provider"),
        ]


class Reversal(Model):
    """A payment that was recorded wrongly, by whom, in which role and why; never changed."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    payment_id = fields.UUIDField()
    reason = fields.TextField()
    reversed_by = fields.CharField(max_length=200)
    reversed_as = fields.CharField(max_length=32)
    reversed_at = InstantField()

    class Meta:
        table = "payment_reversal"
        unique_together = (("agency_id", "payment_id"),)


class Refund(Model):
    """Money given back that was paid beyond what an invoice owes after its credit notes; never changed.

    One that was recorded wrongly has a `RefundReversal` and counts for nothing.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    statement_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    fiscal_year = fields.IntField()
    refunded_on = fields.DateField()
    reference = fields.CharField(max_length=LONGEST_REFERENCE)
    reason = fields.TextField()
    amount = money()
    recorded_by = fields.CharField(max_length=200)
    recorded_as = fields.CharField(max_length=32)
    recorded_at = InstantField()

    class Meta:
        table = "refund"
        unique_together = (("provider_id", "number"),)
        indexes = [
            Index(fields=("agency_id", "statement_id"), name="refund_statement"),
            Index(fields=("provider_id", "recorded_at"), name="refund_provider"),
        ]


class RefundReversal(Model):
    """A refund that was recorded wrongly, by whom, in which role and why; never changed."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    refund_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    fiscal_year = fields.IntField()
    reason = fields.TextField()
    reversed_by = fields.CharField(max_length=200)
    reversed_as = fields.CharField(max_length=32)
    reversed_at = InstantField()

    class Meta:
        table = "refund_reversal"
        unique_together = (("agency_id", "refund_id"), ("provider_id", "number"))
        indexes = [Index(fields=("provider_id", "reversed_at"), name="refund_reversal_provider")]
