from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key


class Disruption(Model):
    """A known fault that many incidents come from; everybody signed in may read it, so it names no agency."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id = fields.UUIDField(null=True)
    section_id = fields.UUIDField(null=True)
    title_th = fields.CharField(max_length=200)
    title_en = fields.CharField(max_length=200, default="")
    text_th = fields.TextField(default="")
    text_en = fields.TextField(default="")
    began_at = InstantField()
    expected_end_at = InstantField(null=True)
    ended_at = InstantField(null=True)
    made_by_name = fields.CharField(max_length=200)

    class Meta:
        table = "disruption"
        indexes = [Index(fields=("provider_id", "ended_at", "began_at"), name="disruption_known")]


class DisruptionUpdate(Model):
    """What was told about a disruption, when; it reached every incident that came from it."""

    id = primary_key()
    provider_id = fields.UUIDField()
    disruption_id = fields.UUIDField()
    at = InstantField()
    by_name = fields.CharField(max_length=200)
    text = fields.TextField()

    class Meta:
        table = "disruption_update"
        indexes = [Index(fields=("disruption_id", "at"), name="disruption_update_order")]
