from tortoise import migrations
from tortoise.migrations import operations as ops

from auth.schema import APP_ROLE, ORGANISATION, PROVIDER, agency_only, append_only, belongs, offered, secured, tenant

# A price above the ceiling in force is refused here too (standard 7.1); so is one that a ceiling would catch
# later while the price is still in force. Where the ceiling includes VAT it is compared without.
_CEILING = """
    CREATE FUNCTION refuse_above_ceiling() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        dearest numeric;
        net numeric;
    BEGIN
        SELECT max((tier->>'price')::numeric) INTO dearest FROM jsonb_array_elements(NEW.tiers) AS tier;
        SELECT CASE WHEN c.includes_vat THEN c.amount / (1 + coalesce(v.rate, 0)) ELSE c.amount END INTO net
        FROM ceiling c
        LEFT JOIN LATERAL (
            SELECT rate FROM tax_rate
            WHERE kind = 'vat' AND provider_id IS NULL AND effective_from <= NEW.effective_from
            ORDER BY effective_from DESC LIMIT 1
        ) v ON true
        WHERE c.price_item_id = NEW.price_item_id AND c.effective_from <= NEW.effective_from
        ORDER BY c.effective_from DESC LIMIT 1;
        IF net IS NOT NULL AND dearest > net THEN
            RAISE EXCEPTION 'price above its ceiling' USING ERRCODE = 'check_violation', CONSTRAINT = 'price_under_ceiling';
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER price_under_ceiling BEFORE INSERT OR UPDATE ON price_version
        FOR EACH ROW EXECUTE FUNCTION refuse_above_ceiling();
"""

_NEVER_TWICE = """
    CREATE EXTENSION IF NOT EXISTS btree_gist;
    ALTER TABLE allocation ADD CONSTRAINT allocation_ends_after_start CHECK (ends_at IS NULL OR ends_at >= starts_at);
    ALTER TABLE allocation ADD CONSTRAINT allocation_never_twice
        EXCLUDE USING gist (service_id WITH =, component_id WITH =, tstzrange(starts_at, ends_at) WITH &&);
"""


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("auth", "0002_tenancy")]

    operations = [
        ops.RunSQL(
            secured(
                "counter", member=f"owner_id = {ORGANISATION} OR {PROVIDER} IS NOT NULL", grant="SELECT, INSERT, UPDATE"
            )
        ),
        ops.RunSQL(offered("price_item")),
        ops.RunSQL(offered("price_version")),
        ops.RunSQL(offered("ceiling")),
        ops.RunSQL(_CEILING),
        ops.RunSQL(secured("tax_rate", member=f"provider_id = {PROVIDER}", read=f"{ORGANISATION} IS NOT NULL")),
        ops.RunSQL(tenant("billed_service", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(tenant("allocation", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(belongs("allocation", "service_id", "billed_service")),
        ops.RunSQL(_NEVER_TWICE),
        ops.RunSQL(tenant("statement", grant="SELECT, INSERT")),
        ops.RunSQL(append_only("statement")),
        ops.RunSQL(tenant("statement_line", grant="SELECT, INSERT")),
        ops.RunSQL(belongs("statement_line", "statement_id", "statement")),
        ops.RunSQL(belongs("statement_line", "service_id", "billed_service")),
        ops.RunSQL(append_only("statement_line")),
        ops.RunSQL(agency_only("budget", grant="SELECT, INSERT, UPDATE")),
        ops.RunSQL(
            f"ALTER TABLE budget ADD CONSTRAINT budget_not_negative CHECK (amount >= 0); GRANT SELECT ON budget TO {APP_ROLE};"
        ),
    ]
