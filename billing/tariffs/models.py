import enum
import uuid

from tortoise import fields
from tortoise.models import Model

from auth.fields import DocumentField, InstantField, primary_key, rate, unit_price
from auth.organisations.models import Organisation
from billing.tariffs.rules import Basis


class TaxKind(enum.StrEnum):
    """A tax with a rate that changes by law."""

    VAT = "vat"
    WITHHOLDING = "withholding"


class PriceItem(Model):
    """Something with a price: its unit and how its quantity is counted."""

    id = primary_key()
    provider_id: uuid.UUID
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "auth.Organisation", related_name="price_items", on_delete=fields.RESTRICT
    )
    code = fields.CharField(max_length=48)
    name_th = fields.CharField(max_length=200)
    name_en = fields.CharField(max_length=200)
    unit_th = fields.CharField(max_length=48)
    unit_en = fields.CharField(max_length=48)
    basis = fields.CharEnumField(Basis, max_length=16)

    class Meta:
        table = "price_item"
        unique_together = (("provider_id", "code"),)


class PriceVersion(Model):
    """The price of an item from a day on; never edited, only followed by another."""

    id = primary_key()
    provider_id = fields.UUIDField()
    price_item_id: uuid.UUID
    price_item: fields.ForeignKeyRelation[PriceItem] = fields.ForeignKeyField(
        "billing.PriceItem", related_name="versions", on_delete=fields.RESTRICT
    )
    number = fields.IntField()
    effective_from = fields.DateField()
    tiers = DocumentField()
    reason = fields.TextField(default="")
    made_by = fields.CharField(max_length=200)
    made_at = InstantField()

    class Meta:
        table = "price_version"
        unique_together = (("price_item_id", "number"), ("price_item_id", "effective_from"))


class Ceiling(Model):
    """The ceiling price (ราคากลาง) of an item from a day on (standard 7.1); without VAT unless it says so."""

    id = primary_key()
    provider_id = fields.UUIDField()
    price_item_id: uuid.UUID
    price_item: fields.ForeignKeyRelation[PriceItem] = fields.ForeignKeyField(
        "billing.PriceItem", related_name="ceilings", on_delete=fields.RESTRICT
    )
    effective_from = fields.DateField()
    amount = unit_price()
    includes_vat = fields.BooleanField(default=False)
    reason = fields.TextField(default="")
    made_by = fields.CharField(max_length=200, default="")
    made_at = InstantField(null=True)

    class Meta:
        table = "ceiling"
        unique_together = (("price_item_id", "effective_from"),)


class TaxRate(Model):
    """A tax's rate from a day on, as a fraction; a provider's own goes before the general one."""

    id = primary_key()
    kind = fields.CharEnumField(TaxKind, max_length=16)
    provider_id = fields.UUIDField(null=True)
    effective_from = fields.DateField()
    rate = rate()

    class Meta:
        table = "tax_rate"
        unique_together = (("kind", "provider_id", "effective_from"),)
