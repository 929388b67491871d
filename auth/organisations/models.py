from tortoise import fields
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from auth.rules import OrganisationKind


class Organisation(Model):
    """An agency, a provider, the central agency or an auditor (standard 3.1–3.3, 7.5.1)."""

    id = primary_key()
    kind = fields.CharEnumField(OrganisationKind, max_length=16)
    code = fields.CharField(max_length=32, unique=True)
    short_code = fields.CharField(max_length=8, unique=True)  # begins the numbers of its documents
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    tax_id = fields.CharField(max_length=13, default="")
    branch_code = fields.CharField(max_length=5, default="00000")
    address_th = fields.TextField(default="")
    address_en = fields.TextField(default="")
    phone = fields.CharField(max_length=64, default="")
    email = fields.CharField(max_length=254, default="")
    # An agency may let the one who asked also confirm; the one who quoted never may.
    asker_may_confirm = fields.BooleanField(default=False)
    created_at = InstantField()

    class Meta:
        table = "organisation"
