import enum
import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key
from auth.rules import OrganisationKind


class Purpose(enum.StrEnum):
    """What a coordinator is called for (standard 7.5.1)."""

    GENERAL = "general"
    TECHNICAL = "technical"
    FINANCE = "finance"
    SECURITY = "security"
    AROUND_THE_CLOCK = "around_the_clock"


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


class Coordinator(Model):
    """Whom to reach at an organisation, by purpose (standard 7.5.1); one who left stays, ended."""

    id = primary_key()
    organisation_id: uuid.UUID
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="coordinators", on_delete=fields.RESTRICT
    )
    purpose = fields.CharEnumField(Purpose, max_length=24)
    name = fields.CharField(max_length=200)
    position = fields.CharField(max_length=200, default="")
    phone = fields.CharField(max_length=64, default="")
    email = fields.CharField(max_length=254, default="")
    line_id = fields.CharField(max_length=64, default="")
    changed_at = InstantField()
    ended_at = InstantField(null=True)

    class Meta:
        table = "coordinator"
        indexes = [Index(fields=("organisation_id", "purpose"), name="coordinator_organisation")]
