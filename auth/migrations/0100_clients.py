from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, InstantField, new_id
from auth.schema import ORGANISATION, secured


class Migration(migrations.Migration):
    dependencies = [("auth", "0003_coordinators_and_delegations")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Client",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="clients",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=120)),
                ("scopes", DocumentField()),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                ("token_start", fields.CharField(max_length=16)),
                ("made_at", InstantField(auto_now=False, auto_now_add=False)),
                ("made_by", fields.CharField(max_length=200)),
                ("last_used_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("revoked_by", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "client",
                "app": "auth",
                "indexes": [Index(fields=["organisation_id", "made_at"], name="client_organisation")],
                "pk_attr": "id",
                "table_description": "A provider's machine: what it may do, and the SHA-256 of its token, which was shown once.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(secured("client", member=f"organisation_id = {ORGANISATION}", grant="SELECT, INSERT, UPDATE")),
    ]
