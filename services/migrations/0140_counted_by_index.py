from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import asked_once

# Each queue is counted on every page of the desk, up to a thousand: from the index alone, with what the policy and the
# other conditions ask for beside the key.
_COUNTED = """
    DROP INDEX incident_queue;
    DROP INDEX incident_section_queue;
    DROP INDEX incident_unassigned_queue;
    DROP INDEX incident_breached_queue;
    CREATE INDEX incident_queue ON incident (provider_id, queue_at, id)
        INCLUDE (agency_id, section_id, assignee_id) WHERE is_open;
    CREATE INDEX incident_section_queue ON incident (section_id, queue_at, id)
        INCLUDE (agency_id, provider_id) WHERE is_open;
    CREATE INDEX incident_unassigned_queue ON incident (provider_id, queue_at, id)
        INCLUDE (agency_id, section_id) WHERE is_open AND assignee_id IS NULL;
    CREATE INDEX incident_breached_queue ON incident (provider_id, overdue_from)
        INCLUDE (agency_id, section_id, assignee_id) WHERE is_open;
"""


class Migration(migrations.Migration):
    dependencies = [("services", "0133_files_removed")]

    operations = [ops.RunSQL(asked_once("incident")), ops.RunSQL(_COUNTED)]
