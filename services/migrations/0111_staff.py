from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import InstantField, new_id
from auth.schema import PROVIDER, secured
from services.staff.rules import Field, Kind


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0321_reversals_tenancy"),
        ("services", "0110_telling"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="StaffRecord",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("person_id", fields.UUIDField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="CERTIFICATE: certificate\nRECORD_CHECK: record_check\nNDA: nda",
                        enum_type=Kind,
                        max_length=16,
                    ),
                ),
                (
                    "field",
                    fields.CharEnumField(
                        null=True,
                        description="NETWORK: network\nCLOUD: cloud\nDATA_CENTRE: data_centre\nSECURITY: security",
                        enum_type=Field,
                        max_length=16,
                    ),
                ),
                ("title", fields.CharField(default="", max_length=200)),
                ("number", fields.CharField(default="", max_length=100)),
                ("held_from", fields.DateField()),
                ("held_until", fields.DateField(null=True)),
                ("noted_by_name", fields.CharField(max_length=200)),
                ("noted_at", InstantField(auto_now=False, auto_now_add=False)),
                ("struck_by_name", fields.CharField(default="", max_length=200)),
                ("struck_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "staff_record",
                "app": "services",
                "indexes": [Index(fields=["provider_id", "person_id"], name="staff_record_person")],
                "pk_attr": "id",
                "table_description": "One thing the staff register holds of a person (standard 9.1–9.3); struck out when wrong, never deleted.",
            },
            bases=["Model"],
        ),
        ops.RemoveField(model_name="SectionMember", name="cleared_until"),
        ops.RunSQL(
            secured("staff_record", member=f"provider_id = {PROVIDER}", grant="SELECT, INSERT, UPDATE")
            + """
            ALTER TABLE staff_record ADD CONSTRAINT staff_record_lasts CHECK (held_until >= held_from),
                ADD CONSTRAINT staff_record_field CHECK ((kind = 'certificate') = (field IS NOT NULL));
            """
        ),
    ]
