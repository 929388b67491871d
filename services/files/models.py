from typing import ClassVar

from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField


class KeptFile(Model):
    """The columns every table of files has; the content was checked, the name cleaned."""

    name = fields.CharField(max_length=200)
    media_type = fields.CharField(max_length=100)
    size = fields.IntField()
    sha256 = fields.CharField(max_length=64)
    content = fields.BinaryField()
    added_by_name = fields.CharField(max_length=200)
    added_at = InstantField()

    LISTED: ClassVar = ("name", "media_type", "size", "added_by_name", "added_at")  # all a list needs

    class Meta:
        abstract = True
