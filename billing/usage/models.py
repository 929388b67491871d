import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import InstantField, primary_key, quantity
from billing.tariffs.models import PriceItem


class BilledService(Model):
    """A service in use as billing knows it: whose, from whom, and under which names its lines stand."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    number = fields.CharField(max_length=32)
    offering_code = fields.CharField(max_length=16)
    family = fields.CharField(max_length=32)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    cost_centre = fields.CharField(max_length=64, default="")

    class Meta:
        table = "billed_service"
        indexes = [Index(fields=("provider_id", "agency_id"), name="billed_service_provider")]


class Allocation(Model):
    """A quantity set aside for a service from one moment to another: what daily and hourly bases charge for.

    `ends_at` is exclusive; a change closes one allocation and opens the next. `component_id` is the
    catalogue's, opaque here, and so is `addon_id`: the add-on it belongs to, None of the service itself.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    component_id = fields.UUIDField()
    price_item_id: uuid.UUID
    price_item: fields.ForeignKeyRelation[PriceItem] = fields.ForeignKeyField(
        "billing.PriceItem", related_name="allocations", on_delete=fields.RESTRICT
    )
    addon_id = fields.UUIDField(null=True)
    quantity = quantity()
    starts_at = InstantField()
    ends_at = InstantField(null=True)
    origin = fields.CharField(max_length=64, default="")  # the request or contract that brought it

    class Meta:
        table = "allocation"
        indexes = [
            Index(fields=("agency_id", "service_id", "starts_at"), name="allocation_service"),
            Index(fields=("provider_id", "agency_id", "starts_at"), name="allocation_provider"),
            Index(fields=("price_item_id",), name="allocation_price_item"),
        ]
