from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import agency_only, append_only, belongs, tenant

_ONE_AT_A_TIME = "CREATE UNIQUE INDEX dispute_one_open ON dispute (agency_id, line_id) WHERE state = 'open';"


class Migration(migrations.Migration):
    dependencies = [("billing", "0300_for_finance")]

    operations = [
        ops.RunSQL(agency_only("acknowledgement", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("acknowledgement")),
        ops.RunSQL(tenant("dispute", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("dispute", "statement_id", "statement")),
        ops.RunSQL(belongs("dispute", "line_id", "statement_line")),
        ops.RunSQL(belongs("dispute", "credit_note_id", "document")),
        ops.RunSQL(_ONE_AT_A_TIME),
        ops.RunSQL(tenant("dispute_event", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("dispute_event", "dispute_id", "dispute")),
        ops.RunSQL(append_only("dispute_event")),
    ]
