from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import APP_ROLE

# A batch is copied to a table of the session's own, as PostgreSQL refuses COPY into one with row-level security; it is
# stored from there. The table is made on first use and empty after every commit; what an earlier batch of the same
# transaction left is taken out. The limits of its texts (`LONGEST_TEXT`) spare it a second table, for longer ones.
_OWN = f"""
    CREATE FUNCTION usage_batch() RETURNS void LANGUAGE plpgsql AS $$
    BEGIN
        IF to_regclass('pg_temp.usage_batch') IS NOT NULL THEN
            DELETE FROM pg_temp.usage_batch;
        ELSE
            CREATE TEMPORARY TABLE usage_batch (
                id uuid, said uuid, service int, gauge int, stretch int, is_late boolean, quantity numeric(20, 6),
                source varchar(200), event_id varchar(200)
            ) ON COMMIT DELETE ROWS;
        END IF;
    END $$;
    REVOKE ALL ON FUNCTION usage_batch() FROM PUBLIC;
    GRANT EXECUTE ON FUNCTION usage_batch() TO {APP_ROLE};
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0333_reviewed_unless_decided")]

    operations = [ops.RunSQL(_OWN)]
