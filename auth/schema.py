"""The part of the schema the ORM does not speak: row-level security, composite keys, append-only tables.

Each function returns SQL for a migration. The application's role owns nothing, so that forced row-level
security and the grants below bind it.
"""

APP_ROLE = "portal_app"

# What the unit of work said, as SQL; empty text is what a setting becomes after its transaction.
ORGANISATION = "nullif(current_setting('portal.organisation', true), '')::uuid"
AGENCY = "nullif(current_setting('portal.agency', true), '')::uuid"
PROVIDER = "nullif(current_setting('portal.provider', true), '')::uuid"
SYSTEM = "current_setting('portal.scope', true) = 'system'"
OVERSIGHT = "current_setting('portal.scope', true) = 'oversight'"


def has_role(role: str) -> str:
    """Say in SQL whether the unit of work's actor holds a role."""
    return f"'{role}' = ANY(string_to_array(current_setting('portal.roles', true), ','))"


def secured(table: str, *, member: str, read: str = "false", grant: str = "SELECT, INSERT, UPDATE, DELETE") -> str:
    """Force row-level security: `member` may do what is granted, oversight and `read` may only look."""
    return f"""
        ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
        ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
        CREATE POLICY member ON "{table}" USING (({member}) OR {SYSTEM}) WITH CHECK (({member}) OR {SYSTEM});
        CREATE POLICY reader ON "{table}" FOR SELECT USING ({OVERSIGHT} OR ({read}));
        GRANT {grant} ON "{table}" TO {APP_ROLE};
    """


def tenant(table: str, *, grant: str = "SELECT, INSERT, UPDATE, DELETE") -> str:
    """Secure an agency's table that a provider works on too: columns `agency_id` and `provider_id`."""
    return secured(table, member=f"agency_id = {AGENCY} OR provider_id = {PROVIDER}", grant=grant) + key(table)


def asked_once(table: str) -> str:
    """Let a tenant's policies ask for whom the unit of work acts once a statement, not once a row.

    For tables of which one statement reads hundreds of rows; a single row is found no sooner.
    """
    mine = f"agency_id = (SELECT {AGENCY}) OR provider_id = (SELECT {PROVIDER}) OR (SELECT {SYSTEM})"
    return f"""
        ALTER POLICY member ON "{table}" USING ({mine}) WITH CHECK ({mine});
        ALTER POLICY reader ON "{table}" USING ((SELECT {OVERSIGHT}));
    """


def agency_only(table: str, *, grant: str = "SELECT, INSERT, UPDATE, DELETE") -> str:
    """Secure an agency's table that no provider sees."""
    return secured(table, member=f"agency_id = {AGENCY}", grant=grant) + key(table)


def offered(table: str) -> str:
    """Secure a provider's table that everybody signed in may read: catalogue, prices, pools."""
    return secured(table, member=f"provider_id = {PROVIDER}", read=f"{ORGANISATION} IS NOT NULL")


def key(table: str) -> str:
    """Give a tenant's table the key that composite references point at."""
    return f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_tenant_key" UNIQUE (agency_id, id);'


def belongs(table: str, column: str, to: str) -> str:
    """Refer to another table's row of the same agency: a foreign agency's id cannot be stored."""
    return (
        f'ALTER TABLE "{table}" ADD CONSTRAINT "{table}_{column}_same_tenant" FOREIGN KEY (agency_id, {column})'
        f' REFERENCES "{to}" (agency_id, id) ON DELETE RESTRICT;'
    )


def append_only(table: str) -> str:
    """Refuse UPDATE, DELETE and TRUNCATE on a table, whoever asks."""
    return f"""
        REVOKE UPDATE, DELETE, TRUNCATE ON "{table}" FROM {APP_ROLE};
        CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON "{table}"
            FOR EACH ROW EXECUTE FUNCTION refuse_change();
        CREATE TRIGGER no_truncate BEFORE TRUNCATE ON "{table}"
            FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    """


REFUSE_CHANGE = """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$;
"""
