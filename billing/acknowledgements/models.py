from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key


class Acknowledgement(Model):
    """Somebody of the agency checked what it used in a month (standard 13.2); never changed, no provider sees it."""

    id = primary_key()
    agency_id = fields.UUIDField()
    month = fields.DateField()
    total = money()  # with VAT, as it stood when it was checked
    by_id = fields.UUIDField()
    by_name = fields.CharField(max_length=200)
    at = InstantField()

    class Meta:
        table = "acknowledgement"
        unique_together = (("agency_id", "month"),)
