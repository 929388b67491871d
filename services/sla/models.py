from tortoise import fields
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from services.sla.rules import ClockStart, Mode, Per


class SlaRow(Model):
    """One version of one row of the service level agreement (seed B 6); never changed, only followed by the next."""

    id = primary_key()
    provider_id = fields.UUIDField()
    section_id = fields.UUIDField()
    code = fields.CharField(max_length=16)
    number = fields.IntField()  # the version
    position = fields.IntField(default=0)
    category_th = fields.CharField(max_length=200)
    category_en = fields.CharField(max_length=200)
    process_th = fields.CharField(max_length=300)
    process_en = fields.CharField(max_length=300)
    note_th = fields.CharField(max_length=500, default="")  # the condition, in words
    note_en = fields.CharField(max_length=500, default="")
    mode = fields.CharEnumField(Mode, max_length=16)
    target_min_minutes = fields.IntField(null=True)
    target_max_minutes = fields.IntField(null=True)
    response_minutes = fields.IntField(null=True)
    clock_start = fields.CharEnumField(ClockStart, max_length=24)
    per = fields.CharEnumField(Per, max_length=16, null=True)
    severity_minutes = DocumentField(null=True)
    around_the_clock = fields.BooleanField(default=False)
    is_withdrawn = fields.BooleanField(default=False)  # no new incident comes under it
    effective_from = InstantField()
    made_by_name = fields.CharField(max_length=200)
    made_at = InstantField()

    class Meta:
        table = "sla_row"
        unique_together = (("provider_id", "code", "number"),)
