from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops
from tortoise.migrations.constraints import CheckConstraint

from auth.fields import DocumentField, ExactDecimalField, InstantField, new_id
from services.capacity.models import HoldState
from services.catalogue.rules import Family
from services.requests.rules import Action, CheckKind, Kind, State
from services.subscriptions.models import SubscriptionState


class Migration(migrations.Migration):
    initial = True

    dependencies = [("auth", "0001_initial"), ("billing", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="Check",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                (
                    "kind",
                    fields.CharEnumField(
                        description="REQUEST: request\nCAPACITY: capacity\nCOST: cost",
                        enum_type=CheckKind,
                        max_length=16,
                    ),
                ),
                ("passed", fields.BooleanField()),
                ("note", fields.TextField(default="", unique=False)),
                ("by_id", fields.UUIDField()),
                ("by_name", fields.CharField(max_length=200)),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "check_record",
                "app": "services",
                "indexes": [Index(fields=["agency_id", "request_id", "at"], name="check_record_request")],
                "pk_attr": "id",
                "table_description": "One of the reviewer's three checks, by whom and when; the latest of a kind counts.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Holiday",
            fields=[
                ("day", fields.DateField(primary_key=True, unique=True, db_index=True)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(default="", max_length=200)),
                ("is_special", fields.BooleanField(default=False)),
                ("withdrawn_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("changed_by", fields.CharField(max_length=200)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "holiday",
                "app": "services",
                "pk_attr": "day",
                "table_description": "A day the government is closed; a row withdrawn stays, so that its history can be read.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Offering",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "provider",
                    fields.ForeignKeyField(
                        "auth.Organisation",
                        source_field="provider_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="offerings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=16)),
                (
                    "family",
                    fields.CharEnumField(
                        description="GOVERNMENT_INTERNET: government_internet\nGOVERNMENT_INTRANET: government_intranet\nAGENCY_INTRANET: agency_intranet\nCLOUD: cloud\nDATA_CENTRE: data_centre\nSECURITY: security",
                        enum_type=Family,
                        max_length=32,
                    ),
                ),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("summary_th", fields.TextField(default="", unique=False)),
                ("summary_en", fields.TextField(default="", unique=False)),
                ("availability_pct", ExactDecimalField(max_digits=6, decimal_places=3)),
                ("exclusions_th", fields.TextField(default="", unique=False)),
                ("exclusions_en", fields.TextField(default="", unique=False)),
                ("lead_working_days", fields.IntField()),
                ("change_lead_working_days", fields.IntField(default=1)),
                ("is_open", fields.BooleanField(default=True)),
                ("position", fields.IntField(default=0)),
            ],
            options={
                "table": "offering",
                "app": "services",
                "unique_together": (("provider_id", "code"),),
                "pk_attr": "id",
                "table_description": "A service on offer (standard 5), of exactly one family.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Addon",
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
                        related_name="addons",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=48)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("position", fields.IntField(default=0)),
            ],
            options={
                "table": "addon",
                "app": "services",
                "unique_together": (("offering_id", "code"),),
                "pk_attr": "id",
                "table_description": "An extra (บริการเสริม) to an offering, asked for and cancelled by itself.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Pool",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("code", fields.CharField(max_length=48)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("unit_th", fields.CharField(max_length=48)),
                ("unit_en", fields.CharField(max_length=48)),
                ("size", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("in_use", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("held", ExactDecimalField(max_digits=20, decimal_places=6)),
            ],
            options={
                "table": "pool",
                "app": "services",
                "unique_together": (("provider_id", "code"),),
                "constraints": [
                    CheckConstraint(
                        check="in_use >= 0 AND held >= 0 AND in_use + held <= size", name="pool_never_overdrawn"
                    )
                ],
                "pk_attr": "id",
                "table_description": "What a provider has of something, and how much of it is taken; several offerings may draw on one.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Component",
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
                        related_name="components",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "addon",
                    fields.ForeignKeyField(
                        "services.Addon",
                        source_field="addon_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="components",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "price_item",
                    fields.ForeignKeyField(
                        "billing.PriceItem",
                        source_field="price_item_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="components",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "pool",
                    fields.ForeignKeyField(
                        "services.Pool",
                        source_field="pool_id",
                        null=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="components",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(max_length=48)),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("unit_th", fields.CharField(max_length=48)),
                ("unit_en", fields.CharField(max_length=48)),
                ("minimum", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("maximum", ExactDecimalField(null=True, max_digits=20, decimal_places=6)),
                ("step", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("position", fields.IntField(default=0)),
            ],
            options={
                "table": "component",
                "app": "services",
                "unique_together": (("offering_id", "code"),),
                "indexes": [
                    Index(fields=["addon_id"], name="component_addon"),
                    Index(fields=["pool_id"], name="component_pool"),
                    Index(fields=["price_item_id"], name="component_price_item"),
                ],
                "pk_attr": "id",
                "table_description": "What is ordered of an offering or an add-on: a quantity with its unit, step, bounds, price and pool.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Hold",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                (
                    "pool",
                    fields.ForeignKeyField(
                        "services.Pool",
                        source_field="pool_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="holds",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("quantity", ExactDecimalField(max_digits=20, decimal_places=6)),
                (
                    "state",
                    fields.CharEnumField(
                        default=HoldState.HELD,
                        description="HELD: held\nUSED: used\nRELEASED: released",
                        enum_type=HoldState,
                        max_length=16,
                    ),
                ),
                ("held_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "hold",
                "app": "services",
                "indexes": [
                    Index(fields=["agency_id", "request_id"], name="hold_request"),
                    Index(fields=["pool_id", "state"], name="hold_pool"),
                ],
                "pk_attr": "id",
                "table_description": "Capacity set aside for one quote until it is confirmed, refused or expires.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Quote",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                ("number", fields.IntField()),
                ("document", DocumentField()),
                ("sha256", fields.CharField(max_length=64)),
                ("valid_until", InstantField(auto_now=False, auto_now_add=False)),
                ("quoted_by", fields.UUIDField()),
                ("quoted_by_name", fields.CharField(max_length=200)),
                ("quoted_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "quote",
                "app": "services",
                "unique_together": (("agency_id", "request_id", "number"),),
                "pk_attr": "id",
                "table_description": "The provider's answer (annex ก 1.6), frozen: the document, its SHA-256, and until when it holds.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RequestEvent",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                ("number", fields.IntField()),
                ("at", InstantField(auto_now=False, auto_now_add=False)),
                ("by_id", fields.UUIDField(null=True)),
                ("by_name", fields.CharField(max_length=200)),
                ("by_organisation_th", fields.CharField(default="", max_length=200)),
                ("by_organisation_en", fields.CharField(default="", max_length=200)),
                ("what", fields.CharField(max_length=32)),
                (
                    "action",
                    fields.CharEnumField(
                        null=True,
                        description="SUBMIT: submit\nACCEPT: accept\nRETURN: return\nREJECT: reject\nQUOTE: quote\nVOID: void\nCONFIRM: confirm\nDECLINE: decline\nEXPIRE: expire\nWITHDRAW: withdraw\nSTART: start\nCOMPLETE: complete",
                        enum_type=Action,
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        description="DRAFT: draft\nSUBMITTED: submitted\nUNDER_REVIEW: under_review\nRETURNED: returned\nAWAITING_CONFIRMATION: awaiting_confirmation\nCONFIRMED: confirmed\nIN_PROGRESS: in_progress\nCOMPLETED: completed\nREJECTED: rejected\nDECLINED: declined\nWITHDRAWN: withdrawn\nEXPIRED: expired",
                        enum_type=State,
                        max_length=24,
                    ),
                ),
                ("note", fields.TextField(default="", unique=False)),
                ("detail", DocumentField()),
            ],
            options={
                "table": "request_event",
                "app": "services",
                "unique_together": (("agency_id", "request_id", "number"),),
                "pk_attr": "id",
                "table_description": "One line of the timeline both sides see; appended with the move it tells of.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="RequestItem",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                (
                    "component",
                    fields.ForeignKeyField(
                        "services.Component",
                        source_field="component_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="request_items",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("before", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("asked", ExactDecimalField(max_digits=20, decimal_places=6)),
                ("confirmed", ExactDecimalField(null=True, max_digits=20, decimal_places=6)),
            ],
            options={
                "table": "request_item",
                "app": "services",
                "unique_together": (("agency_id", "request_id", "component_id"),),
                "indexes": [Index(fields=["component_id"], name="request_item_component")],
                "pk_attr": "id",
                "table_description": "One component asked for: how much there is, is asked, and was confirmed by the provider.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ServiceRequest",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("number", fields.CharField(max_length=32)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="NEW: new\nNEW_ADDON: new_addon\nCHANGE: change\nCANCEL: cancel\nCANCEL_ADDON: cancel_addon",
                        enum_type=Kind,
                        max_length=16,
                    ),
                ),
                (
                    "state",
                    fields.CharEnumField(
                        default=State.DRAFT,
                        description="DRAFT: draft\nSUBMITTED: submitted\nUNDER_REVIEW: under_review\nRETURNED: returned\nAWAITING_CONFIRMATION: awaiting_confirmation\nCONFIRMED: confirmed\nIN_PROGRESS: in_progress\nCOMPLETED: completed\nREJECTED: rejected\nDECLINED: declined\nWITHDRAWN: withdrawn\nEXPIRED: expired",
                        enum_type=State,
                        max_length=24,
                    ),
                ),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "services.Offering",
                        source_field="offering_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="requests",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("subscription_id", fields.UUIDField(null=True)),
                ("label", fields.CharField(default="", max_length=200)),
                ("effective_on", fields.DateField()),
                ("justification", fields.TextField(default="", unique=False)),
                ("asked_by", fields.UUIDField()),
                ("asked_by_name", fields.CharField(max_length=200)),
                ("reviewer_id", fields.UUIDField(null=True)),
                ("reviewer_name", fields.CharField(default="", max_length=200)),
                ("quote_id", fields.UUIDField(null=True)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("submitted_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "service_request",
                "app": "services",
                "unique_together": (("agency_id", "number"),),
                "indexes": [
                    Index(fields=["agency_id", "state", "changed_at"], name="service_request_agency"),
                    Index(fields=["provider_id", "state", "submitted_at"], name="service_request_queue"),
                    Index(fields=["agency_id", "subscription_id"], name="service_request_subscription"),
                    Index(fields=["offering_id"], name="service_request_offering"),
                ],
                "pk_attr": "id",
                "table_description": "A request (คำร้อง) for a service to be given, changed or ended.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Subscription",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                (
                    "offering",
                    fields.ForeignKeyField(
                        "services.Offering",
                        source_field="offering_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="subscriptions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("number", fields.CharField(max_length=32)),
                ("label", fields.CharField(max_length=200)),
                ("contract_number", fields.CharField(default="", max_length=64)),
                ("starts_on", fields.DateField()),
                ("ends_on", fields.DateField(null=True)),
                (
                    "state",
                    fields.CharEnumField(
                        default=SubscriptionState.ACTIVE,
                        description="ACTIVE: active\nENDED: ended",
                        enum_type=SubscriptionState,
                        max_length=16,
                    ),
                ),
            ],
            options={
                "table": "subscription",
                "app": "services",
                "unique_together": (("agency_id", "number"),),
                "indexes": [
                    Index(fields=["provider_id", "agency_id"], name="subscription_provider"),
                    Index(fields=["offering_id"], name="subscription_offering"),
                ],
                "pk_attr": "id",
                "table_description": "A service in use (standard 7.5.2). Its quantities are billing's allocations, under the same id.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WorkOrder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("request_id", fields.UUIDField()),
                ("confirmed_at", InstantField(auto_now=False, auto_now_add=False)),
                ("lead_working_days", fields.IntField()),
                ("started_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("delivered_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("assigned_to", fields.UUIDField(null=True)),
                ("assigned_to_name", fields.CharField(default="", max_length=200)),
            ],
            options={
                "table": "work_order",
                "app": "services",
                "unique_together": (("agency_id", "request_id"),),
                "indexes": [Index(fields=["provider_id", "delivered_at", "confirmed_at"], name="work_order_queue")],
                "pk_attr": "id",
                "table_description": "The order to do what was confirmed (annex ก 1.8); one per request.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="WorkStep",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("agency_id", fields.UUIDField()),
                ("provider_id", fields.UUIDField()),
                ("work_order_id", fields.UUIDField()),
                ("position", fields.IntField()),
                ("name_th", fields.CharField(max_length=200)),
                ("name_en", fields.CharField(max_length=200)),
                ("done_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("done_by_name", fields.CharField(default="", max_length=200)),
                ("note", fields.TextField(default="", unique=False)),
            ],
            options={
                "table": "work_step",
                "app": "services",
                "unique_together": (("agency_id", "work_order_id", "position"),),
                "pk_attr": "id",
                "table_description": "One step of a work order, with what was noted when it was done.",
            },
            bases=["Model"],
        ),
        ops.AddConstraint(
            model_name="Pool",
            constraint=CheckConstraint(
                check="in_use >= 0 AND held >= 0 AND in_use + held <= size", name="pool_never_overdrawn"
            ),
        ),
    ]
