from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import ExactDecimalField, InstantField, new_id
from auth.schema import append_only, offered

# What was on offer until now becomes the first version, from the day of its first price on. The settings let the
# owner of the tables read past their forced row-level security.
_FIRST_TERMS = """
    SELECT set_config('portal.scope', 'system', true);
    INSERT INTO offering_terms (id, provider_id, offering_id, number, effective_from, summary_th, summary_en,
        availability_pct, exclusions_th, exclusions_en, lead_working_days, change_lead_working_days, data_kept_days,
        reason, made_by, made_at)
    SELECT gen_random_uuid(), o.provider_id, o.id, 1,
        coalesce((SELECT min(v.effective_from) FROM component c JOIN price_version v ON v.price_item_id = c.price_item_id
            WHERE c.offering_id = o.id), (now() AT TIME ZONE 'Asia/Bangkok')::date),
        o.summary_th, o.summary_en, o.availability_pct, o.exclusions_th, o.exclusions_en, o.lead_working_days,
        o.change_lead_working_days, o.data_kept_days, '', 'ข้อมูลเริ่มต้น', now()
    FROM offering o;
    INSERT INTO component_bounds (id, provider_id, component_id, number, effective_from, minimum, maximum, step, reason,
        made_by, made_at)
    SELECT gen_random_uuid(), c.provider_id, c.id, 1,
        coalesce((SELECT min(v.effective_from) FROM price_version v WHERE v.price_item_id = c.price_item_id),
            (now() AT TIME ZONE 'Asia/Bangkok')::date),
        c.minimum, c.maximum, c.step, '', 'ข้อมูลเริ่มต้น', now()
    FROM component c;
    SELECT set_config('portal.scope', '', true);
"""

# A provider's own versions speak of its own offerings and components only.
_OF_ONE_PROVIDER = """
    ALTER TABLE offering ADD CONSTRAINT offering_provider_key UNIQUE (provider_id, id);
    ALTER TABLE component ADD CONSTRAINT component_provider_key UNIQUE (provider_id, id);
    ALTER TABLE offering_terms ADD CONSTRAINT offering_terms_same_provider
        FOREIGN KEY (provider_id, offering_id) REFERENCES offering (provider_id, id) ON DELETE RESTRICT;
    ALTER TABLE component_bounds ADD CONSTRAINT component_bounds_same_provider
        FOREIGN KEY (provider_id, component_id) REFERENCES component (provider_id, id) ON DELETE RESTRICT;
    ALTER TABLE component_bounds ADD CONSTRAINT component_bounds_possible
        CHECK (minimum > 0 AND step > 0 AND (maximum IS NULL OR maximum >= minimum));
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0322_ledger"), ("services", "0111_staff"), ("services", "0120_incident_files")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ComponentBounds",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "component",
                    fields.ForeignKeyField(
                        "services.Component",
                        source_field="component_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="bounds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("effective_from", fields.DateField()),
                ("minimum", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("maximum", ExactDecimalField(null=True, max_digits=20, decimal_places=6)),
                ("step", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("reason", fields.TextField(default="", unique=False)),
                ("made_by", fields.CharField(max_length=200)),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "component_bounds",
                "app": "services",
                "unique_together": (("component_id", "number"),),
                "pk_attr": "id",
                "table_description": "In which quantities a component can be ordered from a day on; never edited, only followed by others.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="OfferingTerms",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "services.Offering",
                        source_field="offering_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="terms",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.IntField()),
                ("effective_from", fields.DateField()),
                ("summary_th", fields.TextField(default="", unique=False)),
                ("summary_en", fields.TextField(default="", unique=False)),
                ("availability_pct", ExactDecimalField(max_digits=6, decimal_places=3)),
                ("exclusions_th", fields.TextField(default="", unique=False)),
                ("exclusions_en", fields.TextField(default="", unique=False)),
                ("lead_working_days", fields.IntField()),
                ("change_lead_working_days", fields.IntField(default=1)),
                ("data_kept_days", fields.IntField(default=30)),
                ("reason", fields.TextField(default="", unique=False)),
                ("made_by", fields.CharField(max_length=200)),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "offering_terms",
                "app": "services",
                "unique_together": (("offering_id", "number"),),
                "pk_attr": "id",
                "table_description": "What is promised of an offering from a day on; never edited, only followed by others.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(_OF_ONE_PROVIDER),
        ops.RunSQL(_FIRST_TERMS),
        ops.RunSQL(offered("offering_terms") + append_only("offering_terms")),
        ops.RunSQL(offered("component_bounds") + append_only("component_bounds")),
        ops.AlterModelOptions(
            name="Component",
            options={
                "table": "component",
                "app": "services",
                "unique_together": (("offering_id", "code"),),
                "indexes": [
                    Index(fields=["addon_id"], name="component_addon"),
                    Index(fields=["pool_id"], name="component_pool"),
                    Index(fields=["price_item_id"], name="component_price_item"),
                ],
                "pk_attr": "id",
                "table_description": "What is ordered of an offering or an add-on: a quantity with its unit, price and pool.",
            },
        ),
        ops.RemoveField(model_name="Component", name="maximum"),
        ops.RemoveField(model_name="Component", name="minimum"),
        ops.RemoveField(model_name="Component", name="step"),
        ops.AlterModelOptions(
            name="Offering",
            options={
                "table": "offering",
                "app": "services",
                "unique_together": (("provider_id", "code"),),
                "pk_attr": "id",
                "table_description": "A service on offer (standard 5), of exactly one family; what is promised of it is in its terms.",
            },
        ),
        ops.RemoveField(model_name="Offering", name="availability_pct"),
        ops.RemoveField(model_name="Offering", name="change_lead_working_days"),
        ops.RemoveField(model_name="Offering", name="data_kept_days"),
        ops.RemoveField(model_name="Offering", name="exclusions_en"),
        ops.RemoveField(model_name="Offering", name="exclusions_th"),
        ops.RemoveField(model_name="Offering", name="lead_working_days"),
        ops.RemoveField(model_name="Offering", name="summary_en"),
        ops.RemoveField(model_name="Offering", name="summary_th"),
    ]
