from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import AGENCY, ORGANISATION, PROVIDER, SYSTEM, has_role

# An agency's session only gives back what was held for it: never a size, never another's, never more than it let go.
_POOL = f"""
    DROP POLICY member ON pool;
    CREATE POLICY member ON pool USING (provider_id = {PROVIDER} OR {SYSTEM})
        WITH CHECK (provider_id = {PROVIDER} OR {SYSTEM});
    CREATE POLICY giving_back ON pool FOR UPDATE
        USING (EXISTS (SELECT FROM hold h WHERE h.pool_id = pool.id AND h.agency_id = {AGENCY}))
        WITH CHECK (EXISTS (SELECT FROM hold h WHERE h.pool_id = pool.id AND h.agency_id = {AGENCY}));
    CREATE FUNCTION refuse_more_than_given_back() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF {AGENCY} IS NULL OR {SYSTEM} THEN
            RETURN NEW;
        END IF;
        IF to_jsonb(NEW) - 'held' <> to_jsonb(OLD) - 'held' OR NEW.held > OLD.held OR OLD.held - NEW.held > (
            SELECT coalesce(max(h.quantity), 0) FROM hold h
            WHERE h.pool_id = NEW.id AND h.agency_id = {AGENCY} AND h.state = 'released'
        ) THEN
            RAISE EXCEPTION 'an agency gives back what was held for it, nothing else'
                USING ERRCODE = 'insufficient_privilege';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER given_back_only BEFORE UPDATE ON pool FOR EACH ROW EXECUTE FUNCTION refuse_more_than_given_back();
"""

# A provider counts its own papers, and its agencies' services and incidents; an agency's requests are the agency's to
# count. Whoever counts, counts by one.
_COUNTER_MEMBER = f"""
    owner_id = {ORGANISATION} OR {SYSTEM} OR ({PROVIDER} IS NOT NULL AND series <> 'REQ'
        AND EXISTS (SELECT FROM organisation o WHERE o.id = counter.owner_id AND o.kind = 'agency'))
"""
_COUNTER = f"""
    DROP POLICY member ON counter;
    CREATE POLICY member ON counter USING ({_COUNTER_MEMBER}) WITH CHECK ({_COUNTER_MEMBER});
    CREATE FUNCTION count_by_one() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' AND NEW.last_given <> 1 OR TG_OP = 'UPDATE' AND
            (NEW.owner_id, NEW.series, NEW.fiscal_year, NEW.last_given)
            IS DISTINCT FROM (OLD.owner_id, OLD.series, OLD.fiscal_year, OLD.last_given + 1)
        THEN
            RAISE EXCEPTION 'numbers are given one after the other' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER by_one BEFORE INSERT OR UPDATE ON counter FOR EACH ROW EXECUTE FUNCTION count_by_one();
"""

# The official calendar moves everybody's due times: only a provider's manager writes it.
_KEEPS_CALENDAR = f"({PROVIDER} IS NOT NULL AND {has_role('manager')}) OR {SYSTEM}"
_HOLIDAY = f"""
    DROP POLICY member ON holiday;
    CREATE POLICY member ON holiday USING ({_KEEPS_CALENDAR}) WITH CHECK ({_KEEPS_CALENDAR});
"""


class Migration(migrations.Migration):
    dependencies = [("services", "0130_terms"), ("billing", "0301_for_finance_tenancy"), ("auth", "0100_clients")]

    operations = [ops.RunSQL(_POOL), ops.RunSQL(_COUNTER), ops.RunSQL(_HOLIDAY)]
