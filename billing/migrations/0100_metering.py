from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

from auth.fields import ExactDecimalField, InstantField, new_id


class Migration(migrations.Migration):
    dependencies = [("billing", "0002_tenancy")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Adjustment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("component_id", fields.UUIDField()),
                ("month", fields.DateField()),
                ("corrects_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("amount", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "adjustment",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "service_id", "month"], name="adjustment_service"),
                    Index(fields=["provider_id", "statement_id"], name="adjustment_statement"),
                ],
                "pk_attr": "id",
                "table_description": "What an invoice charges or gives back for a month invoiced before, and which invoice that corrects.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ExternalReference",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("reference", fields.CharField(max_length=200)),
                ("mapped_at", InstantField(auto_now=False, auto_now_add=False)),
                ("mapped_by", fields.CharField(max_length=200)),
            ],
            options={
                "table": "external_reference",
                "app": "billing",
                "unique_together": (("provider_id", "reference"),),
                "indexes": [Index(fields=["agency_id", "service_id"], name="external_reference_service")],
                "pk_attr": "id",
                "table_description": "What a provider's own systems call a service in use.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LateUsage",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("component_id", fields.UUIDField()),
                ("month", fields.DateField()),
                ("marked_at", InstantField(auto_now=False, auto_now_add=False)),
                ("statement_id", fields.UUIDField(null=True)),
            ],
            options={
                "table": "late_usage",
                "app": "billing",
                "constraints": [
                    UniqueConstraint(
                        fields=("agency_id", "service_id", "component_id", "month"),
                        name="late_usage_marked_once",
                        condition="statement_id IS NULL",
                    )
                ],
                "indexes": [Index(fields=["provider_id", "agency_id", "statement_id"], name="late_usage_provider")],
                "pk_attr": "id",
                "table_description": "A mark: of this component of a service, usage came or was corrected after its month was invoiced.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Meter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("offering_code", fields.CharField(max_length=16)),
                ("code", fields.CharField(max_length=48)),
                ("component_id", fields.UUIDField()),
                (
                    "price_item",
                    fields.ForeignKeyField(
                        "billing.PriceItem",
                        source_field="price_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="meters",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "meter",
                "app": "billing",
                "unique_together": (("provider_id", "offering_code", "code"),),
                "indexes": [Index(fields=["price_item_id"], name="meter_price_item")],
                "pk_attr": "id",
                "table_description": "What of an offering is measured or counted: the code that events name, and the price it is charged at.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="UsageCorrection",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("component_id", fields.UUIDField()),
                ("event_id", fields.UUIDField()),
                ("event_starts_at", InstantField(auto_now=False, auto_now_add=False)),
                ("number", fields.IntField()),
                ("quantity", ExactDecimalField(null=True, max_digits=20, decimal_places=6)),
                ("reason", fields.TextField(unique=False)),
                ("is_late", fields.BooleanField()),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
                ("made_by", fields.CharField(max_length=200)),
            ],
            options={
                "table": "usage_correction",
                "app": "billing",
                "unique_together": (("agency_id", "event_id", "number"),),
                "indexes": [
                    Index(fields=["agency_id", "service_id", "event_starts_at"], name="usage_correction_service"),
                    Index(fields=["provider_id", "made_at"], name="usage_correction_provider"),
                ],
                "pk_attr": "id",
                "table_description": "What an event counts for instead, from a moment on; the event itself stays as it came. The latest holds.",
            },
            bases=["Model"],
        ),
        ops.AddConstraint(
            model_name="LateUsage",
            constraint=UniqueConstraint(
                fields=("agency_id", "service_id", "component_id", "month"),
                name="late_usage_marked_once",
                condition="statement_id IS NULL",
            ),
        ),
    ]
