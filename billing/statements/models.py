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

    class Meta:
        table = "statement"
        unique_together = (("agency_id", "provider_id", "month"), ("provider_id", "number"))
        indexes = [Index(fields=("provider_id", "month"), name="statement_provider_month")]


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
