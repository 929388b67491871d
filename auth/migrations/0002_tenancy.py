from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import APP_ROLE, ORGANISATION, PROVIDER, REFUSE_CHANGE, append_only, secured

_MEMBER_OF_MINE = (
    f"EXISTS (SELECT FROM membership m WHERE m.person_id = person.id AND m.organisation_id = {ORGANISATION})"
)
_ASKED_MINE = (
    f"EXISTS (SELECT FROM access_request a WHERE a.person_id = person.id AND a.organisation_id = {ORGANISATION})"
)
_MY_CHAIN = f"chain_id = {ORGANISATION} OR organisation_id = {ORGANISATION}"


class Migration(migrations.Migration):
    dependencies = [("auth", "0001_initial")]

    operations = [
        ops.RunSQL(REFUSE_CHANGE),
        ops.RunSQL(f"GRANT USAGE ON SCHEMA public TO {APP_ROLE};"),
        ops.RunSQL(
            secured(
                "organisation",
                member=f"id = {ORGANISATION}",
                # An agency never learns of another; a provider knows those it may serve.
                read=f"{ORGANISATION} IS NOT NULL AND (kind <> 'agency' OR {PROVIDER} IS NOT NULL)",
                grant="SELECT, INSERT, UPDATE",
            )
        ),
        ops.RunSQL(secured("membership", member=f"organisation_id = {ORGANISATION}", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(
            secured("access_request", member=f"organisation_id = {ORGANISATION}", grant="SELECT, INSERT, UPDATE")
        ),
        ops.RunSQL(
            secured(
                "person", member="false", read=f"{_MEMBER_OF_MINE} OR {_ASKED_MINE}", grant="SELECT, INSERT, UPDATE"
            )
        ),
        ops.RunSQL(secured("session", member="false", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(secured("pending_sign_in", member="false", grant="SELECT, INSERT, DELETE")),
        ops.RunSQL(secured("logout_notice_seen", member="false", grant="SELECT, INSERT, DELETE")),
        # Whoever acts leaves a record, an auditor's denied attempt too; reading is the chain's own.
        ops.RunSQL(
            f"""
            ALTER TABLE audit_record ENABLE ROW LEVEL SECURITY;
            ALTER TABLE audit_record FORCE ROW LEVEL SECURITY;
            CREATE POLICY writer ON audit_record FOR INSERT WITH CHECK (true);
            CREATE POLICY reader ON audit_record FOR SELECT USING (
                {_MY_CHAIN} OR current_setting('portal.scope', true) IN ('system', 'oversight')
            );
            GRANT SELECT, INSERT ON audit_record TO {APP_ROLE};
            GRANT SELECT, INSERT, UPDATE ON audit_head TO {APP_ROLE};
            """
        ),
        ops.RunSQL(append_only("audit_record")),
    ]
