from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import APP_ROLE, SYSTEM

# The months whose single events are kept no longer. It belongs to nobody in particular, so everybody may read it; it is
# written by the function below alone.
_TABLE = f"""
    CREATE TABLE usage_let_go (
        month date PRIMARY KEY,
        events bigint NOT NULL,
        let_go_at timestamptz NOT NULL
    );
    ALTER TABLE usage_let_go ENABLE ROW LEVEL SECURITY;
    ALTER TABLE usage_let_go FORCE ROW LEVEL SECURITY;
    CREATE POLICY reader ON usage_let_go FOR SELECT USING (true);
    CREATE POLICY writer ON usage_let_go FOR INSERT WITH CHECK ({SYSTEM});
    GRANT SELECT ON usage_let_go TO {APP_ROLE};
"""

# The application's role owns no table, so the owner drops them for it, after looking itself at what may need them. The
# partition is asked through its parent: by itself it shows nobody anything.
_LET_GO = f"""
    CREATE FUNCTION let_usage_go(of_month date, at timestamptz) RETURNS text LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    DECLARE
        name text := 'usage_event_' || to_char(of_month, 'YYYY_MM');
        opens timestamptz := of_month::timestamp AT TIME ZONE interval '7 hours';
        closes timestamptz := (of_month + interval '1 month') AT TIME ZONE interval '7 hours';
        many bigint;
    BEGIN
        IF {SYSTEM} IS NOT TRUE THEN
            RAISE EXCEPTION 'only the portal itself lets usage go' USING ERRCODE = 'insufficient_privilege';
        END IF;
        IF extract(day FROM of_month) <> 1 OR closes > at - interval '35 days' THEN
            RAISE EXCEPTION 'usage of % may still come', of_month USING ERRCODE = 'invalid_parameter_value';
        END IF;
        PERFORM pg_advisory_xact_lock(hashtextextended('usage_partition', 0));
        -- Who is storing usage of the month is waited for, and seen below.
        EXECUTE format('LOCK TABLE %I IN SHARE MODE', name);
        IF EXISTS (
            SELECT FROM (
                SELECT DISTINCT agency_id, provider_id FROM usage_event WHERE starts_at >= opens AND starts_at < closes
            ) e
            WHERE NOT EXISTS (
                SELECT FROM statement s
                WHERE s.agency_id = e.agency_id AND s.provider_id = e.provider_id AND s.month = of_month
            )
        ) THEN RETURN 'invoice'; END IF;
        SELECT count(*) INTO many FROM usage_event WHERE starts_at >= opens AND starts_at < closes;
        -- A correction only reads the events; it too is waited for before what it left is looked at.
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', name);
        IF EXISTS (SELECT FROM late_usage l WHERE l.month = of_month AND l.statement_id IS NULL) THEN
            RETURN 'settlement';
        END IF;
        IF EXISTS (
            SELECT FROM dispute d JOIN statement s ON s.agency_id = d.agency_id AND s.id = d.statement_id
            WHERE d.state = 'open' AND s.month = of_month
        ) THEN RETURN 'dispute'; END IF;
        EXECUTE format('DROP TABLE %I', name);
        INSERT INTO usage_let_go (month, events, let_go_at) VALUES (of_month, many, at);
        RETURN '';
    END $$;
    REVOKE ALL ON FUNCTION let_usage_go(date, timestamptz) FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION let_usage_go(date, timestamptz) TO {APP_ROLE};
"""

# As it was, and: a month that was let go is not made anew.
_PARTITION = """
    CREATE OR REPLACE FUNCTION usage_partition(month date) RETURNS void LANGUAGE plpgsql SECURITY DEFINER
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
        IF EXISTS (SELECT FROM usage_let_go g WHERE g.month >= usage_partition.month) THEN
            RAISE EXCEPTION 'usage of % is not kept any more', month USING ERRCODE = 'restrict_violation';
        END IF;
        -- Asked of the table itself: the name's cached absence would outlive the wait.
        IF EXISTS (SELECT FROM pg_class WHERE relname = name AND relnamespace = 'public'::regnamespace) THEN
            RETURN;
        END IF;
        EXECUTE format('CREATE TABLE %I (LIKE usage_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', name);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE usage_event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', name, opens, closes);
    END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0323_taxes")]

    operations = [
        ops.RunSQL(_TABLE),
        ops.RunSQL(_LET_GO),
        ops.RunSQL(_PARTITION),
    ]
