from decimal import Decimal

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, ExactDecimalField, InstantField, new_id
from billing.credits.models import CreditKind
from billing.documents.models import Kind
from billing.payments.models import Means


class Migration(migrations.Migration):
    dependencies = [("auth", "0100_clients"), ("billing", "0101_usage")]

    initial = False

    operations = [
        ops.CreateModel(
            name="BillingPolicy",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField(unique=True)),
                ("needs_review", fields.BooleanField(default=False)),
                ("due_days", fields.IntField(default=30)),
                ("note_share", ExactDecimalField(default=Decimal("0.20"), max_digits=7, decimal_places=6)),
                ("note_amount", ExactDecimalField(default=Decimal("1000.00"), max_digits=14, decimal_places=2)),
                ("set_by", fields.CharField(max_length=200)),
                ("set_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "billing_policy",
                "app": "billing",
                "pk_attr": "id",
                "table_description": "How a provider closes its months; one that has set nothing has its invoices issued when the month is over.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Credit",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("service_id", fields.UUIDField()),
                ("month", fields.DateField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="SLA: sla\nGOODWILL: goodwill", enum_type=CreditKind, max_length=16
                    ),
                ),
                ("amount", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("reason", fields.TextField(unique=False)),
                ("given_by", fields.CharField(max_length=200)),
                ("given_as", fields.CharField(max_length=32)),
                ("given_at", InstantField(auto_now=False, auto_now_add=False)),
                ("withdrawn_by", fields.CharField(default="", max_length=200)),
                ("withdrawn_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "credit",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "month"], name="credit_month"),
                    Index(fields=["provider_id", "month"], name="credit_provider"),
                    Index(fields=["agency_id", "service_id"], name="credit_service"),
                ],
                "pk_attr": "id",
                "table_description": "What a provider gives back on a month's invoice for a service, before VAT; a withdrawn one stays, ended.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Document",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("payment_id", fields.UUIDField(null=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="RECEIPT: receipt\nCREDIT_NOTE: credit_note\nDEBIT_NOTE: debit_note",
                        enum_type=Kind,
                        max_length=16,
                    ),
                ),
                ("number", fields.CharField(max_length=32)),
                ("fiscal_year", fields.IntField()),
                ("reason", fields.TextField(default="", unique=False)),
                ("lines", DocumentField()),
                ("subtotal", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("vat_rate", ExactDecimalField(max_digits=7, decimal_places=6)),
                ("vat", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("total", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("withheld", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("net", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("parties", DocumentField()),
                ("issued_at", InstantField(auto_now=False, auto_now_add=False)),
                ("issued_by", fields.CharField(max_length=200)),
            ],
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
                "table_description": "What follows an invoice: the receipt of a payment, or a note that corrects it; never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Payment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("paid_on", fields.DateField()),
                (
                    "means",
                    fields.CharEnumField(
                        description="TRANSFER: transfer\nGFMIS: gfmis\nCHEQUE: cheque\nCASH: cash",
                        enum_type=Means,
                        max_length=16,
                    ),
                ),
                ("reference", fields.CharField(max_length=100)),
                ("received", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("withheld", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("certificate_number", fields.CharField(default="", max_length=64)),
                ("certificate_date", fields.DateField(null=True)),
                ("recorded_by", fields.CharField(max_length=200)),
                ("recorded_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "payment",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "statement_id"], name="payment_statement"),
                    Index(fields=["provider_id", "paid_on"], name="payment_provider"),
                ],
                "pk_attr": "id",
                "table_description": "Money received for an invoice, and the tax withheld from it with its certificate; never changed.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StatementReview",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("month", fields.DateField()),
                ("draft", fields.CharField(max_length=64)),
                ("total", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("note", fields.TextField(default="", unique=False)),
                ("reviewed_by", fields.CharField(max_length=200)),
                ("reviewed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "statement_review",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "month"], name="statement_review_month"),
                    Index(fields=["provider_id", "month"], name="statement_review_provider"),
                ],
                "pk_attr": "id",
                "table_description": "Somebody of the provider's looked at the draft of a month's invoice; it holds for that draft alone.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Statement",
            name="parties",
            field=DocumentField(null=True),
        ),
    ]
