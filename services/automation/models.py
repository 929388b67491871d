import enum
import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key
from services.catalogue.models import Offering


class DispatchState(enum.StrEnum):
    """How far a work order has come to the provider's own system."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Automation(Model):
    """Where the work orders of an offering go by themselves, and what they are signed with; the provider's secret."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="automations", on_delete=fields.RESTRICT
    )
    url = fields.CharField(max_length=500)
    secret = fields.CharField(max_length=100)
    retiring_secret = fields.CharField(max_length=100, default="")  # signs too while the receiver changes over
    is_on = fields.BooleanField(default=True)
    changed_at = InstantField()

    class Meta:
        table = "automation"
        unique_together = (("offering_id",),)
        indexes = [Index(fields=("provider_id",), name="automation_provider")]


class Dispatch(Model):
    """One message to a provider's system; its id is the webhook's, the same at every try."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    request_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="dispatches", on_delete=fields.RESTRICT
    )
    kind = fields.CharField(max_length=48)
    body = DocumentField()
    state = fields.CharEnumField(DispatchState, max_length=16, default=DispatchState.PENDING)
    attempts = fields.IntField(default=0)
    next_attempt_at = InstantField()
    last_answer = fields.CharField(max_length=200, default="")
    created_at = InstantField()
    settled_at = InstantField(null=True)

    class Meta:
        table = "dispatch"
        indexes = [
            Index(fields=("state", "next_attempt_at"), name="dispatch_due"),
            Index(fields=("agency_id", "request_id"), name="dispatch_request"),
            Index(fields=("offering_id",), name="dispatch_offering"),
        ]
