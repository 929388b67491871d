from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from auth.fields import InstantField
from auth.schema import APP_ROLE
from services.sla.facts import FactKind

# A file is kept as it came, until somebody removes it: then its bytes go, once, and who did it and why stays with it.
_REMOVED_ONCE = f"""
    CREATE FUNCTION refuse_all_but_removal() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF OLD.removed_at IS NOT NULL OR NEW.removed_at IS NULL OR octet_length(NEW.content) > 0 THEN
            RAISE EXCEPTION 'a file is removed, or stays as it is' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    GRANT DELETE ON arrival_file TO {APP_ROLE};
"""
_ALWAYS = "id, agency_id, provider_id, incident_id, name, media_type, size, sha256, added_by, added_by_name, added_at"
_REMOVED = "content, removed_at, removed_by_name, removed_why"


def removable(table: str, hangs_on: str) -> str:
    """Let a file's bytes be removed from an append-only table, and nothing else of it be changed."""
    return f"""
        DROP TRIGGER append_only ON {table};
        CREATE TRIGGER append_only BEFORE DELETE OR UPDATE OF {_ALWAYS}, {hangs_on} ON {table}
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER removed_once BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_all_but_removal();
        GRANT UPDATE ({_REMOVED}) ON {table} TO {APP_ROLE};
    """


# What was sorted onto an incident before is there; the copy where it arrived could not be removed from the incident.
_KEPT_ONCE = """
    SELECT set_config('portal.scope', 'system', true);
    DELETE FROM arrival_file f USING arrival a, incident_file i
        WHERE f.arrival_id = a.id AND a.incident_id = i.incident_id AND i.sha256 = f.sha256;
    SELECT set_config('portal.scope', '', true);
"""


class Migration(migrations.Migration):
    dependencies = [("services", "0132_more_answers")]

    initial = False

    operations = [
        *(
            ops.AddField(model_name=model, name=name, field=field)
            for model in ("IncidentFile", "InternalFile")
            for name, field in (
                ("removed_at", InstantField(null=True, auto_now=False, auto_now_add=False)),
                ("removed_by_name", fields.CharField(default="", max_length=200)),
                ("removed_why", fields.TextField(default="", unique=False)),
            )
        ),
        ops.AlterField(
            model_name="IncidentFact",
            name="kind",
            field=fields.CharEnumField(
                description="OPENED: opened\nACCEPTED: accepted\nCONDITION_MET: condition_met\nRECLASSIFIED: reclassified\nFORWARDED: forwarded\nASSIGNED: assigned\nTAKEN: taken\nAPPOINTMENT_PROPOSED: appointment_proposed\nAPPOINTED: appointed\nPAUSED: paused\nREMINDED: reminded\nRESUMED: resumed\nSENT_TO_VENDOR: sent_to_vendor\nRETURNED: returned\nITEM_DONE: item_done\nLINKED: linked\nFILE_REMOVED: file_removed\nESCALATED: escalated\nRESOLVED: resolved\nREOPENED: reopened\nCLOSED: closed\nMERGED: merged\nRATED: rated",
                enum_type=FactKind,
                max_length=24,
            ),
        ),
        ops.RunSQL(_REMOVED_ONCE),
        ops.RunSQL(removable("incident_file", "message_id")),
        ops.RunSQL(removable("internal_file", "note_id")),
        ops.RunSQL(_KEPT_ONCE),
    ]
