import uuid

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model

from auth.fields import ExactDecimalField, InstantField, primary_key, quantity
from auth.organisations.models import Organisation
from billing.tariffs.models import PriceItem
from services.capacity.models import Pool
from services.catalogue.rules import Bounds, Family

# What terms promise to whoever uses the service.
PROMISES = (
    "summary_th",
    "summary_en",
    "availability_pct",
    "exclusions_th",
    "exclusions_en",
    "lead_working_days",
    "change_lead_working_days",
    "data_kept_days",
)


class Offering(Model):
    """A service on offer (standard 5), of exactly one family; what is promised of it is in its terms."""

    id = primary_key()
    provider_id: uuid.UUID
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="offerings", on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=16)
    family = fields.CharEnumField(Family, max_length=32)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    is_automated = fields.BooleanField(default=False)  # its work orders go to the provider's own system
    position = fields.IntField(default=0)

    class Meta:
        table = "offering"
        unique_together = (("provider_id", "code"),)


class OfferingTerms(Model):
    """What is promised of an offering from a day on; never edited, only followed by others."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="terms", on_delete=fields.RESTRICT
    )
    number = fields.IntField()
    effective_from = fields.DateField()
    summary_th = fields.TextField(default="")
    summary_en = fields.TextField(default="")
    availability_pct = ExactDecimalField(max_digits=6, decimal_places=3)
    exclusions_th = fields.TextField(default="")
    exclusions_en = fields.TextField(default="")
    lead_working_days = fields.IntField()
    change_lead_working_days = fields.IntField(default=1)
    data_kept_days = fields.IntField(default=30)  # after the last day: export until then, erased on the next
    is_open = fields.BooleanField(default=True)  # to new orders; services in use go on
    takes_waiting_list = fields.BooleanField(default=False)  # when there is not enough capacity
    reason = fields.TextField(default="")
    made_by = fields.CharField(max_length=200)
    made_at = InstantField()

    class Meta:
        table = "offering_terms"
        unique_together = (("offering_id", "number"),)

    @property
    def takes_orders(self) -> bool:
        """Whether it can be ordered anew."""
        return self.is_open

    @property
    def promise(self) -> tuple[object, ...]:
        """What whoever uses the service is promised; taking orders is no part of it."""
        return tuple(getattr(self, name) for name in PROMISES)


class Addon(Model):
    """An extra (บริการเสริม) to an offering, asked for and cancelled by itself."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="addons", on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=48)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    position = fields.IntField(default=0)

    class Meta:
        table = "addon"
        unique_together = (("offering_id", "code"),)


class Component(Model):
    """What is ordered of an offering or an add-on: a quantity with its unit, price and pool."""

    id = primary_key()
    provider_id = fields.UUIDField()
    offering_id: uuid.UUID
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "services.Offering", related_name="components", on_delete=fields.RESTRICT
    )
    addon_id: uuid.UUID | None
    addon: fields.ForeignKeyNullableRelation[Addon] = fields.ForeignKeyField(
        "services.Addon", related_name="components", null=True, on_delete=fields.RESTRICT
    )
    price_item_id: uuid.UUID
    price_item: fields.ForeignKeyRelation[PriceItem] = fields.ForeignKeyField(
        "billing.PriceItem", related_name="components", on_delete=fields.RESTRICT
    )
    pool_id: uuid.UUID | None
    pool: fields.ForeignKeyNullableRelation[Pool] = fields.ForeignKeyField(
        "services.Pool", related_name="components", null=True, on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=48)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    unit_th = fields.CharField(max_length=48)
    unit_en = fields.CharField(max_length=48)
    position = fields.IntField(default=0)

    class Meta:
        table = "component"
        unique_together = (("offering_id", "code"),)
        indexes = [
            Index(fields=("addon_id",), name="component_addon"),
            Index(fields=("pool_id",), name="component_pool"),
            Index(fields=("price_item_id",), name="component_price_item"),
        ]


class ComponentBounds(Model):
    """Whether, and in which quantities, a component can be ordered from a day on; never edited, only followed."""

    id = primary_key()
    provider_id = fields.UUIDField()
    component_id: uuid.UUID
    component: fields.ForeignKeyRelation[Component] = fields.ForeignKeyField(
        "services.Component", related_name="bounds", on_delete=fields.RESTRICT
    )
    number = fields.IntField()
    effective_from = fields.DateField()
    minimum = quantity()
    maximum = quantity(null=True)
    step = quantity()
    is_offered = fields.BooleanField(default=True)  # what is in use goes on
    reason = fields.TextField(default="")
    made_by = fields.CharField(max_length=200)
    made_at = InstantField()

    class Meta:
        table = "component_bounds"
        unique_together = (("component_id", "number"),)

    @property
    def rule(self) -> Bounds:
        """The quantities themselves."""
        return Bounds(self.minimum, self.maximum, self.step, self.is_offered)

    @property
    def takes_orders(self) -> bool:
        """Whether it can be ordered."""
        return self.is_offered
