from uuid import uuid4

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import UniqueConstraint

from auth.fields import DocumentField, InstantField, new_id
from auth.people.models import AccessState
from auth.rules import OrganisationKind, Role


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="AuditHead",
            fields=[
                ("chain_id", fields.UUIDField(primary_key=True, default=uuid4, unique=True, db_index=True)),
                ("length", fields.BigIntField()),
                ("hash", fields.CharField(max_length=64)),
            ],
            options={
                "table": "audit_head",
                "app": "auth",
                "pk_attr": "chain_id",
                "table_description": "The end of one organisation's chain; locked while a record is added.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AuditRecord",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("chain_id", fields.UUIDField()),
                ("number", fields.BigIntField()),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
                ("actor", fields.CharField(max_length=200)),
                ("person_id", fields.UUIDField(null=True)),
                ("organisation_id", fields.UUIDField(null=True)),
                ("action", fields.CharField(max_length=64)),
                ("subject_type", fields.CharField(default="", max_length=64)),
                ("subject_id", fields.CharField(default="", max_length=64)),
                ("detail", DocumentField()),
                ("previous", fields.CharField(max_length=64)),
                ("hash", fields.CharField(max_length=64)),
            ],
            options={
                "table": "audit_record",
                "app": "auth",
                "unique_together": (("chain_id", "number"),),
                "indexes": [
                    Index(fields=["chain_id", "at"], name="audit_record_at"),
                    Index(fields=["organisation_id", "at"], name="audit_record_organisation"),
                ],
                "pk_attr": "id",
                "table_description": "One change or denial; each carries the hash of the one before it in its chain.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LogoutNoticeSeen",
            fields=[
                ("jti_hash", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("seen_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "logout_notice_seen",
                "app": "auth",
                "pk_attr": "jti_hash",
                "table_description": "A back-channel logout token already taken, so that it cannot be played again.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Organisation",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="AGENCY: agency\nPROVIDER: provider\nCENTRAL: central\nAUDITOR: auditor",
                        enum_type=OrganisationKind,
                        max_length=16,
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=32)),
                ("short_code", fields.CharField(unique=True, max_length=8)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("tax_id", fields.CharField(default="", max_length=13)),
                ("branch_code", fields.CharField(default="00000", max_length=5)),
                ("address_th", fields.TextField(default="", unique=False)),
                ("address_en", fields.TextField(default="", unique=False)),
                ("phone", fields.CharField(default="", max_length=64)),
                ("email", fields.CharField(default="", max_length=254)),
                ("asker_may_confirm", fields.BooleanField(default=False)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "organisation",
                "app": "auth",
                "pk_attr": "id",
                "table_description": "An agency, a provider, the central agency or an auditor (standard 3.1–3.3, 7.5.1).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PendingSignIn",
            fields=[
                ("state_hash", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("pending", DocumentField()),
                ("started_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "pending_sign_in",
                "app": "auth",
                "pk_attr": "state_hash",
                "table_description": "A sign-in on its way through the identity provider; its state is used once.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Person",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("issuer", fields.CharField(max_length=255)),
                ("subject", fields.CharField(max_length=255)),
                ("name", fields.CharField(max_length=200)),
                ("email", fields.CharField(default="", max_length=254)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "person",
                "app": "auth",
                "unique_together": (("issuer", "subject"),),
                "pk_attr": "id",
                "table_description": "Somebody known by (issuer, subject) of an identity provider; never by e-mail.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="AccessRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="access_requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "auth.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="access_requests",
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
                ("note", fields.TextField(default="", unique=False)),
                (
                    "state",
                    fields.CharEnumField(
                        default=AccessState.PENDING,
                        description="PENDING: pending\nGRANTED: granted\nREFUSED: refused",
                        enum_type=AccessState,
                        max_length=16,
                    ),
                ),
                ("asked_at", InstantField(auto_now=False, auto_now_add=False)),
                ("decided_by", fields.CharField(null=True, max_length=200)),
                ("decided_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("decision_note", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "access_request",
                "app": "auth",
                "indexes": [
                    Index(fields=["organisation_id", "state"], name="access_request_organisation"),
                    Index(fields=["person_id"], name="access_request_person"),
                ],
                "pk_attr": "id",
                "table_description": "A signed-in person's wish to act for an organisation; its administrator decides.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Membership",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "organisation",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="organisation_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "person",
                    fields.ForeignKeyField(
                        "auth.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="memberships",
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
                ("granted_by", fields.CharField(max_length=200)),
                ("granted_at", InstantField(auto_now=False, auto_now_add=False)),
                ("revoked_by", fields.CharField(null=True, max_length=200)),
                ("revoked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "membership",
                "app": "auth",
                "constraints": [
                    UniqueConstraint(
                        fields=("organisation_id", "person_id", "role"),
                        name="membership_held_once",
                        condition="revoked_at IS NULL",
                    )
                ],
                "indexes": [
                    Index(fields=["organisation_id", "person_id"], name="membership_organisation"),
                    Index(fields=["person_id"], name="membership_person"),
                ],
                "pk_attr": "id",
                "table_description": "One role of one person in one organisation, from grant to revocation; never deleted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Session",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("token_hash", fields.CharField(unique=True, max_length=64)),
                (
                    "person",
                    fields.ForeignKeyField(
                        "auth.Person",
                        source_field="person_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="sessions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("organisation_id", fields.UUIDField(null=True)),
                ("csrf_secret", fields.CharField(max_length=64)),
                ("issuer", fields.CharField(max_length=255)),
                ("subject", fields.CharField(max_length=255)),
                ("provider_session", fields.CharField(default="", max_length=255)),
                ("id_token", fields.TextField(default="", unique=False)),
                ("user_agent", fields.CharField(default="", max_length=255)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("authenticated_at", InstantField(auto_now=False, auto_now_add=False)),
                ("last_seen_at", InstantField(auto_now=False, auto_now_add=False)),
                ("expires_at", InstantField(auto_now=False, auto_now_add=False)),
                ("ended_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "session",
                "app": "auth",
                "indexes": [
                    Index(fields=["person_id"], name="session_person"),
                    Index(fields=["issuer", "provider_session"], name="session_provider_session"),
                ],
                "pk_attr": "id",
                "table_description": "A signed-in browser. The cookie holds an opaque token; here is only its SHA-256.",
            },
            bases=["Model"],
        ),
        ops.AddConstraint(
            model_name="Membership",
            constraint=UniqueConstraint(
                fields=("organisation_id", "person_id", "role"),
                name="membership_held_once",
                condition="revoked_at IS NULL",
            ),
        ),
    ]
