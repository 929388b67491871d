from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key


class Budget(Model):
    """What an agency may spend in a fiscal year (Buddhist Era), VAT included; no provider sees it.

    With a cost centre it is that centre's part; without, the whole agency's.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    fiscal_year = fields.IntField()
    cost_centre = fields.CharField(max_length=64, default="")
    amount = money()
    set_by = fields.CharField(max_length=200)
    set_at = InstantField()

    class Meta:
        table = "budget"
        unique_together = (("agency_id", "fiscal_year", "cost_centre"),)
