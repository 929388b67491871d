from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import InstantField, new_id
from auth.organisations.models import Purpose
from auth.rules import Role
from auth.schema import ORGANISATION, PROVIDER, secured


class Migration(migrations.Migration):
    dependencies = [("auth", "0002_tenancy")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Coordinator",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="coordinators",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "purpose",
                    fields.CharEnumField(
                        description="GENERAL: general\nTECHNICAL: technical\nFINANCE: finance\nSECURITY: security\nAROUND_THE_CLOCK: around_the_clock",
                        enum_type=Purpose,
                        max_length=24,
                    ),
                ),
                ("name", fields.CharField(max_length=200)),
                ("position", fields.CharField(default="", max_length=200)),
                ("phone", fields.CharField(default="", max_length=64)),
                ("email", fields.CharField(default="", max_length=254)),
                ("line_id", fields.CharField(default="", max_length=64)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
                ("ended_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "coordinator",
                "app": "auth",
                "indexes": [Index(fields=["organisation_id", "purpose"], name="coordinator_organisation")],
                "pk_attr": "id",
                "table_description": "Whom to reach at an organisation, by purpose (standard 7.5.1); one who left stays, ended.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Delegation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="delegations",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "from_person",
                    fields.ForeignKeyField(
                        "auth.Person",
                        source_field="from_person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="delegations_given",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "to_person",
                    fields.ForeignKeyField(
                        "auth.Person",
                        source_field="to_person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="delegations_held",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "role",
                    fields.CharEnumField(
                        description="OFFICIAL: official\nAPPROVER: approver\nFINANCE: finance\nAGENCY_ADMIN: agency_admin\nREVIEWER: reviewer\nHELPDESK: helpdesk\nSECTION_HEAD: section_head\nTECHNICIAN: technician\nPROVIDER_FINANCE: provider_finance\nMANAGER: manager\nPROVIDER_ADMIN: provider_admin\nCENTRAL: central\nAUDITOR: auditor",
                        enum_type=Role,
                        max_length=24,
                    ),
                ),
                ("starts_at", InstantField(auto_now=False, auto_now_add=False)),
                ("ends_at", InstantField(auto_now=False, auto_now_add=False)),
                ("reason", fields.TextField(default="", unique=False)),
                ("given_at", InstantField(auto_now=False, auto_now_add=False)),
                ("revoked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "delegation",
                "app": "auth",
                "indexes": [
                    Index(fields=["organisation_id", "ends_at"], name="delegation_organisation"),
                    Index(fields=["to_person_id", "ends_at"], name="delegation_to"),
                    Index(fields=["from_person_id"], name="delegation_from"),
                ],
                "pk_attr": "id",
                "table_description": "A role lent to a colleague for an absence; both names stand on what is done with it.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            secured(
                "coordinator",
                member=f"organisation_id = {ORGANISATION}",
                read=f"{PROVIDER} IS NOT NULL OR organisation_id IN (SELECT id FROM organisation WHERE kind <> 'agency')",
                grant="SELECT, INSERT, UPDATE",
            )
        ),
        ops.RunSQL(secured("delegation", member=f"organisation_id = {ORGANISATION}", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(
            "ALTER TABLE delegation ADD CONSTRAINT delegation_ends_after_start CHECK (ends_at > starts_at);"
            "ALTER TABLE delegation ADD CONSTRAINT delegation_to_another CHECK (from_person_id <> to_person_id);"
        ),
    ]
