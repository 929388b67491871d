from tortoise import fields
from tortoise.models import Model

from auth.fields import primary_key


class Counter(Model):
    """The last number given in one series of one owner in one fiscal year; locked while the next is given."""

    id = primary_key()
    owner_id = fields.UUIDField()
    series = fields.CharField(max_length=16)
    fiscal_year = fields.IntField()
    last_given = fields.BigIntField()

    class Meta:
        table = "counter"
        unique_together = (("owner_id", "series", "fiscal_year"),)
