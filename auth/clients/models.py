import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from auth.organisations.models import Organisation


class Client(Model):
    """A provider's machine: what it may do, and the SHA-256 of its token, which was shown once."""

    id = primary_key()
    organisation_id: uuid.UUID
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="clients", on_delete=fields.RESTRICT
    )
    name = fields.CharField(max_length=120)
    scopes = DocumentField()
    token_hash = fields.CharField(max_length=64, unique=True)
    token_start = fields.CharField(max_length=16)  # tells one token from another in a list
    made_at = InstantField()
    made_by = fields.CharField(max_length=200)
    last_used_at = InstantField(null=True)
    revoked_at = InstantField(null=True)
    revoked_by = fields.CharField(max_length=200, null=True)

    class Meta:
        table = "client"
        indexes = [Index(fields=("organisation_id", "made_at"), name="client_organisation")]
