from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField


class Holiday(Model):
    """A day the government is closed; a row withdrawn stays, so that its history can be read."""

    day = fields.DateField(primary_key=True)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200, default="")
    is_special = fields.BooleanField(default=False)  # declared by the Cabinet at short notice
    withdrawn_at = InstantField(null=True)
    changed_by = fields.CharField(max_length=200)
    changed_at = InstantField()

    class Meta:
        table = "holiday"
