from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from auth.fields import DocumentField, InstantField, new_id
from auth.schema import APP_ROLE, PROVIDER, SYSTEM
from services.channels.rules import ArrivalState, Kind, ReplyState, Security, Why
from services.incidents.rules import Channel

_CHANGING = "SELECT, INSERT, UPDATE"
_ALL = "SELECT, INSERT, UPDATE, DELETE"


def own(table: str, grant: str, *, member: str = f"provider_id = {PROVIDER}") -> str:
    """Force row-level security for the provider and the system alone; nobody else reads, oversight neither."""
    return f"""
        ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
        ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
        CREATE POLICY member ON "{table}" USING (({member}) OR {SYSTEM}) WITH CHECK (({member}) OR {SYSTEM});
        GRANT {grant} ON "{table}" TO {APP_ROLE};
    """


def of_provider(table: str, column: str, to: str) -> str:
    """Refer to another table's row of the same provider."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_same_provider" FOREIGN KEY (provider_id, {column})'
        f' REFERENCES "{to}" (provider_id, id) ON DELETE RESTRICT;'
    )


class Migration(migrations.Migration):
    dependencies = [("services", "0120_incident_files")]

    initial = False

    operations = [
        ops.CreateModel(
            name="Arrival",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                (
                    "channel",
                    fields.CharEnumField(
                        description="PHONE: phone\nLINE: line\nEMAIL: email\nPORTAL: portal\nWALK_IN: walk_in\nMONITORING: monitoring",
                        enum_type=Channel,
                        max_length=16,
                    ),
                ),
                ("external_id", fields.CharField(max_length=255)),
                ("sender", fields.CharField(max_length=254)),
                ("sender_name", fields.CharField(default="", max_length=200)),
                ("title", fields.CharField(max_length=200)),
                ("text", fields.TextField(unique=False)),
                ("sent_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("received_at", InstantField(auto_now=False, auto_now_add=False)),
                (
                    "state",
                    fields.CharEnumField(
                        default=ArrivalState.WAITING,
                        description="WAITING: waiting\nTAKEN: taken\nAUTOMATIC: automatic\nDISMISSED: dismissed",
                        enum_type=ArrivalState,
                        max_length=16,
                    ),
                ),
                (
                    "why",
                    fields.CharEnumField(
                        null=True,
                        description="UNKNOWN: unknown\nSEVERAL: several\nMAY_NOT: may_not\nUNVOUCHED: unvouched\nTOO_MANY: too_many\nUNREADABLE: unreadable",
                        enum_type=Why,
                        max_length=24,
                    ),
                ),
                ("incident_id", fields.UUIDField(null=True)),
                ("message_id", fields.UUIDField(null=True)),
                ("opened", fields.BooleanField(default=False)),
                ("settled_by_name", fields.CharField(default="", max_length=200)),
                ("settled_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "arrival",
                "app": "services",
                "unique_together": (("provider_id", "external_id"),),
                "indexes": [
                    Index(fields=["provider_id", "state", "received_at"], name="arrival_inbox"),
                    Index(fields=["provider_id", "sender", "received_at"], name="arrival_sender"),
                    Index(fields=["incident_id"], name="arrival_incident"),
                ],
                "pk_attr": "id",
                "table_description": "What reached a provider's desk by mail or LINE, each once; what nobody could be found for waits to be sorted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ArrivalFile",
            fields=[
                ("name", fields.CharField(max_length=200)),
                ("media_type", fields.CharField(max_length=100)),
                ("size", fields.IntField()),
                ("sha256", fields.CharField(max_length=64)),
                ("content", fields.BinaryField()),
                ("added_by_name", fields.CharField(max_length=200)),
                ("added_at", InstantField(auto_now=False, auto_now_add=False)),
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("arrival_id", fields.UUIDField()),
            ],
            options={
                "table": "arrival_file",
                "app": "services",
                "indexes": [Index(fields=["arrival_id"], name="arrival_file_arrival")],
                "pk_attr": "id",
                "table_description": "A file of what waits to be sorted.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LineAccount",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField(unique=True)),
                ("basic_id", fields.CharField(max_length=64)),
                ("sealed_channel_secret", fields.TextField(unique=False)),
                ("sealed_access_token", fields.TextField(unique=False)),
                ("is_on", fields.BooleanField(default=True)),
                ("heard_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("last_error", fields.CharField(default="", max_length=200)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "line_account",
                "app": "services",
                "pk_attr": "id",
                "table_description": "A provider's LINE official account.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LineCode",
            fields=[
                ("digest", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("person_id", fields.UUIDField()),
                ("expires_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "line_code",
                "app": "services",
                "indexes": [Index(fields=["person_id"], name="line_code_person")],
                "pk_attr": "digest",
                "table_description": "A code that links a LINE account to a person, once and soon; only its hash is kept.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="LineLink",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("line_user_id", fields.CharField(max_length=64)),
                ("person_id", fields.UUIDField()),
                ("linked_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "line_link",
                "app": "services",
                "unique_together": (("provider_id", "line_user_id"), ("provider_id", "person_id")),
                "indexes": [Index(fields=["person_id"], name="line_link_person")],
                "pk_attr": "id",
                "table_description": "Which person writes from a LINE account; a LINE user has another id at every provider.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Mailbox",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField(unique=True)),
                ("address", fields.CharField(max_length=254)),
                ("host", fields.CharField(max_length=255)),
                ("port", fields.IntField()),
                (
                    "security",
                    fields.CharEnumField(
                        description="TLS: tls\nSTARTTLS: starttls\nNONE: none", enum_type=Security, max_length=16
                    ),
                ),
                ("user_name", fields.CharField(max_length=254)),
                ("sealed_secret", fields.TextField(unique=False)),
                ("folder", fields.CharField(default="INBOX", max_length=100)),
                ("smtp_host", fields.CharField(max_length=255)),
                ("smtp_port", fields.IntField()),
                (
                    "smtp_security",
                    fields.CharEnumField(
                        description="TLS: tls\nSTARTTLS: starttls\nNONE: none", enum_type=Security, max_length=16
                    ),
                ),
                ("smtp_signs_in", fields.BooleanField(default=True)),
                ("vouched_by", fields.CharField(default="", max_length=255)),
                ("is_on", fields.BooleanField(default=True)),
                ("uid_validity", fields.BigIntField(null=True)),
                ("last_uid", fields.BigIntField(default=0)),
                ("next_look_at", InstantField(auto_now=False, auto_now_add=False)),
                ("looked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("worked_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("last_error", fields.CharField(default="", max_length=200)),
                ("changed_at", InstantField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "mailbox",
                "app": "services",
                "pk_attr": "id",
                "table_description": "The mailbox a provider's desk is written to, and how its answers leave. Its times are the machine's.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="Reply",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("provider_id", fields.UUIDField()),
                ("incident_id", fields.UUIDField(null=True)),
                (
                    "channel",
                    fields.CharEnumField(
                        description="PHONE: phone\nLINE: line\nEMAIL: email\nPORTAL: portal\nWALK_IN: walk_in\nMONITORING: monitoring",
                        enum_type=Channel,
                        max_length=16,
                    ),
                ),
                (
                    "kind",
                    fields.CharEnumField(
                        description="RECEIVED: received\nCONTINUED: continued\nMESSAGE: message\nLINKED: linked\nUNKNOWN: unknown",
                        enum_type=Kind,
                        max_length=16,
                    ),
                ),
                ("recipient", fields.CharField(max_length=254)),
                ("text", fields.TextField(default="", unique=False)),
                ("own_message_id", fields.CharField(unique=True, max_length=255)),
                ("in_reply_to", fields.CharField(default="", max_length=255)),
                ("detail", DocumentField(default=dict)),
                ("reply_token", fields.CharField(default="", max_length=255)),
                (
                    "state",
                    fields.CharEnumField(
                        default=ReplyState.PENDING,
                        description="PENDING: pending\nSENT: sent\nFAILED: failed",
                        enum_type=ReplyState,
                        max_length=16,
                    ),
                ),
                ("attempts", fields.IntField(default=0)),
                ("next_attempt_at", InstantField(auto_now=False, auto_now_add=False)),
                ("last_answer", fields.CharField(default="", max_length=200)),
                ("created_at", InstantField(auto_now=False, auto_now_add=False)),
                ("settled_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "reply",
                "app": "services",
                "indexes": [
                    Index(fields=["state", "next_attempt_at"], name="reply_due"),
                    Index(fields=["incident_id"], name="reply_incident"),
                ],
                "pk_attr": "id",
                "table_description": "What the desk answers by mail or LINE: written down with what causes it, sent by the worker.",
            },
            bases=["Model"],
        ),
        # The desk's own: secrets, what is not sorted yet, and what goes out. Oversight reads incidents, not these.
        ops.RunSQL(own("mailbox", _CHANGING) + own("line_account", _CHANGING) + own("line_link", _ALL)),
        ops.RunSQL(own("arrival", _CHANGING) + own("arrival_file", "SELECT, INSERT") + own("reply", _CHANGING)),
        # Codes are the portal's own, between a page and a message.
        ops.RunSQL(own("line_code", _ALL, member="false")),
        ops.RunSQL(
            "ALTER TABLE incident ADD CONSTRAINT incident_provider_key UNIQUE (provider_id, id);"
            "ALTER TABLE arrival ADD CONSTRAINT arrival_provider_key UNIQUE (provider_id, id);"
            + of_provider("arrival", "incident_id", "incident")
            + of_provider("reply", "incident_id", "incident")
            + of_provider("arrival_file", "arrival_id", "arrival")
        ),
        ops.RunSQL(
            "ALTER TABLE line_link ADD CONSTRAINT line_link_of_person FOREIGN KEY (person_id) REFERENCES person (id);"
            "ALTER TABLE line_code ADD CONSTRAINT line_code_of_person FOREIGN KEY (person_id) REFERENCES person (id);"
        ),
    ]
