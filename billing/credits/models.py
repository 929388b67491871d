import enum

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key


class CreditKind(enum.StrEnum):
    """Why something is given back."""

    SLA = "sla"  # the service was available less than promised (standard 10)
    GOODWILL = "goodwill"


class Credit(Model):
    """What a provider gives back on a month's invoice for a service, before VAT; a withdrawn one stays, ended."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    month = fields.DateField()
    kind = fields.CharEnumField(CreditKind, max_length=16)
    amount = money()
    reason = fields.TextField()
    given_by = fields.CharField(max_length=200)
    given_as = fields.CharField(max_length=32)  # the role in which it was given
    given_at = InstantField()
    withdrawn_by = fields.CharField(max_length=200, default="")
    withdrawn_at = InstantField(null=True)

    class Meta:
        table = "credit"
        indexes = [
            Index(fields=("agency_id", "month"), name="credit_month"),
            Index(fields=("provider_id", "month"), name="credit_provider"),
            Index(fields=("agency_id", "service_id"), name="credit_service"),
        ]
