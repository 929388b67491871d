from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from services.catalogue.rules import Family


class Listing(Model):
    """A provider's place on the provider list (บัญชีผู้ให้บริการ) for one family; ended when it is revoked."""

    id = primary_key()
    provider_id = fields.UUIDField()
    family = fields.CharEnumField(Family, max_length=32)
    listed_on = fields.DateField()
    listed_by = fields.CharField(max_length=200)
    listed_at = InstantField()
    revoked_on = fields.DateField(null=True)
    revoked_by = fields.CharField(max_length=200, default="")
    reason = fields.TextField(default="")

    class Meta:
        table = "listing"
        indexes = [Index(fields=("provider_id", "family"), name="listing_provider")]
