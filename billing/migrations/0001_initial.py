from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, ExactDecimalField, InstantField, new_id
from billing.tariffs.models import TaxKind
from billing.tariffs.rules import Basis


class Migration(migrations.Migration):
    initial = True

    dependencies = [("auth", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="BilledService",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("number", fields.CharField(max_length=32)),
                ("offering_code", fields.CharField(max_length=16)),
                ("family", fields.CharField(max_length=32)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("cost_centre", fields.CharField(default="", max_length=64)),
            ],
            options={
                "table": "billed_service",
                "app": "billing",
                "indexes": [Index(fields=["provider_id", "agency_id"], name="billed_service_provider")],
                "pk_attr": "id",
                "table_description": "A service in use as billing knows it: whose, from whom, and under which names its lines stand.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Budget",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("fiscal_year", fields.IntField()),
                ("amount", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("set_by", fields.CharField(max_length=200)),
                ("set_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "budget",
                "app": "billing",
                "unique_together": (("agency_id", "fiscal_year"),),
                "pk_attr": "id",
                "table_description": "What an agency may spend in a fiscal year (Buddhist Era), VAT included; no provider sees it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Counter",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("owner_id", fields.UUIDField()),
                ("series", fields.CharField(max_length=16)),
                ("fiscal_year", fields.IntField()),
                ("last_given", fields.BigIntField()),
            ],
            options={
                "table": "counter",
                "app": "billing",
                "unique_together": (("owner_id", "series", "fiscal_year"),),
                "pk_attr": "id",
                "table_description": "The last number given in one series of one owner in one fiscal year; locked while the next is given.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PriceItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="price_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=48)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("unit_th", fields.CharField(max_length=48)),
                ("unit_en", fields.CharField(max_length=48)),
                (
                    "basis",
                    fields.CharEnumField(
                        description="DAILY: daily\nHOURLY: hourly\nMETERED_SUM: metered_sum\nMETERED_MAX: metered_max\nONE_TIME: one_time\nPER_EVENT: per_event",
                        enum_type=Basis,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "price_item",
                "app": "billing",
                "unique_together": (("provider_id", "code"),),
                "pk_attr": "id",
                "table_description": "Something with a price: its unit and how its quantity is counted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Allocation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("component_id", fields.UUIDField()),
                (
                    "price_item",
                    fields.ForeignKeyField(
                        "billing.PriceItem",
                        source_field="price_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="allocations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("is_addon", fields.BooleanField(default=False)),
                ("quantity", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("starts_at", InstantField(auto_now=False, auto_now_add=False)),
                ("ends_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("origin", fields.CharField(default="", max_length=64)),
            ],
            options={
                "table": "allocation",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "service_id", "starts_at"], name="allocation_service"),
                    Index(fields=["provider_id", "agency_id", "starts_at"], name="allocation_provider"),
                    Index(fields=["price_item_id"], name="allocation_price_item"),
                ],
                "pk_attr": "id",
                "table_description": "A quantity set aside for a service from one moment to another: what daily and hourly bases charge for.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Ceiling",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "price_item",
                    fields.ForeignKeyField(
                        "billing.PriceItem",
                        source_field="price_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="ceilings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("effective_from", fields.DateField()),
                ("amount", ExactDecimalField(max_digits=18, decimal_places=6)),
                ("includes_vat", fields.BooleanField(default=False)),
            ],
            options={
                "table": "ceiling",
                "app": "billing",
                "unique_together": (("price_item_id", "effective_from"),),
                "pk_attr": "id",
                "table_description": "The ceiling price (ราคากลาง) of an item from a day on (standard 7.1); without VAT unless it says so.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PriceVersion",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "price_item",
                    fields.ForeignKeyField(
                        "billing.PriceItem",
                        source_field="price_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("effective_from", fields.DateField()),
                ("tiers", DocumentField()),
                ("reason", fields.TextField(default="", unique=False)),
                ("made_by", fields.CharField(max_length=200)),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "price_version",
                "app": "billing",
                "unique_together": (("price_item_id", "number"), ("price_item_id", "effective_from")),
                "pk_attr": "id",
                "table_description": "The price of an item from a day on; never edited, only followed by another.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Statement",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("number", fields.CharField(max_length=32)),
                ("fiscal_year", fields.IntField()),
                ("month", fields.DateField()),
                ("subtotal", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("vat_rate", ExactDecimalField(max_digits=7, decimal_places=6)),
                ("vat", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("total", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("withholding_rate", ExactDecimalField(max_digits=7, decimal_places=6)),
                ("withheld", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("net", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("issued_at", InstantField(auto_now=False, auto_now_add=False)),
                ("issued_by", fields.CharField(max_length=200)),
            ],
            options={
                "table": "statement",
                "app": "billing",
                "unique_together": (("agency_id", "provider_id", "month"), ("provider_id", "number")),
                "indexes": [Index(fields=["provider_id", "month"], name="statement_provider_month")],
                "pk_attr": "id",
                "table_description": "An issued invoice (ใบแจ้งหนี้) of one provider to one agency for one month; never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StatementLine",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("position", fields.IntField()),
                ("service_id", fields.UUIDField()),
                ("service_number", fields.CharField(max_length=32)),
                ("service_name_th", fields.CharField(max_length=200)),
                ("service_name_en", fields.CharField(max_length=200)),
                ("family", fields.CharField(max_length=32)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("unit_th", fields.CharField(max_length=48)),
                ("unit_en", fields.CharField(max_length=48)),
                ("quantity", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("starts_on", fields.DateField()),
                ("ends_on", fields.DateField()),
                ("amount", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("derivation", DocumentField()),
            ],
            options={
                "table": "statement_line",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "statement_id", "position"], name="statement_line_statement"),
                    Index(fields=["agency_id", "service_id"], name="statement_line_service"),
                ],
                "pk_attr": "id",
                "table_description": "One line of an issued invoice, with the names of its day and how its amount came about.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="TaxRate",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="VAT: vat\nWITHHOLDING: withholding", enum_type=TaxKind, max_length=16
                    ),
                ),
                ("provider_id", fields.UUIDField(null=True)),
                ("effective_from", fields.DateField()),
                ("rate", ExactDecimalField(max_digits=7, decimal_places=6)),
            ],
            options={
                "table": "tax_rate",
                "app": "billing",
                "unique_together": (("kind", "provider_id", "effective_from"),),
                "pk_attr": "id",
                "table_description": "A tax's rate from a day on, as a fraction; a provider's own goes before the general one.",
            },
            bases=["Model"],
        ),
    ]
