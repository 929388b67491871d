from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key


class AuditHead(Model):
    """The end of one organisation's chain; locked while a record is added."""

    chain_id = fields.UUIDField(primary_key=True)
    length = fields.BigIntField()
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "audit_head"


class AuditRecord(Model):
    """One change or denial; each carries the hash of the one before it in its chain."""

    id = primary_key()
    chain_id = fields.UUIDField()
    number = fields.BigIntField()
    at = InstantField()
    actor = fields.CharField(max_length=200)
    person_id = fields.UUIDField(null=True)
    organisation_id = fields.UUIDField(null=True)
    action = fields.CharField(max_length=64)
    subject_type = fields.CharField(max_length=64, default="")
    subject_id = fields.CharField(max_length=64, default="")
    detail = DocumentField()
    previous = fields.CharField(max_length=64)
    hash = fields.CharField(max_length=64)

    class Meta:
        table = "audit_record"
        unique_together = (("chain_id", "number"),)
        indexes = [
            Index(fields=("chain_id", "at"), name="audit_record_at"),
            Index(fields=("organisation_id", "at"), name="audit_record_organisation"),
        ]
