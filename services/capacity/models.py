import enum
import uuid
from decimal import Decimal

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import CheckConstraint
from tortoise.models import Model

from auth.fields import InstantField, primary_key, quantity


class HoldState(enum.StrEnum):
    """What became of capacity set aside for a quote, or given back by a request."""

    HELD = "held"
    USED = "used"
    RELEASED = "released"
    RETURNING = "returning"  # in use until `returns_at`
    RETURNED = "returned"


class Pool(Model):
    """What a provider has of something, and how much of it is taken; several offerings may draw on one."""

    id = primary_key()
    provider_id = fields.UUIDField()
    code = fields.CharField(max_length=48)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    unit_th = fields.CharField(max_length=48)
    unit_en = fields.CharField(max_length=48)
    size = quantity()
    in_use = quantity()
    held = quantity()
    more_expected = quantity(null=True)  # what is being procured, and by when it should be there
    more_expected_on = fields.DateField(null=True)

    class Meta:
        table = "pool"
        unique_together = (("provider_id", "code"),)
        constraints = [
            CheckConstraint(check="in_use >= 0 AND held >= 0 AND in_use + held <= size", name="pool_never_overdrawn")
        ]

    @property
    def free(self) -> Decimal:
        """What is neither in use nor held."""
        return Decimal(self.size) - Decimal(self.in_use) - Decimal(self.held)


class Hold(Model):
    """Capacity set aside for one quote until used or released, or given back once a request takes effect."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    pool_id: uuid.UUID
    pool: fields.ForeignKeyRelation[Pool] = fields.ForeignKeyField(
        "services.Pool", related_name="holds", on_delete=fields.RESTRICT
    )
    quantity = quantity()
    state = fields.CharEnumField(HoldState, max_length=16, default=HoldState.HELD)
    held_at = InstantField()
    returns_at = InstantField(null=True)

    class Meta:
        table = "hold"
        indexes = [
            Index(fields=("agency_id", "request_id"), name="hold_request"),
            Index(fields=("pool_id", "state"), name="hold_pool"),
        ]
