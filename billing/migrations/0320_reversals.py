from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import InstantField, new_id
from billing.documents.models import Kind


class Migration(migrations.Migration):
    dependencies = [("billing", "0301_for_finance_tenancy")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Reversal",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("payment_id", fields.UUIDField()),
                ("reason", fields.TextField(unique=False)),
                ("reversed_by", fields.CharField(max_length=200)),
                ("reversed_as", fields.CharField(max_length=32)),
                ("reversed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payment_reversal",
                "app": "billing",
                "unique_together": (("agency_id", "payment_id"),),
                "pk_attr": "id",
                "table_description": "A payment that was recorded wrongly, by whom, in which role and why; never changed.",
            },
            bases=["Model"],
        ),
        ops.AlterModelOptions(
            name="Document",
            options={
                "table": "document",
                "app": "billing",
                "unique_together": (("provider_id", "number"),),
                "indexes": [
                    Index(fields=["agency_id", "statement_id"], name="document_statement"),
                    Index(fields=["agency_id", "issued_at"], name="document_agency"),
                    Index(fields=["agency_id", "payment_id"], name="document_payment"),
                ],
                "pk_attr": "id",
                "table_description": "What follows an invoice: the receipt of a payment, its cancellation, or a note that corrects it; never changed.",
            },
        ),
        ops.AlterField(
            model_name="Document",
            name="kind",
            field=fields.CharEnumField(
                description="RECEIPT: receipt\nCREDIT_NOTE: credit_note\nDEBIT_NOTE: debit_note\nCANCELLATION: cancellation",
                enum_type=Kind,
                max_length=16,
            ),
        ),
    ]
