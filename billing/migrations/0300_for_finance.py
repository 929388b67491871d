from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

from auth.fields import ExactDecimalField, InstantField, new_id
from billing.disputes.rules import Move, State


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0202_due_on"),
    ]

    initial = False

    operations = [
        ops.CreateModel(
            name="Acknowledgement",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("month", fields.DateField()),
                ("total", ExactDecimalField(max_digits=14, decimal_places=2)),
                ("by_id", fields.UUIDField()),
                ("by_name", fields.CharField(max_length=200)),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "acknowledgement",
                "app": "billing",
                "unique_together": (("agency_id", "month"),),
                "pk_attr": "id",
                "table_description": "Somebody of the agency checked what it used in a month (standard 13.2); never changed, no provider sees it.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Dispute",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("statement_id", fields.UUIDField()),
                ("line_id", fields.UUIDField()),
                (
                    "state",
                    fields.CharEnumField(
                        default=State.OPEN,
                        description="OPEN: open\nEXPLAINED: explained\nCREDITED: credited\nWITHDRAWN: withdrawn",
                        enum_type=State,
                        max_length=16,
                    ),
                ),
                ("credit_note_id", fields.UUIDField(null=True)),
                ("opened_at", InstantField(auto_now=False, auto_now_add=False)),
                ("opened_by_name", fields.CharField(max_length=200)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dispute",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "statement_id"], name="dispute_statement"),
                    Index(fields=["agency_id", "state", "opened_at"], name="dispute_agency"),
                    Index(fields=["provider_id", "state", "opened_at"], name="dispute_provider"),
                    Index(fields=["agency_id", "line_id"], name="dispute_line"),
                    Index(fields=["agency_id", "credit_note_id"], name="dispute_credit_note"),
                ],
                "pk_attr": "id",
                "table_description": "An agency's objection to a line of an issued invoice.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="DisputeEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("dispute_id", fields.UUIDField()),
                (
                    "move",
                    fields.CharEnumField(
                        description="OPEN: open\nMESSAGE: message\nEXPLAIN: explain\nCREDIT: credit\nWITHDRAW: withdraw",
                        enum_type=Move,
                        max_length=16,
                    ),
                ),
                ("text", fields.TextField(unique=False)),
                ("by_id", fields.UUIDField()),
                ("by_name", fields.CharField(max_length=200)),
                ("of_agency", fields.BooleanField()),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "dispute_event",
                "app": "billing",
                "indexes": [
                    Index(fields=["agency_id", "dispute_id", "at"], name="dispute_event_dispute"),
                    Index(fields=["provider_id", "at"], name="dispute_event_provider"),
                ],
                "pk_attr": "id",
                "table_description": "What somebody did or wrote in a dispute; never changed.",
            },
            bases=["Model"],
        ),
        ops.RemoveConstraint(
            model_name="Budget",
            name=None,
            fields=["agency_id", "fiscal_year"],
        ),
        ops.AddField(
            model_name="Budget",
            name="cost_centre",
            field=fields.CharField(default="", max_length=64),
        ),
        ops.AddConstraint(
            model_name="Budget",
            constraint=UniqueConstraint(fields=("agency_id", "fiscal_year", "cost_centre"), name=None),
        ),
    ]
