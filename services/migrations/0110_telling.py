from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from auth.fields import InstantField


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0001_initial"),
        ("auth", "0002_tenancy"),
        ("auth", "0003_coordinators_and_delegations"),
        ("auth", "0100_clients"),
        ("billing", "0301_for_finance_tenancy"),
        ("services", "0120_incident_files"),
    ]

    initial = False

    operations = [
        ops.AddField(
            model_name="Incident",
            name="response_escalation",
            field=fields.IntField(null=True),
        ),
        # Incidents told before this had nobody told about their response; the scope reaches past forced policies.
        ops.RunSQL(
            "SELECT set_config('portal.scope', 'system', true);"
            " UPDATE incident SET response_escalation = 0;"
            " SELECT set_config('portal.scope', '', true);"
        ),
        ops.AlterField(
            model_name="Incident",
            name="response_escalation",
            field=fields.IntField(default=0),
        ),
        ops.AddField(
            model_name="Incident",
            name="response_warn_at",
            field=InstantField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name="Notification",
            name="section_id",
            field=fields.UUIDField(null=True),
        ),
        # What is told by itself is found by its next moment, the 24×7 ones apart: at night only those are looked for.
        ops.RunSQL(
            """
            DROP INDEX incident_warn;
            DROP INDEX incident_breach;
            CREATE INDEX incident_warn ON incident (runs_always, warn_at) WHERE is_open AND escalation = 0;
            CREATE INDEX incident_breach ON incident (runs_always, overdue_from) WHERE is_open AND escalation < 2;
            CREATE INDEX incident_response_warn ON incident (runs_always, response_warn_at)
                WHERE is_open AND responded_at IS NULL AND response_escalation = 0;
            CREATE INDEX incident_response_breach ON incident (runs_always, response_due_at)
                WHERE is_open AND responded_at IS NULL AND response_escalation < 2;
            """
        ),
    ]
