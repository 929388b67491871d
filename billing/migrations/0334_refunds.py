from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import ExactDecimalField, InstantField, new_id
from auth.schema import AGENCY, PROVIDER, append_only, belongs, key, secured


# Its provider writes it, its agency reads it.
def _written_once(table: str) -> str:
    return (
        secured(table, member=f"provider_id = {PROVIDER}", read=f"agency_id = {AGENCY}", grant="SELECT, INSERT")
        + key(table)
        + append_only(table)
        + f"ALTER TABLE {table} ADD CONSTRAINT {table}_said_why CHECK (reason <> '');"
    )


class Migration(migrations.Migration):
    dependencies = [("billing", "0333_reviewed_unless_decided")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Refund",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("number", fields.CharField(max_length=32)),
                ("fiscal_year", fields.IntField()),
                ("refunded_on", fields.DateField()),
                ("reference", fields.CharField(max_length=100)),
                ("reason", fields.TextField(unique=False)),
                ("amount", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("recorded_by", fields.CharField(max_length=200)),
                ("recorded_as", fields.CharField(max_length=32)),
                ("recorded_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refund",
                "app": "billing",
                "unique_together": (("provider_id", "number"),),
                "indexes": [
                    Index(fields=["agency_id", "statement_id"], name="refund_statement"),
                    Index(fields=["provider_id", "recorded_at"], name="refund_provider"),
                ],
                "pk_attr": "id",
                "table_description": "Money given back that was paid beyond what an invoice owes after its credit notes; never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RefundReversal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("refund_id", fields.UUIDField()),
                ("number", fields.CharField(max_length=32)),
                ("fiscal_year", fields.IntField()),
                ("reason", fields.TextField(unique=False)),
                ("reversed_by", fields.CharField(max_length=200)),
                ("reversed_as", fields.CharField(max_length=32)),
                ("reversed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "refund_reversal",
                "app": "billing",
                "unique_together": (("agency_id", "refund_id"), ("provider_id", "number")),
                "indexes": [Index(fields=["provider_id", "reversed_at"], name="refund_reversal_provider")],
                "pk_attr": "id",
                "table_description": "A refund that was recorded wrongly, by whom, in which role and why; never changed.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(_written_once("refund") + belongs("refund", "statement_id", "statement")),
        ops.RunSQL("ALTER TABLE refund ADD CONSTRAINT refund_gives_back CHECK (amount > 0);"),
        ops.RunSQL(_written_once("refund_reversal") + belongs("refund_reversal", "refund_id", "refund")),
    ]
