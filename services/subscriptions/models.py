import enum
import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import primary_key
from services.catalogue.models import Offering


class SubscriptionState(enum.StrEnum):
    """Whether a service is in use."""

    ACTIVE = "active"
    ENDED = "ended"


class Subscription(Model):
    """A service in use (standard 7.5.2). Its quantities are billing's allocations, under the same id."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="subscriptions", on_delete=fields.RESTRICT
    )
    number = fields.CharField(max_length=32)
    label = fields.CharField(max_length=200)  # what the agency calls it: which office, which system
    contract_number = fields.CharField(max_length=64, default="")
    starts_on = fields.DateField()
    ends_on = fields.DateField(null=True)  # the last day of the contract
    last_day = fields.DateField(null=True)  # once a cancellation is done, until it is undone
    state = fields.CharEnumField(SubscriptionState, max_length=16, default=SubscriptionState.ACTIVE)

    class Meta:
        table = "subscription"
        unique_together = (("agency_id", "number"),)
        indexes = [
            Index(fields=("provider_id", "agency_id"), name="subscription_provider"),
            Index(fields=("offering_id",), name="subscription_offering"),
        ]
