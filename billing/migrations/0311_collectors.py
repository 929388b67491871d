from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, InstantField, new_id
from auth.schema import PROVIDER, secured


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0310_retention"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="Collector",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=120)),
                ("address", fields.CharField(max_length=500)),
                ("queries", DocumentField()),
                ("every_hours", fields.IntField()),
                ("is_on", fields.BooleanField(default=True)),
                ("collected_until", InstantField(auto_now=False, auto_now_add=False)),
                ("next_run_at", InstantField(auto_now=False, auto_now_add=False)),
                ("last_run_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("last_stored", fields.IntField(default=0)),
                ("last_failure", fields.CharField(default="", max_length=32)),
                ("last_detail", fields.TextField(default="", unique=False)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
                ("changed_by", fields.CharField(max_length=200)),
            ],
            options={
                "table": "collector",
                "app": "billing",
                "unique_together": (("provider_id", "name"),),
                "indexes": [Index(fields=["is_on", "next_run_at"], name="collector_due")],
                "pk_attr": "id",
                "table_description": "Where a provider's usage is pulled from: an address, a query for each meter, and how far it has come.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(secured("collector", member=f"provider_id = {PROVIDER}", grant="SELECT, INSERT, UPDATE")),
    ]
