from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from billing.collectors.rules import SignIn


class Collector(Model):
    """Where a provider's usage is pulled from: an address, a query for each meter, and how far it has come.

    `queries` is a list of {meter, text, label}. Every hour that begins before `collected_until` has been pulled.
    The password or token is sealed: only the portal's own keys open it.
    """

    id = primary_key()
    provider_id = fields.UUIDField()
    name = fields.CharField(max_length=120)
    address = fields.CharField(max_length=500)
    signs_in = fields.CharEnumField(SignIn, max_length=16, default=SignIn.NONE)
    user_name = fields.CharField(max_length=254, default="")
    sealed_secret = fields.TextField(default="")
    queries = DocumentField()
    every_hours = fields.IntField()
    is_on = fields.BooleanField(default=True)
    collected_until = InstantField()
    next_run_at = InstantField()
    last_run_at = InstantField(null=True)
    last_stored = fields.IntField(default=0)
    last_failure = fields.CharField(max_length=32, default="")  # empty when the last run went well
    last_detail = fields.TextField(default="")
    changed_at = InstantField()
    changed_by = fields.CharField(max_length=200)

    class Meta:
        table = "collector"
        unique_together = (("provider_id", "name"),)
        indexes = [Index(fields=("is_on", "next_run_at"), name="collector_due")]
