from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, APP_ROLE, OVERSIGHT, PROVIDER, SYSTEM

_MINE = f"provider_id = (SELECT {PROVIDER}) OR (SELECT {SYSTEM})"
_SEEN = f"agency_id = (SELECT {AGENCY}) OR (SELECT {OVERSIGHT})"

# Days whose sums do not hold all of their events yet. A row for each batch, never shared: whoever sums up takes away
# what was seen and no more.
_UNSUMMED = f"""
    CREATE TABLE usage_unsummed (
        agency_id uuid NOT NULL,
        provider_id uuid NOT NULL,
        day date NOT NULL,
        batch_id uuid NOT NULL,
        PRIMARY KEY (agency_id, day, batch_id)
    );
    ALTER TABLE usage_unsummed ENABLE ROW LEVEL SECURITY;
    ALTER TABLE usage_unsummed FORCE ROW LEVEL SECURITY;
    CREATE POLICY member ON usage_unsummed USING ({_MINE}) WITH CHECK ({_MINE});
    CREATE POLICY reader ON usage_unsummed FOR SELECT USING ({_SEEN});
    GRANT SELECT, INSERT, DELETE ON usage_unsummed TO {APP_ROLE};
"""
# An event is unique by its identity. Its place is its agency and its time: what comes together lies together, and a
# day of an agency is read in one stretch.
_IN_ORDER_OF_TIME = """
    ALTER TABLE usage_event DROP CONSTRAINT usage_event_pkey;
    CREATE INDEX usage_event_agency ON usage_event (agency_id, starts_at);
"""
# A month whose sums do not hold all of its events yet cannot let them go.
_SUMMED_FIRST = """
    CREATE FUNCTION refuse_unsummed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM usage_unsummed u WHERE u.day >= NEW.month AND u.day < NEW.month + interval '1 month'
        ) THEN
            RAISE EXCEPTION 'usage of % is not summed up yet', NEW.month USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER summed_first BEFORE INSERT ON usage_let_go FOR EACH ROW EXECUTE FUNCTION refuse_unsummed();
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0311_collectors"), ("billing", "0324_settled_quantity")]

    operations = [ops.RunSQL(_UNSUMMED), ops.RunSQL(_IN_ORDER_OF_TIME), ops.RunSQL(_SUMMED_FIRST)]
