"""Tables around usage. The events and their sums themselves are partitioned and written set by set, in SQL."""

import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.migrations.constraints import UniqueConstraint
from tortoise.models import Model

from auth.fields import InstantField, money, primary_key, quantity
from billing.tariffs.models import PriceItem


class Meter(Model):
    """What of an offering is measured or counted: the code that events name, and the price it is charged at.

    `component_id` is the catalogue's, opaque here, and so is `addon_id`: the add-on it belongs to, None of what the
    service itself measures.
    """

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_code = fields.CharField(max_length=16)
    code = fields.CharField(max_length=48)
    component_id = fields.UUIDField()
    price_item_id: uuid.UUID
    price_item: fields.ForeignKeyRelation[PriceItem] = fields.ForeignKeyField(
        "billing.PriceItem", related_name="meters", on_delete=fields.RESTRICT
    )
    addon_id = fields.UUIDField(null=True)

    class Meta:
        table = "meter"
        unique_together = (("provider_id", "offering_code", "code"),)
        indexes = [Index(fields=("price_item_id",), name="meter_price_item")]


class ExternalReference(Model):
    """What a provider's own systems call a service in use."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    reference = fields.CharField(max_length=200)
    mapped_at = InstantField()
    mapped_by = fields.CharField(max_length=200)

    class Meta:
        table = "external_reference"
        unique_together = (("provider_id", "reference"),)
        indexes = [Index(fields=("agency_id", "service_id"), name="external_reference_service")]


class UsageCorrection(Model):
    """What an event counts for instead, from a moment on; the event itself stays as it came. The latest holds.

    A `quantity` of None voids the event.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    component_id = fields.UUIDField()
    event_id = fields.UUIDField()
    event_starts_at = InstantField()
    number = fields.IntField()  # 1 for an event's first correction
    quantity = quantity(null=True)
    reason = fields.TextField()
    is_late = fields.BooleanField()  # made after the month was invoiced
    made_at = InstantField()
    made_by = fields.CharField(max_length=200)

    class Meta:
        table = "usage_correction"
        unique_together = (("agency_id", "event_id", "number"),)
        indexes = [
            Index(fields=("agency_id", "service_id", "event_starts_at"), name="usage_correction_service"),
            Index(fields=("provider_id", "made_at"), name="usage_correction_provider"),
        ]


class LateUsage(Model):
    """A mark: of this component of a service, usage came or was corrected after its month was invoiced.

    The next invoice settles it, and names itself here.
    """

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    component_id = fields.UUIDField()
    month = fields.DateField()
    marked_at = InstantField()
    statement_id = fields.UUIDField(null=True)

    class Meta:
        table = "late_usage"
        indexes = [Index(fields=("provider_id", "agency_id", "statement_id"), name="late_usage_provider")]
        constraints = [
            UniqueConstraint(
                fields=("agency_id", "service_id", "component_id", "month"),
                name="late_usage_marked_once",
                condition="statement_id IS NULL",
            )
        ]


class Adjustment(Model):
    """What an invoice charges or gives back for a month invoiced before, and which invoice that corrects."""

    id = primary_key()
    agency_id = fields.UUIDField()
    provider_id = fields.UUIDField()
    service_id = fields.UUIDField()
    component_id = fields.UUIDField()
    month = fields.DateField()
    corrects_id = fields.UUIDField()  # the invoice of that month
    statement_id = fields.UUIDField()  # the invoice that carries it
    amount = money()
    quantity = quantity(null=True)  # what it charges more or less; unknown of the earliest
    made_at = InstantField()

    class Meta:
        table = "adjustment"
        indexes = [
            Index(fields=("agency_id", "service_id", "month"), name="adjustment_service"),
            Index(fields=("provider_id", "statement_id"), name="adjustment_statement"),
        ]
