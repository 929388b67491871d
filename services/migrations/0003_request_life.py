from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, ExactDecimalField, InstantField, new_id
from auth.schema import APP_ROLE, ORGANISATION, SYSTEM, belongs, offered, secured, tenant
from services.capacity.models import HoldState
from services.requests.rules import Kind


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("billing", "0001_initial"),
        ("billing", "0002_tenancy"),
        ("services", "0002_tenancy"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="Attachment",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                ("name", fields.CharField(max_length=200)),
                ("media_type", fields.CharField(max_length=100)),
                ("size", fields.IntField()),
                ("sha256", fields.CharField(max_length=64)),
                ("content", fields.BinaryField()),
                ("added_by", fields.UUIDField()),
                ("added_by_name", fields.CharField(max_length=200)),
                ("added_at", InstantField(auto_now=False, auto_now_add=False)),
                ("removed_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "attachment",
                "app": "services",
                "indexes": [Index(fields=["agency_id", "request_id"], name="attachment_request")],
                "pk_attr": "id",
                "table_description": "A file that came with a request; its content was checked, its name cleaned.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Notification",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("organisation_id", fields.UUIDField()),
                ("person_id", fields.UUIDField(null=True)),
                ("permission", fields.CharField(default="", max_length=32)),
                ("what", fields.CharField(max_length=48)),
                ("subject_type", fields.CharField(max_length=32)),
                ("subject_id", fields.UUIDField()),
                ("detail", DocumentField()),
                ("identity", fields.CharField(max_length=160)),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification",
                "app": "services",
                "unique_together": (("organisation_id", "identity"),),
                "indexes": [Index(fields=["organisation_id", "at"], name="notification_at")],
                "pk_attr": "id",
                "table_description": "Something an organisation's people should know: one person, or all who hold a permission.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NotificationRead",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("organisation_id", fields.UUIDField()),
                ("notification_id", fields.UUIDField()),
                ("person_id", fields.UUIDField()),
                ("read_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "notification_read",
                "app": "services",
                "unique_together": (("organisation_id", "person_id", "notification_id"),),
                "pk_attr": "id",
                "table_description": "That one person has read one notification.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="StepTemplate",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "services.Offering",
                        source_field="offering_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="step_templates",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="NEW: new\nNEW_ADDON: new_addon\nCHANGE: change\nCANCEL: cancel\nCANCEL_ADDON: cancel_addon",
                        enum_type=Kind,
                        max_length=16,
                    ),
                ),
                ("position", fields.IntField()),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
            ],
            options={
                "table": "step_template",
                "app": "services",
                "unique_together": (("provider_id", "offering_id", "kind", "position"),),
                "indexes": [Index(fields=["offering_id"], name="step_template_offering")],
                "pk_attr": "id",
                "table_description": "A step of the work orders of a kind, of one offering or (none named) of all a provider's others.",
            },
            bases=["Model"],
        ),
        ops.AlterModelOptions(
            name="Hold",
            options={
                "table": "hold",
                "app": "services",
                "indexes": [
                    Index(fields=["agency_id", "request_id"], name="hold_request"),
                    Index(fields=["pool_id", "state"], name="hold_pool"),
                ],
                "pk_attr": "id",
                "table_description": "Capacity set aside for one quote until it is used or released; or to be given back when a request takes effect.",
            },
        ),
        ops.AlterField(
            model_name="Hold",
            name="state",
            field=fields.CharEnumField(
                default=HoldState.HELD,
                description="HELD: held\nUSED: used\nRELEASED: released\nRETURNING: returning\nRETURNED: returned",
                enum_type=HoldState,
                max_length=16,
            ),
        ),
        ops.AddField(
            model_name="Hold",
            name="returns_at",
            field=InstantField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Offering",
            name="data_kept_days",
            field=fields.IntField(default=30),
        ),
        ops.AddField(
            model_name="Offering",
            name="takes_waiting_list",
            field=fields.BooleanField(default=False),
        ),
        ops.AddField(
            model_name="Pool",
            name="more_expected",
            field=ExactDecimalField(null=True, max_digits=20, decimal_places=6),
        ),
        ops.AddField(
            model_name="Pool",
            name="more_expected_on",
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name="ServiceRequest",
            name="asks_earlier",
            field=fields.BooleanField(default=False),
        ),
        ops.AddField(
            model_name="ServiceRequest",
            name="typed",
            field=DocumentField(null=True),
        ),
        ops.AddField(
            model_name="ServiceRequest",
            name="undone_at",
            field=InstantField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="ServiceRequest",
            name="waits_for_capacity",
            field=fields.BooleanField(default=False),
        ),
        ops.AddField(
            model_name="WorkStep",
            name="failures",
            field=fields.IntField(default=0),
        ),
        ops.RunSQL(offered("step_template")),
        ops.RunSQL(tenant("attachment", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("attachment", "request_id", "service_request")),
        ops.RunSQL(f"GRANT UPDATE (more_expected, more_expected_on) ON pool TO {APP_ROLE};"),
        # Anybody's act may be news to another organisation; reading it is that organisation's own.
        ops.RunSQL(
            f"""
            ALTER TABLE notification ENABLE ROW LEVEL SECURITY;
            ALTER TABLE notification FORCE ROW LEVEL SECURITY;
            CREATE POLICY writer ON notification FOR INSERT WITH CHECK (true);
            CREATE POLICY reader ON notification FOR SELECT USING (organisation_id = {ORGANISATION} OR {SYSTEM});
            GRANT SELECT, INSERT ON notification TO {APP_ROLE};
            """
        ),
        ops.RunSQL(secured("notification_read", member=f"organisation_id = {ORGANISATION}", grant="SELECT, INSERT")),
    ]
