from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import InstantField, new_id
from auth.schema import ORGANISATION, secured
from services.catalogue.rules import Family


class Migration(migrations.Migration):
    dependencies = [("auth", "0002_tenancy"), ("services", "0005_automation"), ("services", "0101_desk_tenancy")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Listing",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "family",
                    fields.CharEnumField(
                        description="GOVERNMENT_INTERNET: government_internet\nGOVERNMENT_INTRANET: government_intranet\nAGENCY_INTRANET: agency_intranet\nCLOUD: cloud\nDATA_CENTRE: data_centre\nSECURITY: security",
                        enum_type=Family,
                        max_length=32,
                    ),
                ),
                ("listed_on", fields.DateField()),
                ("listed_by", fields.CharField(max_length=200)),
                ("listed_at", InstantField(auto_now=False, auto_now_add=False)),
                ("revoked_on", fields.DateField(null=True)),
                ("revoked_by", fields.CharField(default="", max_length=200)),
                ("reason", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "listing",
                "app": "services",
                "indexes": [Index(fields=["provider_id", "family"], name="listing_provider")],
                "pk_attr": "id",
                "table_description": "A provider's place on the provider list (บัญชีผู้ให้บริการ) for one family; ended when it is revoked.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            secured(
                "listing",
                # Kept by the central agency alone; everybody signed in may read it (standard 12.2, 13.1).
                member=f"EXISTS (SELECT FROM organisation o WHERE o.id = {ORGANISATION} AND o.kind = 'central')",
                read=f"{ORGANISATION} IS NOT NULL",
                grant="SELECT, INSERT, UPDATE",
            )
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX listing_stands_once ON listing (provider_id, family) WHERE revoked_on IS NULL;"
        ),
    ]
