import enum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key


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
    reference = fields.CharField(max_length=100)
    received = money()
    withheld = money()
    certificate_number = fields.CharField(max_length=64, default="")
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
