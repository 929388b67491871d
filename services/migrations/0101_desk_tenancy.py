from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import ORGANISATION, PROVIDER, append_only, belongs, key, offered, secured, tenant

_CHANGING = "SELECT, INSERT, UPDATE"
_ADDING = "SELECT, INSERT"
_MINE = f"provider_id = {PROVIDER}"
_ANYBODY = f"{ORGANISATION} IS NOT NULL"


def of_provider(table: str, column: str, to: str) -> str:
    """Refer to another table's row of the same provider."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_same_provider" FOREIGN KEY (provider_id, {column})'
        f' REFERENCES "{to}" (provider_id, id) ON DELETE RESTRICT;'
    )


def provider_key(table: str) -> str:
    """Give a provider's table the key that references of its own provider point at."""
    return f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_provider_key" UNIQUE (provider_id, id);'


def desk_only(table: str) -> str:
    """Secure what is about an agency's incident and yet the desk's own: no agency reads or writes it."""
    return secured(table, member=_MINE, grant=_ADDING) + key(table) + append_only(table)


class Migration(migrations.Migration):
    dependencies = [("services", "0100_desk")]

    operations = [
        ops.RunSQL(offered("section") + provider_key("section")),
        ops.RunSQL(
            secured("section_member", member=_MINE, grant=_CHANGING)
            + of_provider("section_member", "section_id", "section")
            + "CREATE UNIQUE INDEX section_member_once ON section_member (section_id, person_id) WHERE until IS NULL;"
        ),
        ops.RunSQL(secured("absence", member=_MINE)),
        ops.RunSQL(
            offered("sla_row")
            + provider_key("sla_row")
            + of_provider("sla_row", "section_id", "section")
            + append_only("sla_row")
            + """
            ALTER TABLE sla_row ADD CONSTRAINT sla_row_targets CHECK (
                CASE WHEN mode = 'none' THEN target_max_minutes IS NULL
                ELSE target_min_minutes BETWEEN 1 AND target_max_minutes END
            );
            """
        ),
        ops.RunSQL(tenant("caller", grant=_CHANGING)),
        ops.RunSQL(offered("disruption") + provider_key("disruption")),
        ops.RunSQL(
            secured("disruption_update", member=_MINE, read=_ANYBODY, grant=_ADDING)
            + of_provider("disruption_update", "disruption_id", "disruption")
            + append_only("disruption_update")
        ),
        ops.RunSQL(tenant("incident", grant=_CHANGING)),
        ops.RunSQL(
            belongs("incident", "subscription_id", "subscription")
            + belongs("incident", "caller_id", "caller")
            + belongs("incident", "merged_into_id", "incident")
            + of_provider("incident", "section_id", "section")
            + of_provider("incident", "sla_row_id", "sla_row")
            + of_provider("incident", "disruption_id", "disruption")
        ),
        # The queues: what is open, by what is due next; closed ones, however many, are not in these indexes.
        ops.RunSQL(
            """
            ALTER TABLE incident ADD CONSTRAINT incident_grade CHECK (grade BETWEEN 1 AND 5),
                ADD CONSTRAINT incident_items CHECK (items >= 1),
                ADD CONSTRAINT incident_contact CHECK (contacted_at <= logged_at);
            CREATE INDEX incident_queue ON incident (provider_id, queue_at, id) WHERE is_open;
            CREATE INDEX incident_section_queue ON incident (section_id, queue_at, id) WHERE is_open;
            CREATE INDEX incident_own_queue ON incident (assignee_id, queue_at, id) WHERE is_open;
            CREATE INDEX incident_unassigned_queue ON incident (provider_id, queue_at, id)
                WHERE is_open AND assignee_id IS NULL;
            CREATE INDEX incident_breached_queue ON incident (provider_id, overdue_from) WHERE is_open;
            CREATE INDEX incident_warn ON incident (warn_at) WHERE is_open AND escalation = 0;
            CREATE INDEX incident_breach ON incident (overdue_from) WHERE is_open AND escalation < 2;
            CREATE INDEX incident_closing ON incident (closes_at) WHERE closes_at IS NOT NULL;
            CREATE INDEX incident_reminding ON incident (remind_at) WHERE remind_at IS NOT NULL;
            """
        ),
        ops.RunSQL(tenant("incident_fact", grant=_ADDING)),
        ops.RunSQL(belongs("incident_fact", "incident_id", "incident")),
        ops.RunSQL(append_only("incident_fact")),
        ops.RunSQL(tenant("incident_message", grant=_ADDING)),
        ops.RunSQL(belongs("incident_message", "incident_id", "incident")),
        ops.RunSQL(append_only("incident_message")),
        ops.RunSQL(desk_only("internal_note") + belongs("internal_note", "incident_id", "incident")),
        ops.RunSQL(desk_only("work_entry") + belongs("work_entry", "incident_id", "incident")),
        ops.RunSQL(tenant("appointment", grant=_CHANGING)),
        ops.RunSQL(
            belongs("appointment", "incident_id", "incident")
            + "ALTER TABLE appointment ADD CONSTRAINT appointment_lasts CHECK (ends_at > starts_at);"
        ),
        # What the desk writes for itself stays with it; what is public and stands, everybody may read.
        ops.RunSQL(
            secured(
                "article",
                member=_MINE,
                read=f"{_ANYBODY} AND is_public AND NOT is_withdrawn",
                grant=_CHANGING,
            )
        ),
    ]
