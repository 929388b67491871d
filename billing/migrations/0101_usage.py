from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, APP_ROLE, OVERSIGHT, PROVIDER, SYSTEM, append_only, belongs, key, offered, secured

# Asked once per statement, not once per row: a batch of a thousand events feels the difference.
_MINE = f"provider_id = (SELECT {PROVIDER}) OR (SELECT {SYSTEM})"
_SEEN = f"agency_id = (SELECT {AGENCY}) OR (SELECT {OVERSIGHT})"


def measured(table: str, *, grant: str) -> str:
    """Secure a table of usage: its provider writes, its agency reads."""
    return f"""
        ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY;
        ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY;
        CREATE POLICY member ON "{table}" USING ({_MINE}) WITH CHECK ({_MINE});
        CREATE POLICY reader ON "{table}" FOR SELECT USING ({_SEEN});
        GRANT {grant} ON "{table}" TO {APP_ROLE};
    """


# An event's identity is its provider, source and id, digested; it is kept for ever, apart from the events, because
# a key of the partitioned table could not reach across months. What the event said is digested beside it.
_IDENTITY = """
    CREATE TABLE usage_identity (
        provider_id uuid NOT NULL,
        id uuid NOT NULL,
        said uuid NOT NULL,
        agency_id uuid NOT NULL,
        PRIMARY KEY (provider_id, id)
    );
"""

# No foreign key here nor at the hours: each event also makes or meets its day, in the same statement, and the day has
# one. Checked for every event it would cost more than storing it.
_EVENT = """
    CREATE TABLE usage_event (
        agency_id uuid NOT NULL,
        provider_id uuid NOT NULL,
        service_id uuid NOT NULL,
        component_id uuid NOT NULL,
        id uuid NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        received_at timestamptz NOT NULL,
        is_late boolean NOT NULL,
        quantity numeric(20, 6) NOT NULL,
        source text NOT NULL,
        event_id text NOT NULL,
        client_id uuid,
        entered_by text,
        reason text,
        PRIMARY KEY (agency_id, service_id, component_id, starts_at, id),
        CONSTRAINT usage_event_not_negative CHECK (quantity >= 0),
        CONSTRAINT usage_event_ends_after_start CHECK (ends_at >= starts_at)
    ) PARTITION BY RANGE (starts_at);
"""


def summed(table: str, column: str, kind: str, *, more: str = "") -> str:
    return f"""
        CREATE TABLE {table} (
            agency_id uuid NOT NULL,
            provider_id uuid NOT NULL,
            service_id uuid NOT NULL,
            component_id uuid NOT NULL,
            {column} {kind} NOT NULL,
            total numeric NOT NULL,
            high numeric NOT NULL,
            events bigint NOT NULL,
            PRIMARY KEY (agency_id, service_id, component_id, {column})
            {more}
        ) WITH (fillfactor = 80);
    """


# A month's partition is Bangkok's month. The application's role owns no table, so the owner makes them for it.
_PARTITION = f"""
    CREATE FUNCTION usage_partition(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE
        name text := 'usage_event_' || to_char(month, 'YYYY_MM');
        opens timestamptz := month::timestamp AT TIME ZONE interval '7 hours';
        closes timestamptz := (month + interval '1 month') AT TIME ZONE interval '7 hours';
    BEGIN
        IF extract(day FROM month) <> 1 OR month NOT BETWEEN '2020-01-01' AND '2100-01-01' THEN
            RAISE EXCEPTION 'no such month of usage: %', month USING ERRCODE = 'invalid_parameter_value';
        END IF;
        IF to_regclass(name) IS NOT NULL THEN RETURN; END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('usage_partition', 0));
        -- Asked of the table itself: the name's cached absence would outlive the wait.
        IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace) THEN
            RETURN;
        END IF;
        EXECUTE format('CREATE TABLE %I (LIKE usage_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE usage_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, opens, closes);
    END $$;
    REVOKE ALL ON FUNCTION usage_partition(date) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION usage_partition(date) TO {APP_ROLE};
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0100_metering")]

    operations = [
        ops.RunSQL(_IDENTITY),
        ops.RunSQL(measured("usage_identity", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("usage_identity")),
        ops.RunSQL(_EVENT),
        ops.RunSQL(measured("usage_event", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("usage_event")),
        ops.RunSQL(_PARTITION),
        ops.RunSQL(summed("usage_hour", "hour", "timestamptz")),
        ops.RunSQL(measured("usage_hour", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(
            summed(
                "usage_day",
                "day",
                "date",
                more=", FOREIGN KEY (agency_id, service_id) REFERENCES billed_service (agency_id, id) ON DELETE RESTRICT",
            )
        ),
        ops.RunSQL(measured("usage_day", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(offered("meter")),
        ops.RunSQL("CREATE UNIQUE INDEX billed_service_number ON billed_service (provider_id, number);"),
        ops.RunSQL(
            secured(
                "external_reference",
                member=f"provider_id = {PROVIDER}",
                read=f"agency_id = {AGENCY}",
                grant="SELECT, INSERT, UPDATE, DELETE",
            )
        ),
        ops.RunSQL(belongs("external_reference", "service_id", "billed_service")),
        ops.RunSQL(measured("usage_correction", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("usage_correction")),
        ops.RunSQL(key("usage_correction")),
        ops.RunSQL(belongs("usage_correction", "service_id", "billed_service")),
        ops.RunSQL("ALTER TABLE usage_correction ADD CONSTRAINT usage_correction_not_negative CHECK (quantity >= 0);"),
        ops.RunSQL(measured("late_usage", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("late_usage", "service_id", "billed_service")),
        ops.RunSQL(belongs("late_usage", "statement_id", "statement")),
        ops.RunSQL(measured("adjustment", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("adjustment")),
        ops.RunSQL(belongs("adjustment", "service_id", "billed_service")),
        ops.RunSQL(belongs("adjustment", "statement_id", "statement")),
        ops.RunSQL(belongs("adjustment", "corrects_id", "statement")),
    ]
