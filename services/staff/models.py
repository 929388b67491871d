from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from services.staff.rules import Field, Kind


class StaffRecord(Model):
    """One thing the staff register holds of a person (standard 9.1–9.3); struck out when wrong, never deleted."""

    id = primary_key()
    provider_id = fields.UUIDField()
    person_id = fields.UUIDField()
    kind = fields.CharEnumField(Kind, max_length=16)
    field = fields.CharEnumField(Field, max_length=16, null=True)  # of a certificate
    title = fields.CharField(max_length=200, default="")
    number = fields.CharField(max_length=100, default="")
    held_from = fields.DateField()
    held_until = fields.DateField(null=True)  # the last day; none is no known end
    noted_by_name = fields.CharField(max_length=200)
    noted_at = InstantField()
    struck_by_name = fields.CharField(max_length=200, default="")
    struck_at = InstantField(null=True)

    class Meta:
        table = "staff_record"
        indexes = [Index(fields=("provider_id", "person_id"), name="staff_record_person")]
