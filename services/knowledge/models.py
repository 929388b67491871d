from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key


class Article(Model):
    """A knowledge article: what to try first (public), or how the desk fixes it (the desk's own)."""

    id = primary_key()
    provider_id = fields.UUIDField()
    row_code = fields.CharField(max_length=16, default="")  # the agreement's row it helps with
    title_th = fields.CharField(max_length=200)
    title_en = fields.CharField(max_length=200, default="")
    text_th = fields.TextField()
    text_en = fields.TextField(default="")
    is_public = fields.BooleanField(default=False)
    is_withdrawn = fields.BooleanField(default=False)
    changed_by_name = fields.CharField(max_length=200)
    changed_at = InstantField()

    class Meta:
        table = "article"
        indexes = [Index(fields=("provider_id", "row_code"), name="article_row")]
