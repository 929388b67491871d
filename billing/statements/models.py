from decimal import Decimal

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, money, primary_key, quantity, rate


class Statement(Model):
    """An issued invoice (ใบแจ้งหนี้) of one provider to one agency for one month; never changed."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    fiscal_year = fields.IntField()
    month = fields.DateField()
    subtotal = money()
    vat_rate = rate()
    vat = money()
    total = money()
    withholding_rate = rate()
    withheld = money()
    net = money()
    issued_at = InstantField()
    issued_by = fields.CharField(max_length=200)
    parties = DocumentField(null=True)  # seller and buyer as they were named that day
    due_on = fields.DateField(null=True)
    payment_instructions = fields.TextField(default="")  # as the provider gave them that day

    class Meta:
        table = "statement"
        unique_together = (("agency_id", "provider_id", "month"), ("provider_id", "number"))
        indexes = [
            Index(fields=("provider_id", "month"), name="statement_provider_month"),
            Index(fields=("provider_id", "issued_at"), name="statement_provider_issued"),
        ]


class StatementLine(Model):
    """One line of an issued invoice, with the names of its day and how its amount came about."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    statement_id = fields.UUIDField()
    position = fields.IntField()
    service_id = fields.UUIDField()
    service_number = fields.CharField(max_length=32)
    service_name_th = fields.CharField(max_length=200)
    service_name_en = fields.CharField(max_length=200)
    family = fields.CharField(max_length=32)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    unit_th = fields.CharField(max_length=48)
    unit_en = fields.CharField(max_length=48)
    quantity = quantity()
    starts_on = fields.DateField()
    ends_on = fields.DateField()  # the last day charged
    amount = money()
    derivation = DocumentField()

    class Meta:
        table = "statement_line"
        indexes = [
            Index(fields=("agency_id", "statement_id", "position"), name="statement_line_statement"),
            Index(fields=("agency_id", "service_id"), name="statement_line_service"),
        ]


class BillingPolicy(Model):
    """How a provider closes its months; the drafts of one that has set nothing wait for a review."""

    id = primary_key()
    provider_id = fields.UUIDField(unique=True)
    needs_review = fields.BooleanField(default=True)
    due_days = fields.IntField(default=30)
    # A service's charge that differs from last month's by more than this share, and this much, needs a note.
    note_share = rate(default=Decimal("0.20"))
    note_amount = money(default=Decimal("1000.00"))
    payment_instructions = fields.TextField(default="")
    set_by = fields.CharField(max_length=200)
    set_at = InstantField()

    class Meta:
        table = "billing_policy"


class StatementReview(Model):
    """Somebody of the provider's looked at the draft of a month's invoice; it holds for that draft alone."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    month = fields.DateField()
    draft = fields.CharField(max_length=64)  # what the draft said, digested
    total = money()
    note = fields.TextField(default="")
    reviewed_by = fields.CharField(max_length=200)
    reviewed_at = InstantField()

    class Meta:
        table = "statement_review"
        indexes = [
            Index(fields=("agency_id", "month"), name="statement_review_month"),
            Index(fields=("provider_id", "month"), name="statement_review_provider"),
        ]
