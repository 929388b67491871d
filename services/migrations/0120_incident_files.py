from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import InstantField, new_id
from auth.schema import PROVIDER, append_only, belongs, key, secured, tenant

_ADDING = "SELECT, INSERT"


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0301_for_finance_tenancy"),
        ("services", "0102_listing"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="IncidentFile",
            fields=[
                ("name", fields.CharField(max_length=200)),
                ("media_type", fields.CharField(max_length=100)),
                ("size", fields.IntField()),
                ("sha256", fields.CharField(max_length=64)),
                ("content", fields.BinaryField()),
                ("added_by_name", fields.CharField(max_length=200)),
                ("added_at", InstantField(auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("incident_id", fields.UUIDField()),
                ("message_id", fields.UUIDField(null=True)),
                ("added_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "incident_file",
                "app": "services",
                "indexes": [Index(fields=["agency_id", "incident_id", "added_at"], name="incident_file_order")],
                "pk_attr": "id",
                "table_description": "A file that came with the report, or with a message both sides read.",
            },
            bases=["KeptFile"],
        ),
        ops.CreateModel(
            name="InternalFile",
            fields=[
                ("name", fields.CharField(max_length=200)),
                ("media_type", fields.CharField(max_length=100)),
                ("size", fields.IntField()),
                ("sha256", fields.CharField(max_length=64)),
                ("content", fields.BinaryField()),
                ("added_by_name", fields.CharField(max_length=200)),
                ("added_at", InstantField(auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("incident_id", fields.UUIDField()),
                ("note_id", fields.UUIDField()),
                ("added_by", fields.UUIDField(null=True)),
            ],
            options={
                "table": "internal_file",
                "app": "services",
                "indexes": [Index(fields=["agency_id", "incident_id", "added_at"], name="internal_file_order")],
                "pk_attr": "id",
                "table_description": "A file with an internal note. The database lets no agency read it.",
            },
            bases=["KeptFile"],
        ),
        ops.AlterModelOptions(
            name="Attachment",
            options={
                "table": "attachment",
                "app": "services",
                "indexes": [Index(fields=["agency_id", "request_id"], name="attachment_request")],
                "pk_attr": "id",
                "table_description": "A file that came with a request.",
            },
        ),
        ops.RunSQL(tenant("incident_file", grant=_ADDING) + append_only("incident_file")),
        ops.RunSQL(
            belongs("incident_file", "incident_id", "incident")
            + belongs("incident_file", "message_id", "incident_message")
        ),
        # No agency reads or writes what the desk keeps for itself.
        ops.RunSQL(
            secured("internal_file", member=f"provider_id = {PROVIDER}", grant=_ADDING)
            + key("internal_file")
            + append_only("internal_file")
        ),
        ops.RunSQL(
            belongs("internal_file", "incident_id", "incident") + belongs("internal_file", "note_id", "internal_note")
        ),
    ]
