from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, InstantField, new_id
from auth.schema import PROVIDER, belongs, secured, tenant
from services.automation.models import DispatchState


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("billing", "0001_initial"),
        ("billing", "0002_tenancy"),
        ("services", "0004_last_day"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="Automation",
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
                        related_name="automations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("url", fields.CharField(max_length=500)),
                ("secret", fields.CharField(max_length=100)),
                ("retiring_secret", fields.CharField(default="", max_length=100)),
                ("is_on", fields.BooleanField(default=True)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "automation",
                "app": "services",
                "unique_together": (("offering_id",),),
                "indexes": [Index(fields=["provider_id"], name="automation_provider")],
                "pk_attr": "id",
                "table_description": "Where the work orders of an offering go by themselves, and what they are signed with; the provider's secret.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Dispatch",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "services.Offering",
                        source_field="offering_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="dispatches",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("kind", fields.CharField(max_length=48)),
                ("body", DocumentField()),
                (
                    "state",
                    fields.CharEnumField(
                        default=DispatchState.PENDING,
                        description="PENDING: pending\nDELIVERED: delivered\nFAILED: failed",
                        enum_type=DispatchState,
                        max_length=16,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("next_attempt_at", InstantField(auto_now=False, auto_now_add=False)),
                ("last_answer", fields.CharField(default="", max_length=200)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("settled_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dispatch",
                "app": "services",
                "indexes": [
                    Index(fields=["state", "next_attempt_at"], name="dispatch_due"),
                    Index(fields=["agency_id", "request_id"], name="dispatch_request"),
                    Index(fields=["offering_id"], name="dispatch_offering"),
                ],
                "pk_attr": "id",
                "table_description": "One message to a provider's system; its id is the webhook's, the same at every try.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Offering",
            name="is_automated",
            field=fields.BooleanField(default=False),
        ),
        ops.RunSQL(secured("automation", member=f"provider_id = {PROVIDER}")),
        ops.RunSQL(tenant("dispatch", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("dispatch", "request_id", "service_request")),
    ]
