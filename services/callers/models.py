from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key


class Caller(Model):
    """Somebody of an agency as the desk knows them: found by phone number or name when they call (seed B 3(2))."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    person_id = fields.UUIDField(null=True)  # of who also signs in
    name = fields.CharField(max_length=200)
    phone = fields.CharField(max_length=64, default="")
    phone_digits = fields.CharField(max_length=64, default="")
    email = fields.CharField(max_length=254, default="")
    line_user_id = fields.CharField(max_length=64, default="")
    seen_at = InstantField()

    class Meta:
        table = "caller"
        indexes = [
            Index(fields=("provider_id", "phone_digits"), name="caller_phone"),
            Index(fields=("provider_id", "email"), name="caller_email"),
            Index(fields=("provider_id", "line_user_id"), name="caller_line"),
            Index(fields=("agency_id", "person_id"), name="caller_person"),
        ]
